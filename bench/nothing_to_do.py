"""Whether a phase went as one with nothing to do goes: it changed nothing and never waited.

Owns that judgement. A phase never waits without looking again: who asked of no server twice did not wait.
"""

from __future__ import annotations

import urllib.parse
from collections import Counter
from collections.abc import Iterable
from typing import Any

CHANGES = {"StartInstances", "StopInstances"}


def trouble(answer: dict[str, Any], asked: Iterable[bytes]) -> str:
    """What is wrong with it, or nothing. `asked` are the bodies of its requests to EC2."""
    if not answer.get("next_phase"):
        return f"it was not done: {answer}"
    # The baseline answers neither.
    if answer.get("outcome", "ready") != "ready" or answer.get("servers", {}).get("changed"):
        return f"it found something to do: {answer}"
    questions = [dict(urllib.parse.parse_qsl(body.decode())) for body in asked]
    if not questions:
        return "it asked EC2 nothing"
    if changes := CHANGES & {question.get("Action", "") for question in questions}:
        return f"it sent {', '.join(sorted(changes))}"
    times = Counter(one for question in questions for one in _servers(question))
    twice = [f"{server} by {action}" for (action, server), count in times.items() if count > 1]
    return f"it asked again, and so it waited: {', '.join(twice[:3])}" if twice else ""


def _servers(question: dict[str, str]) -> list[tuple[str, str]]:
    """The servers that a request names, by id or by Name."""
    action = question.get("Action", "")
    names = {
        value
        for key, name in question.items()
        if key.startswith("Filter.") and key.endswith(".Name") and name == "tag:Name"
        for other, value in question.items()
        if other.startswith(key.removesuffix("Name") + "Value")
    }
    ids = {value for key, value in question.items() if key.startswith("InstanceId.")}
    # A page further on names the same servers again.
    page = question.get("NextToken", "")
    return [(action, server + page) for server in sorted(names | ids)]
