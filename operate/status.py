"""`make status` and `make log`: what runs now, what comes next, what was, and where to look further."""

from __future__ import annotations

from typing import Any

from operate import schedules
from operate.approve import running_lines
from operate.phase_log import phase_log
from operate.problem import OperatingError
from operate.report import report_lines, verdict
from operate.stack import Stack

HOW_MANY_RUNS = 10


def status_lines(stack: Stack, commands: str) -> list[str]:
    """What runs, the schedules, the last runs, the report of the last one that ended, the stack's outputs."""
    step_functions = stack.client("stepfunctions")
    found = stack.executions(maxResults=HOW_MANY_RUNS)
    runs = [step_functions.describe_execution(executionArn=run["executionArn"]) for run in found]
    lines = ["Running now:"]
    lines += running_lines(stack, stack.executions(statusFilter="RUNNING")) or ["  nothing"]
    lines += [
        "",
        "Schedules:",
        *schedules.lines(stack, commands),
        "",
        "Outputs:",
        *output_lines(stack),
        "",
        "Last runs:",
    ]
    if not runs:
        return [*lines, "  No execution yet."]
    lines += [run_line(run) for run in runs]
    ended = next((run for run in runs if run["status"] != "RUNNING"), None)
    return [*lines, "", *(report_lines(ended) if ended else [])]


def run_line(run: dict[str, Any]) -> str:
    """When, how it ended, its verdict and how long it took."""
    took = f"{(run['stopDate'] - run['startDate']).total_seconds():.0f} s" if run.get("stopDate") else ""
    words = [f"{run['startDate']:%Y-%m-%d %H:%M:%S %Z}", run["status"], run["name"], verdict(run), took]
    return "  " + "  ".join(word for word in words if word)


def output_lines(stack: Stack) -> list[str]:
    width = max(map(len, stack.outputs))
    return [f"  {key:{width}}  {value}" for key, value in sorted(stack.outputs.items())]


def log_lines(stack: Stack, run: str) -> list[str]:
    """The phase log of a run; of the last one if none is named."""
    run = run or last_run(stack)
    events = phase_log(stack.client("logs"), stack.outputs["PhaseLogGroup"], run)
    if not events:
        raise OperatingError(
            f"the phase log has nothing of a run {run}: make status shows the last runs; "
            "one that was refused, or that waits for an earlier one, writes none"
        )
    return [event["message"] for event in events]


def last_run(stack: Stack) -> str:
    found = stack.executions(maxResults=1)
    if not found:
        raise OperatingError("there is no run yet")
    return found[0]["name"]
