"""A run's phase log is told once and whole, whatever the order in which its events arrive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from operate.phase_log import Teller, phase_log


class Logs:
    """CloudWatch Logs, in pages. An event's id is its text."""

    class exceptions:  # noqa: N801  as boto3 names it
        class ResourceNotFoundException(Exception):  # noqa: N818
            pass

    def __init__(self, *pages: list[tuple[int, str]]) -> None:
        self.pages = list(pages)

    def get_paginator(self, operation: str) -> Logs:
        assert operation == "filter_log_events"
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        for page in self.pages:
            yield {
                "events": [
                    {"timestamp": time, "message": text.split("#")[0], "eventId": text} for time, text in page
                ]
            }


def told(teller: Teller) -> list[str]:
    return [event["message"] for event in teller.news()]


def test_an_event_that_arrives_late_and_sorts_before_the_told_ones_is_told_and_nothing_twice():
    logs = Logs([(10, "dev 1"), (30, "dev 2")])
    teller = Teller(logs, "group", "stream")
    assert told(teller) == ["dev 1", "dev 2"]
    logs.pages = [[(5, "test 1"), (10, "dev 1"), (20, "test 2"), (30, "dev 2"), (30, "test 3")]]
    assert told(teller) == ["test 1", "test 2", "test 3"]
    assert told(teller) == []


def test_an_event_that_two_pages_show_because_others_were_written_between_them_is_told_once():
    logs = Logs([(10, "dev 1"), (30, "dev 2")], [(30, "dev 2"), (40, "test 1")])
    assert told(Teller(logs, "group", "stream")) == ["dev 1", "dev 2", "test 1"]


def test_two_equal_events_are_two_lines():
    logs = Logs([(10, "it is starting#1"), (10, "it is starting#2")])
    teller = Teller(logs, "group", "stream")
    assert told(teller) == ["it is starting"] * 2
    logs.pages[0].append((10, "it is starting#3"))
    assert told(teller) == ["it is starting"]


def test_an_empty_page_is_not_the_end():
    logs = Logs([(1, "one")], [], [(2, "two")])
    assert [event["message"] for event in phase_log(logs, "group", "stream")] == ["one", "two"]


def test_a_run_that_has_written_nothing_has_no_events():
    class Nothing(Logs):
        def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
            raise self.exceptions.ResourceNotFoundException

    assert phase_log(Nothing(), "group", "stream") == []
