"""End to end: alarms of servers that are off on purpose take no action, and all others are heard."""

from __future__ import annotations

from pathlib import Path

import pytest

from local import alarms, cloudwatch
from local.server import Server
from tests.system.conftest import System

SERVERS = ["test1", "test2", "test4", "test15", "test18"]


@pytest.fixture
def muting(server: Server, tmp_path: Path) -> System:
    """Running servers, some of them watched, and alarms that are not about them."""
    system = System(server, tmp_path / "function.log", "running", MuteAlarms="on")
    client, ids = system.stack.client("cloudwatch"), system.fleet.ids
    for name in SERVERS:
        alarms.watch(client, f"cpu of {name}", [ids[name]])
    alarms.watch(client, "sum of test1 and test4", [ids["test1"], ids["test4"]])
    alarms.watch(client, f"cpu of {ids['test1']} by its name only", [ids["test1"] + "0"])
    server.application.calls.clear()
    return system


def of(*names: str) -> set[str]:
    return {f"cpu of {name}" for name in names}


def operations(system: System) -> list[str]:
    return [call.operation for call in system.server.application.calls]


def place(system: System, operation: str, named: str) -> int:
    """Where the first call of an operation that names this stands among all calls."""
    for number, call in enumerate(system.server.application.calls):
        if call.operation == operation and any(named in value for value in call.parameters.values()):
            return number
    raise AssertionError(f"no {operation} names {named}")


def test_without_the_parameter_cloudwatch_is_not_called(server, tmp_path):
    system = System(server, tmp_path / "function.log", "running")
    alarms.watch(system.stack.client("cloudwatch"), "cpu of test1", [system.fleet.ids["test1"]])
    server.application.calls.clear()
    assert system.run("stop").status == "SUCCEEDED"
    assert cloudwatch.muted() == set()
    assert not any(call.service == "monitoring" for call in server.application.calls)


def test_a_stop_mutes_exactly_what_watches_its_servers_and_a_start_unmutes_after_readiness(muting):
    assert muting.run("stop").status == "SUCCEEDED"
    assert cloudwatch.muted() == of(*SERVERS) | {"sum of test1 and test4"}
    test1, test2 = muting.fleet.ids["test1"], muting.fleet.ids["test2"]
    assert place(muting, "PutAlarmMuteRule", ".dev.app.") < place(muting, "StopInstances", test1)
    muting.server.application.calls.clear()
    outcome = muting.run("start")
    assert outcome.status == "SUCCEEDED"
    assert cloudwatch.muted() == set()
    checked = place(muting, "DescribeInstanceStatus", test2)
    assert checked < place(muting, "DeleteAlarmMuteRule", ".dev.db.")
    assert any("heard again: cpu of test2" in line for line in muting.phase_log(outcome.name))


def test_a_failed_stop_unmutes_at_once_what_watches_the_server_that_still_runs(muting):
    muting.fail("StopInstances=UnsupportedOperation:test1")
    outcome = muting.run("stop", environments=["dev"])
    assert outcome.status == "FAILED"
    # The databases were not reached: they run, and are heard.
    assert cloudwatch.muted() == of("test4")


def test_cloudwatch_refusing_fails_no_phase_and_the_mail_names_the_permission(muting):
    muting.fail("PutAlarmMuteRule=AccessDenied")
    outcome = muting.run("stop")
    assert outcome.status == "SUCCEEDED"
    assert cloudwatch.muted() == set()
    assert "cloudwatch:PutAlarmMuteRule" in muting.mail()["Message.Body.Text.Data"]


def test_a_start_that_breaks_off_leaves_no_alarm_of_its_servers_muted(muting):
    muting.run("stop")
    assert cloudwatch.muted() >= of(*SERVERS)
    muting.fail("DescribeInstances=UnauthorizedOperation*1")
    assert muting.run("start").status == "FAILED"
    assert cloudwatch.muted() == set()


def test_a_dry_run_mutes_nothing_and_says_what_it_would_mute(muting):
    outcome = muting.run("stop", dry_run=True)
    assert outcome.status == "SUCCEEDED"
    assert "PutAlarmMuteRule" not in operations(muting)
    assert any("would be muted: cpu of test2" in line for line in muting.phase_log(outcome.name))
