"""make start and make stop: what is asked, what is refused, what is followed."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
import time
import types
from typing import Any

import pytest

from operate import execution
from operate.command import main
from operate.report import report_lines
from operate.stack import Stack
from tests.system.conftest import System


def test_a_dry_run_of_one_environment_starts_nothing_and_prints_its_report(make, system, capsys):
    assert make("start", "--environments", "dev", "--dry-run") == 0
    printed = capsys.readouterr().out
    assert "DRY RUN: START STATUS: SUCCESS" in printed
    assert "dev db  test2: stopped → stopped, would_start" in printed
    assert system.fleet.state("test2") == "stopped"


def test_a_start_tells_the_phase_log_in_order_each_line_once(stack: Stack, system: System, screen):
    shown = screen()
    begun = execution.start(stack, "start", ["dev"], dry_run=False)
    assert execution.follow(stack, begun, shown, pause_seconds=0.05)
    log = system.phase_log(begun.rsplit(":", 1)[1])
    lines = [line.removeprefix("  ") for line in shown.lines if "waiting for" not in line]
    assert sorted(lines[: len(log)]) == sorted(log)
    assert "START STATUS: SUCCESS" in lines[len(log) + 2]


def test_a_run_is_followed_for_as_long_as_it_goes_on(stack: Stack, monkeypatch, screen):
    looks = itertools.count()
    a_day_each = types.SimpleNamespace(monotonic=lambda: next(looks) * 86_400.0, sleep=time.sleep)
    begun = execution.start(stack, "stop", ["dev"], dry_run=False)
    monkeypatch.setattr(execution, "time", a_day_each)
    assert execution.follow(stack, begun, screen(), pause_seconds=0.05)


def test_a_failed_run_gives_an_exit_code_and_names_the_server_and_the_code(make, system: System, capsys):
    system.fail("StartInstances=VcpuLimitExceeded:test2")
    assert make("start", "--environments", "dev") == 1
    printed = capsys.readouterr().out
    assert "FAILED ServersNotAsWanted" in printed
    assert re.search(r"test2 \(VcpuLimitExceeded\): .*Service Quotas", printed)


def test_a_mail_that_was_not_sent_is_said(stack: Stack, system: System, screen):
    system.stack.client("ses").delete_identity(Identity="start-stop@example.com")
    shown = screen()
    begun = execution.start(stack, "start", ["dev"], dry_run=False)
    assert execution.follow(stack, begun, shown, pause_seconds=0.05)
    assert any("SUCCESS, but the mail was not sent: MailRejected" in line for line in shown.lines)


def test_servers_that_a_run_was_not_about_are_one_line_and_remarks_are_told(stack: Stack, system: System):
    begun = execution.start(stack, "start", ["dev"], dry_run=False)
    system.end(begun)
    output = stack.client("stepfunctions").describe_execution(executionArn=begun)
    report = json.loads(output["output"]) | {"remarks": ["It rained."]}
    lines = report_lines(output | {"output": json.dumps(report)})
    shown = [line for line in lines if "→" in line]
    assert shown and all(line.startswith("  dev ") for line in shown)
    assert lines[-2:] == ["  13 not in this run: test, preprod", "  It rained."]


@pytest.mark.parametrize("given", ["{}", "[]", "null", "words", ""])
def test_of_a_run_of_everything_each_server_is_told_and_who_was_not_reached_says_so(given):
    server = {"name": "test3", "environment": "test", "tier": "db", "action": "nothing"}
    server |= {"initial_state": None, "end_state": "stopped"}
    ended = {"name": "start-1", "status": "FAILED", "cause": json.dumps({"servers": [server]})}
    assert report_lines(ended | {"input": given})[1:] == [
        "  test db  test3: not looked at → stopped, nothing"
    ]


@pytest.mark.parametrize("cause", ['{"status": "ABORTED", "problems": [{"na', '"words"', "7", "[]", "null"])
def test_a_cause_that_is_no_whole_object_is_printed_as_it_is(cause):
    described = {"name": "start-1", "status": "FAILED", "error": "ServersNotAsWanted", "cause": cause}
    assert report_lines(described) == ["start-1: FAILED ServersNotAsWanted", cause]


def test_an_unknown_environment_is_refused_before_anything_is_begun(make, stack: Stack, capsys):
    assert make("stop", "--environments", "dve") == 2
    assert (
        "servers.toml has no environment dve (did you mean dev?): it has dev, test" in capsys.readouterr().err
    )
    machine = stack.outputs["StateMachineArn"]
    assert not stack.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]


def test_commas_alone_name_no_environment_and_do_not_mean_all(make, begun, capsys):
    assert make("stop", "--environments", ", ,") == 2
    assert "ENV names no environment" in capsys.readouterr().err
    assert begun == []


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch, stack: Stack) -> list[list[str]]:
    """The environments of each run that would have been begun."""
    runs: list[list[str]] = []

    def start(_: Stack, action: str, environments: list[str], dry_run: bool, more: dict) -> str:
        runs.append(environments)
        return f"arn:{action}-1"

    monkeypatch.setattr(execution, "start", start)
    monkeypatch.setattr(execution, "follow", lambda *_: True)
    return runs


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch, screen):
    """A person at a keyboard, who gives this answer; what was shown."""

    def sit(answer: str):
        shown = screen(answer)
        monkeypatch.setattr("operate.command.Terminal", lambda: shown)
        return shown

    return sit


QUESTION = (
    "This stops 3 servers, and those that are selected by tags, of dev, test "
    "in account 123456789012, eu-west-1."
)


@pytest.mark.parametrize(("answer", "code"), [("", 2), ("n", 2), ("no", 2), ("y", 0), ("Yes", 0)])
def test_on_a_terminal_a_real_run_of_everything_asks_first(make, begun, at_a_terminal, answer, code):
    shown = at_a_terminal(answer)
    assert make("stop") == code
    assert f"{QUESTION} Go on? [y/N] " in shown.lines
    assert begun == ([[]] if code == 0 else [])


def test_yes_asks_nothing_and_says_what_it_does(make, begun, at_a_terminal):
    shown = at_a_terminal("n")
    assert make("stop", "--yes") == 0
    assert QUESTION in shown.lines
    assert begun == [[]]


def test_without_a_keyboard_it_says_what_it_does_and_does_it(make, begun, capsys):
    assert make("stop") == 0
    assert QUESTION in capsys.readouterr().out
    assert begun == [[]]


def test_one_environment_and_a_dry_run_are_not_asked_about(make, begun, at_a_terminal):
    shown = at_a_terminal("n")
    assert make("stop", "--environments", "dev") == 0
    assert make("stop", "--dry-run") == 0
    assert "Go on?" not in shown.shown
    assert begun == [["dev"], []]


def test_the_question_tells_when_a_run_for_later_begins(make, begun, at_a_terminal):
    shown, at = at_a_terminal("n"), dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(days=2)
    assert make("stop", "--at", at.isoformat()) == 2
    assert f"{QUESTION} This begins at {at.isoformat()}, not now. Go on? [y/N] " in shown.lines


def test_of_one_environment_the_later_stop_is_told_before_it_begins(make, begun, capsys):
    assert make("start", "--environments", "dev", "--stop-after-hours", "3") == 0
    lines = capsys.readouterr().out.splitlines()
    told = lines.index("After 3 h all its servers are stopped, also those that were running before it.")
    assert told < lines.index("Execution start-1 began; Ctrl-C ends following it, not the execution.")


def test_no_two_executions_get_one_name():
    names = {execution.unique_name("start") for _ in range(100)}
    assert len(names) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name) for name in names)


class Late:
    """Step Functions that knows a new execution only at the third look."""

    class exceptions:  # noqa: N801  as boto3 names it
        class ExecutionDoesNotExist(Exception):  # noqa: N818
            pass

    looks = 0

    def describe_execution(self, **_: Any) -> dict[str, Any]:
        self.looks += 1
        if self.looks < 3:
            raise self.exceptions.ExecutionDoesNotExist
        return {"status": "RUNNING"}


def test_a_new_execution_that_is_not_known_yet_is_waited_for():
    assert execution.describe(Late(), "arn", pause_seconds=0)["status"] == "RUNNING"


def test_an_execution_that_stays_unknown_is_an_error_after_half_a_minute():
    times = iter([0.0, 29.0, 31.0])
    with pytest.raises(Late.exceptions.ExecutionDoesNotExist):
        execution.describe(Late(), "arn", pause_seconds=0, clock=lambda: next(times))


def test_a_closed_pipe_is_no_traceback(monkeypatch, capfd):
    def closed(*_: Any) -> int:
        raise BrokenPipeError

    monkeypatch.setattr("operate.command._do", closed)
    monkeypatch.setattr("operate.command.leave_the_pipe", lambda: None)
    assert main(["status"]) == 0
    for command in ("start", "stop", "destroy", "tag", "doctor"):
        assert main([command]) == 2
    assert capfd.readouterr().err == ""
