"""End to end: a closed calendar, a run for later, and a stop some hours after a start."""

from __future__ import annotations

import datetime as dt
import json
import time
from typing import Any

import pytest

from local import calendars, clock, mails
from local import run as local_run
from tests.system.conftest import System


def schedules(system: System) -> list[dict[str, Any]]:
    return local_run.one_time_schedules(system.stack)


def fired(system: System, first: str) -> str:
    """The execution that a schedule has begun, beside the first one."""
    step_functions = system.stack.client("stepfunctions")
    machine = system.stack.outputs["StateMachineArn"]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for one in step_functions.list_executions(stateMachineArn=machine)["executions"]:
            if one["executionArn"] != first:
                return one["executionArn"]
        time.sleep(0.05)
    raise TimeoutError("the schedule does not fire")


@pytest.fixture
def closed(server, tmp_path) -> System:
    return closed_system(server, tmp_path)


def closed_system(server: Any, tmp_path: Any, **parameters: str) -> System:
    made = System(server, tmp_path / "function.log", "stopped", Calendar="holidays", **parameters)
    until = clock.CLOCK.utc() + dt.timedelta(days=2)
    made.stack.client("ssm").create_document(
        Name="holidays",
        Content=calendars.text(is_open=False, until=until),
        DocumentType="ChangeCalendar",
        DocumentFormat="TEXT",
    )
    return made


def changed(system: System) -> list[str]:
    calls = (call.operation for call in system.server.application.calls)
    return [operation for operation in calls if operation in ("StartInstances", "StopInstances")]


def test_a_closed_calendar_keeps_a_start_from_anything_and_mails_until_when(closed):
    outcome = closed.run("start")
    assert (outcome.status, outcome.output["status"], changed(closed)) == ("SUCCEEDED", "SKIPPED", [])
    mail = closed.mail()
    assert mail["Message.Subject.Data"].startswith("START STATUS: SKIPPED")
    for body in ("Message.Body.Text.Data", "Message.Body.Html.Data"):
        assert "holidays is closed until" in " ".join(mail[body].split())
    assert len(outcome.output["servers"]) == 20


def test_a_closed_calendar_may_be_kept_silent_about(server, tmp_path):
    system = closed_system(server, tmp_path, ClosedCalendarMail="silence")
    outcome = system.run("start")
    assert (outcome.output["status"], outcome.output["mail"]) == ("SKIPPED", None)
    assert mails.given(server) == []


def test_whoever_ignores_a_closed_calendar_starts(closed):
    assert closed.run("start", ignore_calendar=True, environments=["dev"]).status == "SUCCEEDED"
    assert closed.states(["test2", "test1"]) == {"running"}


def test_a_calendar_that_is_not_there_is_a_remark_and_the_run_goes_on(server, tmp_path):
    system = System(server, tmp_path / "function.log", "stopped", Calendar="nobody")
    outcome = system.run("start", environments=["dev"])
    assert outcome.status == "SUCCEEDED"
    assert any("nobody could not be read" in remark for remark in outcome.output["remarks"])


def test_a_start_for_later_begins_at_its_time_and_its_schedule_is_gone(stopped):
    at = clock.CLOCK.utc() + dt.timedelta(hours=1)
    first = stopped.begin("start", environments=["dev"], at=at.isoformat(timespec="seconds"))
    outcome = stopped.end(first)
    assert (outcome.status, outcome.output["status"], changed(stopped)) == ("SUCCEEDED", "SCHEDULED", [])
    assert len(schedules(stopped)) == 1
    later = stopped.end(fired(stopped, first))
    assert (later.status, schedules(stopped)) == ("SUCCEEDED", [])
    assert stopped.states(["test2", "test1"]) == {"running"}


def test_what_is_started_for_some_hours_is_stopped_by_then_even_if_the_calendar_closes(closed):
    first = closed.begin("start", environments=["dev"], ignore_calendar=True, stop_after_hours=1)
    outcome = closed.end(first)
    assert any("schedule stops these environments" in remark for remark in outcome.output["remarks"])
    assert closed.end(fired(closed, first)).status == "SUCCEEDED"
    assert closed.states(["test2", "test1"]) == {"stopped"}


def test_a_wrong_input_is_refused_by_the_function_with_the_field(stopped):
    outcome = stopped.run("start", enviroments=["dev"])
    assert (outcome.status, outcome.error) == ("FAILED", "InvalidInput")
    assert "did you mean environments?" in json.loads(outcome.cause)["errorMessage"]
