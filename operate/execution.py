"""Starts an execution under a name of its own, and follows it to its report."""

from __future__ import annotations

import datetime as dt
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

from operate.phase_log import Teller
from operate.report import report_lines
from operate.stack import Stack
from operate.terminal import Terminal
from operate.waiting import Questions, Waiting, earlier_runs

# DescribeExecution is eventually consistent: a new execution may be unknown at first.
UNKNOWN_AT_MOST_SECONDS = 30.0


def start(
    stack: Stack, action: str, environments: list[str], dry_run: bool, more: dict[str, Any] | None = None
) -> str:
    """Starts it, with more of the input than that; gives its ARN. The action may be the check."""
    given: dict[str, Any] = {"check": True} if action == "check" else {"action": action}
    given |= more or {}
    if environments:
        given["environments"] = environments
    if dry_run:
        given["dry_run"] = True
    begun = stack.client("stepfunctions").start_execution(
        stateMachineArn=stack.outputs["StateMachineArn"], name=unique_name(action), input=json.dumps(given)
    )
    return begun["executionArn"]


def unique_name(action: str) -> str:
    """Sorts by time, and no two people get the same one in the same second."""
    return f"{action}-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"


def follow(
    stack: Stack, execution: str, terminal: Terminal | None = None, pause_seconds: float = 3.0
) -> bool:
    """Tells the phase log until the execution ends, then its report; whether it succeeded.

    The machine's own time-out ends every execution (src/servers/machine.rs): we give up no earlier than that.
    """
    terminal = terminal or Terminal()
    step_functions = stack.client("stepfunctions")
    teller = Teller(stack.client("logs"), stack.outputs["PhaseLogGroup"], execution.rsplit(":", 1)[1])
    waiting, asked = Waiting(terminal), Questions(step_functions, execution)
    while True:
        described = describe(step_functions, execution, pause_seconds)
        tell(teller, waiting, terminal)
        if described["status"] != "RUNNING":
            break
        machine = stack.outputs["StateMachineArn"]
        waiting.asks(asked.look(), described["name"], stack.name)
        waiting.tell([] if waiting.began_any else earlier_runs(step_functions, machine, described))
        time.sleep(pause_seconds)
    # What was written at the very end arrives a little later than the execution's end.
    time.sleep(pause_seconds)
    tell(teller, waiting, terminal)
    for line in ["", *report_lines(described)]:
        terminal.say(line)
    return described["status"] == "SUCCEEDED"


def tell(teller: Teller, waiting: Waiting, terminal: Terminal) -> None:
    for event in teller.news():
        terminal.say(f"  {event['message']}")
        waiting.heard(event["message"])


def describe(
    step_functions: Any,
    execution: str,
    pause_seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """DescribeExecution, which does not know every new execution at once."""
    deadline = clock() + UNKNOWN_AT_MOST_SECONDS
    while True:
        try:
            return step_functions.describe_execution(executionArn=execution)
        except step_functions.exceptions.ExecutionDoesNotExist:
            if clock() > deadline:
                raise
            time.sleep(pause_seconds)
