"""What a state, a task and an execution may carry: 262,144 bytes of compact JSON in UTF-8."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.data_limits import MOST_BYTES
from local.deploy import client
from local.server import Server
from local.state_machine_lab import Run, run

EXCEEDED = "States.DataLimitExceeded"


def machine(payload: Any, **more: Any) -> dict[str, Any]:
    """A task with this payload, and a state that is reached by a Catch."""
    arguments = {"FunctionName": "${FunctionArn}", "Payload": payload}
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": arguments, "End": True}
    states = {"A": task | {"Output": "done"} | more, "Z": {"Type": "Succeed"}}
    return {"QueryLanguage": "JSONata", "StartAt": "A", "States": states}


@pytest.fixture
def runs(running_server: Server):
    def runs(definition: dict[str, Any], given: Any, stand_in: Any = lambda event: None) -> Run:
        return run(running_server, definition, given, stand_in)

    return runs


TWICE = ["{% $states.input %}", "{% $states.input %}"]


def test_a_payload_below_the_limit_is_sent(runs):
    assert runs(machine(TWICE), "x" * 130_000).status == "SUCCEEDED"


def test_arguments_over_the_limit_fail_without_an_invocation_and_all_errors_is_no_name_for_it(runs):
    everything = {"ErrorEquals": ["States.ALL"], "Next": "Z"}
    done = runs(machine(TWICE, Catch=[everything]), "x" * 140_000)
    assert (done.status, done.error, done.payloads) == ("FAILED", EXCEEDED, [])


def test_arguments_over_the_limit_are_caught_by_name(runs):
    named = {"ErrorEquals": [EXCEEDED], "Output": "{% $states.errorOutput.Error %}", "Next": "Z"}
    assert runs(machine(TWICE, Catch=[named]), "x" * 140_000).output == EXCEEDED


@pytest.mark.parametrize(("letter", "bytes_each"), [("x", 1), ("ü", 2), ("😀", 4)])
def test_bytes_of_utf_8_are_counted_and_the_last_one_fits(runs, letter, bytes_each):
    letters, left = divmod(MOST_BYTES - len('""'), bytes_each)
    rest = "x" * left
    for more, status in ((rest, "SUCCEEDED"), (rest + "x", "FAILED")):
        output = f"{{% $join([1..{letters}].('{letter}')) & '{more}' %}}"
        states = {"A": {"Type": "Pass", "Output": output, "End": True}}
        definition = {"QueryLanguage": "JSONata", "StartAt": "A", "States": states}
        assert runs(definition, {}).status == status


def test_an_execution_whose_input_is_over_the_limit_is_not_started(server):
    step_functions = client(server.url, "stepfunctions")
    made = step_functions.create_state_machine(
        name="m", definition=json.dumps(machine({})), roleArn="arn:aws:iam::123456789012:role/machine"
    )
    with pytest.raises(ClientError, match="ValidationException"):
        step_functions.start_execution(
            stateMachineArn=made["stateMachineArn"], input=json.dumps("x" * MOST_BYTES)
        )
