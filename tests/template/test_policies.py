"""The stack's policies against what its parts did: all of it is allowed, and nothing else is granted."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest

from local import clock
from local.alarms import watch
from local.runtime_api import ACCOUNT, REGION
from local.server import Call, Server
from tests.conftest import empty
from tests.system.conftest import System
from tests.template.permissions import Need, Statement, role_of, statements

# Granted, and not to be seen in the call log.
NOT_SEEN = {
    "ec2:DescribeSpotInstanceRequests": "for Spot instances only: src/aws/tests.rs",
    "logs:CreateLogDelivery": "Step Functions itself calls it when its logging is set up",
    "logs:GetLogDelivery": "see logs:CreateLogDelivery",
    "logs:UpdateLogDelivery": "see logs:CreateLogDelivery",
    "logs:DeleteLogDelivery": "see logs:CreateLogDelivery",
    "logs:ListLogDeliveries": "see logs:CreateLogDelivery",
    "logs:PutResourcePolicy": "see logs:CreateLogDelivery",
    "logs:DescribeResourcePolicies": "see logs:CreateLogDelivery",
    "logs:DescribeLogGroups": "see logs:CreateLogDelivery",
    "kms:CreateGrant": "EC2 makes it in the caller's name while it starts an instance",
}
# The access keys of local/runtime_api.py and of moto's interpreter.
FUNCTION, MACHINE = "function", "ak"


@pytest.fixture(scope="module")
def seen(running_server: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[System, list[Call]]:
    """A start with a bounced server, a stop and a dry run; and every call that was made meanwhile."""
    empty(running_server)
    system = System(running_server, tmp_path_factory.mktemp("policies") / "function.log", "stopped")
    habit = system.fleet.habit("test15")
    habit.start_ends, habit.reason = "stopped", ("Client.InternalError", "Client error on launch")
    for action, more in (("start", {}), ("stop", {}), ("start", {"dry_run": True})):
        system.run(action, **more)
    system.run("stop", dry_run=True, calendar="holidays")
    in_a_month = clock.CLOCK.utc() + dt.timedelta(days=30)
    system.run("stop", at=in_a_month.isoformat())
    return system, list(running_server.application.calls)


def needs_of(system: System, call: Call) -> list[Need]:
    """What IAM would be asked for a call, with the keys that its conditions may look at."""
    action = f"{call.service}:{call.operation}"
    arn = f"arn:aws:{call.service}:{REGION}:{ACCOUNT}"
    given = call.parameters
    if call.operation in ("StartInstances", "StopInstances"):
        ids = [value for key, value in given.items() if key.startswith("InstanceId.")]
        return [Need(action, f"{arn}:instance/{i}", tags_of(system, i) | {"ec2:InstanceID": i}) for i in ids]
    if call.service == "ses":
        people = [given["Source"], *(v for k, v in given.items() if k.startswith("Destination.ToAddresses"))]
        # The sandbox, which is the default, asks for the recipients' identities too.
        return [Need(action, f"{arn}:identity/{p}", {"ses:FromAddress": given["Source"]}) for p in people]
    if call.service == "logs":
        body = json.loads(given["body"])
        stream = f"log-group:{body['logGroupName']}:log-stream:{body['logStreamName']}"
        return [Need(action, f"{arn}:{stream}")]
    if call.operation == "GetCalendarState":
        return [Need(action, f"{arn}:document/{name}") for name in json.loads(given["body"])["CalendarNames"]]
    if call.operation == "CreateSchedule":
        body = json.loads(given["body"])
        passed = {"iam:PassedToService": "scheduler.amazonaws.com"}
        made = Need(action, f"{arn}:schedule/{body['GroupName']}/{given['Name']}")
        return [made, Need("iam:PassRole", body["Target"]["RoleArn"], passed)]
    if call.service == "monitoring":
        return [Need(f"cloudwatch:{call.operation}", arn) for arn in alarm_resources(call)]
    if call.service == "states":
        return [Need(action, json.loads(given["body"])["stateMachineArn"])]
    return [Need(action)]


def alarm_resources(call: Call) -> list[str]:
    """Rules are asked by name; to put one, its alarms are asked too."""
    given, arn = json.loads(call.parameters["body"]), f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}"
    name = given.get("Name") or given.get("AlarmMuteRuleName")
    alarms = given.get("MuteTargets", {}).get("AlarmNames", [])
    return [f"{arn}:alarm-mute-rule:{name}", *(f"{arn}:alarm:{a}" for a in alarms)] if name else ["*"]


def tags_of(system: System, instance_id: str) -> dict[str, str]:
    found = system.stack.client("ec2").describe_instances(InstanceIds=[instance_id])
    tags = found["Reservations"][0]["Instances"][0]["Tags"]
    return {f"aws:ResourceTag/{tag['Key']}": tag["Value"] for tag in tags}


def needs(system: System, calls: list[Call], caller: str) -> list[Need]:
    return [need for call in calls if call.caller == caller for need in needs_of(system, call)]


def machine_needs(system: System, calls: list[Call]) -> list[Need]:
    """The machine's calls, and the function that its definition invokes (which the log does not hold)."""
    told = system.stack.client("stepfunctions").describe_state_machine(
        stateMachineArn=system.stack.outputs["StateMachineArn"]
    )
    functions = set(re.findall(r'"FunctionName": ?"([^"]+)"', told["definition"]))
    invoked = [Need("lambda:InvokeFunction", arn) for arn in functions]
    # Step Functions writes its own log in the role's name.
    log = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:any:log-stream:any"
    written = [Need("logs:CreateLogStream", log), Need("logs:PutLogEvents", log)]
    return needs(system, calls, MACHINE) + invoked + written


