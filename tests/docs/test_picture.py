"""The picture of the state machine shows the machine that is shipped."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from local.deploy import ROOT
from local.rendering import rendered
from operate import picture

TEXT = "{http://www.w3.org/2000/svg}text"
# A README is read on a phone too.
LARGEST = 40_000


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    return json.loads(rendered(ROOT / "tests" / "servers.toml"))


def names(machine: dict[str, Any]) -> list[str]:
    inside = [branch for state in machine["States"].values() for branch in state.get("Branches", [])]
    return [*machine["States"], *(name for branch in inside for name in names(branch))]


def test_the_picture_in_the_readme_is_of_the_machine_that_is_shipped(shipped: dict[str, Any]):
    assert picture.PICTURE.read_text() == picture.draw(shipped)
    assert picture.PICTURE.stat().st_size < LARGEST


def test_every_state_is_in_it_once(shipped: dict[str, Any]):
    words = [text.text for text in ElementTree.fromstring(picture.draw(shipped)).iter(TEXT)]
    shown = [line for name in names(shipped) for line in picture.broken(name)]
    assert sorted(words) == sorted(shown)


def test_a_way_back_is_told_from_a_way_on():
    steps = {"ask": ["ready?"], "ready?": ["ask", "end"], "end": []}
    assert list(picture.ways_back(steps, "ask")) == [("ready?", "ask")]


def test_a_long_name_is_broken_between_words():
    assert picture.broken("Let preprod DB settle after start") == ["Let preprod DB", "settle after start"]
