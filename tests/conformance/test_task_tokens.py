"""A task that waits for its token's answer: who may answer, until when, and what comes of it.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token; the errors
are those of API_SendTaskSuccess.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import clock
from local.server import Server
from local.state_machine_lab import FunctionError, Machine, lab

# Of simulated time. Where an answer comes, a busy machine has ten real seconds for it.
SHORT, LONG = 10 * 60, 60 * 60


def waiting(seconds: int = LONG) -> dict[str, Any]:
    """A machine of one such task: its output is the answer, or the error that it ended with."""
    ask = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Arguments": {
            "FunctionName": "${FunctionArn}",
            "Payload": {"token": "{% $states.context.Task.Token %}"},
        },
        "TimeoutSeconds": seconds,
        "Output": "{% $states.result %}",
        "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput %}", "Next": "Z"}],
        "End": True,
    }
    done = {"Type": "Pass", "End": True}
    return {"QueryLanguage": "JSONata", "StartAt": "Ask", "States": {"Ask": ask, "Z": done}}


@pytest.fixture
def machine(running_server: Server):
    with lab(running_server, waiting(), lambda event: event) as made:
        yield made


@pytest.fixture
def impatient(running_server: Server):
    with lab(running_server, waiting(SHORT), lambda event: event) as made:
        yield made


def token(machine: Machine) -> str:
    deadline = time.monotonic() + 20
    while not machine.stand_ins.payloads:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return machine.stand_ins.payloads[-1]["token"]


def success(machine: Machine, given: str, output: Any) -> None:
    machine.step_functions.send_task_success(taskToken=given, output=json.dumps(output))


def test_the_functions_answer_is_not_the_tasks_and_the_tokens_is(machine: Machine):
    execution = machine.begin({})
    success(machine, token(machine), {"approved": True})
    assert machine.end(execution).output == {"approved": True}


def test_a_failure_by_token_is_an_error_with_its_name_and_cause(machine: Machine):
    execution = machine.begin({})
    machine.step_functions.send_task_failure(taskToken=token(machine), error="No", cause="not today")
    assert machine.end(execution).output == {"Error": "No", "Cause": "not today"}


def test_without_an_answer_the_task_ends_by_its_time_in_simulated_seconds(impatient: Machine):
    began = clock.CLOCK.now()
    assert impatient.end(impatient.begin({})).output["Error"] == "States.Timeout"
    assert SHORT <= clock.CLOCK.now() - began < LONG


def refusal(machine: Machine, given: str) -> str:
    with pytest.raises(ClientError) as refused:
        success(machine, given, {})
    return refused.value.response["Error"]["Code"]


def test_a_late_answer_and_an_unknown_token_are_refused_by_name(impatient: Machine):
    execution = impatient.begin({})
    assert refusal(impatient, "no-token") == "InvalidToken"
    given = token(impatient)
    impatient.end(execution)
    assert refusal(impatient, given) == "TaskTimedOut"


def test_a_second_answer_is_refused_by_name(machine: Machine):
    execution = machine.begin({})
    given = token(machine)
    success(machine, given, 1)
    assert machine.end(execution).output == 1
    assert refusal(machine, given) == "TaskTimedOut"


def test_a_function_that_fails_ends_the_task_under_its_errors_name(running_server: Server):
    def fails(_: Any) -> Any:
        raise FunctionError("MailRejected", "nobody got it")

    with lab(running_server, waiting(), fails) as machine:
        output = machine.end(machine.begin({})).output
    assert output["Error"] == "MailRejected"
    assert json.loads(output["Cause"])["errorMessage"] == "nobody got it"


def test_the_token_stands_in_the_history_where_the_task_was_scheduled(machine: Machine):
    execution = machine.begin({})
    given = token(machine)
    (scheduled,) = [e for e in machine.history(execution) if e["type"] == "TaskScheduled"]
    parameters = json.loads(scheduled["taskScheduledEventDetails"]["parameters"])
    assert parameters["Payload"] == {"token": given}
    success(machine, given, {})
    machine.end(execution)
