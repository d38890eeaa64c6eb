"""One run of the product as it shows from outside: the execution, its history, its report and its phase log.

Owns the reading. What it should be is the steps' business.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import Any

from operate.phase_log import phase_log

DECIDED = ("ready", "degraded", "failed", "empty")


@dataclass
class Invocation:
    """One invocation of the function by the state machine."""

    payload: dict[str, Any]
    asked: dt.datetime
    answered: dt.datetime | None = None
    answer: dict[str, Any] = field(default_factory=dict)

    @property
    def decided(self) -> bool:
        """It was about a list's servers, and came to an end."""
        return self.answer.get("outcome") in DECIDED

    @property
    def number(self) -> int:
        """Of its list."""
        return self.payload["phase_number"]


@dataclass
class Run:
    """An execution that has ended."""

    name: str
    status: str
    error: str
    report: dict[str, Any]
    phases: list[Invocation]
    began: dt.datetime
    ended: dt.datetime
    log: list[str]
    ready_at: dict[str, float] = field(default_factory=dict)
    """When each server was first seen with its status checks passed, by short name."""
    launched: dict[str, dt.datetime] = field(default_factory=dict)
    """EC2's launch times after it, by short name."""
    before: dict[str, str] = field(default_factory=dict)
    """EC2's states before it, by short name; empty if another run was changing them."""

    @property
    def end(self) -> str:
        return f"{self.status} {self.error}".strip()

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """The report's servers by name."""
        return {row["name"]: row for row in self.report.get("servers", [])}

    def decided(self) -> list[Invocation]:
        return [phase for phase in self.phases if phase.decided]


def read(world: Any, outputs: dict[str, str], arn: str) -> Run:
    """The execution of this ARN, which has ended."""
    step_functions = world.client("stepfunctions")
    described = step_functions.describe_execution(executionArn=arn)
    events: list[dict[str, Any]] = []
    for page in step_functions.get_paginator("get_execution_history").paginate(executionArn=arn):
        events += page["events"]
    name = arn.rsplit(":", 1)[1]
    invoked = invocations(events)
    reports = [i.answer for i in invoked if i.payload.get("send_mail")]
    log = phase_log(world.client("logs"), outputs["PhaseLogGroup"], name)
    return Run(
        name,
        described["status"],
        described.get("error", ""),
        reports[-1] if reports else {},
        [i for i in invoked if "phase_number" in i.payload],
        events[0]["timestamp"],
        max(event["timestamp"] for event in events),
        [event["message"] for event in log],
    )


def invocations(events: list[dict[str, Any]]) -> list[Invocation]:
    """Those of the function, in the order in which they were asked for."""
    by_event: dict[int, Invocation] = {}
    for event in events:
        match event["type"]:
            case "TaskScheduled":
                given = json.loads(event["taskScheduledEventDetails"]["parameters"])
                if "Payload" in given:
                    by_event[event["id"]] = Invocation(given["Payload"], event["timestamp"])
            case "TaskStarted" if event["previousEventId"] in by_event:
                by_event[event["id"]] = by_event[event["previousEventId"]]
            case "TaskSucceeded" if event["previousEventId"] in by_event:
                invocation = by_event[event["previousEventId"]]
                invocation.answered = event["timestamp"]
                invocation.answer = json.loads(event["taskSucceededEventDetails"]["output"])["Payload"]
    return list(dict((id(i), i) for i in by_event.values()).values())
