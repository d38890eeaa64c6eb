"""The embedded EventBridge gives targets what AWS's guide says, and fails where the guide says nothing."""

from __future__ import annotations

import json
import types
from typing import Any

import pytest
from moto.sns.models import sns_backends

from local import clock, events
from local.deploy import client
from local.events import TransformError, target_input, transform
from local.runtime_api import ACCOUNT, REGION

# The event of the guide's page on input transformation (eb-transform-target-input).
EC2_EVENT = {
    "version": "0",
    "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "detail-type": "EC2 Instance State-change Notification",
    "source": "aws.ec2",
    "account": "123456789012",
    "time": "2015-11-11T21:29:54Z",
    "region": "us-east-1",
    "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],
    "detail": {"instance-id": "i-0123456789", "state": "RUNNING"},
}
PATHS = {"instance": "$.detail.instance-id", "status": "$.detail.state", "all": "$.detail"}


@pytest.mark.parametrize(
    ("template", "given"),
    [
        # The API's own examples of an InputTemplate.
        ('"<instance> is in state <status>"', "i-0123456789 is in state RUNNING"),
        ('"<instance> is in state \\"<status>\\""', 'i-0123456789 is in state "RUNNING"'),
        (
            '{"myInstance": <instance>, "myStatus": "<instance> is in state \\"<status>\\""}',
            {"myInstance": "i-0123456789", "myStatus": 'i-0123456789 is in state "RUNNING"'},
        ),
        ('{"detail": <all>}', {"detail": EC2_EVENT["detail"]}),
        ('{"event": <aws.events.event.json>, "x": 1}', {"event": EC2_EVENT, "x": 1}),
    ],
)
def test_a_template_is_filled_as_the_guide_shows(template: str, given: Any):
    assert json.loads(transform(template, PATHS, EC2_EVENT)) == given


@pytest.mark.parametrize("value", ['say "no"', "two\nlines", "back\\slash", {"a": 1}, None, ["x"]])
def test_what_the_guide_does_not_promise_inside_quotes_fails(value: Any):
    event = EC2_EVENT | {"detail": {"state": value}}
    with pytest.raises(TransformError):
        transform('{"state": "<status>"}', PATHS, event)


@pytest.mark.parametrize("template", ['{"a": <nobody>}', '{"a": "<gone>"}', '{"a": <status>'])
def test_a_place_without_a_value_and_a_template_that_is_no_json_fail(template: str):
    with pytest.raises(TransformError):
        transform(template, PATHS | {"gone": "$.detail.gone"}, EC2_EVENT)


def test_a_target_gets_its_input_a_part_of_the_event_or_all_of_it():
    assert json.loads(target_input({}, EC2_EVENT)) == EC2_EVENT
    assert json.loads(target_input({"InputPath": "$.detail"}, EC2_EVENT)) == EC2_EVENT["detail"]
    assert target_input({"Input": '{"fixed": true}'}, EC2_EVENT) == '{"fixed": true}'
    with pytest.raises(TransformError):
        target_input({"InputPath": "$.detail.nothing"}, EC2_EVENT)


def execution(status: str, **more: Any) -> types.SimpleNamespace:
    given = {
        "account_id": ACCOUNT,
        "region_name": REGION,
        "exec_arn": "arn:of:the:execution",
        "state_machine_arn": "arn:of:the:machine",
        "name": "run-7",
        "start_date": clock.CLOCK.utc(),
        "stop_date": clock.CLOCK.utc(),
        "input_data": {"action": "start"},
        "output": {"status": "SUCCESS"},
        "error": None,
        "cause": None,
    }
    return types.SimpleNamespace(status=status, **(given | more))


def test_step_functions_event_has_the_guides_fields():
    began = events.status_detail(execution("RUNNING"), "RUNNING")
    assert (json.loads(began["input"]), began["output"]) == ({"action": "start"}, None)
    assert (began["stopDate"], began["outputDetails"]) == (None, None)
    ended = events.status_detail(execution("SUCCEEDED"), "SUCCEEDED")
    assert json.loads(ended["output"]) == {"status": "SUCCESS"}
    assert ended["stopDate"] >= ended["startDate"]
    failed = events.status_detail(execution("FAILED", error="E", cause="C"), "FAILED")
    assert (failed["output"], failed["error"], failed["cause"]) == (None, "E", "C")


def test_an_event_that_would_be_too_large_leaves_out_its_input_and_then_its_output():
    large = {"text": "x" * 200_000}
    one = events.status_detail(execution("SUCCEEDED", input_data=large, output=large), "SUCCEEDED")
    assert (one["input"], one["inputDetails"]) == (None, {"included": False})
    assert one["outputDetails"] == {"included": True}
    both = events.status_detail(execution("SUCCEEDED", output={"text": "x" * 260_000}), "SUCCEEDED")
    assert (both["output"], both["outputDetails"]) == (None, {"included": False})


@pytest.fixture
def bus(server):
    return client(server.url, "events")


def put(bus: Any, detail: dict[str, Any]) -> None:
    entry = {"Source": "mine", "DetailType": "Something", "Detail": json.dumps(detail)}
    assert bus.put_events(Entries=[entry])["FailedEntryCount"] == 0


def test_a_topic_and_a_queue_get_what_matches_their_rule_and_nothing_else(server, bus):
    topic = client(server.url, "sns").create_topic(Name="topic")["TopicArn"]
    sqs = client(server.url, "sqs")
    queue = sqs.create_queue(QueueName="queue")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bus.put_rule(Name="rule", EventPattern=json.dumps({"source": ["mine"], "detail": {"wanted": [True]}}))
    targets = [{"Id": "1", "Arn": topic, "InputPath": "$.detail"}, {"Id": "2", "Arn": arn}]
    bus.put_targets(Rule="rule", Targets=targets)
    put(bus, {"wanted": False})
    put(bus, {"wanted": True, "text": 'a "quoted"\nline'})
    ((_, message, *_),) = sns_backends[ACCOUNT][REGION].topics[topic].sent_notifications
    assert json.loads(message) == {"wanted": True, "text": 'a "quoted"\nline'}
    (received,) = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    event = json.loads(received["Body"])
    assert (event["source"], event["detail-type"], event["account"]) == ("mine", "Something", ACCOUNT)
    assert event["time"].endswith("Z") and "ingestion-time" not in event
    assert events.BUS.failed == []


def test_a_disabled_rule_is_silent(server, bus):
    topic = client(server.url, "sns").create_topic(Name="topic")["TopicArn"]
    bus.put_rule(Name="rule", EventPattern=json.dumps({"source": ["mine"]}), State="DISABLED")
    bus.put_targets(Rule="rule", Targets=[{"Id": "1", "Arn": topic}])
    put(bus, {})
    assert sns_backends[ACCOUNT][REGION].topics[topic].sent_notifications == []
