"""Runs of one machine go one after the other; what a redrive repeats does no harm."""

from __future__ import annotations

import json
import threading
from typing import Any

from local.server import Server
from local.state_machine_lab import lab, run
from tests.state_machine.test_paths import (
    DEV,
    DEV_APP,
    DEV_DB,
    ENVIRONMENTS,
    MACHINE,
    NAMES,
    STATE,
    Script,
    answer,
    asked,
    field_of,
    mail_of,
    report,
    waits_for,
)

WAIT = "Wait for the earlier run"
# Real seconds; a phase that is held back longer has been forgotten.
LONGEST_PHASE = 20.0


class Gate:
    """A function whose phases do not answer before the gate is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()

    def __call__(self, payload: dict[str, Any]) -> Any:
        if "context" in payload:
            return asked(payload)
        assert self.opened.wait(LONGEST_PHASE), "the gate was never opened"
        return report(payload) if payload["send_mail"] else answer(payload)


def order(payloads: list[dict[str, Any]]) -> list[str]:
    """Whose invocations there were; those that follow one another count once."""
    names = [payload["execution"]["id"] for payload in payloads]
    return [name for place, name in enumerate(names) if place == 0 or names[place - 1] != name]


def entered(history: list[dict[str, Any]]) -> list[str]:
    return [e["stateEnteredEventDetails"]["name"] for e in history if "stateEnteredEventDetails" in e]


def test_a_run_that_is_alone_does_not_wait(running_server: Server):
    assert WAIT not in entered(run(running_server, MACHINE, {"action": "start"}, Script()).history)


def test_a_run_that_the_list_of_runs_does_not_have_yet_does_not_wait_for_itself(running_server: Server):
    lagging = json.loads(json.dumps(MACHINE))
    lagging["States"]["Look for an earlier run"]["Arguments"]["StatusFilter"] = "ABORTED"
    result = run(running_server, lagging, {"action": "start"}, Script())
    assert (result.status, WAIT in entered(result.history)) == ("SUCCEEDED", False)


def test_a_schedule_that_fires_twice_makes_two_runs_one_after_the_other(running_server: Server):
    gate = Gate()
    with lab(running_server, MACHINE, gate) as machine:
        runs = [machine.begin({"action": "start"}) for _ in range(2)]
        assert waits_for(lambda: machine.has_entered(runs[1], WAIT))
        gate.opened.set()
        ends = [machine.end(execution) for execution in runs]
    assert [end.status for end in ends] == ["SUCCEEDED", "SUCCEEDED"]
    assert order(ends[0].payloads) == runs
    assert len(ends[0].payloads) == 2 * (len(NAMES) + 1)


def test_of_many_runs_at_once_none_waits_for_a_younger_one(running_server: Server):
    with lab(running_server, MACHINE, Script()) as machine:
        runs = [machine.begin({"action": action}) for action in ("start", "stop", "start", "stop")]
        ends = [machine.end(execution) for execution in runs]
    assert {end.status for end in ends} == {"SUCCEEDED"}
    assert order(ends[0].payloads) == runs


def test_a_wrong_input_is_refused_at_once_while_another_run_is_under_way(running_server: Server):
    gate = Gate()
    with lab(running_server, MACHINE, gate) as machine:
        start = machine.begin({"action": "start"})
        wrong = machine.end(machine.begin({"action": "restart"}))
        gate.opened.set()
        assert machine.end(start).status == "SUCCEEDED"
    assert wrong.error == "InvalidInput"


def redriven(at: str, given: dict[str, Any]) -> dict[str, Any]:
    """The machine as a redrive goes on with it: at the state that failed, with its input and the variables.

    moto has no RedriveExecution; this is what AWS documents
    (https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html).
    """
    machine = json.loads(json.dumps(MACHINE))
    execution = {"id": "arn", "name": "run-1", "start_time": "2026-11-21T07:00:00.000Z"}
    variables = {
        "action": "start",
        "dry_run": False,
        "wanted": ENVIRONMENTS,
        "looks": 1,
        "look_error": None,
        "execution": execution,
        "asked": None,
        "calendar": None,
    }
    machine["States"]["Redrive"] = {"Type": "Pass", "Assign": variables, "Output": given, "Next": at}
    machine["StartAt"] = "Redrive"
    return machine


def test_a_redrive_of_a_run_that_failed_by_its_report_fails_again_and_asks_nothing(running_server: Server):
    cause = '{"status":"ABORTED"}'
    machine = redriven("Servers are not as wanted", {"cause": cause})
    result = run(running_server, machine, {"action": "start"}, Script())
    assert (result.status, result.cause, result.payloads) == ("FAILED", cause, [])


def test_a_redrive_of_an_aborted_run_repeats_only_the_phase_that_it_was_in(running_server: Server):
    phase = {"phase_number": DEV_DB, "tier": "db", "outcome": "ready", "problems": []}
    record = {"environment": DEV, "ok": True, field_of(DEV_DB): {"server": STATE}, "phases": [phase]}
    machine = redriven("Start environments", {})
    parallel = machine["States"]["Start environments"]
    # The other environments had succeeded: only the first one's branch goes on, at its last tier.
    parallel["Branches"] = parallel["Branches"][:1]
    branch = parallel["Branches"][0]
    tasks = {
        state["Arguments"]["Payload"]["phase_number"]: name
        for name, state in branch["States"].items()
        if state["Type"] == "Task"
    }
    branch["StartAt"] = tasks[DEV_APP]
    kept = {tasks[DEV_APP], branch["States"][tasks[DEV_APP]]["Next"], f"Result of {DEV} start"}
    branch["States"] = {name: state for name, state in branch["States"].items() if name in kept}
    parallel["Arguments"]["record"] = record
    result = run(running_server, machine, {"action": "start"}, Script())
    assert result.status == "SUCCEEDED"
    assert [payload.get("phase_number") for payload in result.payloads] == [DEV_APP, None]
    dev = mail_of(result)["results"][0]
    assert dev[field_of(DEV_DB)] == {"server": STATE}
    assert [phase["phase_number"] for phase in dev["phases"]] == [DEV_DB, DEV_APP]
