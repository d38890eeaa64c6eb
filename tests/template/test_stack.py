"""The stack is created, changed and deleted in the embedded AWS, and nothing is left of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.deploy import ROOT, STACK, Stack, deploy, translate
from local.server import Server
from tests.parameters import REQUIRED

EVERYTHING = {
    "AlarmMail": "oncall@example.com",
    "InstanceIds": "i-12345678",
    "KmsKeyArns": "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "LicenseManager": "yes",
}


@pytest.fixture
def stack(server: Server, tmp_path: Path) -> Stack:
    return deploy(server, REQUIRED, tmp_path / "never-run", tmp_path / "log")


def schedules(stack: Stack) -> dict[str, dict]:
    scheduler = stack.client("scheduler")
    found = [scheduler.get_schedule(Name=s["Name"]) for s in scheduler.list_schedules()["Schedules"]]
    given = [json.loads(schedule["Target"]["Input"]) for schedule in found]
    return {what.get("action", "check"): schedule for what, schedule in zip(given, found, strict=True)}


def left(stack: Stack) -> list[list]:
    """What could still cost money or run."""
    return [
        stack.client("lambda").list_functions()["Functions"],
        stack.client("logs").describe_log_groups()["logGroups"],
        stack.client("stepfunctions").list_state_machines()["stateMachines"],
        stack.client("scheduler").list_schedules()["Schedules"],
        stack.client("sqs").list_queues().get("QueueUrls", []),
        stack.client("sns").list_topics()["Topics"],
        stack.client("events").list_rules()["Rules"],
        stack.client("iam").list_roles()["Roles"],
    ]


def test_a_new_stack_runs_nothing_by_itself(stack: Stack):
    found = schedules(stack)
    assert {name: schedule["State"] for name, schedule in found.items()} == {
        "start": "DISABLED",
        "stop": "DISABLED",
        "check": "DISABLED",
    }


def test_a_new_stack_tells_a_person_what_comes_next(stack: Stack):
    assert {"StateMachineArn", "StartCommand", "ConsoleLink", "PhaseLogGroup", "AlarmTopic"} <= set(
        stack.outputs
    )
    assert stack.outputs["StateMachineArn"] in stack.outputs["StartCommand"]


def test_every_log_group_forgets(stack: Stack):
    groups = stack.client("logs").describe_log_groups()["logGroups"]
    assert len(groups) == 3
    assert {group.get("retentionInDays") for group in groups} == {90}


def test_an_update_switches_one_schedule_on_and_moves_it(stack: Stack):
    new = REQUIRED | {
        "StartEnabled": "ENABLED",
        "StartSchedule": "cron(30 6 ? * * *)",
        "TimeZone": "Asia/Seoul",
    }
    stack.client("cloudformation").update_stack(
        StackName=STACK,
        TemplateBody=json.dumps(translate(ROOT / "template.yaml", new)),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in new.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    found = schedules(stack)
    assert (found["start"]["State"], found["stop"]["State"]) == ("ENABLED", "DISABLED")
    assert found["start"]["ScheduleExpression"] == "cron(30 6 ? * * *)"
    assert {schedule["ScheduleExpressionTimezone"] for schedule in found.values()} == {"Asia/Seoul"}


@pytest.mark.parametrize("options", [{}, EVERYTHING], ids=["plain", "everything"])
def test_a_deleted_stack_leaves_nothing(server: Server, tmp_path: Path, options: dict[str, str]):
    stack = deploy(server, REQUIRED | options, tmp_path / "never-run", tmp_path / "log")
    assert all(left(stack))
    stack.client("cloudformation").delete_stack(StackName=STACK)
    assert left(stack) == [[]] * 8


def test_no_resource_is_retained_when_the_stack_is_deleted():
    translated = translate(ROOT / "template.yaml", REQUIRED)
    assert [
        name for name, r in translated["Resources"].items() if r.get("DeletionPolicy", "Delete") != "Delete"
    ] == []
