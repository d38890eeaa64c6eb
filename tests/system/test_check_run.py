"""End to end: the evening check as its schedule starts it, through the state machine."""

from __future__ import annotations

import json

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
    assert stopped.run("check").status == "SUCCEEDED"
    assert stopped.end(start).status == "SUCCEEDED"
