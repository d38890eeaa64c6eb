"""What an input other than a plain start or stop leads to, before the machine looks for an earlier run."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from local import calendars
from local.deploy import client
from local.faults import Fault
from local.server import Server
from local.state_machine_lab import FunctionError, Run, run
from tests.state_machine.test_paths import ENVIRONMENTS, MACHINE, NAMES, Script, asked, mail_of, report

CLOSED, OPEN = "closed", "open"
AT = {"action": "stop", "at": "2999-01-01T00:00:00Z"}
UNTIL_STOPPED = {"action": "start", "stop_after_hours": 3}


def make_calendars(server: Server) -> None:
    ssm = client(server.url, "ssm")
    for name, is_open in ((CLOSED, False), (OPEN, True)):
        content = calendars.text(is_open=is_open)
        ssm.create_document(Name=name, Content=content, DocumentType="ChangeCalendar", DocumentFormat="TEXT")


def go(
    server: Server,
    given: Any,
    script: Script | None = None,
    fault: str = "",
    times: int = 99,
    **parameters: str,
) -> Run:
    """A run of a stack with these parameters, where an AWS call fails so often."""
    make_calendars(server)
    if fault:
        call, code = fault.split("=")
        server.application.faults.add(Fault(call, code, times=times))
    try:
        return run(server, MACHINE, given, script or Script(), parameters)
    finally:
        server.application.faults.clear()


def entered(result: Run) -> list[str]:
    """The states of the main line, in their order."""
    names = [e["stateEnteredEventDetails"]["name"] for e in result.history if "stateEnteredEventDetails" in e]
    return [name for name in names if name in MACHINE["States"]]


def schedules(server: Server) -> list[dict[str, Any]]:
    scheduler = client(server.url, "scheduler")
    return [scheduler.get_schedule(Name=one["Name"]) for one in scheduler.list_schedules()["Schedules"]]


def phases(result: Run) -> int:
    return sum("phase_number" in payload for payload in result.payloads)


def not_ready(payload: dict[str, Any]) -> dict[str, Any]:
    problems = [{"name": "test2", "code": "Missing"}]
    return {"ok": False, "problems": problems, "cause": json.dumps({"problems": problems})}


def no_mail() -> Script:
    return Script(mail=[FunctionError("MailRejected", "no")])


def hour_not_set(server: Server) -> Run:
    """The function reads the input, and cannot read it again."""
    return go(server, UNTIL_STOPPED, Script(input=[asked, FunctionError("AwsFailure", "no")]))


WAYS: dict[str, Callable[[Server], Run]] = {
    "later": partial(go, given=AT),
    "later, already made": partial(go, given=AT, fault="CreateSchedule=ConflictException"),
    "later, refused": partial(go, given=AT, fault="CreateSchedule=AccessDeniedException"),
    "stop scheduled": partial(go, given=UNTIL_STOPPED),
    "stop already scheduled": partial(go, given=UNTIL_STOPPED, fault="CreateSchedule=ConflictException"),
    "stop not scheduled": partial(go, given=UNTIL_STOPPED, fault="CreateSchedule=AccessDeniedException"),
    "hour of the stop not set": hour_not_set,
    "open": partial(go, given={"action": "start"}, Calendar=OPEN),
    "open, stop scheduled": partial(go, given=UNTIL_STOPPED, Calendar=OPEN),
    "closed": partial(go, given={"action": "start"}, Calendar=CLOSED),
    "closed, no mail": lambda server: go(server, {"action": "start"}, no_mail(), Calendar=CLOSED),
    "unreadable": partial(go, given={"action": "stop"}, Calendar="nobody"),
    "unreadable, nothing done": partial(
        go, given={"action": "stop"}, Calendar="nobody", UnreadableCalendar="do-nothing"
    ),
    "ready": partial(go, given={"check": True}),
    "ready, with a calendar": partial(go, given={"check": True}, Calendar=CLOSED),
    "not ready": partial(go, given={"check": True}, script=Script(check=[not_ready])),
    "check fails": partial(
        go, given={"check": True}, script=Script(check=[FunctionError("AwsFailure", "no")])
    ),
    "not read": partial(go, given={"check": True}, script=Script(input=[{"action": "start"}])),
    "dry run": partial(go, given={"action": "start", "dry_run": True}),
}


def every_way(server: Server) -> list[Run]:
    from tests.conftest import empty

    found = []
    for way in WAYS.values():
        empty(server)
        found.append(way(server))
    return found


@pytest.mark.parametrize("action", ["start", "stop"])
def test_a_plain_run_enters_the_states_that_it_entered_before_there_was_anything_to_ask(server, action):
    result = run(server, MACHINE, {"action": action}, Script())
    assert entered(result) == [
        "Start or stop?",
        "Look for an earlier run",
        "May this run begin?",
        f"{action.capitalize()} environments",
        f"Did all servers {action}?",
        "Send success mail",
        "Does the report agree?",
        "All servers are as wanted",
    ]
    # Of each list its task and its question, of each environment its result.
    all_states = sum("stateEnteredEventDetails" in event for event in result.history)
    assert all_states == 8 + 2 * len(NAMES) + len(ENVIRONMENTS)


def test_a_run_for_later_is_a_schedule_of_the_functions_making_and_nothing_else(server):
    result = WAYS["later"](server)
    assert (result.status, phases(result)) == ("SUCCEEDED", 0)
    [made] = schedules(server)
    assert result.output == {"status": "SCHEDULED", "at": AT["at"], "schedule": made["Name"]}
    assert (made["ScheduleExpression"], made["ActionAfterCompletion"]) == (
        "at(2999-01-01T00:00:00)",
        "DELETE",
    )
    assert made["Target"]["Input"] == '{"action":"stop"}'


@pytest.mark.parametrize("name", ["later, already made", "stop already scheduled"])
def test_a_schedule_that_an_earlier_attempt_made_is_no_failure_and_not_tried_again(server, name):
    assert WAYS[name](server).status == "SUCCEEDED"
    tried = [call for call in server.application.calls if call.operation == "CreateSchedule"]
    assert len(tried) == 1


@pytest.mark.parametrize("name", ["later, refused", "stop not scheduled"])
def test_where_a_schedule_cannot_be_made_nothing_is_done_and_the_mail_says_why(server, name):
    result = WAYS[name](server)
    assert (result.status, result.error, phases(result)) == ("FAILED", "ServersNotAsWanted", 0)
    assert mail_of(result)["error"]["Error"].startswith("Scheduler.")


def test_a_call_that_fails_for_a_moment_is_made_again(server):
    result = go(server, AT, fault="CreateSchedule=ThrottlingException", times=1)
    assert (result.status, len(schedules(server))) == ("SUCCEEDED", 1)
    result = go(
        server, {"action": "start"}, fault="GetCalendarState=ThrottlingException", times=1, Calendar=CLOSED
    )
    assert mail_of(result)["calendar"]["State"] == "CLOSED"


def test_the_stop_is_scheduled_when_the_run_begins_before_anything_is_started_and_the_mail_knows_it(server):
    result = WAYS["stop scheduled"](server)
    assert entered(result)[:8] == [
        "Start or stop?",
        "Read the input",
        "What was asked for?",
        "Look for an earlier run",
        "May this run begin?",
        "Set the hour of the stop",
        "Schedule the stop",
        "Start environments",
    ]
    assert (result.status, len(schedules(server))) == ("SUCCEEDED", 1)
    assert mail_of(result)["asked"]["stops_at"] == "2999-01-01T00:00:00Z"


def test_a_stop_that_was_not_scheduled_is_not_told_as_one_that_was(server):
    for name in ("stop not scheduled", "hour of the stop not set"):
        result = WAYS[name](server)
        assert (result.status, phases(result), schedules(server)) == ("FAILED", 0, [])
        assert mail_of(result)["asked"]["stops_at"] is None
        assert mail_of(result)["error"]["Error"]


def blocked(looks: int) -> dict[str, Any]:
    """The machine with patience for three looks, while an earlier run goes on for so many."""
    machine = json.loads(json.dumps(MACHINE).replace("$looks < 60", "$looks < 3"))
    look = machine["States"]["Look for an earlier run"]
    look["Output"]["earlier"] = f"{{% $looks < {looks} ? ['arn:of-an-earlier-run'] : [] %}}"
    return machine


def test_a_start_that_gives_up_waiting_schedules_no_stop(server):
    result = run(server, blocked(99), UNTIL_STOPPED, Script())
    assert mail_of(result)["error"]["Error"] == "EarlierRunStillGoing"
    assert (phases(result), schedules(server), mail_of(result)["asked"]["stops_at"]) == (0, [], None)


def test_the_hours_until_a_stop_count_from_the_end_of_the_earlier_run(server):
    result = run(server, blocked(2), UNTIL_STOPPED, Script())
    first, second = (payload for payload in result.payloads if "context" in payload)
    assert second["context"]["Execution"]["Input"] == first["context"]["Execution"]["Input"] == UNTIL_STOPPED
    assert "begins" not in first
    # A minute of waiting for each look that found somebody.
    begins, began = (
        dt.datetime.fromisoformat(text)
        for text in (second["begins"], second["context"]["Execution"]["StartTime"])
    )
    assert begins - began > dt.timedelta(seconds=100)
    # It is when this run's own work begins, which its phases are told as well.
    assert {
        payload["execution"]["start_time"] for payload in result.payloads if "phase_number" in payload
    } == {second["begins"]}


def test_an_open_calendar_lets_the_run_begin(server):
    result = WAYS["open"](server)
    assert (result.status, phases(result)) == ("SUCCEEDED", len(NAMES))
    assert mail_of(result)["calendar"]["State"] == "OPEN"
    assert "Schedule the stop" in entered(WAYS["open, stop scheduled"](server))


def test_a_closed_calendar_keeps_a_plain_run_from_anything_and_the_run_succeeds(server):
    result = WAYS["closed"](server)
    assert (result.status, phases(result)) == ("SUCCEEDED", 0)
    assert result.output["status"] == "SKIPPED"
    assert entered(result)[-1] == "Nothing was done"
    mail = mail_of(result)
    assert (mail["skipped"], mail["calendar"]["State"], mail["results"]) == (True, "CLOSED", [])
    assert mail["closed_calendar_mail"] == "mail"
    assert not any(call.operation == "ListExecutions" for call in server.application.calls)


def test_a_closed_calendar_schedules_no_stop_either(server):
    result = go(server, UNTIL_STOPPED, Calendar=CLOSED)
    assert (result.output["status"], schedules(server)) == ("SKIPPED", [])


def test_the_function_is_told_to_be_silent_by_the_parameter(server):
    result = go(server, {"action": "start"}, Calendar=CLOSED, ClosedCalendarMail="silence")
    assert mail_of(result)["closed_calendar_mail"] == "silence"


def untold(result: Run) -> tuple[str, str | None, str]:
    cause = json.loads(result.cause or "{}")
    return result.status, result.error, cause.get("mail_error", {}).get("Error", "")


def test_a_run_that_did_nothing_and_could_tell_nobody_fails(server):
    wanted = ("FAILED", "NobodyTold", "MailRejected")
    assert untold(WAYS["closed, no mail"](server)) == wanted
    for mail in ("mail", "silence"):
        # Whoever wants to hear nothing of a closed calendar did not say so of one that cannot be read.
        result = go(
            server,
            {"action": "start"},
            no_mail(),
            Calendar="nobody",
            UnreadableCalendar="do-nothing",
            ClosedCalendarMail=mail,
        )
        assert untold(result) == wanted
        assert json.loads(result.cause)["calendar"]["Error"].startswith("Ssm.InvalidDocument")


def test_a_closed_calendar_that_is_to_be_kept_silent_about_needs_no_mail_to_succeed(server):
    result = go(server, {"action": "start"}, no_mail(), Calendar=CLOSED, ClosedCalendarMail="silence")
    assert (result.status, result.output["status"]) == ("SUCCEEDED", "SKIPPED")
    assert result.output["mail_error"]["Error"] == "MailRejected"


def test_a_report_that_says_worse_of_a_closed_calendar_fails_the_run(server):
    worse = {"status": "ABORTED", "cause": '{"status":"ABORTED"}'}
    result = go(server, {"action": "start"}, Script(mail=[worse]), Calendar=CLOSED)
    assert (result.status, result.error) == ("FAILED", "ServersNotAsWanted")


def test_a_calendar_that_cannot_be_read_is_told_to_the_mail_and_the_run_goes_on_or_not_as_the_stack_says(
    server,
):
    result = WAYS["unreadable"](server)
    assert (result.status, phases(result)) == ("SUCCEEDED", len(NAMES))
    assert mail_of(result)["calendar"]["Error"].startswith("Ssm.InvalidDocument")
    result = WAYS["unreadable, nothing done"](server)
    assert (result.output["status"], phases(result)) == ("SKIPPED", 0)


def test_whoever_ignores_the_calendar_is_not_kept_by_it(server):
    result = go(server, {"action": "start", "ignore_calendar": True}, Calendar=CLOSED)
    assert (result.status, phases(result)) == ("SUCCEEDED", len(NAMES))
    assert not any(call.operation == "GetCalendarState" for call in server.application.calls)


def test_an_inputs_own_calendar_is_asked_in_a_stack_without_one(server):
    result = go(server, {"action": "start", "calendar": CLOSED})
    assert result.output["status"] == "SKIPPED"


def test_a_check_is_a_payload_of_its_own_and_ends_as_it_found(server):
    result = WAYS["ready, with a calendar"](server)
    found = {"ok": True, "problems": [], "cause": None}
    assert (result.status, result.output, phases(result)) == ("SUCCEEDED", found, 0)
    payload = next(payload for payload in result.payloads if payload.get("check"))
    assert set(payload) == {"check", "asked", "calendar", "environments", "execution"}
    assert (payload["asked"]["calendars"], payload["calendar"]["State"]) == ([CLOSED], "CLOSED")
    result = WAYS["not ready"](server)
    assert (result.status, result.error) == ("FAILED", "SomethingWouldFail")
    assert json.loads(result.cause)["problems"] == [{"name": "test2", "code": "Missing"}]
    result = WAYS["check fails"](server)
    assert json.loads(result.cause)["Error"] == "AwsFailure"


def test_an_answer_without_what_the_choices_compare_is_an_error_that_is_caught(server):
    result = run(server, MACHINE, {"action": "start", "dry_run": True}, Script(input=[{"action": "start"}]))
    assert (result.status, result.error) == ("FAILED", "InputNotRead")
    assert json.loads(result.cause)["Error"] == "States.QueryEvaluationError"
    assert phases(result) == 0


def test_an_input_that_the_function_cannot_read_for_a_moment_is_read_again(server):
    script = Script(input=[FunctionError("Throttled"), FunctionError("Runtime.ExitError"), asked])
    result = run(server, MACHINE, {"action": "start", "dry_run": True}, script)
    assert (result.status, script.calls["input"]) == ("SUCCEEDED", 3)


def test_a_report_never_comes_twice_because_it_was_throttled_once(server):
    script = Script(mail=[FunctionError("Throttled"), report])
    result = go(server, {"action": "start"}, script, Calendar=CLOSED)
    assert (result.output["status"], script.calls["mail"]) == ("SKIPPED", 2)


def test_a_long_input_is_sent_once_and_one_that_no_task_takes_is_not_read(server):
    taken = go(server, {"action": "start", "note": "x" * 200_000})
    assert (taken.status, taken.error) == ("SUCCEEDED", None)
    refused = go(server, {"action": "start", "note": "x" * 262_000})
    assert (refused.status, refused.error, refused.payloads) == ("FAILED", "InputNotRead", [])
    assert "States.DataLimitExceeded" in refused.cause
