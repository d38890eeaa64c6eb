"""member.yaml against what the function did in the member account, just as the hub's own policies are judged.

Both are deployed and run as docs/accounts.toml says. Owns nothing of how a policy is read (permissions.py).
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from local import accounts
from local.accounts import Place
from local.alarms import watch
from local.deploy import ROOT
from local.runtime_api import ACCOUNT, REGION
from local.server import Call, Server
from tests.conftest import empty
from tests.docs.test_pages import granted
from tests.system.conftest import System
from tests.template.permissions import Need, Statement, role_of, statements
from tests.template.test_parameters import accepts
from tests.template.test_policies import alarm_resources, judge

SERVERS = ROOT / "docs" / "accounts.toml"
MEMBER = Place("210987654321", "us-east-2")
SECOND_REGION = Place(ACCOUNT, "eu-central-1")
PLACES = [SECOND_REGION, MEMBER]
NAME = "ec2-start-stop-member"
TEMPLATE = yaml_parse((ROOT / "member.yaml").read_text())
HUB = yaml_parse((ROOT / "template.yaml").read_text())
# Granted, and not to be seen in the call log.
NOT_SEEN = {"ec2:DescribeSpotInstanceRequests": "for Spot instances only: src/aws/tests.rs"}


@pytest.fixture(scope="module")
def seen(running_server: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[System, list[Call]]:
    """A start with bounced servers, a stop and a dry run, with muting; and all calls of the time."""
    empty(running_server)
    log = tmp_path_factory.mktemp("member") / "function.log"
    system = System(running_server, log, "stopped", SERVERS, MuteAlarms="on")
    for place, name in ((SECOND_REGION, "test-db1"), (MEMBER, "preprod-db1")):
        client = accounts.client(running_server.url, "cloudwatch", place)
        watch(client, f"cpu of {name}", [system.fleet.ids[name]])
    for name in ("test-app1", "preprod-app1"):
        habit = system.fleet.habit(name)
        habit.start_ends, habit.reason = "stopped", ("Client.InternalError", "Client error on launch")
    running_server.application.calls.clear()
    for action, more in (("start", {}), ("stop", {}), ("start", {"dry_run": True})):
        system.run(action, **more)
    return system, list(running_server.application.calls)


def of_the_function(calls: list[Call], place: Place) -> list[Call]:
    """What was done there, in a role's session."""
    return [call for call in calls if call.place == place and call.caller.startswith("ASIA")]


def needs_of(system: System, call: Call) -> list[Need]:
    """What IAM would be asked for a call, with the keys that its conditions may look at."""
    account, region = call.place
    there = {"aws:RequestedRegion": region}
    if call.service == "monitoring":
        arns = [arn.replace(ACCOUNT, account).replace(REGION, region) for arn in alarm_resources(call)]
        return [Need(f"cloudwatch:{call.operation}", arn, there) for arn in arns]
    if call.operation in ("StartInstances", "StopInstances"):
        ids = [value for key, value in call.parameters.items() if key.startswith("InstanceId.")]
        arn = f"arn:aws:ec2:{region}:{account}:instance"
        return [
            Need(f"ec2:{call.operation}", f"{arn}/{i}", there | tags_of(system, call.place, i)) for i in ids
        ]
    return [Need(f"{call.service}:{call.operation}", "*", there)]


def tags_of(system: System, place: Place, instance_id: str) -> dict[str, str]:
    found = accounts.client(system.server.url, "ec2", place).describe_instances(InstanceIds=[instance_id])
    tags = found["Reservations"][0]["Instances"][0]["Tags"]
    return {f"aws:ResourceTag/{tag['Key']}": tag["Value"] for tag in tags}


