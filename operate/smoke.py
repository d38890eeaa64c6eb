"""`make smoke`: the artefact of `sam build` under AWS's Runtime Interface Emulator, which sam's wheel brings.

Proves that the file that is deployed runs as `bootstrap` and answers: a skip, which calls no AWS API, and a
refused payload. One request at a time: the emulator crashes on more.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from operate.problem import OperatingError

ROOT = Path(__file__).parent.parent
BOOTSTRAP = ROOT / ".aws-sam" / "build" / "Function" / "bootstrap"
# How sam's wheel names the emulators, by what Python calls the machine.
EMULATORS = {"x86_64": "x86_64", "aarch64": "arm64"}
# The emulator listens within some milliseconds; the function's first answer took less than a second.
PATIENCE_SECONDS = 20.0


def main() -> int:
    try:
        emulator = find_emulator(ROOT / ".venv-deploy", platform.system(), platform.machine())
    except OperatingError as error:
        print(f"make smoke: {error}", file=sys.stderr)
        return 2
    if not BOOTSTRAP.exists():
        print("make smoke: sam build has left no artefact", file=sys.stderr)
        return 2
    port, runtime_port = free_port(), free_port()
    environment = {"PATH": os.environ["PATH"], "AWS_REGION": "eu-west-1", "AWS_LAMBDA_FUNCTION_TIMEOUT": "30"}
    command = [str(emulator), "--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    command += ["--runtime-api-address", f"127.0.0.1:{runtime_port}", str(BOOTSTRAP)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        return check(port)
    finally:
        process.terminate()
        process.wait(timeout=10)


def find_emulator(venv: Path, system: str, machine: str) -> Path:
    """The emulator for this machine; it runs Linux programs, as the artefact is one."""
    if system != "Linux" or machine not in EMULATORS:
        raise OperatingError(
            f"the emulator runs on Linux, x86_64 or arm64, and this is {system} {machine}: "
            "make deploy, then make start DRY_RUN=1, shows the same"
        )
    name = f"samcli/local/rapid/aws-lambda-rie-{EMULATORS[machine]}"
    found = sorted(venv.glob(f"lib/python*/site-packages/{name}"))
    if not found:
        raise OperatingError(f"sam's wheel in {venv.name} has no {name.rsplit('/', 1)[1]}")
    return found[0]


def check(port: int) -> int:
    skip = json.loads((ROOT / "events" / "skip.json").read_text())
    answers = [invoke(port, skip), invoke(port, skip | {"action": "restart"})]
    right = (
        answers[0].get("outcome") == "skipped",
        answers[1].get("errorType") == "InvalidPayload",
    )
    for answer, good in zip(answers, right, strict=True):
        print(f"{'ok' if good else 'WRONG'}: {json.dumps(answer)}")
    return 0 if all(right) else 1


def invoke(port: int, payload: dict[str, Any]) -> dict[str, Any]:
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with urllib.request.urlopen(
                url, json.dumps(payload).encode(), timeout=PATIENCE_SECONDS
            ) as answer:
                return json.loads(answer.read())
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


if __name__ == "__main__":
    sys.exit(main())
