"""One-time schedules of the embedded AWS fire once, in simulated time, and delete themselves."""

from __future__ import annotations

import datetime as dt
import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import clock
from local.deploy import client
from local.runtime_api import ACCOUNT, REGION
from local.scheduler import _schedules
from local.server import Server

PASSES = {"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/schedules"


def machine(server: Server) -> str:
    step_functions = client(server.url, "stepfunctions")
    made = step_functions.create_state_machine(name="passes", definition=json.dumps(PASSES), roleArn=ROLE)
    return made["stateMachineArn"]


def schedule(server: Server, target: str, seconds: float, **more: Any) -> None:
    at = clock.CLOCK.utc() + dt.timedelta(seconds=seconds)
    given = {
        "Name": "once",
        "ScheduleExpression": f"at({at:%Y-%m-%dT%H:%M:%S})",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": target, "RoleArn": ROLE, "Input": '{"action":"stop"}'},
        "ActionAfterCompletion": "DELETE",
    }
    client(server.url, "scheduler").create_schedule(**given | more)


def executions(server: Server, target: str) -> list[dict[str, Any]]:
    return client(server.url, "stepfunctions").list_executions(stateMachineArn=target)["executions"]


def waited(condition: Any) -> bool:
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def names(server: Server) -> list[str]:
    return [one["Name"] for one in client(server.url, "scheduler").list_schedules()["Schedules"]]


def test_a_schedule_fires_once_at_its_time_with_its_input_and_deletes_itself(server):
    target = machine(server)
    schedule(server, target, 600)
    assert (executions(server, target), names(server)) == ([], ["once"])
    assert waited(lambda: executions(server, target))
    assert waited(lambda: names(server) == [])
    time.sleep(0.2)
    [run] = executions(server, target)
    told = client(server.url, "stepfunctions").describe_execution(executionArn=run["executionArn"])
    assert json.loads(told["input"]) == {"action": "stop"}


def test_a_schedule_that_is_past_or_disabled_or_recurs_does_not_fire(server):
    target = machine(server)
    schedule(server, target, -3600, Name="past")
    schedule(server, target, 1, Name="off", State="DISABLED")
    schedule(server, target, 1, Name="often", ScheduleExpression="rate(1 minutes)")
    time.sleep(0.3)  # 75 simulated seconds
    assert executions(server, target) == []


def test_a_schedule_whose_target_is_gone_leaves_its_event_in_the_dead_letter_queue(server):
    sqs = client(server.url, "sqs")
    url = sqs.create_queue(QueueName="missed")["QueueUrl"]
    target = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:gone"
    dead_letters = {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:missed"}
    wanted = {"Arn": target, "RoleArn": ROLE, "Input": "{}", "DeadLetterConfig": dead_letters}
    schedule(server, target, 30, Target=wanted)
    kept: list[Any] = []

    def arrives() -> bool:
        kept.extend(sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages", []))
        return bool(kept)

    assert waited(arrives)
    assert kept[0]["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "StateMachineDoesNotExist"


def test_a_second_schedule_of_a_name_and_one_of_a_group_that_is_not_there_are_refused_by_name(server):
    target = machine(server)
    schedule(server, target, 3600)
    with pytest.raises(ClientError, match="ConflictException"):
        schedule(server, target, 3600)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        schedule(server, target, 3600, Name="other", GroupName="nobody")


@pytest.mark.parametrize(
    "given",
    [
        {"Name": "n" * 65},
        {"Name": "with a blank"},
        {"ScheduleExpression": "at(tomorrow)"},
        {"ScheduleExpression": "at(2190-02-30T07:00:00)"},
        {"ScheduleExpression": "at(2190-02-03T07:00:00Z)"},
        {"ScheduleExpression": "rate(0 minutes)"},
        {"ScheduleExpression": "rate(5 fortnights)"},
        {"ScheduleExpression": "cron(0 7 * * *)"},
        {"ScheduleExpression": "cron(0 7 * * * *)"},
        {"ScheduleExpression": "cron(0 7 ? * ? *)"},
        {"ScheduleExpressionTimezone": "Nowhere/Land"},
    ],
    ids=str,
)
def test_what_the_api_reference_does_not_take_is_refused(server, given):
    target = machine(server)
    with pytest.raises(ClientError, match="ValidationException"):
        schedule(server, target, 3600, **given)
    assert names(server) == []


@pytest.mark.parametrize(
    "given",
    [
        {"Name": "n" * 64},
        {"Name": "a-b_c.9"},
        {"ScheduleExpression": "rate(1 hour)"},
        {"ScheduleExpression": "cron(0/15 7 ? * MON-FRI 2190)", "ScheduleExpressionTimezone": "Asia/Seoul"},
        {"ScheduleExpression": "cron(0 7 L * ? *)"},
    ],
    ids=str,
)
def test_what_the_api_reference_takes_is_taken(server, given):
    schedule(server, machine(server), 3600, **given)
    assert len(names(server)) == 1


def test_an_update_is_held_to_the_same(server):
    target = machine(server)
    schedule(server, target, 3600)
    scheduler = client(server.url, "scheduler")
    kept = scheduler.get_schedule(Name="once")
    given = {name: kept[name] for name in ("Name", "FlexibleTimeWindow", "Target")}
    with pytest.raises(ClientError, match="ValidationException"):
        scheduler.update_schedule(**given, ScheduleExpression="at(tomorrow)")


def test_a_schedule_that_cannot_be_read_keeps_no_other_from_firing(server, capsys):
    target = machine(server)
    schedule(server, target, 3600, Name="broken")
    [(_, broken)] = _schedules()
    broken.schedule_expression_timezone = "Nowhere/Land"
    schedule(server, target, 30)
    assert waited(lambda: executions(server, target))
    assert "schedule broken: ZoneInfoNotFoundError" in capsys.readouterr().err
