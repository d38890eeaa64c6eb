"""The directory that is deployed: the product's template and code, lists and a state machine of our own."""

from __future__ import annotations

import shutil
from pathlib import Path

from local.rendering import rendered, without_schedules

ROOT = Path(__file__).parent.parent
# Where Lambda unpacks a function's code.
TASK_ROOT = "/var/task"


def prepare(directory: Path, servers_toml: str) -> Path:
    """Makes it anew, without the binary; gives its template."""
    shutil.rmtree(directory, ignore_errors=True)
    code = directory / "code"
    code.mkdir(parents=True)
    (code / "servers.toml").write_text(servers_toml)
    (directory / "statemachine.asl.json").write_text(rendered(code / "servers.toml"))
    template = directory / "template.yaml"
    template.write_text(own(without_schedules((ROOT / "template.yaml").read_text())))
    return template


def own(template: str) -> str:
    """The product's template with the code of this directory, and the lists that lie beside the binary."""
    template = _replaced(template, "CodeUri: .", "CodeUri: code")
    variables = "      Environment:\n        Variables:\n"
    return _replaced(template, variables, f"{variables}          SERVERS_FILE: {TASK_ROOT}/servers.toml\n")


def _replaced(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise RuntimeError(f"template.yaml has '{old.strip()}' {text.count(old)} times; once is expected")
    return text.replace(old, new)
