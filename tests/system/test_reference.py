"""Drop-in: both machines of AWS-Start-Stop-Automation run with our function, by its ARN and nothing else.

With `-s` the mails are shown.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from local import clock
from local.deploy import STACK
from local.runtime_api import ACCOUNT
from local.server import Server
from tests.system import reference_machines
from tests.system.conftest import Outcome, System
from tests.system.test_system import DEV_APP, DEV_DB, everyone

# A report that looks for itself has two simulated minutes for it: here more than a real second.
SPEED = 100
NAMES = pytest.mark.parametrize("long_names", [False, True], ids=["short names", "long names"])


@pytest.fixture(autouse=True)
def slower(server: Server) -> None:
    clock.set_speed(SPEED)


def run(system: System, action: str, long_names: bool = False) -> Outcome:
    """Creates the page's machine for our function, and runs it to its end."""
    step_functions = system.stack.client("stepfunctions")
    name = system.stack.outputs["FunctionName"]
    function = system.stack.client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    definition = reference_machines.machine(action, f"{function}:$LATEST", long_names)
    made = step_functions.create_state_machine(
        name=f"reference-{action}",
        definition=json.dumps(definition),
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/reference",
    )
    begun = step_functions.start_execution(stateMachineArn=made["stateMachineArn"], input="{}")
    outcome = system.end(begun["executionArn"])
    print(f"\n{outcome.status}: {subject(system)}\n\n{text(system)}")
    return outcome


def subject(system: System) -> str:
    return system.mail()["Message.Subject.Data"]


def text(system: System) -> str:
    return system.mail()["Message.Body.Text.Data"]


def payloads(system: System, action: str) -> dict[str, Any]:
    return {"phase_number": 3, "action": action, "cw_log_phase": "by hand", "send_mail": False}


@NAMES
def test_its_start_of_running_servers_changes_nothing_and_still_reports(running, long_names):
    outcome = run(running, "start", long_names)
    assert outcome.status == "SUCCEEDED"
    assert not any(
        call.operation == "StartInstances" and "DryRun" not in call.parameters
        for call in running.server.application.calls
    )
    assert subject(running) == f"START STATUS: SUCCESS · {STACK}"


@NAMES
def test_its_start_brings_all_up_databases_first_and_reports_each_once(stopped, long_names):
    outcome = run(stopped, "start", long_names)
    assert outcome.status == "SUCCEEDED"
    assert stopped.states(everyone(stopped)) == {"running"}
    assert subject(stopped) == f"START STATUS: SUCCESS · {STACK}"
    starts = [call for call in stopped.server.application.calls if call.operation == "StartInstances"]
    databases = [call for call in starts if stopped.fleet.ids["test2"] in call.parameters.values()]
    applications = [call for call in starts if stopped.fleet.ids["test1"] in call.parameters.values()]
    assert applications[0].at - databases[0].at > 60
    html = stopped.mail()["Message.Body.Html.Data"]
    assert all(name in text(stopped) and name in html for name in everyone(stopped))


def test_its_stop_brings_all_down_and_reports_it(running):
    outcome = run(running, "stop")
    assert outcome.status == "SUCCEEDED"
    assert running.states(everyone(running)) == {"stopped"}
    assert subject(running) == f"SHUTDOWN STATUS: SUCCESS · {STACK}"


@NAMES
def test_a_server_that_may_not_be_started_aborts_its_environment_and_the_mail_says_why(stopped, long_names):
    stopped.fail("StartInstances=UnauthorizedOperation:test2")
    outcome = run(stopped, "start", long_names)
    assert outcome.status == "FAILED"
    assert stopped.states(DEV_APP) == {"stopped"}
    others = [name for name in everyone(stopped) if name not in DEV_DB + DEV_APP]
    assert stopped.states(others) == {"running"}
    assert subject(stopped) == f"START STATUS: ABORTED · {STACK} · dev db: test2"
    assert "UnauthorizedOperation" in text(stopped)
    assert "not reached" in text(stopped)


