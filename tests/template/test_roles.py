"""The stack's roles as an organisation demands them, and what whoever deploys the stack must be allowed."""

from __future__ import annotations

import fnmatch
import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from local.deploy import ROOT, deploy, translate
from local.rendering import rendered
from local.server import Server
from tests.parameters import REQUIRED
from tests.template import deployer

BOUNDARY = "arn:aws:iam::123456789012:policy/teams/boundary"
BOUNDED = REQUIRED | {"PermissionsBoundary": BOUNDARY, "RolePath": "/teams/platform/"}
POLICY = deployer.POLICY
ROLE = "arn:aws:iam::123456789012:role/ec2-start-stop-FunctionRole-abc"
# IAM's quota for a managed policy, without white space.
LONGEST_POLICY = 6144
# What CloudFormation's handlers may ask for, and do not with this template.
NOT_ASKED = {
    "ec2:*": "the function is in no VPC",
    "elasticfilesystem:*": "it mounts nothing",
    "s3files:*": "it mounts nothing",
    "firehose:*": "no log is delivered by Firehose",
    "s3:REST.PUT.OBJECT": "no log is delivered to S3",
    "kms:*": "nothing of the stack is encrypted by a key of its own",
    "iam:*GroupPolicy": "its policies are of roles",
    "iam:*UserPolicy": "its policies are of roles",
    "iam:DeleteRolePermissionsBoundary": "who was given a boundary does not take it off",
    "iam:AttachRolePolicy": "no managed policy is attached",
    "iam:DetachRolePolicy": "no managed policy is attached",
    "lambda:*CodeSigningConfig": "code signing is not set up",
    "lambda:*Concurrency": "no concurrency is reserved",
    "lambda:PutFunctionScalingConfig": "it has none",
    "lambda:AssociateRuntimeAlias": "no runtime version is pinned",
    "lambda:PassCapacityProvider": "it has none",
    "lambda:PublishVersion": "it has no versions",
    "logs:*DataProtectionPolicy": "the log groups have none",
    "logs:*IndexPolicy": "the log groups have none",
    "logs:*KmsKey": "the log groups have none",
    "logs:DeleteResourcePolicy": "the log groups have none",
    "logs:PutBearerTokenAuthentication": "the log groups have none",
    "logs:PutLogGroupDeletionProtection": "the log groups have none",
    "sns:PutDataProtectionPolicy": "the topic has none",
}


@pytest.fixture(scope="module")
def template(servers_file: Path) -> dict[str, Any]:
    return translate(ROOT / "template.yaml", REQUIRED, rendered(servers_file))


def roles(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
    }


def asked_by_cloudformation(template: dict[str, Any]) -> set[str]:
    """The permissions that AWS's own schemas name for the handlers of the template's resources."""
    schemas = resources.files("cfnlint.data.schemas")
    hashes = json.loads((schemas / "providers" / "eu-west-1.json").read_text())
    asked: set[str] = set()
    for kind in {resource["Type"] for resource in template["Resources"].values()}:
        schema = json.loads((schemas / "resources" / f"{hashes[kind]}.json").read_text())
        for handler in schema["handlers"].values():
            asked.update(handler["permissions"])
    return asked


def statements(action: str) -> list[dict[str, Any]]:
    """The policy's statements that allow an action."""
    return [
        statement
        for statement in POLICY["Statement"]
        if any(fnmatch.fnmatchcase(action, pattern) for pattern in statement["Action"])
    ]


def test_a_stack_that_is_told_nothing_has_roles_without_a_boundary_in_iams_own_path(
    server: Server, tmp_path: Path
):
    stack = deploy(server, REQUIRED, tmp_path / "never-run", tmp_path / "log")
    found = stack.client("iam").list_roles()["Roles"]
    assert found
    assert {role["Path"] for role in found} == {"/"}
    assert not any("PermissionsBoundary" in role for role in found)


def test_every_role_of_the_template_takes_the_boundary_and_the_path(template):
    for name, role in roles(template).items():
        assert role["Path"] == {"Ref": "RolePath"}, name
        assert role["PermissionsBoundary"]["Fn::If"][:2] == [
            "HasPermissionsBoundary",
            {"Ref": "PermissionsBoundary"},
        ], name


