"""The state machine, the function, servers.toml and the template agree with one another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from local.fleet import lists

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "statemachine.asl.json").read_text()
MACHINE = json.loads(TEXT)
HANDLER = (ROOT / "src" / "lambda" / "handler.rs").read_text()
# What Lambda and Step Functions themselves call an error.
NOT_OURS = ("Lambda.", "States.", "Sandbox.", "Runtime.")
TRANSIENT = {"Throttled", "AwsUnreachable"}
FLAGS = {
    f"{{% $states.input.{flag} %}}" for flag in ("in_progress", "go_on", "ok", "wait", "give_up", "start")
}


def states(scope: dict[str, Any] = MACHINE) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every state, also those of branches."""
    for name, state in scope["States"].items():
        yield name, state
        for branch in state.get("Branches", []):
            yield from states(branch)


def tasks() -> list[tuple[str, dict[str, Any]]]:
    """The tasks that invoke the function."""
    return [(name, state) for name, state in states() if state.get("Resource", "").endswith("lambda:invoke")]


def errors_of_the_function() -> set[str]:
    names = HANDLER.split("pub fn name(&self)")[1].split("impl ")[0]
    return set(re.findall(r'=> "(\w+)"', names))


def test_every_error_that_the_machine_names_can_be_raised_by_the_function():
    named = {
        error
        for _, state in tasks()
        for handler in state["Retry"] + state["Catch"]
        for error in handler["ErrorEquals"]
        if not error.startswith(NOT_OURS)
    }
    assert named == TRANSIENT
    assert named <= errors_of_the_function()


def test_every_error_of_the_function_is_retried_or_caught_by_every_task():
    for name, state in tasks():
        assert ["States.ALL"] in [catch["ErrorEquals"] for catch in state["Catch"]], name
        retried = {error for retrier in state["Retry"] for error in retrier["ErrorEquals"]}
        assert retried >= TRANSIENT, name


def test_no_task_and_no_parallel_lacks_what_the_design_demands():
    for name, state in states():
        if state["Type"] == "Task":
            assert {"TimeoutSeconds", "Retry", "Catch", "Output"} <= set(state), name
        if state["Type"] == "Parallel":
            caught = [catch["ErrorEquals"] for catch in state["Catch"]]
            assert caught == [["States.DataLimitExceeded"], ["States.ALL"]], name
    assert MACHINE["TimeoutSeconds"] > 0


def test_every_choice_but_the_first_compares_only_booleans_that_an_output_computed():
    for name, state in states():
        if state["Type"] == "Choice" and name != "Start or stop?":
            assert {choice["Condition"] for choice in state["Choices"]} <= FLAGS, name


def test_phase_numbers_and_environments_are_those_of_the_servers_file():
    listed = {(p["number"], p["environment"]) for p in lists(ROOT / "servers.toml")}
    found = re.findall(r"'phase_number': (\d+), 'next_phase': '(\w+)' in", TEXT)
    assert {(int(number), environment) for number, environment in found} == listed
    assert len(found) == 2 * len(listed)


def test_every_placeholder_is_given_by_the_template():
    template = yaml_parse((ROOT / "template.yaml").read_text())
    machine = template["Resources"]["StateMachine"]["Properties"]
    assert set(re.findall(r"\$\{(\w+)\}", TEXT)) == set(machine["DefinitionSubstitutions"])


def test_no_arn_and_no_server_name_is_in_the_machine():
    assert "arn:aws:lambda" not in TEXT
    names = [name for phase in lists(ROOT / "servers.toml") for name in phase["servers"]]
    assert not any(f"'{name}'" in TEXT or f'"{name}"' in TEXT for name in names)


def test_the_schedules_inputs_are_understood_by_the_first_choice():
    template = yaml_parse((ROOT / "template.yaml").read_text())
    events = template["Resources"]["StateMachine"]["Properties"]["Events"].values()
    inputs = [json.loads(event["Properties"]["Input"]) for event in events]
    assert sorted(given["action"] for given in inputs) == ["start", "stop"]
    assert all(set(given) == {"action"} for given in inputs)
