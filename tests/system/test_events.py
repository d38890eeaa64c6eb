"""A run's begin and end on EventBridge: all five statuses, as the stack puts them, and what the chat gets."""

from __future__ import annotations

import datetime as dt
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from moto.events.models import EventPattern
from moto.sns.models import sns_backends

from local import clock, events
from local.runtime_api import ACCOUNT, REGION
from local.server import Server
from tests.system.conftest import System
from tests.system.test_exceptions import closed_system, fired

ROOT = Path(__file__).parents[2]
EVENT = Draft202012Validator(json.loads((ROOT / "docs" / "event.schema.json").read_text()))
CHAT = Draft202012Validator(json.loads((ROOT / "tests" / "chat.schema.json").read_text()))
BEGAN, ENDED = "EC2 Start/Stop Run Began", "EC2 Start/Stop Run Ended"


@pytest.fixture
def chatting(server: Server, tmp_path: Path) -> System:
    return System(server, tmp_path / "function.log", "stopped", Chat="on")


def soon(count: int, found: Callable[[], list[Any]]) -> list[Any]:
    """So many of them, as soon as they are there: events come after the execution's end."""
    deadline = time.monotonic() + 8
    while len(found()) < count:
        assert time.monotonic() < deadline, f"{found()}, {events.BUS.failed}"
        time.sleep(0.02)
    return found()


def of_run(run: str) -> list[dict[str, Any]]:
    """The events of a run, each held against the schema of the docs; the first is of its start.

    A bus promises no order, and of a run that is over at once the end may be there first.
    """
    found = soon(2, lambda: [e for e in events.BUS.ours() if e["detail"]["run"] == run])
    for event in found:
        EVENT.validate(event)
    assert events.BUS.failed == []
    return sorted(found, key=lambda event: event["detail"]["status"] != "RUNNING")


def messages(system: System) -> list[dict[str, Any]]:
    """What the chat was given, each held against the form of Amazon Q Developer in chat applications."""
    topic = sns_backends[ACCOUNT][REGION].topics[system.stack.outputs["ChatTopicArn"]]
    told = [json.loads(sent[1]) for sent in topic.sent_notifications]
    for message in told:
        CHAT.validate(message)
    return told


def said(message: dict[str, Any]) -> str:
    return message["content"]["description"]


def test_a_run_that_went_well_is_told_when_it_begins_and_when_it_ends(stopped: System):
    outcome = stopped.run("start", environments=["dev"])
    began, ended = of_run(outcome.name)
    assert (began["detail-type"], ended["detail-type"]) == (BEGAN, ENDED)
    assert (began["detail"]["status"], began["detail"]["verdict"]) == ("RUNNING", None)
    assert (ended["detail"]["status"], ended["detail"]["verdict"]) == ("SUCCEEDED", "SUCCESS")
    assert ended["detail"]["counts"] == outcome.output["counts"]
    assert ended["detail"]["environments"] == ["dev"]
    assert ended["detail"]["title"] == outcome.output["subject"]
    assert ended["detail"]["ended_at"] > ended["detail"]["began_at"]
    assert ended["resources"][0].endswith(outcome.name)


def test_a_run_that_failed_brings_the_verdict_and_the_problems_of_its_report(chatting: System):
    chatting.fail("StartInstances=InsufficientInstanceCapacity:test2")
    outcome = chatting.run("start", environments=["dev"])
    _, ended = of_run(outcome.name)
    assert (ended["detail"]["status"], ended["detail"]["verdict"]) == ("FAILED", "ABORTED")
    assert [p["name"] for p in ended["detail"]["problems"]] == ["test2"]
    told = soon(3, lambda: messages(chatting))
    assert {message["metadata"]["threadId"] for message in told} == {outcome.name}
    # The last resort needs neither the function nor SES: it is there beside the function's own.
    assert "Step Functions Execution Status Change" in [m["metadata"]["eventType"] for m in told]
    assert any("`test2`" in message["content"]["description"] for message in told)


