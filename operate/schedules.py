"""What `make status` says of schedules: the template's, those of servers.toml, one-time ones that runs made.

Owns whose they are, and how a run's own is taken back. When they fire next, the product itself says.
"""

from __future__ import annotations

import shlex
import subprocess
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operate import commands
from operate.stack import Stack

# Where the template's schedules are, and most others; those that runs make are in a group of the stack's own.
DEFAULT_GROUP = "default"


def lines(stack: Stack, binary: str) -> list[str]:
    """Of each schedule of this stack's machine what it is, when it fires next, and how a run's own goes."""
    try:
        found = _schedules(stack)
    except (ClientError, BotoCoreError) as error:
        return [f"  cannot be seen: {error}"]
    told = []
    for schedule in sorted(found, key=lambda one: (one["Target"]["Input"], one["Name"])):
        told += _told(schedule, binary, stack.name)
        told += _back(schedule, stack.session.region_name)
    return told or ["  none"]


def _schedules(stack: Stack) -> list[dict[str, Any]]:
    scheduler = stack.client("scheduler")
    # Of every group: those that runs make are in the stack's own, all others in the default one.
    pages = scheduler.get_paginator("list_schedules").paginate()
    machine = stack.outputs["StateMachineArn"]
    # Whose another's is, is not asked for.
    names = [
        (summary["Name"], summary["GroupName"])
        for page in pages
        for summary in page["Schedules"]
        if summary.get("Target", {}).get("Arn", machine) == machine
    ]
    found = [scheduler.get_schedule(Name=name, GroupName=group) for name, group in names]
    return [schedule for schedule in found if schedule["Target"]["Arn"] == machine]


def _told(schedule: dict[str, Any], binary: str, stack: str) -> list[str]:
    zone = schedule.get("ScheduleExpressionTimezone", "UTC")
    what = schedule.get("Description") or schedule["Name"].removeprefix(f"{stack}-")
    words = [schedule["Target"]["Input"], f"{schedule['ScheduleExpression']} {zone}", schedule["State"], what]
    times = next_times(schedule["ScheduleExpression"], zone, binary)
    if schedule["State"] != "ENABLED":
        times = f"does not fire; if it were enabled: {times}"
    return ["  " + "  ".join(words), f"      {times}"]


def _back(schedule: dict[str, Any], region: str) -> list[str]:
    """The command that takes back what a run made; of the template's and other people's schedules, none."""
    group = schedule.get("GroupName", DEFAULT_GROUP)
    if group == DEFAULT_GROUP:
        return []
    named = shlex.join(["--region", region, "--group-name", group, "--name", schedule["Name"]])
    return [f"      to take it back: aws scheduler delete-schedule {named}"]


def next_times(expression: str, zone: str, binary: str) -> str:
    """The product's own words; why there are none, if it does not run here."""
    try:
        asked = commands.ask(binary, "next", expression, zone)
    except (OSError, subprocess.SubprocessError):
        return "its next times are not known here: Rust is needed, or a release's bootstrap in this folder"
    if asked.returncode:
        return f"its next times are not known: {asked.stderr.strip()}"
    return asked.stdout.strip()
