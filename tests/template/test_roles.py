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

BOUNDARY = "arn:aws:iam::123456789012:policy/teams/boundary"
BOUNDED = REQUIRED | {"PermissionsBoundary": BOUNDARY, "RolePath": "/teams/platform/"}
POLICY = json.loads((ROOT / "docs" / "deployer-policy.json").read_text())
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


def test_the_deployers_policy_fits_one_managed_policy():
    assert len(json.dumps(POLICY, separators=(",", ":"))) <= LONGEST_POLICY
