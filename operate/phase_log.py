"""A run's phase log in CloudWatch Logs. Owns reading it whole, and telling each of its lines once."""

from __future__ import annotations

from typing import Any


def phase_log(logs: Any, group: str, stream: str) -> list[dict[str, Any]]:
    """All events of a run, in order of time; none if no phase has written yet.

    FilterLogEvents, not GetLogEvents: its events have ids, by which one that two pages show is known again
    while phases write between them.
    """
    events: dict[str, dict[str, Any]] = {}
    pages = logs.get_paginator("filter_log_events")
    try:
        for page in pages.paginate(logGroupName=group, logStreamNames=[stream]):
            events |= {event["eventId"]: event for event in page["events"]}
    except logs.exceptions.ResourceNotFoundException:
        return []
    return list(events.values())


class Teller:
    """Gives what is new in a log. Of several writers, a late event may sort before told ones."""

    def __init__(self, logs: Any, group: str, stream: str) -> None:
        self.logs, self.group, self.stream = logs, group, stream
        self.told: set[str] = set()

    def news(self) -> list[dict[str, Any]]:
        """The events that no earlier call gave."""
        events = phase_log(self.logs, self.group, self.stream)
        new = [event for event in events if event["eventId"] not in self.told]
        self.told.update(event["eventId"] for event in new)
        return new
