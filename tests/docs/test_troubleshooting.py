"""docs/troubleshooting.md has an entry for every name that a run can raise, and none that nobody raises.

The names are the function's and the state machine's. An entry is a table row whose first cell holds the name
in backticks, or a heading that does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from local.deploy import ROOT
from local.names import names

CODE = r"[A-Z][A-Za-z0-9]*(?:\.[A-Z][A-Za-z0-9]*)*"
PAGE = ROOT / "docs" / "troubleshooting.md"
# They match names in a Retry or Catch; nothing is called so itself.
MATCHERS = {"States.ALL", "States.TaskFailed"}
# Caught as done: the schedule is there already.
GOOD = {"Scheduler.ConflictException"}


def strings(value: Any) -> Iterator[tuple[str, str]]:
    """Every string of a JSON value with the key that it stands under."""
    pairs = value.items() if isinstance(value, dict) else [("", item) for item in value]
    for key, item in pairs:
        if isinstance(item, str):
            yield key, item
        elif isinstance(item, list) and key == "ErrorEquals":
            yield from ((key, error) for error in item)
        elif isinstance(item, dict | list):
            yield from strings(item)


def errors_of(machine: dict[str, Any]) -> set[str]:
    """What a Fail says, what the JSONata makes, and what Retry and Catch expect."""
    found = set()
    for key, text in strings(machine):
        if key in ("Error", "ErrorEquals"):
            found.add(text)
        found |= set(re.findall(rf"'Error': '({CODE})'", text))
    return found - MATCHERS - GOOD


def entries() -> list[str]:
    """The names in backticks in headings and in the first cells of table rows."""
    lines = PAGE.read_text().splitlines()
    titles = [line for line in lines if line.startswith("#")]
    titles += [line.split("|")[1] for line in lines if line.startswith("|")]
    return [name for title in titles for name in re.findall(rf"`({CODE})`", title)]


def test_the_entries_are_the_names_that_can_be_raised(machine):
    raised = errors_of(machine) | set(names()["errors"]) | set(names()["codes"])
    assert set(entries()) == raised


def test_no_name_has_two_entries():
    assert sorted(entries()) == sorted(set(entries()))