def granted_in(system: System, place: Place) -> list[Statement]:
    return statements(accounts.client(system.server.url, "iam", place), NAME)


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_everything_that_was_done_there_is_allowed_and_nothing_else_is_granted(seen: Any, place: Place):
    system, calls = seen
    needed = [need for call in of_the_function(calls, place) for need in needs_of(system, call)]
    denied, unused = judge(granted_in(system, place), needed)
    assert len({need.action for need in needed}) >= 10
    assert denied == set()
    assert unused - set(NOT_SEEN) == set()


def test_the_hub_may_assume_the_named_roles_and_no_other(seen: Any):
    system, calls = seen
    granted = statements(system.stack.client("iam"), role_of(system.stack.client("iam"), "FunctionRole"))
    asked = [call.parameters["RoleArn"] for call in calls if call.operation == "AssumeRole"]
    needed = [Need("sts:AssumeRole", role) for role in asked]
    assert set(asked) == set(accounts.roles(SERVERS))
    assert judge(granted, needed)[0] == set()
    other = f"arn:aws:iam::{MEMBER.account}:role/administrator"
    assert judge(granted, [Need("sts:AssumeRole", other)])[0]


def test_the_function_does_nothing_elsewhere_with_its_own_credentials(seen: Any):
    assert [call for call in seen[1] if call.place in PLACES and not call.caller.startswith("ASIA")] == []


@pytest.mark.parametrize(
    "change",
    [
        {"aws:ResourceTag/ec2-start-stop": "false"},
        {"aws:RequestedRegion": "eu-west-1"},
    ],
    ids=["without the tag", "in another Region"],
)
def test_a_server_that_is_not_meant_cannot_be_started(seen: Any, change: dict[str, str]):
    context = {"aws:ResourceTag/ec2-start-stop": "true", "aws:RequestedRegion": MEMBER.region}
    arn = f"arn:aws:ec2:{change.get('aws:RequestedRegion', MEMBER.region)}:{MEMBER.account}:instance/i-0"
    granted = granted_in(seen[0], MEMBER)
    allowed = Need(
        "ec2:StartInstances", f"arn:aws:ec2:{MEMBER.region}:{MEMBER.account}:instance/i-0", context
    )
    assert judge(granted, [allowed])[0] == set()
    assert judge(granted, [Need("ec2:StartInstances", arn, context | change)])[0]


def test_no_action_is_granted_by_a_wildcard(seen: Any):
    for place in PLACES:
        for statement in granted_in(seen[0], place):
            assert not any("*" in action for action in statement.actions)


def trust_of(server: Server, place: Place, name: str) -> dict[str, Any]:
    role = accounts.client(server.url, "iam", place).get_role(RoleName=name)["Role"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    return statement


def test_only_the_hubs_function_is_let_in_and_only_with_the_external_id(seen: Any):
    system = seen[0]
    statement = trust_of(system.server, MEMBER, NAME)
    assert statement["Principal"] == {"AWS": system.stack.outputs["FunctionRoleArn"]}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "start-stop-of-preprod"}}


def test_a_stack_without_member_roles_may_assume_none(server: Server, tmp_path: Any):
    system = System(server, tmp_path / "log", "stopped")
    iam = system.stack.client("iam")
    actions = {a for statement in statements(iam, role_of(iam, "FunctionRole")) for a in statement.actions}
    assert "sts:AssumeRole" not in actions


