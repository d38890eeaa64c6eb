"""End to end: the deployed template, the real binary, the real state machine, an EC2 that behaves in time."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from local.deploy import ROOT, STACK
from tests.system.conftest import System

EVENTS = sorted((ROOT / "events").glob("phase-*.json"))
DEV_DB, DEV_APP = ["test2", "test7", "test8"], ["test1", "test4", "test5", "test19"]


def everyone(system) -> list[str]:
    return list(system.fleet.ids)


def test_a_start_of_running_servers_changes_nothing_and_still_reports(running):
    outcome = running.run("start")
    assert outcome.status == "SUCCEEDED"
    assert not any(call.operation == "StartInstances" for call in running.server.application.calls)
    assert running.mail()["Message.Subject.Data"] == f"START STATUS: SUCCESS · {STACK}"
    assert outcome.output["counts"]["changed"] == 0


def test_a_start_brings_all_twenty_up_databases_first_and_reports_each_once(stopped):
    outcome = stopped.run("start")
    assert outcome.status == "SUCCEEDED"
    assert stopped.states(everyone(stopped)) == {"running"}
    rows = outcome.output["servers"]
    assert sorted(row["name"] for row in rows) == sorted(everyone(stopped))
    assert {(row["initial_state"], row["end_state"], row["action"]) for row in rows} == {
        ("stopped", "running", "started")
    }
    starts = [c for c in stopped.server.application.calls if c.operation == "StartInstances"]
    databases = [c for c in starts if stopped.fleet.ids["test2"] in c.parameters.values()]
    applications = [c for c in starts if stopped.fleet.ids["test1"] in c.parameters.values()]
    assert databases[0].at < applications[0].at


def test_the_mail_tells_for_how_long_the_servers_had_been_off(stopped):
    outcome = stopped.run("start")
    off = outcome.output["off"]
    assert (off["servers"], round(off["seconds"] / 3600 / 20)) == (20, 12)
    assert "were off for 24" in stopped.mail()["Message.Body.Text.Data"]


def test_a_stop_brings_all_twenty_down_and_reports_it(running):
    outcome = running.run("stop")
    assert outcome.status == "SUCCEEDED"
    assert running.states(everyone(running)) == {"stopped"}
    assert running.mail()["Message.Subject.Data"] == f"SHUTDOWN STATUS: SUCCESS · {STACK}"


def test_a_database_without_capacity_aborts_its_environment_only(stopped):
    stopped.fail("StartInstances=InsufficientInstanceCapacity:test2")
    outcome = stopped.run("start")
    assert (outcome.status, outcome.error) == ("FAILED", "ServersNotAsWanted")
    assert all(stopped.named_in("StartInstances", name) == 0 for name in DEV_APP)
    others = [name for name in everyone(stopped) if name not in DEV_DB + DEV_APP]
    assert stopped.states(others) == {"running"}
    mail = stopped.mail()
    assert mail["Message.Subject.Data"] == f"START STATUS: ABORTED · {STACK} · dev db: test2"
    for body in ("Message.Body.Text.Data", "Message.Body.Html.Data"):
        assert "test2" in mail[body]
        assert "InsufficientInstanceCapacity" in mail[body]


def test_a_bounced_start_is_told_with_the_key_that_is_missing(stopped):
    habit = stopped.fleet.habit("test15")
    habit.start_ends, habit.reason = "stopped", ("Client.InternalError", "Client error on launch")
    outcome = stopped.run("start")
    assert outcome.status == "FAILED"
    assert "kms:CreateGrant" in stopped.mail()["Message.Body.Text.Data"]
    assert stopped.named_in("StartInstances", "test15") == 1


def test_an_impaired_status_check_keeps_the_next_tier_from_starting(stopped):
    stopped.fleet.habit("test3").check_ends = "impaired"
    outcome = stopped.run("start", environments=["test"])
    assert outcome.status == "FAILED"
    assert stopped.named_in("StartInstances", "test6") == 0


def test_throttling_costs_time_and_no_server(stopped):
    stopped.fail("StartInstances=RequestLimitExceeded*5,DescribeInstances=RequestLimitExceeded*4")
    assert stopped.run("start").status == "SUCCEEDED"


def test_a_function_that_is_killed_mid_phase_loses_nothing(stopped):
    execution = stopped.begin("start")
    function = next(iter(stopped.server.application.lambdas.functions.values()))
    deadline = time.monotonic() + 20
    while stopped.named_in("StartInstances", "test2") == 0:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    for worker in list(function.workers.values()):
        worker.process.kill()
    outcome = stopped.end(execution)
    assert outcome.status == "SUCCEEDED"
    assert {row["initial_state"] for row in outcome.output["servers"]} == {"stopped"}
    assert all(stopped.named_in("StartInstances", name) == 1 for name in everyone(stopped))


def test_a_mail_that_ses_refuses_leaves_the_truth_in_the_execution(stopped):
    stopped.stack.client("ses").delete_identity(Identity="start-stop@example.com")
    outcome = stopped.run("start")
    assert outcome.status == "SUCCEEDED"
    assert outcome.output["mail_error"]["Error"] == "MailRejected"


def test_only_the_environments_that_were_asked_for_are_touched(stopped):
    outcome = stopped.run("start", environments=["preprod"])
    assert outcome.status == "SUCCEEDED"
    assert {name for name in everyone(stopped) if stopped.fleet.state(name) == "running"} == {
        "test12", "test13", "test14", "test15", "test16", "test20",
    }  # fmt: skip
    assert "not part of this run" in stopped.mail()["Message.Body.Text.Data"]


def test_a_dry_run_changes_nothing_and_lists_every_server(stopped):
    outcome = stopped.run("start", dry_run=True)
    assert outcome.status == "SUCCEEDED"
    assert stopped.states(everyone(stopped)) == {"stopped"}
    assert {row["action"] for row in outcome.output["servers"]} == {"would_start"}
    assert stopped.mail()["Message.Subject.Data"] == f"DRY RUN: START STATUS: SUCCESS · {STACK}"


def test_the_same_schedule_firing_twice_starts_every_server_once(stopped):
    executions = [stopped.begin("start"), stopped.begin("start")]
    outcomes = [stopped.end(execution) for execution in executions]
    assert [outcome.status for outcome in outcomes] == ["SUCCEEDED", "SUCCEEDED"]
    assert stopped.states(everyone(stopped)) == {"running"}
    assert all(stopped.named_in("StartInstances", name) == 1 for name in everyone(stopped))
    assert sorted(outcome.output["counts"]["changed"] for outcome in outcomes) == [0, 20]


def test_a_stop_that_begins_while_a_start_runs_waits_for_it_and_then_stops_all(stopped):
    start, stop = stopped.begin("start"), stopped.begin("stop")
    outcomes = [stopped.end(start), stopped.end(stop)]
    assert [outcome.status for outcome in outcomes] == ["SUCCEEDED", "SUCCEEDED"]
    assert stopped.states(everyone(stopped)) == {"stopped"}
    assert "This run waited until an earlier one had ended." in outcomes[1].output["remarks"]


def test_held_and_missing_servers_are_in_the_mail(stopped):
    hold = [{"Key": "ec2-start-stop:hold", "Value": "until 2099-12-31"}]
    stopped.stack.client("ec2").create_tags(Resources=[stopped.fleet.ids["test4"]], Tags=hold)
    stopped.stack.client("ec2").terminate_instances(InstanceIds=[stopped.fleet.ids["test20"]])
    outcome = stopped.run("start")
    assert outcome.status == "FAILED"
    text = stopped.mail()["Message.Body.Text.Data"]
    assert "held by its tag until 2100-01-01 00:00 (Europe/Madrid)" in text
    assert "ServerMissing" in text
    assert stopped.fleet.state("test4") == "stopped"


def test_the_phase_log_has_one_stream_a_run_with_every_server(stopped):
    outcome = stopped.run("start")
    log = stopped.phase_log(outcome.name)
    assert "[dev db] STARTING DEV DB SERVERS" in log
    for name in everyone(stopped):
        assert any(f"{name} (" in line and "ready after" in line for line in log), name


@pytest.mark.parametrize("event", EVENTS, ids=lambda path: path.stem)
def test_each_phases_event_gives_the_documented_answer(server, tmp_path, event: Path):
    payload = json.loads(event.read_text())
    system = System(server, tmp_path / "log", "stopped" if payload["action"] == "start" else "running")
    answer, failed = system.invoke(payload)
    assert failed is None
    off = ["off"] if payload["action"] == "start" else []
    always = ["next_phase", "initial_state", "outcome", "servers", "problems", "actions"]
    assert list(answer) == [*always, *off, "statusCode"]
    assert (answer["next_phase"], answer["outcome"], answer["problems"]) == (True, "ready", [])
    assert list(answer["servers"]) == ["total", "ready", "changed", "failed"]
    for state in answer["initial_state"].values():
        assert list(state) == ["InstanceId", "State", "is_running"]


def test_the_other_events_do_what_their_names_say(stopped):
    read = {path.stem: json.loads(path.read_text()) for path in (ROOT / "events").glob("*.json")}
    assert stopped.invoke(read["skip"])[0] == {
        "next_phase": False,
        "initial_state": {"empty": True},
        "outcome": "skipped",
        "servers": {"total": 0, "ready": 0, "changed": 0, "failed": 0},
        "problems": [],
        "statusCode": 200,
    }
    assert stopped.server.application.calls == []
    dry, _ = stopped.invoke(read["dry-run"])
    assert {deed["action"] for deed in dry["actions"].values()} == {"would_start"}
    mail, failed = stopped.invoke(read["mail"])
    assert failed is None
    assert mail["mail"]["to"] == ["platform@example.com", "oncall@example.com"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"action": "restart"}, "action"),
        ({"phase_number": 9}, "phase_number"),
        ({"phase_number": "3"}, "phase_number"),
        ({"cw_log_phase": None}, "cw_log_phase"),
        ({"extra": 1}, "extra"),
        ({"resume": {}}, "resume"),
    ],
)
def test_a_bad_payload_is_refused_by_the_fields_name_and_touches_nothing(stopped, change, field):
    payload = json.loads((ROOT / "events" / "phase-3-start.json").read_text()) | change
    answer, failed = stopped.invoke(payload)
    assert failed
    assert answer["errorType"] == "InvalidPayload"
    assert f"`{field}`" in answer["errorMessage"]
    assert stopped.server.application.calls == []


def test_a_malformed_recipient_is_named_in_the_end_and_keeps_no_server_down(stopped):
    function = next(iter(stopped.server.application.lambdas.functions.values()))
    function.environment["MAIL_RECIPIENTS"] = "ops@example.com,not-an-address"
    outcome = stopped.run("start")
    assert stopped.states(everyone(stopped)) == {"running"}
    assert outcome.output["mail_error"]["Error"] == "Misconfigured"
    assert "not-an-address" in outcome.output["mail_error"]["Cause"]