def schedule_needs(system: System) -> list[Need]:
    scheduler = system.stack.client("scheduler")
    targets = [
        scheduler.get_schedule(Name=schedule["Name"], GroupName=schedule["GroupName"])["Target"]
        for schedule in scheduler.list_schedules()["Schedules"]
    ]
    starts = [Need("states:StartExecution", target["Arn"]) for target in targets]
    return starts + [Need("sqs:SendMessage", target["DeadLetterConfig"]["Arn"]) for target in targets]


def judge(granted: list[Statement], needed: list[Need]) -> tuple[set[str], set[str]]:
    """Which needed actions are denied, and which granted ones nobody needed."""
    denied = {
        f"{need.action} on {need.resource}"
        for need in needed
        if not any(statement.allows(need) for statement in granted)
    }
    used = {need.action for need in needed}
    return denied, {action for statement in granted for action in statement.actions} - used


ROLES = {
    "FunctionRole": lambda system, calls: needs(system, calls, FUNCTION),
    "StateMachineRole": machine_needs,
    "ScheduleRole": lambda system, _: schedule_needs(system),
}


@pytest.mark.parametrize("role", ROLES)
def test_everything_that_a_part_did_is_allowed_and_nothing_else_is_granted(seen: Any, role: str):
    system, calls = seen
    iam = system.stack.client("iam")
    needed = ROLES[role](system, calls)
    denied, unused = judge(statements(iam, role_of(iam, role)), needed)
    assert needed
    assert denied == set()
    assert unused - set(NOT_SEEN) == set()


def test_no_action_is_granted_by_a_wildcard(seen: Any):
    iam = seen[0].stack.client("iam")
    for role in ROLES:
        for statement in statements(iam, role_of(iam, role)):
            assert not any("*" in action for action in statement.actions)


def test_every_exception_is_still_granted_and_still_not_seen(seen: Any):
    system, calls = seen
    template = (Path(__file__).parents[2] / "template.yaml").read_text()
    done = {need.action for make in ROLES.values() for need in make(system, calls)}
    for action in NOT_SEEN:
        assert action in template
        assert action not in done


def function_statements(system: System) -> list[Statement]:
    iam = system.stack.client("iam")
    return statements(iam, role_of(iam, "FunctionRole"))


