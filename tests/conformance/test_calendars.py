"""The embedded Change Calendars say what AWS documents: open or closed, and until when."""

from __future__ import annotations

import datetime as dt

import pytest
from botocore.exceptions import ClientError

from local import calendars
from local.deploy import client
from local.server import Server

EVENT = "BEGIN:VEVENT\r\nDTSTART:20261224T120000Z\r\nDTEND:20261226T230000Z\r\nEND:VEVENT\r\n"
ZONED = (
    "BEGIN:VEVENT\r\nDTSTART;TZID=Europe/Madrid:20270106T000000\r\n"
    "DTEND;TZID=Europe/Madrid:20270107T000000\r\nEND:VEVENT\r\n"
)


def calendar(kind: str, events: str = "") -> str:
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-CALENDAR-TYPE:{kind}\r\n{events}END:VCALENDAR\r\n"


def create(server: Server, name: str, content: str) -> None:
    given = {"DocumentType": "ChangeCalendar", "DocumentFormat": "TEXT"}
    client(server.url, "ssm").create_document(Name=name, Content=content, **given)


def state(server: Server, at: str, *names: str) -> tuple[str, str | None]:
    told = client(server.url, "ssm").get_calendar_state(CalendarNames=list(names), AtTime=at)
    return told["State"], told.get("NextTransitionTime")


def test_a_calendar_without_events_never_changes(server):
    create(server, "open", calendar("DEFAULT_OPEN"))
    create(server, "closed", calendar("DEFAULT_CLOSED"))
    assert state(server, "2026-12-24T00:00:00Z", "open") == ("OPEN", None)
    assert state(server, "2026-12-24T00:00:00Z", "closed") == ("CLOSED", None)


@pytest.mark.parametrize(
    ("kind", "outside", "inside"), [("DEFAULT_OPEN", "OPEN", "CLOSED"), ("DEFAULT_CLOSED", "CLOSED", "OPEN")]
)
def test_an_event_turns_the_state_while_it_lasts_and_its_end_is_told(server, kind, outside, inside):
    create(server, "holidays", calendar(kind, EVENT))
    assert state(server, "2026-12-24T11:59:59Z", "holidays") == (outside, "2026-12-24T12:00:00Z")
    assert state(server, "2026-12-24T12:00:00Z", "holidays") == (inside, "2026-12-26T23:00:00Z")
    assert state(server, "2026-12-26T23:00:00Z", "holidays") == (outside, None)


def test_times_with_a_zone_are_that_zones(server):
    create(server, "holidays", calendar("DEFAULT_OPEN", ZONED))
    assert state(server, "2027-01-05T22:59:59Z", "holidays") == ("OPEN", "2027-01-05T23:00:00Z")
    assert state(server, "2027-01-05T23:00:00Z", "holidays") == ("CLOSED", "2027-01-06T23:00:00Z")


def test_of_several_calendars_one_that_is_closed_closes_all_and_an_arn_names_one_too(server):
    create(server, "open", calendar("DEFAULT_OPEN"))
    create(server, "holidays", calendar("DEFAULT_OPEN", EVENT))
    arn = "arn:aws:ssm:eu-west-1:123456789012:document/holidays"
    assert state(server, "2026-12-25T00:00:00Z", "open", arn) == ("CLOSED", "2026-12-26T23:00:00Z")


def test_what_is_not_there_or_no_calendar_or_repeats_is_refused_by_name(server):
    with pytest.raises(ClientError, match="InvalidDocument"):
        state(server, "2026-12-25T00:00:00Z", "nobody")
    repeats = EVENT.replace("END:VEVENT", "RRULE:FREQ=YEARLY\r\nEND:VEVENT")
    for content in ("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "holidays", calendar("DEFAULT_OPEN", repeats)):
        with pytest.raises(ClientError, match="InvalidDocumentContent"):
            create(server, "wrong", content)


def test_the_text_of_make_run_is_a_calendar_of_that_state():
    until = dt.datetime(2999, 1, 1, tzinfo=dt.UTC)
    closed = calendars.Calendar.parse(calendars.text(is_open=False, until=until))
    now = dt.datetime.now(dt.UTC)
    assert not closed.is_open(now)
    assert calendars.next_transition([closed], now) == until
    assert calendars.Calendar.parse(calendars.text(is_open=True)).is_open(now)
