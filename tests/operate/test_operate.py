"""make start, stop, status and destroy, on the embedded AWS."""

from __future__ import annotations

import json
import re
from pathlib import Path

import boto3
import pytest

from local.deploy import STACK
from local.runtime_api import REGION
from local.server import Server
from operate import destroy, execution
from operate.__main__ import main
from operate.stack import OperatingError, Stack, find
from tests.system.conftest import System


@pytest.fixture
def system(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    return System(server, tmp_path / "function.log", "stopped")


@pytest.fixture
def stack(system: System) -> Stack:
    return find(STACK)


def test_a_dry_run_of_one_environment_starts_nothing_and_prints_its_report(system, capsys):
    assert main(["start", "--environments", "dev", "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert "DRY RUN: START STATUS: SUCCESS" in printed
    assert "dev db  test2: stopped → stopped, would_start" in printed
    assert system.fleet.state("test2") == "stopped"


def test_a_start_tells_the_phase_log_in_order_each_line_once(stack: Stack, system: System):
    said: list[str] = []
    begun = execution.start(stack, "start", ["dev"], dry_run=False)
    assert execution.follow(stack, begun, said.append, pause_seconds=0.05)
    log = system.phase_log(begun.rsplit(":", 1)[1])
    assert [line.removeprefix("  ") for line in said[: len(log)]] == log
    assert "START STATUS: SUCCESS" in said[len(log) + 2]


def test_a_failed_run_gives_an_exit_code_and_names_the_server_and_the_code(system: System, capsys):
    system.fail("StartInstances=VcpuLimitExceeded:test2")
    assert main(["start", "--environments", "dev"]) == 1
    printed = capsys.readouterr().out
    assert "FAILED ServersNotAsWanted" in printed
    assert re.search(r"test2 \(VcpuLimitExceeded\): .*Service Quotas", printed)


def test_a_mail_that_was_not_sent_is_said_and_servers_that_were_not_looked_at_too(
    stack: Stack, system: System
):
    system.stack.client("ses").delete_identity(Identity="start-stop@example.com")
    said: list[str] = []
    begun = execution.start(stack, "start", ["dev"], dry_run=False)
    assert execution.follow(stack, begun, said.append, pause_seconds=0.05)
    assert any("SUCCESS, but the mail was not sent: MailRejected" in line for line in said)


def test_servers_that_a_run_did_not_look_at_are_said_to_be_so_and_remarks_are_told(
    stack: Stack, system: System
):
    begun = execution.start(stack, "start", ["dev"], dry_run=False)
    system.end(begun)
    output = stack.client("stepfunctions").describe_execution(executionArn=begun)
    report = json.loads(output["output"]) | {"remarks": ["It rained."]}
    lines = execution.report_lines(output | {"output": json.dumps(report)})
    assert "  test db  test3: not looked at → stopped, nothing" in lines
    assert lines[-1] == "  It rained."


def test_no_two_executions_get_one_name():
    names = {execution.unique_name("start") for _ in range(100)}
    assert len(names) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name) for name in names)


def test_the_status_of_a_new_stack_shows_its_schedules_and_says_that_nothing_ran(stack: Stack):
    lines = execution.status_lines(stack)
    assert lines[0].startswith('{"action":"start"}  cron(0 7 ? * MON-FRI *) Europe/Madrid')
    assert lines[1].startswith('{"action":"stop"}')
    assert lines[-1] == "No execution yet."


def test_the_status_shows_the_last_run_and_its_report(stack: Stack, system: System):
    system.run("stop")
    lines = "\n".join(execution.status_lines(stack))
    assert "SUCCEEDED" in lines
    assert "SHUTDOWN STATUS: SUCCESS" in lines


def test_a_stack_that_is_not_there_is_said_with_what_to_do(system, capsys):
    assert main(["status", "--stack", "other"]) == 2
    assert "make deploy" in capsys.readouterr().err


def test_a_wrong_answer_destroys_nothing(stack: Stack):
    assert not destroy.destroy(stack, ask=lambda _: "yes", say=lambda _: None)
    assert find(STACK).outputs == stack.outputs


def test_destroy_waits_for_nobody_and_refuses_while_a_run_goes_on(stack: Stack, system: System):
    execution_arn = system.begin("start")
    with pytest.raises(OperatingError, match="still running"):
        destroy.destroy(stack, ask=lambda _: STACK, say=lambda _: None)
    system.end(execution_arn)


def test_destroy_leaves_no_stack_no_log_and_no_uploaded_code(stack: Stack):
    bucket = uploaded_code(stack.session)
    assert destroy.destroy(stack, ask=lambda _: STACK, say=lambda _: None)
    with pytest.raises(OperatingError):
        find(STACK)
    assert stack.client("logs").describe_log_groups()["logGroups"] == []
    kept = stack.client("s3").list_object_versions(Bucket=bucket)
    assert [version["Key"] for version in kept.get("Versions", [])] == ["another-stack/code"]
    assert "DeleteMarkers" not in kept


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