def test_every_role_of_a_stack_has_the_boundary_and_the_path_that_were_given(server: Server, tmp_path: Path):
    stack = deploy(server, BOUNDED, tmp_path / "never-run", tmp_path / "log")
    iam = stack.client("iam")
    found = [iam.get_role(RoleName=role["RoleName"])["Role"] for role in iam.list_roles()["Roles"]]
    assert len(found) == 3  # the embedded AWS has no API Gateway, and so no ApiRole
    assert {role["Path"] for role in found} == {"/teams/platform/"}
    assert {role["PermissionsBoundary"]["PermissionsBoundaryArn"] for role in found} == {BOUNDARY}


def test_the_deployers_policy_allows_all_that_cloudformation_asks_for_the_templates_resources(template):
    asked = {
        action
        for action in asked_by_cloudformation(template)
        if not any(fnmatch.fnmatchcase(action, pattern) for pattern in NOT_ASKED)
    }
    assert {"iam:CreateRole", "states:CreateStateMachine"} <= asked
    assert {action for action in asked if not statements(action)} == set()


def test_no_exception_to_it_is_without_an_object(template):
    asked = asked_by_cloudformation(template)
    assert [pattern for pattern in NOT_ASKED if not fnmatch.filter(asked, pattern)] == []


def test_the_deployer_may_make_and_pass_roles_of_the_stacks_name_only():
    for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:PassRole"):
        (statement,) = statements(action)
        assert statement["Resource"] == "arn:aws:iam::123456789012:role/ec2-start-stop-*"
    assert statement["Condition"]["StringEquals"]["iam:PassedToService"]


def test_a_boundary_that_deploy_md_puts_into_the_policy_holds_for_all_that_gives_a_role_permissions():
    bounded = json.loads(json.dumps(POLICY))
    (making,) = [statement for statement in bounded["Statement"] if statement["Sid"] == "MakeTheRoles"]
    making["Condition"] = {"StringEquals": {"iam:PermissionsBoundary": BOUNDARY}}
    for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"):
        for boundary, allowed in ((BOUNDARY, True), ("arn:aws:iam::123456789012:policy/other", False)):
            given = {"iam:PermissionsBoundary": [boundary]}
            assert deployer.allows(action, ROLE, given, bounded) == allowed, (action, boundary)
        assert not deployer.allows(action, ROLE, {}, bounded), action
    for action in ("iam:DeleteRolePermissionsBoundary", "iam:AttachRolePolicy"):
        assert not deployer.allows(action, ROLE), action


def test_the_deployer_has_to_do_with_machines_and_schedules_of_the_names_that_cloudformation_gives(template):
    """A machine is named after its logical id alone, a schedule after the stack's name: docs/deploy.md."""
    states, scheduler = (f"arn:aws:{service}:eu-west-1:123456789012" for service in ("states", "scheduler"))
    (machine,) = [
        name
        for name, one in template["Resources"].items()
        if one["Type"] == "AWS::StepFunctions::StateMachine"
    ]
    assert "StateMachineName" not in template["Resources"][machine]["Properties"]
    actions = (
        "StartExecution",
        "ListExecutions",
        "CreateStateMachine",
        "UpdateStateMachine",
        "DeleteStateMachine",
    )
    for action in actions:
        assert deployer.allows(f"states:{action}", f"{states}:stateMachine:{machine}-abc")
        assert not deployer.allows(f"states:{action}", f"{states}:stateMachine:billing")
    for action in ("DescribeExecution", "GetExecutionHistory"):
        assert deployer.allows(f"states:{action}", f"{states}:execution:{machine}-abc:stop-1")
        assert not deployer.allows(f"states:{action}", f"{states}:execution:billing:1")
    for action in ("CreateSchedule", "UpdateSchedule", "DeleteSchedule"):
        assert deployer.allows(f"scheduler:{action}", f"{scheduler}:schedule/default/ec2-start-stop-Stop-abc")
        assert not deployer.allows(f"scheduler:{action}", f"{scheduler}:schedule/default/billing")


def test_the_deployer_sets_and_takes_off_the_hold_tag_only_and_never_all_tags():
    server = "arn:aws:ec2:eu-west-1:123456789012:instance/i-0"
    for action in ("ec2:CreateTags", "ec2:DeleteTags"):
        for keys, allowed in (
            (["ec2-start-stop:hold"], True),
            (["ec2-start-stop"], False),
            (["ec2-start-stop:hold", "Name"], False),
        ):
            assert deployer.allows(action, server, {"aws:TagKeys": keys}) == allowed
        # EC2's DeleteTags without keys takes off all tags; the request then has no aws:TagKeys.
        assert not deployer.allows(action, server)


def test_the_deployers_policy_fits_one_managed_policy():
    assert len(json.dumps(POLICY, separators=(",", ":"))) <= LONGEST_POLICY
