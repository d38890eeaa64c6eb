"""Runs a state machine on the embedded interpreter with stand-ins for its Lambda functions.

Owns the way from a definition and an input to what came of it: status, output, error, history, payloads.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from local.deploy import client
from local.runtime_api import ACCOUNT, REGION, Answer
from local.server import Server

ROLE = f"arn:aws:iam::{ACCOUNT}:role/lab"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:stand-in"
GIVEN = {
    "FunctionArn": FUNCTION_ARN,
    "Partition": "aws",
    "Calendar": "",
    "UnreadableCalendar": "go-on",
    "ClosedCalendarMail": "mail",
    "LaterRuns": "default",
    "ScheduleRoleArn": ROLE,
    "MissedSchedulesArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:missed",
}
"""What the template gives the definition; a test may give other values."""
# Real seconds; a run of the lab takes milliseconds.
LONGEST_RUN = 60.0


class FunctionError(Exception):
    """The stand-in fails, as a function does: under a name, with a message."""

    def __init__(self, name: str, message: str = "the stand-in was told to fail") -> None:
        super().__init__(message)
        self.name = name


class InvokeError(Exception):
    """Lambda itself refuses the invocation."""

    def __init__(self, status: int, name: str) -> None:
        super().__init__(name)
        self.status, self.name = status, name


StandIn = Callable[[Any], Any]


class StandIns:
    """Takes the place of the Lambda service: every function is the one stand-in."""

    def __init__(self, stand_in: StandIn) -> None:
        self.stand_in = stand_in
        self.payloads: list[Any] = []
        self.lock = threading.Lock()

    def invoke(self, identifier: str, payload: bytes, kind: str) -> Answer:
        event = json.loads(payload)
        with self.lock:
            self.payloads.append(event)
        try:
            return 200, {"X-Amz-Executed-Version": "$LATEST"}, json.dumps(self.stand_in(event)).encode()
        except InvokeError as error:
            return error.status, {"x-amzn-ErrorType": error.name}, b'{"Type":"User","message":"refused"}'
        except FunctionError as error:
            body = json.dumps({"errorType": error.name, "errorMessage": str(error)})
            return 200, {"X-Amz-Function-Error": "Unhandled"}, body.encode()


@dataclass
class Run:
    """What came of an execution."""

    status: str
    output: Any
    error: str | None
    cause: str | None
    history: list[dict[str, Any]]
    payloads: list[Any]


class Machine:
    """A state machine of the lab."""

    def __init__(
        self,
        step_functions: Any,
        definition: dict[str, Any],
        stand_ins: StandIns,
        given: dict[str, str] | None = None,
    ) -> None:
        self.step_functions, self.stand_ins = step_functions, stand_ins
        text = json.dumps(definition)
        for name, value in (GIVEN | (given or {})).items():
            text = text.replace(f"${{{name}}}", value)
        made = step_functions.create_state_machine(name=f"lab-{uuid.uuid4()}", definition=text, roleArn=ROLE)
        self.arn = made["stateMachineArn"]

    def begin(self, given: Any) -> str:
        """Starts an execution and gives its ARN."""
        begun = self.step_functions.start_execution(stateMachineArn=self.arn, input=json.dumps(given))
        return begun["executionArn"]

    def has_entered(self, execution: str, state: str) -> bool:
        """Whether an execution has been in a state."""
        return any(
            e.get("stateEnteredEventDetails", {}).get("name") == state for e in self.history(execution)
        )

    def history(self, execution: str) -> list[dict[str, Any]]:
        pages = self.step_functions.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [event for page in pages for event in page["events"]]

    def end(self, execution: str) -> Run:
        """Waits for an execution's end."""
        deadline = time.monotonic() + LONGEST_RUN
        while (told := self.step_functions.describe_execution(executionArn=execution))["status"] == "RUNNING":
            if time.monotonic() > deadline:
                raise TimeoutError("the execution does not end")
            time.sleep(0.01)
        history = self.history(execution)
        # moto's describe leaves bare strings unquoted; the history does not.
        ends = [e["executionSucceededEventDetails"] for e in history if e["type"] == "ExecutionSucceeded"]
        output = json.loads(ends[0]["output"]) if ends else None
        payloads = self.stand_ins.payloads
        return Run(told["status"], output, told.get("error"), told.get("cause"), history, payloads)


@contextmanager
def lab(
    server: Server, definition: dict[str, Any], stand_in: StandIn, given: dict[str, str] | None = None
) -> Iterator[Machine]:
    """A machine whose functions are the stand-in, for as long as the context lasts."""
    lambdas = server.application.lambdas
    stand_ins = StandIns(stand_in)
    server.application.lambdas = stand_ins
    try:
        yield Machine(client(server.url, "stepfunctions"), definition, stand_ins, given)
    finally:
        server.application.lambdas = lambdas


def run(
    server: Server,
    definition: dict[str, Any],
    given: Any,
    stand_in: StandIn = lambda event: event,
    parameters: dict[str, str] | None = None,
) -> Run:
    """Creates the machine, runs it once and gives what came of it."""
    with lab(server, definition, stand_in, parameters) as machine:
        return machine.end(machine.begin(given))
