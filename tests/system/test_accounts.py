"""End to end: one stack, two accounts and three Regions, as docs/accounts.toml has them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from local import accounts, alarms, clock, cloudwatch
from local.accounts import HOME, Place
from local.deploy import ROOT
from local.server import Call, Server
from tests.system.conftest import Outcome, System

SERVERS = ROOT / "docs" / "accounts.toml"
SECOND_REGION, MEMBER = Place(HOME.account, "eu-central-1"), Place("210987654321", "us-east-2")
ROLE = f"arn:aws:iam::{MEMBER.account}:role/ec2-start-stop-member"
DEV, TEST, PREPROD = (
    [f"{name}-{server}" for server in ("db1", "app1", "app2")] for name in ("dev", "test", "preprod")
)
TEXT = "Message.Body.Text.Data"


@pytest.fixture
def spread(server: Server, tmp_path: Path) -> System:
    """Stopped servers in three places."""
    return System(server, tmp_path / "function.log", "stopped", SERVERS)


@pytest.fixture
def short_sessions(server: Server, tmp_path: Path) -> System:
    """Sessions of 45 s, in phases of about two minutes. Slower than other tests: the ten seconds before the
    end, in which the SDK renews them, must be longer than a request takes on a busy machine."""
    clock.set_speed(30)
    accounts.SESSION["seconds"] = 45.0
    return System(server, tmp_path / "function.log", "stopped", SERVERS)


def calls(system: System, operation: str) -> list[Call]:
    return [call for call in system.server.application.calls if call.operation == operation]


def assumed(system: System) -> list[Call]:
    return [call for call in calls(system, "AssumeRole") if call.caller == "function"]


def problems(failed: Outcome) -> list[dict[str, str]]:
    """Those of a run that failed: its cause is the report."""
    return json.loads(failed.cause)["problems"]


def untrust(place: Place) -> None:
    """Takes the member's role away."""
    roles = accounts.iam_backends[place.account][accounts.PARTITION].roles
    (key,) = [key for key, role in roles.items() if role.arn == ROLE]
    del roles[key]


def test_servers_that_run_in_all_places_are_left_as_they_are(server, tmp_path):
    system = System(server, tmp_path / "function.log", "running", SERVERS)
    outcome = system.run("start")
    assert outcome.status == "SUCCEEDED"
    assert outcome.output["counts"]["changed"] == 0
    assert calls(system, "StartInstances") == []


def test_one_run_starts_and_stops_the_servers_of_two_accounts_and_three_regions(spread):
    outcome = spread.run("start")
    assert outcome.status == "SUCCEEDED"
    assert spread.states(DEV + TEST + PREPROD) == {"running"}
    asked = {call.place for call in calls(spread, "StartInstances")}
    assert asked == {HOME, SECOND_REGION, MEMBER}
    assert spread.run("stop").status == "SUCCEEDED"
    assert spread.states(DEV + TEST + PREPROD) == {"stopped"}


def test_the_mail_says_where_each_environment_is_and_links_go_there(spread):
    spread.fail("StartInstances=InsufficientInstanceCapacity:preprod-db1")
    spread.run("start")
    mail = spread.mail()
    for heading in (
        "\nDEV (account 123456789012, eu-west-1)\n",
        "\nTEST (account 123456789012, eu-central-1)\n",
        "\nPREPROD (account 210987654321, us-east-2)\n",
    ):
        assert heading in mail[TEXT]
    link = "https://us-east-2.console.aws.amazon.com/ec2/home?region=us-east-2#InstanceDetails:instanceId={}"
    assert link.format(spread.fleet.ids["preprod-db1"]) in mail[TEXT]


def test_the_roles_sessions_are_named_after_the_run_and_the_phase_log_stays_in_the_hub(spread):
    outcome = spread.run("start")
    asked = assumed(spread)
    assert {call.parameters["RoleSessionName"] for call in asked} == {outcome.name[:64]}
    assert {call.parameters["ExternalId"] for call in asked} == {
        "start-stop-of-platform",
        "start-stop-of-preprod",
    }
    assert {call.place for call in asked} == {HOME}
    assert {call.place for call in calls(spread, "PutLogEvents") + calls(spread, "SendEmail")} == {HOME}
    assert any("preprod-app2" in line and "ready after" in line for line in spread.phase_log(outcome.name))


def test_a_process_assumes_a_role_once_a_run(spread):
    spread.run("start")
    # A process an environment, and the report in one of them.
    assert 2 <= len(assumed(spread)) <= 2 * 3