@pytest.mark.parametrize("tags", [{}, {"aws:ResourceTag/ec2-start-stop": "false"}])
def test_a_server_without_the_tag_cannot_be_started(seen: Any, tags: dict[str, str]):
    need = Need("ec2:StartInstances", f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-0", tags)
    assert judge(function_statements(seen[0]), [need])[0]


def test_mail_from_another_sender_is_denied(seen: Any):
    identity = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/start-stop@example.com"
    need = Need("ses:SendEmail", identity, {"ses:FromAddress": "ceo@example.com"})
    assert judge(function_statements(seen[0]), [need])[0]


def test_another_log_group_is_denied(seen: Any):
    other = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:other:log-stream:x"
    assert judge(function_statements(seen[0]), [Need("logs:PutLogEvents", other)])[0]


def test_out_of_the_sandbox_only_the_senders_identities_are_allowed_and_named_servers_need_no_tag(
    server: Server, tmp_path: Path
):
    system = System(
        server, tmp_path / "log", "stopped", SesSandbox="no", InstanceIds="i-12345678,i-0123456789abcdef0"
    )
    granted = function_statements(system)
    identity = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity"
    sender = {"ses:FromAddress": "start-stop@example.com"}
    named = {"ec2:InstanceID": "i-0123456789abcdef0"}
    instance = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-0123456789abcdef0"
    assert judge(granted, [Need("ses:SendEmail", f"{identity}/start-stop@example.com", sender)])[0] == set()
    assert judge(granted, [Need("ses:SendEmail", f"{identity}/example.com", sender)])[0] == set()
    assert judge(granted, [Need("ses:SendEmail", f"{identity}/other@example.com", sender)])[0]
    assert judge(granted, [Need("ec2:StopInstances", instance, named)])[0] == set()
    assert judge(granted, [Need("ec2:StopInstances", instance, {"ec2:InstanceID": "i-1"})])[0]


def cloudwatch_actions(granted: list[Statement]) -> set[str]:
    return {a for statement in granted for a in statement.actions if a.startswith("cloudwatch:")}


def test_no_alarm_may_be_touched_unless_muting_is_asked_for(seen: Any):
    assert cloudwatch_actions(function_statements(seen[0])) == set()
    assert not any(call.service == "monitoring" for call in seen[1])


def test_a_muting_function_may_do_what_it_did_to_alarms_and_nothing_else(server: Server, tmp_path: Path):
    system = System(server, tmp_path / "log", "running", MuteAlarms="on")
    watch(system.stack.client("cloudwatch"), "cpu of test2", [system.fleet.ids["test2"]])
    for action in ("stop", "start"):
        system.run(action)
    calls = [call for call in server.application.calls if call.service == "monitoring"]
    needed, granted = needs(system, calls, FUNCTION), function_statements(system)
    assert judge(granted, needed)[0] == set()
    assert cloudwatch_actions(granted) == {need.action for need in needed}
    rule = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm-mute-rule:another-stack.dev.db.1"
    assert judge(granted, [Need("cloudwatch:DeleteAlarmMuteRule", rule)])[0]


def test_mail_through_another_regions_ses_is_allowed_there_and_nowhere_else(server: Server, tmp_path: Path):
    for sandbox in ("yes", "no"):
        system = System(server, tmp_path / "log", "stopped", SesSandbox=sandbox, SesRegion="eu-central-1")
        granted = function_statements(system)
        sender = {"ses:FromAddress": "start-stop@example.com"}
        for what in ("identity/start-stop@example.com", "identity/example.com", "configuration-set/any"):
            there = Need("ses:SendEmail", f"arn:aws:ses:eu-central-1:{ACCOUNT}:{what}", sender)
            here = Need("ses:SendEmail", f"arn:aws:ses:{REGION}:{ACCOUNT}:{what}", sender)
            assert judge(granted, [there])[0] == set()
            assert judge(granted, [here])[0]
        empty(server)


def test_a_server_of_license_manager_may_be_started_only_if_that_was_asked_for(
    server: Server, tmp_path: Path
):
    without = function_statements(System(server, tmp_path / "log", "stopped"))
    empty(server)
    granted = function_statements(System(server, tmp_path / "log", "stopped", LicenseManager="yes"))
    for resource in (
        f"arn:aws:license-manager:{REGION}:{ACCOUNT}:license-configuration:lic-0123456789abcdef",
        f"arn:aws:resource-groups:{REGION}:{ACCOUNT}:group/a-host-resource-group",
    ):
        start, stop = Need("ec2:StartInstances", resource), Need("ec2:StopInstances", resource)
        assert judge(granted, [start])[0] == set()
        assert judge(granted, [stop])[0]
        assert judge(without, [start])[0]
    elsewhere = Need("ec2:StartInstances", "arn:aws:resource-groups:eu-west-1:210987654321:group/x")
    assert judge(granted, [elsewhere])[0]
