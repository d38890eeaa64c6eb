"""A run's phase log is told once and whole, whatever the order in which its events arrive."""

from __future__ import annotations

from typing import Any

from operate.phase_log import Teller, phase_log


class Logs:
    """CloudWatch Logs: events in order of time, in pages; its last page gives its own token back."""

    class exceptions:  # noqa: N801  as boto3 names it
        class ResourceNotFoundException(Exception):  # noqa: N818
            pass

    def __init__(self, *pages: list[tuple[int, str]]) -> None:
        self.pages = list(pages)

    def get_log_events(self, nextToken: str = "0", **_: Any) -> dict[str, Any]:  # noqa: N803
        at = int(nextToken)
        page = self.pages[at] if at < len(self.pages) else []
        events = [{"timestamp": time, "message": message} for time, message in page]
        return {"events": events, "nextForwardToken": str(min(at + 1, len(self.pages)))}


def told(teller: Teller) -> list[str]:
    return [event["message"] for event in teller.news()]


def test_an_event_that_arrives_late_and_sorts_before_the_told_ones_is_told_and_nothing_twice():
    logs = Logs([(10, "dev 1"), (30, "dev 2")])
    teller = Teller(logs, "group", "stream")
    assert told(teller) == ["dev 1", "dev 2"]
    logs.pages = [[(5, "test 1"), (10, "dev 1"), (20, "test 2"), (30, "dev 2"), (30, "test 3")]]
    assert told(teller) == ["test 1", "test 2", "test 3"]
    assert told(teller) == []


def test_two_equal_events_are_two_lines():
    logs = Logs([(10, "it is starting"), (10, "it is starting")])
    teller = Teller(logs, "group", "stream")
    assert told(teller) == ["it is starting"] * 2
    logs.pages[0].append((10, "it is starting"))
    assert told(teller) == ["it is starting"]


def test_an_empty_page_is_not_the_end():
    logs = Logs([(1, "one")], [], [(2, "two")])
    assert [event["message"] for event in phase_log(logs, "group", "stream")] == ["one", "two"]


def test_a_run_that_has_written_nothing_has_no_events():
    class Nothing(Logs):
        def get_log_events(self, **_: Any) -> dict[str, Any]:
            raise self.exceptions.ResourceNotFoundException

    assert phase_log(Nothing(), "group", "stream") == []