def test_a_run_that_somebody_ended_is_told_without_a_verdict(chatting: System):
    execution = chatting.begin("start", environments=["dev"])
    calls = chatting.server.application.calls
    soon(1, lambda: [call for call in calls if call.operation == "DescribeInstances"])
    chatting.stack.client("stepfunctions").stop_execution(
        executionArn=execution, error="Enough", cause='by "us"'
    )
    outcome = chatting.end(execution)
    _, ended = of_run(outcome.name)
    assert (ended["detail"]["status"], ended["detail"]["verdict"]) == ("ABORTED", None)
    assert soon(3, lambda: messages(chatting))


def test_a_run_that_took_too_long_is_told_without_a_verdict(server: Server, tmp_path: Path):
    system = System(server, tmp_path / "function.log", "stopped", Chat="on")
    machine = system.stack.outputs["StateMachineArn"]
    client = system.stack.client("stepfunctions")
    definition = json.loads(client.describe_state_machine(stateMachineArn=machine)["definition"])
    slow = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 7200, "End": True}}}
    client.update_state_machine(
        stateMachineArn=machine, definition=json.dumps(definition | slow | {"TimeoutSeconds": 1})
    )
    outcome = system.run("start")
    assert outcome.status == "TIMED_OUT"
    _, ended = of_run(outcome.name)
    assert (ended["detail"]["status"], ended["detail"]["verdict"]) == ("TIMED_OUT", None)
    assert "TIMED OUT without a report" in ended["detail"]["title"]


def test_an_input_that_was_refused_is_told_with_its_reason(chatting: System):
    outcome = chatting.run("start", environments=['<!channel> "dev"\n'])
    _, ended = of_run(outcome.name)
    assert (ended["detail"]["status"], ended["detail"]["error"]["name"]) == ("FAILED", "InvalidInput")
    assert "dev" in ended["detail"]["error"]["cause"]
    assert ended["detail"]["title"].startswith("START REFUSED")
    told = soon(3, lambda: messages(chatting))
    assert all("<" not in json.dumps(message) for message in told)
    assert any("\nNothing was started or stopped. The input" in said(message) for message in told)
    assert not any("before you rely" in said(message) for message in told)


def test_a_check_where_nothing_is_wrong_is_told_as_ready(chatting: System):
    outcome = chatting.run("check", environments=["dev"])
    _, ended = of_run(outcome.name)
    assert (ended["detail"]["status"], ended["detail"]["verdict"]) == ("SUCCEEDED", "READY")
    assert (ended["detail"]["check"], ended["detail"]["counts"]) == (True, None)
    assert ended["detail"]["check_counts"] == outcome.output["counts"]
    assert ended["detail"]["title"] == outcome.output["subject"]
    assert any("7 of 7 servers" in said(message) for message in soon(2, lambda: messages(chatting)))


def test_a_check_that_finds_something_is_told_with_what_would_fail(chatting: System):
    chatting.fail("StartInstances=UnauthorizedOperation:test13")
    chatting.stack.client("ses").delete_identity(Identity="start-stop@example.com")
    outcome = chatting.run("check")
    _, ended = of_run(outcome.name)
    assert (ended["detail"]["status"], ended["detail"]["verdict"]) == ("FAILED", "WOULD FAIL")
    assert {p["name"] for p in ended["detail"]["problems"] if p["would_fail"]} == {"test13", "mail"}
    assert ended["detail"]["mail_error"]["name"] == "MailRejected"
    told = [message for message in soon(3, lambda: messages(chatting)) if "no mail went out" in said(message)]
    assert len(told) == 1 and "`test13`" in said(told[0])


def test_a_run_for_later_is_told_as_scheduled_and_then_as_begun(chatting: System):
    at = clock.CLOCK.utc() + dt.timedelta(hours=1)
    first = chatting.begin("start", environments=["dev"], at=at.isoformat(timespec="seconds"))
    outcome = chatting.end(first)
    asked, ended = (event["detail"] for event in of_run(outcome.name))
    assert asked["title"].startswith("START ASKED FOR LATER")
    assert (ended["status"], ended["verdict"], ended["error"]) == ("SUCCEEDED", "SCHEDULED", None)
    assert ended["scheduled"] == {key: outcome.output[key] for key in ("at", "schedule")}
    assert "SCHEDULED for" in ended["title"]
    assert any("Nothing was started or stopped yet" in said(message) for message in messages(chatting))
    later = chatting.end(fired(chatting, first))
    assert [event["detail"]["verdict"] for event in of_run(later.name)] == [None, "SUCCESS"]


