"""A run by hand may begin later, be stopped again or ignore a calendar; what cannot be meant is refused."""

from __future__ import annotations

import argparse
import datetime as dt

import pytest

from operate.exceptions import more_input
from operate.problem import OperatingError

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


def given(command: str = "start", at: str = "", stop_after_hours: str = "", ignore_calendar: bool = False):
    options = argparse.Namespace(
        command=command, at=at, stop_after_hours=stop_after_hours, ignore_calendar=ignore_calendar
    )
    return more_input(options, NOW)


def test_a_plain_run_asks_for_nothing_more():
    assert given() == {}


def test_what_is_asked_for_is_passed_on():
    assert given("stop", at="2026-12-24T18:00:00+01:00") == {"at": "2026-12-24T18:00:00+01:00"}
    assert given(stop_after_hours="3") == {"stop_after_hours": 3}
    assert given(stop_after_hours="1.5", ignore_calendar=True) == {
        "stop_after_hours": 1.5,
        "ignore_calendar": True,
    }


@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("2026-12-24T18:00:00", "with its offset"),
        ("tomorrow", "with its offset"),
        ("2026-11-23T12:00:00Z", "is past"),
        ("2027-11-24T12:00:00Z", "more than a year away"),
    ],
)
def test_a_time_that_cannot_be_meant_is_refused(at, why):
    with pytest.raises(OperatingError, match=why):
        given(at=at)


@pytest.mark.parametrize("hours", ["0.9", "169", "nan", "inf", "-3", "three"])
def test_hours_that_cannot_be_meant_are_refused(hours):
    with pytest.raises(OperatingError, match="1 to 168"):
        given(stop_after_hours=hours)


def test_a_stop_is_not_stopped_again():
    with pytest.raises(OperatingError, match="make start only"):
        given("stop", stop_after_hours="3")
