"""The embedded EC2 behaves in time, and refuses what EC2 refuses."""

from __future__ import annotations

import time

import pytest
from botocore.exceptions import ClientError

from local import clock
from local.deploy import client
from local.faults import Fault, parse
from local.fleet import Fleet


@pytest.fixture
def ec2(server):
    return client(server.url, "ec2")


@pytest.fixture
def fleet(server, ec2):
    fleet = Fleet(server, ec2)
    fleet.create("web", {})
    return fleet


def code(call, **parameters) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return refused.value.response["Error"]["Code"]


def until(fleet: Fleet, state: str) -> None:
    deadline = time.monotonic() + 10
    while fleet.state("web") != state:
        assert time.monotonic() < deadline, f"it does not get {state}"
        time.sleep(0.01)


def test_a_start_of_a_running_instance_changes_nothing(fleet, ec2):
    fleet.put("web", "running")
    answer = ec2.start_instances(InstanceIds=[fleet.ids["web"]])["StartingInstances"][0]
    assert (answer["PreviousState"]["Name"], answer["CurrentState"]["Name"]) == ("running", "running")


def test_a_start_is_pending_then_running_and_moves_the_launch_time(fleet, ec2):
    ids = [fleet.ids["web"]]
    before = clock.CLOCK.now()
    answer = ec2.start_instances(InstanceIds=ids)["StartingInstances"][0]
    assert (answer["PreviousState"]["Name"], answer["CurrentState"]["Name"]) == ("stopped", "pending")
    until(fleet, "running")
    instance = ec2.describe_instances(InstanceIds=ids)["Reservations"][0]["Instances"][0]
    assert instance["LaunchTime"].timestamp() >= int(before)


def test_checks_are_initializing_before_they_are_ok(fleet, ec2):
    ids = [fleet.ids["web"]]
    fleet.habit("web").checks = 400
    ec2.start_instances(InstanceIds=ids)
    until(fleet, "running")

    def statuses() -> set[str]:
        told = ec2.describe_instance_status(InstanceIds=ids)["InstanceStatuses"][0]
        return {
            told[kind]["Status"]
            for kind in ("InstanceStatus", "SystemStatus", "AttachedEbsStatus", "ApplicationStatus")
        }

    assert statuses() == {"initializing"}
    deadline = time.monotonic() + 10
    while statuses() != {"ok"}:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_stop_is_stopping_then_stopped_and_says_who_asked_and_when(fleet, ec2):
    fleet.put("web", "running")
    ids = [fleet.ids["web"]]
    answer = ec2.stop_instances(InstanceIds=ids)["StoppingInstances"][0]
    assert answer["CurrentState"]["Name"] == "stopping"
    assert code(ec2.start_instances, InstanceIds=ids) == "IncorrectInstanceState"
    until(fleet, "stopped")
    instance = ec2.describe_instances(InstanceIds=ids)["Reservations"][0]["Instances"][0]
    assert instance["StateTransitionReason"].startswith("User initiated (20")
    assert instance["StateTransitionReason"].endswith(" GMT)")


def test_a_start_may_bounce_with_its_state_reason(fleet, ec2):
    habit = fleet.habit("web")
    habit.start_ends, habit.reason = "stopped", ("Client.InternalError", "Client error on launch")
    ec2.start_instances(InstanceIds=[fleet.ids["web"]])
    until(fleet, "stopped")
    instance = ec2.describe_instances(InstanceIds=[fleet.ids["web"]])["Reservations"][0]["Instances"][0]
    assert instance["StateReason"]["Code"] == "Client.InternalError"


def test_a_terminated_instance_cannot_be_started(fleet, ec2):
    ec2.terminate_instances(InstanceIds=[fleet.ids["web"]])
    assert code(ec2.start_instances, InstanceIds=[fleet.ids["web"]]) == "IncorrectInstanceState"


def test_an_unknown_id_spoils_the_whole_request(fleet, ec2):
    ids = [fleet.ids["web"], "i-0123456789abcdef0"]
    assert code(ec2.start_instances, InstanceIds=ids) == "InvalidInstanceID.NotFound"
    assert fleet.state("web") == "stopped"


def test_a_dry_run_changes_nothing_and_says_that_it_would_have_worked(fleet, ec2):
    assert code(ec2.start_instances, InstanceIds=[fleet.ids["web"]], DryRun=True) == "DryRunOperation"
    assert fleet.state("web") == "stopped"


def test_a_dry_run_meets_refusals_of_permission_and_not_what_only_a_start_meets(server, fleet, ec2):
    given = {"InstanceIds": [fleet.ids["web"]]}
    for fault, in_a_dry_run in [
        ("InsufficientInstanceCapacity", "DryRunOperation"),
        ("VcpuLimitExceeded", "DryRunOperation"),
        ("UnauthorizedOperation", "UnauthorizedOperation"),
        ("RequestLimitExceeded", "RequestLimitExceeded"),
    ]:
        server.application.faults.clear()
        server.application.faults.add(Fault("StartInstances", fault))
        assert code(ec2.start_instances, **given, DryRun=True) == in_a_dry_run
        assert code(ec2.start_instances, **given) == fault


def test_a_request_without_ids_is_refused(ec2):
    assert code(ec2.start_instances, InstanceIds=[]) == "MissingParameter"


def test_a_fault_hits_the_calls_that_name_its_instance_and_is_used_up(server, fleet, ec2):
    server.application.faults.add(Fault("StartInstances", "UnsupportedOperation", fleet.ids["web"], times=1))
    assert code(ec2.start_instances, InstanceIds=[fleet.ids["web"]]) == "UnsupportedOperation"
    ec2.start_instances(InstanceIds=[fleet.ids["web"]])


@pytest.mark.parametrize("text", ["x", "StartInstances", "StartInstances=", "=Code", "StartInstances=Code:"])
def test_a_fault_that_cannot_be_read_is_refused(text):
    with pytest.raises(ValueError, match="expected"):
        parse(text)


def test_faults_are_read_with_server_and_times():
    first, second = parse("StartInstances=Insufficient:test2, StopInstances=RequestLimitExceeded*3")
    assert (first.operation, first.code, first.server) == ("StartInstances", "Insufficient", "test2")
    assert (second.server, second.times) == (None, 3)
