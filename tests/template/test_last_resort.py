"""Who is told when the mail's own way is broken, and that no schedule comes late or gets lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from moto.events.models import EventPattern
from moto.sns.models import sns_backends

from local.deploy import ROOT, translate
from local.runtime_api import ACCOUNT, REGION
from local.server import Server
from tests.parameters import REQUIRED
from tests.system.conftest import System

TEMPLATE = translate(ROOT / "template.yaml", REQUIRED)
RESOURCES = TEMPLATE["Resources"]
# Both need neither the function nor SES; the second one speaks the chat's form.
LAST_RESORTS = ("FailedRuns", "ChatFailedRuns")
TOPICS = {"AlarmsPolicy": "Alarms", "ChatPolicy": "ChatTopic"}


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: r["Properties"] for name, r in RESOURCES.items() if r["Type"] == kind}


@pytest.fixture
def broken(server: Server, tmp_path: Path) -> System:
    """A system whose mail cannot be sent, with a database that has no capacity."""
    system = System(server, tmp_path / "log", "stopped")
    system.stack.client("ses").delete_identity(Identity="start-stop@example.com")
    system.fail("StartInstances=InsufficientInstanceCapacity:test2")
    return system


def status_event(machine: str, status: str) -> dict[str, Any]:
    """As Step Functions puts it on the default bus."""
    name = "a-run"
    return {
        "id": "11111111-2222-3333-4444-555555555555",
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "detail": {
            "executionArn": machine.replace("stateMachine", "execution") + f":{name}",
            "stateMachineArn": machine,
            "name": name,
            "status": status,
        },
    }


def rule(system: System) -> dict[str, Any]:
    rules = system.stack.client("events").list_rules()["Rules"]
    (found,) = [rule for rule in rules if "-FailedRuns-" in rule["Name"]]
    return found


def test_a_failed_run_without_a_mail_is_still_told_to_the_topic(broken: System):
    outcome = broken.run("start", environments=["dev"])
    assert outcome.status == "FAILED"
    machine = broken.stack.outputs["StateMachineArn"]
    found = rule(broken)
    assert EventPattern.load(found["EventPattern"]).matches_event(status_event(machine, outcome.status))
    targets = broken.stack.client("events").list_targets_by_rule(Rule=found["Name"])["Targets"]
    topic = broken.stack.outputs["AlarmTopic"]
    assert [target["Arn"] for target in targets] == [topic]
    ((_, message, *_),) = sns_backends[ACCOUNT][REGION].topics[topic].sent_notifications
    assert f"the run {outcome.name} is FAILED" in message


@pytest.mark.parametrize(
    ("status", "told"),
    [("RUNNING", False), ("SUCCEEDED", False), ("FAILED", True), ("TIMED_OUT", True), ("ABORTED", True)],
)
def test_only_ends_that_are_no_success_are_told(broken: System, status: str, told: bool):
    pattern = EventPattern.load(rule(broken)["EventPattern"])
    machine = broken.stack.outputs["StateMachineArn"]
    assert pattern.matches_event(status_event(machine, status)) == told
    assert not pattern.matches_event(status_event(machine + "-other", status))


@pytest.mark.parametrize("name", LAST_RESORTS)
def test_the_message_fills_every_place_from_the_event(name: str):
    transformer = of_type("AWS::Events::Rule")[name]["Targets"][0]["InputTransformer"]
    template, _ = transformer["InputTemplate"]["Fn::Sub"]
    assert all(f"<{name}>" in template for name in transformer["InputPathsMap"])
    event = status_event("arn:aws:states:eu-west-1:123456789012:stateMachine:m", "FAILED")
    for path in transformer["InputPathsMap"].values():
        found: Any = event
        for step in path.removeprefix("$.").split("."):
            found = found[step]
        assert isinstance(found, str)


def topic_statements(name: str) -> dict[str, dict[str, Any]]:
    """What a topic's policy says, by who is meant."""
    policy = of_type("AWS::SNS::TopicPolicy")[name]
    assert policy["Topics"] == [{"Ref": TOPICS[name]}]
    assert all(s["Resource"] == {"Ref": TOPICS[name]} for s in policy["PolicyDocument"]["Statement"])
    return {s["Principal"]["Service"]: s for s in policy["PolicyDocument"]["Statement"]}


@pytest.mark.parametrize("name", TOPICS)
def test_only_event_rules_and_this_accounts_alarms_may_publish_to_a_topic(name: str):
    statements = topic_statements(name)
    assert set(statements) == {"events.amazonaws.com", "cloudwatch.amazonaws.com"}
    assert {s["Action"] for s in statements.values()} == {"sns:Publish"}
    condition = statements["cloudwatch.amazonaws.com"]["Condition"]
    assert condition == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_eventbridge_publishes_without_a_condition_and_without_a_role():
    """With either one the notice may never arrive (EventBridge User Guide, eb-use-resource-based)."""
    for name in TOPICS:
        assert "Condition" not in topic_statements(name)["events.amazonaws.com"]
    for properties in of_type("AWS::Events::Rule").values():
        assert all("RoleArn" not in target for target in properties["Targets"])