def test_a_start_that_bounced_is_told_with_the_key_that_is_missing(stopped):
    habit = stopped.fleet.habit("test15")
    habit.start_ends, habit.reason = "stopped", ("Client.InternalError", "Client error on launch")
    assert run(stopped, "start").status == "FAILED"
    assert subject(stopped) == f"START STATUS: ABORTED · {STACK} · preprod db: test15"
    assert "kms:CreateGrant" in text(stopped)


def test_a_reason_that_does_not_show_afterwards_is_said_to_be_in_the_phase_log(stopped):
    stopped.fail("StartInstances=InsufficientInstanceCapacity:test2")
    assert run(stopped, "start").status == "FAILED"
    assert subject(stopped) == f"START STATUS: ABORTED · {STACK} · dev db: test2"
    assert "NotAsWanted" in text(stopped)
    assert "look in the phase log" in " ".join(text(stopped).split())
    assert stopped.states(DEV_APP) == {"stopped"}


def test_a_check_that_never_passes_is_named_and_its_app_tier_is_not_started(stopped):
    stopped.fleet.habit("test3").check_ends = "impaired"
    assert run(stopped, "start").status == "FAILED"
    assert stopped.named_in("StartInstances", "test6") == 0
    assert "START STATUS: ABORTED" in subject(stopped)
    assert "test db: test3" in subject(stopped)
    assert "impaired" in text(stopped)


def test_a_server_that_may_not_be_stopped_aborts_its_environment_and_the_mail_says_why(running):
    running.fail("StopInstances=UnauthorizedOperation:test1")
    assert run(running, "stop").status == "FAILED"
    assert running.states(DEV_DB) == {"running"}
    assert subject(running) == f"SHUTDOWN STATUS: ABORTED · {STACK} · dev app: test1"
    assert "UnauthorizedOperation" in text(running)


def test_a_phase_that_nobody_resumes_ends_within_its_invocation_and_names_who_is_not_ready(stopped):
    for name in DEV_DB:
        stopped.fleet.habit(name).check_ends = "impaired"
    answer, failed = stopped.invoke(payloads(stopped, "start") | {"next_phase": True})
    assert failed is None
    assert (answer["next_phase"], answer["outcome"], answer["statusCode"]) == (False, "failed", 200)
    assert {(p["name"], p["code"]) for p in answer["problems"]} == {(name, "NotInTime") for name in DEV_DB}
    assert all("impaired" in problem["message"] for problem in answer["problems"])
    assert set(answer["initial_state"]) == set(DEV_DB)
    assert "resume" not in answer


def test_who_names_an_execution_is_handed_a_resume_as_ever(stopped):
    for name in DEV_DB:
        stopped.fleet.habit(name).check_ends = "impaired"
    execution = {"id": "by-hand", "name": "by-hand", "start_time": "2026-11-23T06:00:00Z"}
    payload = payloads(stopped, "start") | {"next_phase": True, "execution": execution}
    answer, _ = stopped.invoke(payload)
    assert answer["outcome"] == "in_progress"
    del payload["execution"]
    assert stopped.invoke(payload | {"resume": answer["resume"]})[0]["outcome"] == "failed"


def test_the_two_flags_alone_are_a_skip(stopped):
    answer, failed = stopped.invoke({"send_mail": False, "next_phase": False})
    assert failed is None
    assert (answer["next_phase"], answer["outcome"], answer["statusCode"]) == (False, "skipped", 200)
    assert stopped.server.application.calls == []


@pytest.mark.parametrize("verdict", ["SUCCESS", "ABORTED"])
def test_its_mail_never_says_success_of_servers_that_are_down(stopped, verdict):
    states = dict.fromkeys(reference_machines.STATES, {"empty": True})
    answer, failed = stopped.invoke({"send_mail": True, "subject": f"START STATUS: {verdict}"} | states)
    assert failed is None
    assert (answer["status"], answer["statusCode"]) == ("ABORTED", 200)
    assert subject(stopped).startswith("START STATUS: ABORTED")
