"""make destroy: what it asks, what it waits for, what it leaves."""

from __future__ import annotations

import boto3
import pytest

from local.deploy import STACK
from operate import destroy
from operate.problem import OperatingError
from operate.samconfig import SamConfig
from operate.stack import Stack, find
from operate.terminal import Terminal
from tests.system.conftest import System


def test_the_question_names_stack_account_and_region(stack: Stack, where, screen):
    shown = screen("no")
    assert not destroy.destroy(stack, where, shown)
    assert shown.lines[0] == (
        "This deletes the stack ec2-start-stop with all its logs, "
        "in account 123456789012 (acme-dev), eu-west-1."
    )


def test_a_wrong_answer_destroys_nothing(stack: Stack, where, screen):
    assert not destroy.destroy(stack, where, screen("yes"))
    assert find(STACK, stack.session).outputs == stack.outputs


def test_the_end_of_input_is_no_yes(stack: Stack, where, monkeypatch, capsys):
    def end(*_):
        raise EOFError

    monkeypatch.setattr("builtins.input", end)
    assert not destroy.destroy(stack, where, Terminal())
    assert "Nothing was deleted." in capsys.readouterr().out


def test_nothing_deleted_is_nothing_begun(make, stack: Stack, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    assert make("destroy") == 2


def test_without_any_input_nothing_is_deleted(stack: Stack, where, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", None)
    assert not destroy.destroy(stack, where, Terminal())
    assert "Nothing was deleted." in capsys.readouterr().out


def test_destroy_waits_for_nobody_and_refuses_while_a_run_goes_on(stack, system: System, where, screen):
    execution_arn = system.begin("start")
    with pytest.raises(OperatingError, match="still running"):
        destroy.destroy(stack, where, screen(STACK))
    system.end(execution_arn)


def test_destroy_leaves_no_stack_no_log_and_no_uploaded_code(stack: Stack, where, screen):
    bucket = uploaded_code(stack.session)
    assert destroy.destroy(stack, where, screen(STACK), pause_seconds=0.05)
    with pytest.raises(OperatingError):
        find(STACK, stack.session)
    assert stack.client("logs").describe_log_groups()["logGroups"] == []
    kept = stack.client("s3").list_object_versions(Bucket=bucket)
    assert [version["Key"] for version in kept.get("Versions", [])] == ["another-stack/code"]
    assert "DeleteMarkers" not in kept


def test_the_code_is_looked_for_where_samconfig_put_it(stack: Stack):
    assert destroy.code_prefix(stack, SamConfig(stack_name=STACK, s3_prefix="code/of/ours")) == "code/of/ours"
    assert destroy.code_prefix(stack, SamConfig(stack_name="other", s3_prefix="code/of/ours")) == STACK


class CloudFormation:
    """A deletion that takes some looks and ends in this state."""

    def __init__(self, *states: str) -> None:
        self.states = list(states)

    def delete_stack(self, **_: str) -> None:
        self.states.pop(0)

    def describe_stacks(self, **_: str) -> dict:
        state = self.states[0] if len(self.states) == 1 else self.states.pop(0)
        found = {"StackId": "id", "StackStatus": state, "StackStatusReason": "a bucket is not empty"}
        return {"Stacks": [found]}


def deleting(*states: str) -> Stack:
    stack = Stack("ec2-start-stop", {}, boto3.Session())
    service = CloudFormation("CREATE_COMPLETE", "CREATE_COMPLETE", *states)
    stack.client = lambda _: service
    return stack


def test_while_it_is_deleted_a_terminal_counts_the_seconds(screen):
    shown = screen(is_live=True)
    stack = deleting("DELETE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_COMPLETE")
    destroy.delete_stack(stack, shown, pause_seconds=0)
    assert shown.shown.count("the stack is being deleted (0 s)") == 2


def test_a_deletion_that_fails_says_why(screen):
    with pytest.raises(OperatingError, match="DELETE_FAILED: a bucket is not empty"):
        destroy.delete_stack(deleting("DELETE_IN_PROGRESS", "DELETE_FAILED"), screen(), pause_seconds=0)


def uploaded_code(session: boto3.Session) -> str:
    """SAM's own stack and bucket, with two versions of our code and another stack's."""
    template = """{"Resources": {"B": {"Type": "AWS::S3::Bucket",
        "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}}},
        "Outputs": {"SourceBucket": {"Value": {"Ref": "B"}}}}"""
    cloudformation = session.client("cloudformation")
    cloudformation.create_stack(StackName=destroy.SAM_STACK, TemplateBody=template)
    stacks = cloudformation.describe_stacks(StackName=destroy.SAM_STACK)["Stacks"]
    bucket = stacks[0]["Outputs"][0]["OutputValue"]
    for key in (f"{STACK}/code", f"{STACK}/code", "another-stack/code"):
        session.client("s3").put_object(Bucket=bucket, Key=key, Body=b"code")
    return bucket
