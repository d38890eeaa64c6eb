"""What the machine carries fits a state's payload of 262,144 bytes; the function bounds a branch's part."""

from __future__ import annotations

import json
import re
from typing import Any

from local.deploy import ROOT
from local.server import Server
from local.state_machine_lab import FunctionError, run
from tests.state_machine.test_paths import (
    DEV,
    DEV_DB,
    ENVIRONMENTS,
    MACHINE,
    STATE,
    Script,
    answer,
    each_phase,
    mail_of,
    result_of,
    the_others_finish,
)

# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
PAYLOAD_BYTES = 262_144


def bound(name: str, file: str) -> int:
    """A number of the function's."""
    found = re.search(rf"const {name}: usize = ([\d_]+);", (ROOT / "src" / "lambda" / file).read_text())
    return int(found[1].replace("_", ""))


def size(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":")).encode())


def full(payload: dict[str, Any]) -> dict[str, Any]:
    """An answer whose record is as large as the function lets it become."""
    given = answer(payload)
    most = bound("RESULTS_BYTES", "branch.rs") // len(ENVIRONMENTS)
    record = given["branch"]["record"]
    record["phases"][0]["log_error"] = ""
    record["phases"][0]["log_error"] = "x" * (most - size(record))
    assert size(record) == most
    return given


def test_full_records_of_all_environments_with_an_error_each_reach_the_mail(running_server: Server):
    error = FunctionError("AwsFailure", "x" * bound("MESSAGE_CHARACTERS", "error.rs"))

    def fills_then_fails(payload: dict[str, Any]) -> Any:
        if payload["branch"]:
            raise error
        return full(payload)

    result = run(running_server, MACHINE, {"action": "start"}, Script(each_phase(fills_then_fails)))
    mail = mail_of(result)
    assert (mail["error"], len(mail["results"])) == (None, len(ENVIRONMENTS))
    assert {given["error"]["Error"] for given in mail["results"]} == {"AwsFailure"}
    assert size(mail) < PAYLOAD_BYTES


def test_an_answer_that_no_payload_holds_fails_its_own_environment_only(running_server: Server):
    def too_long(payload: dict[str, Any]) -> Any:
        return answer(payload, initial_state={f"server-{n:04}": STATE for n in range(3000)})

    result = run(running_server, MACHINE, {"action": "start"}, Script({DEV_DB: [too_long]}))
    assert result.status == "FAILED"
    assert the_others_finish(result)
    assert result_of(result, DEV)["error"]["Error"] == "States.DataLimitExceeded"
