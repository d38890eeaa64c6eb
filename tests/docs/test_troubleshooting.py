"""docs/troubleshooting.md has an entry for every name that a run can raise, and none that nobody raises.

The names are read out of the sources and the state machine. An entry is a table row whose first cell holds
the name in backticks, or a heading that does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "troubleshooting.md"
CODE = r"[A-Z][A-Za-z0-9]*(?:\.[A-Z][A-Za-z0-9]*)*"
# They match names in a Retry or Catch; nothing is called so itself.
MATCHERS = {"States.ALL", "States.TaskFailed"}


def source(name: str) -> str:
    """A module without its tests."""
    return (ROOT / "src" / name).read_text().split("#[cfg(test)]")[0]


def modules() -> list[str]:
    found = (path.relative_to(ROOT / "src") for path in sorted((ROOT / "src").rglob("*.rs")))
    return [str(path) for path in found if path.name != "tests.rs"]


def errors_of_the_function() -> set[str]:
    """HandlerError::name."""
    return set(re.findall(rf'=> "({CODE})"', source("lambda/handler.rs")))


def codes_that_are_told_apart() -> set[str]:
    """failure.rs knows every code that it reacts to or has advice for, by a literal or by a constant."""
    return set(re.findall(rf'"({CODE})"', source("model/failure.rs")))


def codes_that_we_give() -> set[str]:
    """An AwsError or a StateError that is made with a code or a name of our own, and UNREACHABLE."""
    given = rf'(?:\b(?:code|name): |UNREACHABLE: &\'static str = )"({CODE})"'
    return {code for module in modules() for code in re.findall(given, source(module))}


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


def errors_of_the_machine() -> set[str]:
    """What a Fail says, what the JSONata makes, and what Retry and Catch expect."""
    machine = json.loads((ROOT / "statemachine.asl.json").read_text())
    found = set()
    for key, text in strings(machine):
        if key in ("Error", "ErrorEquals"):
            found.add(text)
        found |= set(re.findall(rf"'Error': '({CODE})'", text))
    return found - MATCHERS


def entries() -> list[str]:
    """The names in backticks in headings and in the first cells of table rows."""
    lines = PAGE.read_text().splitlines()
    titles = [line for line in lines if line.startswith("#")]
    titles += [line.split("|")[1] for line in lines if line.startswith("|")]
    return [name for title in titles for name in re.findall(rf"`({CODE})`", title)]


SOURCES = {
    "lambda/handler.rs": errors_of_the_function,
    "model/failure.rs": codes_that_are_told_apart,
    "any other module": codes_that_we_give,
    "statemachine.asl.json": errors_of_the_machine,
}


@pytest.mark.parametrize("where", SOURCES)
def test_every_name_that_can_be_raised_has_an_entry(where: str):
    raised = SOURCES[where]()
    assert raised
    assert raised - set(entries()) == set()


def test_every_entry_is_a_name_that_can_be_raised():
    raised = set().union(*(read() for read in SOURCES.values()))
    assert set(entries()) - raised == set()


def test_no_name_has_two_entries():
    assert sorted(entries()) == sorted(set(entries()))
