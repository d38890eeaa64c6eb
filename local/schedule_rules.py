"""What EventBridge Scheduler refuses of a schedule and moto takes: its name, its expression, its time zone.

Owns the forms that AWS's API reference and user guide name; which day a cron expression means, the product
itself says. https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from typing import Any

from moto.scheduler.exceptions import ValidationException

NAME = re.compile(r"[0-9a-zA-Z-_.]+")
LONGEST_NAME = 64
AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
RATE = re.compile(r"rate\([1-9]\d* (minute|hour|day)s?\)")
CRON = re.compile(r"cron\(([^()]+)\)")
CRON_FIELD = re.compile(r"[0-9A-Z*?,/#-]+")
CRON_FIELDS = 6
DAY_OF_MONTH, DAY_OF_WEEK = 2, 4


def check(given: dict[str, Any]) -> None:
    """Raises AWS's ValidationException for what it would refuse."""
    for field in ("name", "group_name"):
        if given.get(field) is not None:
            _name("groupName" if field == "group_name" else field, given[field])
    expression = given.get("schedule_expression") or ""
    if not (_at(expression) or RATE.fullmatch(expression) or _cron(expression)):
        raise ValidationException(f"Invalid Schedule Expression {expression}.")
    zone = given.get("schedule_expression_timezone") or "UTC"
    if zone not in zoneinfo.available_timezones():
        raise ValidationException(f"Invalid ScheduleExpressionTimezone {zone}.")


def _name(field: str, text: str) -> None:
    why = ""
    if not NAME.fullmatch(text):
        why = "Member must satisfy regular expression pattern: ^[0-9a-zA-Z-_.]+$"
    elif len(text) > LONGEST_NAME:
        why = f"Member must have length less than or equal to {LONGEST_NAME}"
    if why:
        raise ValidationException(
            f"1 validation error detected: Value '{text}' at '{field}' failed to satisfy constraint: {why}"
        )


def _at(expression: str) -> bool:
    found = AT.fullmatch(expression)
    try:
        return bool(found and dt.datetime.fromisoformat(found[1]))
    except ValueError:
        return False


def _cron(expression: str) -> bool:
    """Six fields, of which one of the two days, and no other field, is a question mark."""
    found = CRON.fullmatch(expression)
    fields = found[1].split(" ") if found else []
    if len(fields) != CRON_FIELDS or not all(map(CRON_FIELD.fullmatch, fields)):
        return False
    unknown = [number for number, field in enumerate(fields) if "?" in field]
    return unknown in ([DAY_OF_MONTH], [DAY_OF_WEEK]) and fields[unknown[0]] == "?"
