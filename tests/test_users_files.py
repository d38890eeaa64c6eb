"""The files that a user edits, in the root: the only test that reads them."""

from __future__ import annotations

from local.deploy import ROOT
from local.fleet import lists
from local.rendering import rendered, rendered_template


def test_the_machine_in_the_root_is_rendered_from_the_lists_in_the_root():
    assert lists(ROOT / "servers.toml")
    assert (ROOT / "statemachine.asl.json").read_text() == rendered(ROOT / "servers.toml"), (
        "make statemachine"
    )


def test_the_schedules_in_the_template_are_those_of_the_lists_in_the_root():
    assert (ROOT / "template.yaml").read_text() == rendered_template(ROOT / "servers.toml"), (
        "make statemachine"
    )