def test_what_is_optional_is_granted_only_if_it_was_asked_for(server: Server):
    cloudformation = accounts.client(server.url, "cloudformation", MEMBER)
    key = f"arn:aws:kms:us-east-2:{MEMBER.account}:key/1234abcd"
    given = {
        "HubRoleArn": f"arn:aws:iam::{ACCOUNT}:role/hub",
        "ExternalId": "a-secret",
        "OrganizationId": "o-exampleorgid",
        "RoleName": "another",
        "Regions": "us-east-2,us-west-2",
        "InstanceIds": "i-0123456789abcdef0",
        "KmsKeyArns": key,
        "LicenseManager": "yes",
    }
    cloudformation.create_stack(
        StackName="member",
        TemplateBody=(ROOT / "member.yaml").read_text(),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    condition = trust_of(server, MEMBER, "another")["Condition"]["StringEquals"]
    assert condition == {"sts:ExternalId": "a-secret", "aws:PrincipalOrgID": "o-exampleorgid"}
    granted = statements(accounts.client(server.url, "iam", MEMBER), "another")
    assert {a for s in granted for a in s.actions if a.startswith("cloudwatch:")} == set()
    (grant,) = [statement for statement in granted if "kms:CreateGrant" in statement.actions]
    assert grant.resources == [key]
    named = {"ec2:InstanceID": "i-0123456789abcdef0", "aws:RequestedRegion": "us-west-2"}
    arn = f"arn:aws:ec2:us-west-2:{MEMBER.account}:instance/i-0123456789abcdef0"
    license_arn = f"arn:aws:license-manager:us-west-2:{MEMBER.account}:license-configuration:lic-0"
    for resource in (arn, license_arn):
        assert judge(granted, [Need("ec2:StartInstances", resource, named)])[0] == set()
    assert judge(granted, [Need("ec2:StartInstances", license_arn, {"aws:RequestedRegion": "eu-west-1"})])[0]
    output = cloudformation.describe_stacks(StackName="member")["Stacks"][0]["Outputs"]
    assert output[0]["OutputValue"] == f"arn:aws:iam::{MEMBER.account}:role/another"


def test_it_grants_what_the_hub_grants_its_function_but_for_logs_mail_and_other_roles():
    def of(template: dict[str, Any], role: str) -> set[str]:
        resources = template["Resources"]
        policies = [r for r in resources.values() if r.get("Properties", {}).get("Roles") == [{"Ref": role}]]
        return set(granted([resources[role], policies]))

    at_home = of(HUB, "FunctionRole")
    assert {action.split(":")[0] for action in at_home - of(TEMPLATE, "MemberRole")} == {
        "events",
        "logs",
        "ses",
        "sts",
    }
    assert of(TEMPLATE, "MemberRole") - at_home == set()


def test_every_parameter_has_a_description_a_place_and_the_hubs_own_rules():
    parameters = TEMPLATE["Parameters"]
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(parameters)
    assert all(parameter["Description"] for parameter in parameters.values())
    for name in ("ServerTagValue", "InstanceIds", "KmsKeyArns", "LicenseManager", "MuteAlarms"):
        said = {key: value for key, value in parameters[name].items() if key != "Description"}
        assert said == {key: value for key, value in HUB["Parameters"][name].items() if key != "Description"}


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("HubRoleArn", [f"arn:aws:iam::{ACCOUNT}:role/a/b"], ["*", f"arn:aws:iam::{ACCOUNT}:root"]),
        ("ExternalId", ["a-secret/of:two"], ["two words", "a*"]),
        ("OrganizationId", ["", "o-exampleorgid"], ["*", "r-exam"]),
        ("RoleName", ["ec2-start-stop-member"], ["", "a/b", "r" * 65]),
        ("Regions", ["", "us-east-2,eu-west-1", "us-gov-west-1"], ["*", "us-east", "Ohio"]),
        ("HubStackName", ["ec2-start-stop"], ["", "*", "a.b"]),
    ],
)
def test_each_parameter_of_the_member_refuses_what_it_cannot_use(name: str, good: list[str], bad: list[str]):
    parameter = TEMPLATE["Parameters"][name]
    assert [value for value in good if not accepts(parameter, value)] == []
    assert [value for value in bad if accepts(parameter, value)] == []


def test_it_is_as_it_stands_what_cloudformation_takes():
    # Neither sam nor `aws cloudformation package` comes before it: no alias, no transform.
    text = (ROOT / "member.yaml").read_text()
    assert "Transform" not in TEMPLATE
    assert not re.search(r"[:\-] [&*]\w", text)
