"""A deployed stack with the twenty servers, and few words to run it and look at it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local import faults, mails
from local import run as local_run
from local.deploy import Stack
from local.fleet import Fleet
from local.rendering import rendered
from local.server import Server
from operate.phase_log import phase_log
from tests.conftest import SERVERS_FILE

# Real seconds: far more than any run of the tests takes.
LONGEST_RUN = 120.0


@dataclass
class Outcome:
    """What came of an execution."""

    name: str
    status: str
    error: str | None
    cause: str | None
    output: Any


class System:
    """The whole system, embedded."""

    def __init__(
        self, server: Server, log: Path, state: str, servers: Path = SERVERS_FILE, **parameters: str
    ) -> None:
        self.server = server
        machine = rendered(servers)
        self.stack: Stack = local_run.set_up(server, log, servers=servers, machine=machine, **parameters)
        self.fleet = Fleet(server, self.stack.client("ec2"))
        self.fleet.seed(servers, state)
        server.application.calls.clear()

    def begin(self, action: str, **more: Any) -> str:
        machine, given = local_run.target(self.stack, action)
        step_functions = self.stack.client("stepfunctions")
        begun = step_functions.start_execution(stateMachineArn=machine, input=json.dumps(given | more))
        return begun["executionArn"]

    def end(self, execution: str) -> Outcome:
        step_functions = self.stack.client("stepfunctions")
        deadline = time.monotonic() + LONGEST_RUN
        while (told := step_functions.describe_execution(executionArn=execution))["status"] == "RUNNING":
            assert time.monotonic() < deadline, "the execution does not end"
            time.sleep(0.05)
        output = json.loads(told["output"]) if told.get("output") else None
        name = execution.rsplit(":", 1)[1]
        return Outcome(name, told["status"], told.get("error"), told.get("cause"), output)

    def run(self, action: str, **more: Any) -> Outcome:
        return self.end(self.begin(action, **more))

    def fail(self, fault: str) -> None:
        for wish in faults.parse(fault):
            self.fleet.break_as(wish)

    def invoke(self, event: dict[str, Any]) -> tuple[Any, str | None]:
        """The function alone: its answer, and the header that says that it failed."""
        function = self.stack.outputs["FunctionName"]
        told = self.stack.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        return json.loads(told["Payload"].read()), told.get("FunctionError")

    def states(self, names: list[str]) -> set[str]:
        return {self.fleet.state(name) for name in names}

    def named_in(self, operation: str, name: str) -> int:
        """How many calls of an operation named a server."""
        wanted = self.fleet.ids[name]
        calls = [call for call in self.server.application.calls if call.operation == operation]
        return sum(wanted in call.parameters.values() for call in calls)

    def mail(self) -> dict[str, str]:
        sent = mails.given(self.server)
        assert len(sent) == 1, f"{len(sent)} mails were sent"
        return sent[0]

    def phase_log(self, stream: str) -> list[str]:
        events = phase_log(self.stack.client("logs"), self.stack.outputs["PhaseLogGroup"], stream)
        return [event["message"] for event in events]


@pytest.fixture
def stopped(server: Server, tmp_path: Path) -> System:
    return System(server, tmp_path / "function.log", "stopped")


@pytest.fixture
def running(server: Server, tmp_path: Path) -> System:
    return System(server, tmp_path / "function.log", "running")
