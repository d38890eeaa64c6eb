"""The state machine, the function, servers.toml and the template agree with one another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from local.fleet import lists
from local.names import names
from local.rendering import rendered
from tests.conftest import SERVERS_FILE
from tests.state_machine.test_paths import DEV_DB, answer, asked

ROOT = Path(__file__).parents[2]
TEXT = rendered(SERVERS_FILE)
MACHINE = json.loads(TEXT)
LISTS = lists(SERVERS_FILE)
# What Lambda and Step Functions themselves call an error.
NOT_OURS = ("Lambda.", "States.", "Sandbox.", "Runtime.")
TRANSIENT = {"Throttled", "AwsUnreachable"}
FLAGS = {f"{{% $states.input.{flag} %}}" for flag in ("in_progress", "settle", "go_on", "ok")}
# None of these is an error, whatever the input is and whatever the function answered.
WHATEVER_THERE_IS = [
    "Start or stop?",
    "May this run begin?",
    "Does the report agree?",
    "What was asked for?",
    "Is the calendar open?",
]
ASKED = ("later", "asks_calendar", "check")


def states(scope: dict[str, Any] = MACHINE) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every state, also those of branches."""
    for name, state in scope["States"].items():
        yield name, state
        for branch in state.get("Branches", []):
            yield from states(branch)


def tasks() -> list[tuple[str, dict[str, Any]]]:
    """The tasks that invoke the function."""
    return [(name, state) for name, state in states() if state.get("Resource", "").endswith("lambda:invoke")]


def test_every_error_that_the_machine_names_can_be_raised_by_the_function():
    named = {
        error
        for _, state in tasks()
        for handler in state["Retry"] + state["Catch"]
        for error in handler["ErrorEquals"]
        if not error.startswith(NOT_OURS)
    }
    assert named == TRANSIENT | {"InvalidInput"}
    assert named <= set(names()["errors"])


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


def test_every_choice_of_a_branch_compares_only_booleans_that_the_function_gave():
    for name, state in states():
        if state["Type"] == "Choice" and name not in WHATEVER_THERE_IS:
            assert {choice["Condition"] for choice in state["Choices"]} <= FLAGS, name


def test_phase_numbers_and_environments_are_those_of_the_servers_file():
    listed = sorted((given["number"], f"{{% '{given['environment']}' in $wanted %}}") for given in LISTS)
    payloads = [state["Arguments"]["Payload"] for _, state in tasks()]
    phases = [given for given in payloads if "phase_number" in given]
    found = [(given["phase_number"], given["next_phase"]) for given in phases]
    assert sorted(found) == sorted(listed * 2)


def shape(value: Any) -> Any:
    """The names of fields, and what kind of value each has."""
    return {k: shape(v) for k, v in value.items()} if isinstance(value, dict) else type(value).__name__


def test_the_tests_stand_in_answers_in_the_shape_that_the_function_is_held_to():
    # src/lambda/branch/tests.rs compares the function's answer with the same file.
    wanted = json.loads((ROOT / "tests" / "state_machine" / "branch_answer.json").read_text())
    given = answer({"phase_number": DEV_DB, "next_phase": True, "branch": {}})
    assert shape({**given, "branch": {**given["branch"], "record": {}}}) == shape(
        {**wanted, "branch": {**wanted["branch"], "record": {}}}
    )
    ours, theirs = given["branch"]["record"], wanted["branch"]["record"]
    initial = {name for name in ours if name.endswith("_initial_state")}
    assert set(ours) - initial == {name for name in theirs if not name.endswith("_initial_state")}
    # `actions` is there where something was done.
    assert shape(ours["phases"][0] | {"actions": theirs["phases"][0]["actions"]}) == shape(
        theirs["phases"][0]
    )


def test_the_tests_stand_in_reads_an_input_into_the_shape_that_the_function_is_held_to():
    # src/lambda/asked/tests.rs compares the function's answer with the same file.
    wanted = json.loads((ROOT / "tests" / "state_machine" / "asked_answer.json").read_text())
    given_input = {"action": "start", "at": "2026-12-24T17:00:00Z", "stop_after_hours": 3}
    execution = {"Id": "arn", "Name": "run-1", "StartTime": "2026-10-24T12:00:00Z", "Input": given_input}
    given = asked(
        {
            "context": {"Execution": execution, "StateMachine": {"Id": "arn"}},
            "environments": ["dev"],
            "calendar": "holidays",
            "schedules": {"group": "g", "role": "r", "dead_letters": "d"},
            "begins": "2026-10-24T12:00:00Z",
        }
    )
    assert set(given) == set(wanted)
    assert shape(given["schedule"]) == shape(given["stop_schedule"]) == shape(wanted["schedule"])
    assert shape(given["execution"]) == shape(wanted["execution"])
    choices = MACHINE["States"]["What was asked for?"]["Choices"]
    assert {choice["Condition"] for choice in choices} == {f"{{% $asked.{name} %}}" for name in ASKED}
    named = [*ASKED, "stops_later"]
    assert all(isinstance(wanted[name], bool) and isinstance(given[name], bool) for name in named)


def test_every_placeholder_is_given_by_the_template():
    template = yaml_parse((ROOT / "template.yaml").read_text())
    machine = template["Resources"]["StateMachine"]["Properties"]
    assert set(re.findall(r"\$\{(\w+)\}", TEXT)) == set(machine["DefinitionSubstitutions"])


def test_no_arn_and_no_server_name_is_in_the_machine():
    assert "arn:aws:lambda" not in TEXT
    names = [name for phase in LISTS for name in phase.get("servers", [])]
    assert not any(f"'{name}'" in TEXT or f'"{name}"' in TEXT for name in names)


def test_the_schedules_inputs_are_understood_by_the_first_choice():
    template = yaml_parse((ROOT / "template.yaml").read_text())
    events = template["Resources"]["StateMachine"]["Properties"]["Events"].values()
    inputs = [json.loads(event["Properties"]["Input"]) for event in events]
    assert sorted(inputs, key=str) == [{"action": "start"}, {"action": "stop"}, {"check": True}]
