"""make check-account: what is asked, what is printed, and its exit code."""

from __future__ import annotations

from operate.report import check_lines
from tests.system.conftest import System


def test_where_nothing_is_wrong_it_says_what_was_proved_and_changes_nothing(make, system: System, capsys):
    assert make("check-account") == 0
    printed = capsys.readouterr().out
    assert "CHECK STATUS: READY" in printed
    assert "proved: EC2 would let the function start 20 and stop 20 of 20 servers" in printed
    assert "not proved: capacity" in printed
    assert system.states(list(system.fleet.ids)) == {"stopped"}


def test_what_would_fail_is_printed_with_its_server_its_code_and_what_to_do(make, system: System, capsys):
    system.stack.client("ec2").terminate_instances(InstanceIds=[system.fleet.ids["test8"]])
    system.fail("StartInstances=UnauthorizedOperation:test13")
    assert make("check-account") == 1
    printed = capsys.readouterr().out
    assert "FAILED SomethingWouldFail" in printed
    assert "! dev db  test8 (ServerMissing): No live instance has this Name tag" in printed
    assert "! preprod app  test13 (UnauthorizedOperation): On start: You are not" in printed


def test_a_check_of_one_environment_asks_for_no_other(make, system: System, capsys):
    assert make("check-account", "--environments", "dev") == 0
    assert "of 7 servers" in capsys.readouterr().out
    assert system.named_in("StopInstances", "test13") == 0


def test_an_unknown_environment_is_refused_before_anything_is_begun(make, system: System, capsys):
    assert make("check-account", "--environments", "live") == 2
    assert "servers.toml has no environment live" in capsys.readouterr().err
    assert not any(call.operation == "StartExecution" for call in system.server.application.calls)


def test_a_mail_that_was_not_sent_is_said(make, system: System, capsys):
    system.stack.client("ses").delete_identity(Identity="start-stop@example.com")
    assert make("check-account") == 1
    printed = capsys.readouterr().out
    assert "! mail (SenderUnverified)" in printed
    assert "the mail was not sent: MailRejected" in printed


def test_findings_that_had_no_room_are_counted():
    told = '{"subject": "S", "counts": {"would_fail": 3}, "findings": [], "findings_in_all": 3}'
    lines = check_lines({"output": told})
    assert lines == ["S; would fail 3", "  and 3 more, which are in the mail"]
