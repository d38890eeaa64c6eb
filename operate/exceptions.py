"""What a run by hand may ask besides its environments: later, stopped again, in spite of the calendar.

Owns the refusals that the function would make too (src/lambda/asked.rs), so that nothing begins for them, and
what a person is told before a run begins.
"""

from __future__ import annotations

import argparse
import datetime as dt
from typing import Any

from operate.problem import OperatingError
from operate.stack import Stack, parameters

MOST_HOURS = 168


def more_input(options: argparse.Namespace, now: dt.datetime | None = None) -> dict[str, Any]:
    """More of the execution's input; an OperatingError names the variable that is wrong."""
    given: dict[str, Any] = {}
    if options.at:
        given["at"] = _at(options.at, now or dt.datetime.now(dt.UTC))
    if options.stop_after_hours:
        if options.command != "start":
            raise OperatingError("STOP_AFTER_HOURS is for make start only")
        given["stop_after_hours"] = _hours(options.stop_after_hours)
    if options.ignore_calendar:
        given["ignore_calendar"] = True
    return given


def _at(text: str, now: dt.datetime) -> str:
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise OperatingError(
            f"AT is {text}; a time with its offset is expected, for example 2026-12-24T18:00:00+01:00"
        )
    if at < now + dt.timedelta(minutes=1):
        raise OperatingError(
            f"AT is {text}; it must be at least a minute ahead, and it is {now:%Y-%m-%dT%H:%M:%SZ} now"
        )
    if at > _in_a_year(now):
        raise OperatingError(f"AT is {text}, which is more than a year away")
    return at.isoformat()


def _in_a_year(now: dt.datetime) -> dt.datetime:
    """The same day of the next calendar year, as the function counts; of 29 February, the 28th."""
    now = now.astimezone(dt.UTC)
    try:
        return now.replace(year=now.year + 1)
    except ValueError:
        return now.replace(year=now.year + 1, day=28)


def remark(stack: Stack, given: dict[str, Any]) -> str:
    """What whoever asks for a later run should know of the stack; empty if there is nothing."""
    if not {"at", "stop_after_hours"}.intersection(given):
        return ""
    deployed = parameters(stack.name, stack.session)
    if deployed.get("AlarmMail") or deployed.get("Chat") == "on":
        return ""
    return (
        "Note: the stack has no AlarmMail. A run that cannot begin when it is due, or is refused then, "
        "sends no mail: nobody would be told."
    )


def words(given: dict[str, Any], dry_run: bool = False) -> list[str]:
    """What the run does otherwise than a plain one, a sentence each; a dry run schedules no stop."""
    told = []
    if at := given.get("at"):
        told.append(f"This begins at {at}, not now.")
    if (hours := given.get("stop_after_hours")) and not dry_run:
        told.append(f"After {hours} h all its servers are stopped, also those that were running before it.")
    if given.get("ignore_calendar"):
        told.append("It asks no calendar.")
    return told


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    if not 1 <= hours <= MOST_HOURS:
        raise OperatingError(f"STOP_AFTER_HOURS is {text}; a number from 1 to {MOST_HOURS} is expected")
    return int(hours) if hours == int(hours) else hours
