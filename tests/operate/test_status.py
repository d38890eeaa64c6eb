"""make status and make log."""

from __future__ import annotations

import datetime as dt
import re
import shlex

from local import clock
from local.run import BINARY
from operate import schedules, status
from operate.report import report_lines
from operate.stack import Stack
from tests.system.conftest import System

NEXT = str(BINARY)


def test_the_status_of_a_new_stack_shows_schedules_and_outputs_and_that_nothing_ran(stack: Stack):
    lines = status.status_lines(stack, NEXT)
    assert lines[:2] == ["Running now:", "  nothing"]
    schedules = lines[lines.index("Schedules:") + 1 :]
    assert schedules[0] == (
        '  {"action":"start"}  cron(0 7 ? * MON-FRI *) Europe/Madrid  ENABLED  Starts the servers'
    )
    assert re.fullmatch(r"      next( (Mon|Tue|Wed|Thu|Fri) \S+ 07:00 CES?T,?){3}", schedules[1])
    assert schedules[2].startswith('  {"action":"stop"}')
    for key, value in stack.outputs.items():
        assert any(line.split(maxsplit=1) == [key, value] for line in lines), key
    assert lines[-1] == "  No execution yet."


def test_the_status_shows_each_run_with_verdict_and_seconds_and_the_last_report(stack: Stack, system: System):
    system.run("stop")
    outcome = system.run("start", environments=["nowhere"])
    text = "\n".join(status.status_lines(stack, NEXT))
    assert re.search(r"SUCCEEDED  \S+  SHUTDOWN STATUS: SUCCESS · \S+  \d+ s\n", text)
    assert re.search(rf"FAILED  {outcome.name}  InvalidInput  \d+ s\n", text)
    assert f"{outcome.name}: FAILED InvalidInput" in text


def test_what_runs_now_is_said_and_the_report_is_the_last_ended_ones(stack: Stack, system: System):
    ended = system.run("stop")
    begun = system.begin("start")
    lines = status.status_lines(stack, NEXT)
    system.end(begun)
    assert lines[1] == f"  {begun.rsplit(':', 1)[1]}"
    assert any(line.startswith(f"{ended.name}: SUCCEEDED") for line in lines)


def test_a_schedule_that_is_off_and_one_that_is_over_are_said_and_a_runs_own_one_is_shown(stack: Stack):
    scheduler = stack.client("scheduler")
    shown = scheduler.list_schedules()["Schedules"][0]["Name"]
    target = scheduler.get_schedule(Name=shown)["Target"]
    more = {"FlexibleTimeWindow": {"Mode": "OFF"}, "ScheduleExpressionTimezone": "Asia/Seoul"}
    own = target | {"Input": '{"action":"stop","environments":["dev"]}'}
    scheduler.create_schedule(
        Name=f"{stack.name}-stop-of-a-run", ScheduleExpression="at(2020-01-01T18:00:00)", Target=own, **more
    )
    scheduler.create_schedule(
        Name="off", ScheduleExpression="rate(2 hours)", State="DISABLED", Target=target, **more
    )
    scheduler.create_schedule(
        Name="of-another-machine",
        ScheduleExpression="rate(2 hours)",
        Target=target | {"Arn": target["Arn"] + "-2"},
        **more,
    )
    lines = schedules.lines(stack, NEXT)
    assert len(lines) == 10
    (place,) = [number for number, line in enumerate(lines) if "stop-of-a-run" in line]
    assert lines[place + 1] == "      never again"
    (place,) = [number for number, line in enumerate(lines) if line.endswith("DISABLED  off")]
    assert lines[place + 1] == (
        "      does not fire; if it were enabled: every 2 hours since EventBridge Scheduler began with it"
    )


def test_each_run_for_later_is_shown_with_the_command_that_takes_that_very_one_back(
    stack: Stack, system: System
):
    began = dt.datetime.fromtimestamp(clock.CLOCK.now(), dt.UTC).replace(microsecond=0)
    given = {environment: began + dt.timedelta(days=days) for environment, days in (("dev", 2), ("test", 3))}
    made = {
        environment: system.run("stop", environments=[environment], at=at.isoformat()).output["schedule"]
        for environment, at in given.items()
    }
    lines = schedules.lines(stack, NEXT)
    for environment, at in given.items():
        (place,) = [
            number for number, line in enumerate(lines) if f'"environments":["{environment}"]' in line
        ]
        assert f"at({at:%Y-%m-%dT%H:%M:%S}) UTC" in lines[place]
        back = lines[place + 2].removeprefix("      to take it back: aws scheduler delete-schedule ")
        words = shlex.split(back)
        named = dict(zip(words[::2], words[1::2], strict=True))
        assert (named["--region"], named["--name"]) == (stack.session.region_name, made[environment])
        stack.client("scheduler").delete_schedule(GroupName=named["--group-name"], Name=named["--name"])
    lines = schedules.lines(stack, NEXT)
    assert not [line for line in lines if "take it back" in line]


def test_the_answer_to_a_run_for_later_says_where_the_command_is_that_takes_it_back():
    output = '{"status":"SCHEDULED","at":"2026-12-24T17:00:00Z","schedule":"later-stop-1"}'
    ended = {"name": "stop-1", "status": "SUCCEEDED", "output": output}
    assert report_lines(ended)[1:] == [
        "scheduled for 2026-12-24T17:00:00Z by the schedule later-stop-1",
        "make status shows it, and the command that takes it back",
    ]


def test_where_the_products_commands_do_not_run_that_is_said_and_the_schedules_are_shown(stack: Stack):
    lines = schedules.lines(stack, "./no-bootstrap")
    assert lines[0].startswith('  {"action":"start"}')
    assert lines[1] == (
        "      its next times are not known here: Rust is needed, or a release's bootstrap in this folder"
    )


def test_a_run_that_goes_on_longer_than_the_last_ten_is_still_said_to_run(stack: Stack, monkeypatch):
    asked: list[dict] = []

    def executions(**wanted):
        asked.append(wanted)
        return (
            [{"name": "stop-0", "executionArn": "arn:stop-0"}]
            if wanted.get("statusFilter") == "RUNNING"
            else []
        )

    monkeypatch.setattr(stack, "executions", executions)
    assert status.status_lines(stack, NEXT)[1] == "  stop-0"
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