def test_a_role_that_cannot_be_assumed_fails_its_environment_alone(spread):
    untrust(MEMBER)
    outcome = spread.run("start")
    assert outcome.status == "FAILED"
    assert spread.states(DEV + TEST) == {"running"}
    assert spread.states(PREPROD) == {"stopped"}
    text = " ".join(spread.mail()[TEXT].split())
    assert f"the role {ROLE} could not be assumed: AccessDenied" in text
    assert "MemberRoleArns" in text and "See RoleNotAssumed in docs/troubleshooting.md" in text


def test_a_wrong_external_id_is_a_role_that_cannot_be_assumed(server, tmp_path):
    system = System(server, tmp_path / "function.log", "stopped", SERVERS)
    role = accounts._role(ROLE)
    document = role.assume_role_policy_document
    role.assume_role_policy_document = document.replace("start-stop-of-preprod", "another")
    outcome = system.run("start")
    codes = {problem["code"] for problem in problems(outcome)}
    assert (outcome.status, codes) == ("FAILED", {"RoleNotAssumed"})


def test_credentials_that_end_in_the_middle_of_a_phase_are_renewed_and_cost_no_server(short_sessions):
    outcome = short_sessions.run("start", environments=["preprod"])
    assert outcome.status == "SUCCEEDED"
    keys = {call.caller for call in calls(short_sessions, "DescribeInstanceStatus")}
    assert len(keys) >= 3
    assert len(assumed(short_sessions)) >= len(keys)
    assert all(short_sessions.named_in("StartInstances", name) == 1 for name in PREPROD)


def test_the_embedded_aws_refuses_credentials_that_have_ended(server):
    accounts.SESSION["seconds"] = 0.0
    ended = accounts.sts_backends[HOME.account][accounts.PARTITION].assume_role(
        region_name=MEMBER.region,
        role_session_name="x",
        role_arn=ROLE,
        policy="",
        duration=900,
        external_id="",
    )
    assert accounts.refusal(ended.access_key_id, MEMBER, "ec2", {}) == "RequestExpired"
    assert accounts.refusal("local", MEMBER, "ec2", {}) is None


def test_a_role_that_is_taken_away_in_the_middle_of_a_phase_fails_its_environment_alone(short_sessions):
    execution = short_sessions.begin("start", environments=["dev", "preprod"])
    deadline = time.monotonic() + 20
    while short_sessions.named_in("StartInstances", "preprod-db1") == 0:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    untrust(MEMBER)
    outcome = short_sessions.end(execution)
    assert {problem["code"] for problem in problems(outcome)} == {"RoleNotAssumed"}
    assert short_sessions.states(DEV) == {"running"}


def test_a_region_that_is_switched_off_fails_its_environment_alone(spread):
    accounts.REGIONS_OFF.add(MEMBER)
    outcome = spread.run("start")
    assert outcome.status == "FAILED"
    assert spread.states(DEV + TEST) == {"running"}
    text = " ".join(spread.mail()[TEXT].split())
    assert "AWS takes no credentials in account 210987654321, us-east-2" in text
    assert "AuthFailure" in text and "See RegionNotEnabled in docs/troubleshooting.md" in text


def test_a_dry_run_over_two_accounts_changes_nothing_and_lists_every_server(spread):
    outcome = spread.run("start", dry_run=True)
    assert outcome.status == "SUCCEEDED"
    assert spread.states(DEV + TEST + PREPROD) == {"stopped"}
    assert {row["action"] for row in outcome.output["servers"]} == {"would_start"}


def test_alarms_are_muted_in_the_account_and_region_where_they_are(server, tmp_path):
    system = System(server, tmp_path / "function.log", "running", SERVERS, MuteAlarms="on")
    for place, name in ((HOME, "dev-db1"), (MEMBER, "preprod-db1")):
        alarms.watch(
            accounts.client(server.url, "cloudwatch", place), f"cpu of {name}", [system.fleet.ids[name]]
        )
    assert system.run("stop").status == "SUCCEEDED"
    muted = {place: cloudwatch.muted(place) for place in (HOME, SECOND_REGION, MEMBER)}
    assert muted == {HOME: {"cpu of dev-db1"}, SECOND_REGION: set(), MEMBER: {"cpu of preprod-db1"}}
    system.run("start")
    assert cloudwatch.muted(MEMBER) == set()


def test_servers_of_one_name_in_two_accounts_are_not_mistaken_for_each_other(spread):
    spread.fleet.create("preprod-db1", {}, place=SECOND_REGION)
    elsewhere = spread.fleet.ids["preprod-db1"]
    spread.run("start", environments=["preprod"])
    named = [call for call in calls(spread, "StartInstances") if elsewhere in call.parameters.values()]
    assert named == []