def test_a_mail_that_did_not_go_out_is_told_with_its_code(chatting: System):
    chatting.stack.client("ses").delete_identity(Identity="start-stop@example.com")
    outcome = chatting.run("start", environments=["dev"])
    _, ended = of_run(outcome.name)
    assert (ended["detail"]["verdict"], ended["detail"]["mail_error"]["name"]) == ("SUCCESS", "MailRejected")
    assert ended["detail"]["title"].endswith(", mail not sent")
    assert any("`MailRejected`" in said(message) for message in soon(2, lambda: messages(chatting)))


def test_a_silent_run_of_a_closed_calendar_says_until_when(server: Server, tmp_path: Path):
    system = closed_system(server, tmp_path, ClosedCalendarMail="silence", Chat="on")
    outcome = system.run("start")
    _, ended = of_run(outcome.name)
    assert (ended["detail"]["verdict"], ended["detail"]["mail_error"]) == ("SKIPPED", None)
    assert "holidays is closed until" in ended["detail"]["remarks"][0]
    assert any("holidays is closed until" in said(message) for message in soon(2, lambda: messages(system)))


def test_an_event_that_cannot_be_put_fails_the_function_and_nothing_else(stopped: System, tmp_path: Path):
    stopped.fail("PutEvents=AccessDeniedException")
    outcome = stopped.run("stop", environments=["dev"])
    assert outcome.status == "SUCCEEDED"
    log = tmp_path / "function.log"
    soon(1, lambda: [line for line in log.read_text().splitlines() if '"name":"AccessDenied"' in line])
    assert events.BUS.ours() == []
    assert (
        len(
            stopped.stack.client("stepfunctions").list_executions(
                stateMachineArn=stopped.stack.outputs["StateMachineArn"]
            )["executions"]
        )
        == 1
    )


def test_without_events_nothing_is_put_and_nothing_may_be(server: Server, tmp_path: Path):
    system = System(server, tmp_path / "function.log", "stopped", Events="off")
    system.run("start", environments=["dev"])
    assert events.BUS.ours() == []
    assert len(system.stack.client("events").list_rules()["Rules"]) == 1


def test_two_stacks_do_not_tell_each_others_chats(chatting: System):
    put = {"Source": "ec2-start-stop", "DetailType": BEGAN, "Detail": json.dumps({"stack": "other"})}
    chatting.stack.client("events").put_events(Entries=[put])
    assert messages(chatting) == []


def test_a_rule_that_the_functions_policy_does_not_name_cannot_invoke_it(stopped: System):
    bus = stopped.stack.client("events")
    bus.put_rule(Name="somebodys", EventPattern=json.dumps({"source": ["mine"]}))
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{stopped.stack.outputs['FunctionName']}"
    bus.put_targets(Rule="somebodys", Targets=[{"Id": "1", "Arn": function}])
    bus.put_events(Entries=[{"Source": "mine", "DetailType": "x", "Detail": "{}"}])
    (failed,) = events.BUS.failed
    assert "does not let" in failed


def test_every_pattern_of_the_page_matches_a_failed_runs_end_and_no_success(stopped: System):
    page = (ROOT / "docs" / "events.md").read_text()
    patterns = [json.loads(text) for text in re.findall(r"--event-pattern '(\{.+?\})'", page, re.DOTALL)]
    assert len(patterns) >= 3
    good = stopped.run("start", environments=["dev"])
    stopped.fail("StopInstances=UnauthorizedOperation:test2")
    bad = stopped.run("stop")
    (_, went_well), (_, failed) = of_run(good.name), of_run(bad.name)
    for pattern in patterns:
        rule = EventPattern.load(json.dumps(pattern))
        assert rule.matches_event(failed), pattern
        assert not rule.matches_event(went_well), pattern
