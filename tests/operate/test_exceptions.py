"""A run by hand may begin later, be stopped again or ignore a calendar; what cannot be meant is refused."""

from __future__ import annotations

import argparse
import datetime as dt

import pytest

from operate.exceptions import more_input, remark, words
from operate.problem import OperatingError
from operate.stack import Stack

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


def given(
    command: str = "start",
    at: str = "",
    stop_after_hours: str = "",
    ignore_calendar: bool = False,
    now: dt.datetime = NOW,
):
    options = argparse.Namespace(
        command=command, at=at, stop_after_hours=stop_after_hours, ignore_calendar=ignore_calendar
    )
    return more_input(options, now)


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
        ("2026-11-23T12:00:00Z", "at least a minute ahead"),
        ("2027-11-23T12:00:01Z", "more than a year away"),
    ],
)
def test_a_time_that_cannot_be_meant_is_refused(at, why):
    with pytest.raises(OperatingError, match=why):
        given(at=at)


@pytest.mark.parametrize(
    ("now", "latest"),
    [
        ("2026-11-23T12:00:00+00:00", "2027-11-23T12:00:00+00:00"),
        # A leap day lies between: 366 days.
        ("2027-11-23T12:00:00+00:00", "2028-11-23T12:00:00+00:00"),
        ("2028-02-29T12:00:00+00:00", "2029-02-28T12:00:00+00:00"),
        # The year is UTC's: here it is 28 February there.
        ("2028-02-29T08:00:00+09:00", "2029-02-28T23:00:00+00:00"),
    ],
)
def test_a_year_is_a_calendar_year_as_the_function_counts_it(now, latest):
    begin, end = dt.datetime.fromisoformat(now), dt.datetime.fromisoformat(latest)

    def taken(at: dt.datetime) -> bool:
        try:
            return bool(given(at=at.isoformat(), now=begin))
        except OperatingError:
            return False

    assert taken(end) and not taken(end + dt.timedelta(seconds=1))


class CloudFormation:
    """Of a stack with these parameters, and the session that gives it."""

    def __init__(self, parameters: dict[str, str]) -> None:
        self.parameters = [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()]

    def client(self, service: str) -> CloudFormation:
        assert service == "cloudformation"
        return self

    def describe_stacks(self, **wanted: str) -> dict:
        assert wanted == {"StackName": "nights"}
        return {"Stacks": [{"Parameters": self.parameters}]}


@pytest.mark.parametrize("more", [{"at": "2026-12-24T18:00:00Z"}, {"stop_after_hours": 3}])
def test_who_asks_for_a_later_run_learns_that_nobody_would_hear_of_its_refusal(more):
    def told(parameters: dict[str, str], of: dict) -> str:
        return remark(Stack("nights", {}, CloudFormation(parameters)), of)

    silent = {"AlarmMail": "", "Chat": "off"}
    assert told(silent, {"ignore_calendar": True}) == told(silent, {}) == ""
    assert "no AlarmMail" in told(silent, more)
    assert told(silent | {"AlarmMail": "ops@example.com"}, more) == ""
    assert told(silent | {"Chat": "on"}, more) == ""


def test_a_plain_run_has_nothing_to_be_told():
    assert words({}) == []


def test_each_exception_is_told_and_the_later_stop_takes_servers_that_were_running_before_too():
    assert words({"at": "2026-12-24T18:00:00+01:00", "stop_after_hours": 1.5, "ignore_calendar": True}) == [
        "This begins at 2026-12-24T18:00:00+01:00, not now.",
        "After 1.5 h all its servers are stopped, also those that were running before it.",
        "It asks no calendar.",
    ]


def test_a_dry_run_schedules_no_stop_and_tells_of_none():
    assert words({"stop_after_hours": 3}, dry_run=True) == []


@pytest.mark.parametrize("hours", ["0.9", "169", "nan", "inf", "-3", "three"])
def test_hours_that_cannot_be_meant_are_refused(hours):
    with pytest.raises(OperatingError, match="1 to 168"):
        given(stop_after_hours=hours)


def test_a_stop_is_not_stopped_again():
    with pytest.raises(OperatingError, match="make start only"):
        given("stop", stop_after_hours="3")
