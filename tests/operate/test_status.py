"""make status and make log."""

from __future__ import annotations

import re

from operate import status
from operate.stack import Stack
from tests.system.conftest import System


def test_the_status_of_a_new_stack_shows_schedules_and_outputs_and_that_nothing_ran(stack: Stack):
    lines = status.status_lines(stack)
    assert lines[:2] == ["Running now:", "  nothing"]
    schedules = lines[lines.index("Schedules:") + 1 :]
    assert schedules[0].startswith('  {"action":"start"}  cron(0 7 ? * MON-FRI *) Europe/Madrid')
    assert schedules[1].startswith('  {"action":"stop"}')
    for key, value in stack.outputs.items():
        assert any(line.split(maxsplit=1) == [key, value] for line in lines), key
    assert lines[-1] == "  No execution yet."


def test_the_status_shows_each_run_with_verdict_and_seconds_and_the_last_report(stack: Stack, system: System):
    system.run("stop")
    outcome = system.run("start", environments=["nowhere"])
    text = "\n".join(status.status_lines(stack))
    assert re.search(r"SUCCEEDED  \S+  SHUTDOWN STATUS: SUCCESS · \S+  \d+ s\n", text)
    assert re.search(rf"FAILED  {outcome.name}  InvalidInput  \d+ s\n", text)
    assert f"{outcome.name}: FAILED InvalidInput" in text


def test_what_runs_now_is_said_and_the_report_is_the_last_ended_ones(stack: Stack, system: System):
    ended = system.run("stop")
    begun = system.begin("start")
    lines = status.status_lines(stack)
    system.end(begun)
    assert lines[1] == f"  {begun.rsplit(':', 1)[1]}"
    assert any(line.startswith(f"{ended.name}: SUCCEEDED") for line in lines)


def test_a_run_that_goes_on_longer_than_the_last_ten_is_still_said_to_run(stack: Stack, monkeypatch):
    asked: list[dict] = []

    def executions(**wanted):
        asked.append(wanted)
        return [{"name": "stop-0", "executionArn": "arn:stop-0"}] if wanted.get("statusFilter") == "RUNNING" else []

    monkeypatch.setattr(stack, "executions", executions)
    assert status.status_lines(stack)[1] == "  stop-0"
    assert {"maxResults": 10} in asked


def test_a_runs_log_is_its_phase_log_and_the_last_ones_if_none_is_named(make, system: System, capsys):
    outcome = system.run("stop", environments=["dev"])
    log = system.phase_log(outcome.name)
    for arguments in (["--run", outcome.name], []):
        assert make("log", *arguments) == 0
        assert capsys.readouterr().out.splitlines()[1:] == log


def test_a_run_that_has_no_log_is_said(make, stack: Stack, capsys):
    assert make("log", "--run", "stop-0") == 2
    assert "nothing of a run stop-0" in capsys.readouterr().err
    assert make("log") == 2
    assert "there is no run yet" in capsys.readouterr().err
