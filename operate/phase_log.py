"""A run's phase log in CloudWatch Logs. Owns reading it whole, and telling each of its lines once."""

from __future__ import annotations

from collections import Counter
from typing import Any

# A page holds up to 10,000 events: more than any run writes. Only so that no loop is without an end.
MOST_PAGES = 1000


def phase_log(logs: Any, group: str, stream: str) -> list[dict[str, Any]]:
    """All events of a run, in order of time; none if no phase has written yet."""
    events: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        try:
            page = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **token)
        except logs.exceptions.ResourceNotFoundException:
            return events
        events += page["events"]
        # The last page gives its own token back. An empty page is not the last one.
        if page["nextForwardToken"] == token.get("nextToken"):
            return events
        token = {"nextToken": page["nextForwardToken"]}
    return events


class Teller:
    """Gives what is new in a log. Of several writers, a late event may sort before told ones.

    Events have no id here: told is how often each time and text was given, not how many events.
    """

    def __init__(self, logs: Any, group: str, stream: str) -> None:
        self.logs, self.group, self.stream = logs, group, stream
        self.told: Counter[tuple[int, str]] = Counter()

    def news(self) -> list[dict[str, Any]]:
        """The events that no earlier call gave."""
        seen: Counter[tuple[int, str]] = Counter()
        new = []
        for event in phase_log(self.logs, self.group, self.stream):
            key = (event["timestamp"], event["message"])
            seen[key] += 1
            if seen[key] > self.told[key]:
                new.append(event)
        self.told |= seen
        return new
