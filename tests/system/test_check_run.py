"""End to end: the evening check as its schedule starts it, through the state machine."""

from __future__ import annotations

import json
from pathlib import Path

from local import calendars
from tests.conftest import SERVERS_FILE
from tests.system.conftest import System
from tests.system.test_check import mails


def test_a_check_where_nothing_is_wrong_succeeds_without_a_mail_and_asks_for_no_earlier_run(running: System):
    outcome = running.run("check")
    assert outcome.status == "SUCCEEDED", outcome.cause
    assert outcome.output["ok"] is True
    assert outcome.output["counts"]["servers"] == 20
    assert mails(running) == []
    called = {call.operation for call in running.server.application.calls}
    assert "ListExecutions" not in called


def test_a_check_that_finds_something_fails_with_the_findings_in_its_cause_and_a_mail(running: System):
    running.stack.client("ec2").terminate_instances(InstanceIds=[running.fleet.ids["test8"]])
    running.fail("StartInstances=UnauthorizedOperation:test13")
    outcome = running.run("check")
    assert (outcome.status, outcome.error) == ("FAILED", "SomethingWouldFail")
    told = json.loads(outcome.cause)
    assert {finding["code"] for finding in told["findings"]} == {"ServerMissing", "UnauthorizedOperation"}
    assert running.mail()["Message.Subject.Data"].startswith("CHECK STATUS: WOULD FAIL")


def test_a_check_of_one_environment_asks_for_its_servers_only(running: System):
    outcome = running.run("check", environments=["dev"])
    assert outcome.output["counts"]["servers"] == 7
    assert running.named_in("StartInstances", "test2") == 1
    assert running.named_in("StartInstances", "test13") == 0


def test_a_check_beside_a_run_waits_for_nothing_and_hinders_nobody(stopped: System):
    start = stopped.begin("start", environments=["dev"])
    outcome = stopped.run("check")
    assert outcome.status == "SUCCEEDED", outcome.cause
    assert stopped.end(start).status == "SUCCEEDED"


def with_schedules(folder: Path, **calendars: str) -> Path:
    """The lists, and a schedule a name, with this calendar; one named off does not fire."""
    text = SERVERS_FILE.read_text()
    for name, calendar in calendars.items():
        text += f'\n[[schedule]]\nname = "{name}"\naction = "stop"\nexpression = "rate(1 days)"\n'
        text += f'calendar = "{calendar}"\nenabled = {str(name != "off").lower()}\n'
    servers = folder / "servers.toml"
    servers.write_text(text)
    return servers


def test_a_check_asks_the_calendars_of_the_schedules_beside_the_stacks_each_once(server, tmp_path):
    servers = with_schedules(tmp_path, a="team", b="holidays", off="not-there", c="team")
    system = System(server, tmp_path / "function.log", "running", servers, Calendar="holidays")
    make = system.stack.client("ssm").create_document
    for name in ("holidays", "team"):
        content = calendars.text(is_open=name == "team")
        make(Name=name, Content=content, DocumentType="ChangeCalendar", DocumentFormat="TEXT")
    outcome = system.run("check")
    assert outcome.status == "SUCCEEDED", outcome.cause
    told = [what for what in outcome.output["proved"] if "calendars" in what]
    assert told == ["The calendars holidays, team can be read; at least one is CLOSED now."]
    asked = [call for call in system.server.application.calls if call.operation == "GetCalendarState"]
    assert len(asked) == 1


def test_a_schedules_calendar_that_is_not_there_is_found_the_evening_before(server, tmp_path):
    servers = with_schedules(tmp_path, a="team")
    outcome = System(server, tmp_path / "function.log", "running", servers).run("check")
    assert outcome.status == "FAILED"
    (finding,) = json.loads(outcome.cause)["findings"]
    assert finding["code"] == "CalendarUnreadable" and "calendar team could not be read" in finding["message"]
