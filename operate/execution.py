"""Starts an execution under a name of its own, follows its phase log and prints its report."""

from __future__ import annotations

import datetime as dt
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

from operate.stack import OperatingError, Stack

# The state machine's own time-out is 2.5 hours; this is only so that no loop is without an end.
LONGEST_RUN_SECONDS = 3 * 3600.0
Say = Callable[[str], None]


def start(stack: Stack, action: str, environments: list[str], dry_run: bool) -> str:
    """Starts it; gives its ARN."""
    given: dict[str, Any] = {"action": action}
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


def follow(stack: Stack, execution: str, say: Say = print, pause_seconds: float = 3.0) -> bool:
    """Tells the phase log until the execution ends, then its report; whether it succeeded."""
    step_functions = stack.client("stepfunctions")
    told = 0
    deadline = time.monotonic() + LONGEST_RUN_SECONDS
    while True:
        described = step_functions.describe_execution(executionArn=execution)
        told = tell_log(stack, execution.rsplit(":", 1)[1], told, say)
        if described["status"] != "RUNNING":
            break
        if time.monotonic() > deadline:
            raise OperatingError(f"{execution} did not end within {LONGEST_RUN_SECONDS / 3600:g} hours")
        time.sleep(pause_seconds)
    say("")
    for line in report_lines(described):
        say(line)
    return described["status"] == "SUCCEEDED"


def tell_log(stack: Stack, stream: str, told: int, say: Say) -> int:
    """Says the events after the first `told` ones; how many are told now."""
    events = phase_log(stack.client("logs"), stack.outputs["PhaseLogGroup"], stream)
    for event in events[told:]:
        say(f"  {event['message']}")
    return max(len(events), told)


def phase_log(logs: Any, group: str, stream: str) -> list[dict[str, Any]]:
    """All events of a run, in order; none if no phase has written yet."""
    events: list[dict[str, Any]] = []
    pages: dict[str, Any] = {}
    while True:
        try:
            page = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **pages)
        except logs.exceptions.ResourceNotFoundException:
            return events
        events += page["events"]
        # The last page gives its own token back.
        if not page["events"] or page["nextForwardToken"] == pages.get("nextToken"):
            return events
        pages = {"nextToken": page["nextForwardToken"]}


def report_lines(described: dict[str, Any]) -> list[str]:
    """The execution's report: its output, or, when it failed, its cause."""
    text = described.get("output") or described.get("cause") or ""
    lines = [f"{described['name']}: {described['status']} {described.get('error', '')}".rstrip()]
    try:
        report = json.loads(text)
    except ValueError:
        return [*lines, text] if text else lines
    if error := report.get("mail_error"):
        lines.append(f"{report['status']}, but the mail was not sent: {error['Error']}: {error['Cause']}")
    if "counts" in report:
        counts = ", ".join(f"{word} {n}" for word, n in report["counts"].items())
        lines.append(f"{report['subject']}; {counts}")
    lines += [server_line(server) for server in report.get("servers", [])]
    lines += [
        f"  {problem['name']} ({problem['code']}): {problem['message']}"
        for problem in report.get("problems", [])
    ]
    return [*lines, *(f"  {remark}" for remark in report.get("remarks", []))]


def server_line(server: dict[str, Any]) -> str:
    before, after = server["initial_state"] or "not looked at", server["end_state"] or "unknown"
    problem = f" ({server['problem']})" if server.get("problem") else ""
    who = f"{server['environment']} {server['tier']}  {server['name']}"
    return f"  {who}: {before} → {after}, {server['action']}{problem}"


def status_lines(stack: Stack, how_many: int = 5) -> list[str]:
    """Whether the schedules are on, the last executions, and the report of the last one."""
    step_functions = stack.client("stepfunctions")
    machine = stack.outputs["StateMachineArn"]
    found = step_functions.list_executions(stateMachineArn=machine, maxResults=how_many)["executions"]
    lines = [*schedule_lines(stack), ""]
    if not found:
        return [*lines, "No execution yet."]
    for execution in found:
        lines.append(
            f"{execution['startDate']:%Y-%m-%d %H:%M:%S %Z}  {execution['status']}  {execution['name']}"
        )
    last = step_functions.describe_execution(executionArn=found[0]["executionArn"])
    return [*lines, "", *report_lines(last)]


def schedule_lines(stack: Stack) -> list[str]:
    """The schedules that start this machine."""
    scheduler = stack.client("scheduler")
    lines = []
    for page in scheduler.get_paginator("list_schedules").paginate(GroupName="default"):
        for summary in page["Schedules"]:
            schedule = scheduler.get_schedule(Name=summary["Name"])
            if schedule["Target"]["Arn"] == stack.outputs["StateMachineArn"]:
                when = f"{schedule['ScheduleExpression']} {schedule['ScheduleExpressionTimezone']}"
                lines.append(f"{schedule['Target']['Input']}  {when}  {schedule['State']}")
    return sorted(lines)
