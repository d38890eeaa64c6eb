"""Change Calendars of Systems Manager: CreateDocument of that type, and GetCalendarState, which moto lacks.

Owns what an iCalendar text says at a time: the type that it has by default, and its single events. An event
that repeats is refused: the rules of repetition are not computed here.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.ssm.responses import SimpleSystemManagerResponse

from local import clock

TYPE = re.compile(r"^X-CALENDAR-TYPE:(DEFAULT_OPEN|DEFAULT_CLOSED)$")
LINE = re.compile(r"^(?P<name>[A-Z-]+)(?P<parameters>(?:;[^:]+)*):(?P<value>.*)$")
CALENDARS: dict[tuple[str, str, str], Calendar] = {}
"""By account, Region and name."""


@dataclass
class Calendar:
    """A calendar's content."""

    is_open_by_default: bool
    events: list[tuple[dt.datetime, dt.datetime]]

    @staticmethod
    def parse(text: str) -> Calendar:
        """A ValueError says what is no calendar, or is not supported here."""
        lines = re.sub(r"\r?\n[ \t]", "", text).splitlines()
        kinds = [found[1] for line in lines if (found := TYPE.match(line))]
        if not lines or lines[0] != "BEGIN:VCALENDAR" or len(kinds) != 1:
            raise ValueError("it must begin with BEGIN:VCALENDAR and say X-CALENDAR-TYPE once")
        events, event = [], None
        for line in lines:
            found = LINE.match(line)
            if line == "BEGIN:VEVENT":
                event = {}
            elif line == "END:VEVENT" and event is not None:
                events.append((event["DTSTART"], event["DTEND"]))
                event = None
            elif event is not None and found and found["name"] in ("DTSTART", "DTEND"):
                event[found["name"]] = _time(found["value"], found["parameters"])
            elif event is not None and found and found["name"] in ("RRULE", "RDATE"):
                raise ValueError("an event that repeats is not supported by the embedded AWS")
        return Calendar(kinds[0] == "DEFAULT_OPEN", sorted(events))

    def is_open(self, at: dt.datetime) -> bool:
        return self.is_open_by_default != any(begin <= at < end for begin, end in self.events)


def is_open(calendars: list[Calendar], at: dt.datetime) -> bool:
    """Several are open only together."""
    return all(calendar.is_open(at) for calendar in calendars)


def next_transition(calendars: list[Calendar], at: dt.datetime) -> dt.datetime | None:
    moments = {moment for calendar in calendars for event in calendar.events for moment in event}
    later = sorted(moment for moment in moments if moment > at)
    return next((moment for moment in later if is_open(calendars, moment) != is_open(calendars, at)), None)


def _time(value: str, parameters: str) -> dt.datetime:
    zone = re.search(r"TZID=([^;]+)", parameters)
    if "VALUE=DATE" in parameters and "VALUE=DATE-TIME" not in parameters:
        return dt.datetime.strptime(value, "%Y%m%d").replace(tzinfo=dt.UTC)
    at = dt.datetime.strptime(value.removesuffix("Z"), "%Y%m%dT%H%M%S")
    return at.replace(tzinfo=ZoneInfo(zone[1]) if zone else dt.UTC)


def text(is_open: bool, until: dt.datetime | None = None) -> str:
    """A calendar of that state, which changes it at a time."""
    kind = "DEFAULT_OPEN" if is_open != (until is not None) else "DEFAULT_CLOSED"
    lines = [
        "BEGIN:VCALENDAR",
        "PRODID:-//AWS//Change Calendar 1.0//EN",
        "VERSION:2.0",
        f"X-CALENDAR-TYPE:{kind}",
    ]
    if until:
        begin = clock.CLOCK.utc() - dt.timedelta(days=1)
        lines += ["BEGIN:VEVENT", "UID:holidays@example.com", "SUMMARY:Holidays"]
        lines += [f"DTSTART:{begin:%Y%m%dT%H%M%SZ}", f"DTEND:{until.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"]
        lines += ["END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def install() -> None:
    """Puts both calls into moto's Systems Manager."""
    others = SimpleSystemManagerResponse.create_document
    if getattr(others, "knows_calendars", False):
        return

    def create_document(self: Any) -> Any:
        if self._get_param("DocumentType") != "ChangeCalendar":
            return others(self)
        name, content = self._get_param("Name"), self._get_param("Content")
        if self._get_param("DocumentFormat") != "TEXT":
            raise JsonRESTError("InvalidDocumentContent", "A ChangeCalendar's format is TEXT.")
        try:
            CALENDARS[self.current_account, self.region, name] = Calendar.parse(content)
        except (ValueError, KeyError) as error:
            raise JsonRESTError("InvalidDocumentContent", f"The calendar cannot be read: {error}.") from error
        return ActionResult({"DocumentDescription": {"Name": name, "DocumentType": "ChangeCalendar"}})

    def get_calendar_state(self: Any) -> Any:
        found = [_find(name, self.current_account, self.region) for name in self._get_param("CalendarNames")]
        given = self._get_param("AtTime")
        at = dt.datetime.fromisoformat(given) if given else clock.CLOCK.utc()
        changes = next_transition(found, at)
        answer = {"State": "OPEN" if is_open(found, at) else "CLOSED", "AtTime": _iso(at)}
        return ActionResult(answer | ({"NextTransitionTime": _iso(changes)} if changes else {}))

    create_document.knows_calendars = True
    SimpleSystemManagerResponse.create_document = create_document
    SimpleSystemManagerResponse.get_calendar_state = get_calendar_state


def _find(name: str, account: str, region: str) -> Calendar:
    if arn := re.match(r"^arn:[^:]+:ssm:([^:]+):(\d{12}):document/(.+)$", name):
        region, account, name = arn.groups()
    if (account, region, name) not in CALENDARS:
        raise JsonRESTError("InvalidDocument", f"The document {name} does not exist.")
    return CALENDARS[account, region, name]


def _iso(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