def test_every_bad_end_and_every_miss_raises_an_alarm_at_the_first_one():
    alarms = of_type("AWS::CloudWatch::Alarm").values()
    assert {(alarm["Namespace"], alarm["MetricName"]) for alarm in alarms} == {
        ("AWS/Lambda", "Errors"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/SQS", "NumberOfMessagesSent"),
        ("AWS/States", "ExecutionsFailed"),
        ("AWS/States", "ExecutionsTimedOut"),
        ("AWS/States", "ExecutionsAborted"),
    }
    for alarm in alarms:
        chat = {"Fn::If": ["HasChat", {"Ref": "ChatTopic"}, {"Ref": "AWS::NoValue"}]}
        assert alarm["AlarmActions"] == [{"Ref": "Alarms"}, chat]
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
        assert alarm["TreatMissingData"] == "notBreaching"


def test_a_second_event_raises_an_alarm_again_because_every_alarm_counts_what_happened_lately():
    """An alarm acts when its state changes: on a level that stays, it would tell the first one only."""
    for alarm in of_type("AWS::CloudWatch::Alarm").values():
        assert (alarm["Statistic"], alarm["Period"], alarm["EvaluationPeriods"]) == ("Sum", 300, 1)
        assert not alarm["MetricName"].startswith("ApproximateNumberOf")


def test_the_second_way_watches_the_same_machine_and_ends_as_the_events_rule():
    patterns = [of_type("AWS::Events::Rule")[name]["EventPattern"] for name in LAST_RESORTS]
    assert patterns[0] == patterns[1]
    detail = patterns[0]["detail"]
    by_metric = {
        a["MetricName"]: a
        for a in of_type("AWS::CloudWatch::Alarm").values()
        if a["Namespace"] == "AWS/States"
    }
    ends = {name.removeprefix("Executions").lower() for name in by_metric}
    assert ends == {status.replace("_", "").lower() for status in detail["status"]}
    for alarm in by_metric.values():
        assert alarm["Dimensions"] == [{"Name": "StateMachineArn", "Value": detail["stateMachineArn"][0]}]


def test_the_second_way_costs_nothing_where_nobody_would_hear_of_it():
    alarms = {n: r for n, r in RESOURCES.items() if r["Type"] == "AWS::CloudWatch::Alarm"}
    assert len(alarms) == 6
    assert {alarm["Condition"] for alarm in alarms.values()} == {"HasAlarms"}
    # The first way, which costs nothing, is always there.
    assert "Condition" not in RESOURCES["FailedRuns"]


@pytest.mark.parametrize(
    ("given", "are_there"),
    [
        ({}, False),
        ({"AlarmMail": "oncall@example.com"}, True),
        ({"Chat": "on"}, True),
        ({"FunctionAlarms": "on"}, True),
        ({"FunctionAlarms": "off", "AlarmMail": "oncall@example.com"}, False),
    ],
)
def test_alarms_are_where_somebody_hears_them_or_where_they_are_asked_for(given, are_there):
    values = {name: str(p.get("Default", "")) for name, p in TEMPLATE["Parameters"].items()} | given
    assert holds(TEMPLATE["Conditions"]["HasAlarms"], values) == are_there


def holds(condition: dict[str, Any], values: dict[str, str]) -> bool:
    """A condition of the template, for these parameters."""
    ((function, parts),) = condition.items()
    match function:
        case "Fn::Equals":
            one, other = (values[part["Ref"]] if isinstance(part, dict) else part for part in parts)
            return one == other
        case "Fn::Not":
            return not holds(parts[0], values)
        case "Fn::And":
            return all(holds(part, values) for part in parts)
        case "Fn::Or":
            return any(holds(part, values) for part in parts)
    raise ValueError(function)


def test_a_schedule_gives_up_within_minutes_and_keeps_what_was_missed():
    found = of_type("AWS::Scheduler::Schedule").values()
    given = [json.loads(schedule["Target"]["Input"]) for schedule in found]
    assert sorted(one.get("action", "check") for one in given) == ["check", "start", "stop"]
    for schedule in found:
        target = schedule["Target"]
        assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 900
        assert target["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": ["MissedSchedules", "Arn"]}
        assert "Name" not in schedule  # a fixed name collides with a second stack's


def test_only_this_accounts_schedules_and_state_machines_may_assume_the_roles():
    for name in ("ScheduleRole", "StateMachineRole"):
        (statement,) = RESOURCES[name]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Condition"]["StringEquals"]["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}, name
