"""The embedded CloudWatch speaks the SDKs' protocol, gives pages, and keeps mute rules as documented."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import clock, cloudwatch
from local.deploy import client
from local.faults import Fault


@pytest.fixture
def alarms(server, monkeypatch):
    """boto3, which would choose JSON, speaks CBOR as the Rust SDK does: both sides' codecs are not ours."""
    monkeypatch.setattr("botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS", ("smithy-rpc-v2-cbor",))
    return client(server.url, "cloudwatch")


def put_alarm(alarms: Any, name: str, instance_id: str = "i-1") -> None:
    alarms.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/EC2",
        MetricName="CPUUtilization",
        Dimensions=[{"Name": "InstanceId", "Value": instance_id}],
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=90.5,
        ComparisonOperator="GreaterThanThreshold",
    )


def rule(
    name: str, alarms: list[str], begins: dt.datetime | None = None, minutes: int = 60
) -> dict[str, Any]:
    begins = begins or clock.CLOCK.utc()
    schedule = {"Expression": f"at({begins:%Y-%m-%dT%H:%M})", "Duration": f"PT{minutes}M"}
    return {
        "Name": name,
        "Rule": {"Schedule": schedule},
        "MuteTargets": {"AlarmNames": alarms},
        "ExpireDate": begins + dt.timedelta(minutes=minutes),
    }


def code(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return refused.value.response["Error"]["Code"]


def test_without_alarms_and_rules_the_lists_are_empty(alarms):
    assert alarms.describe_alarms()["MetricAlarms"] == []
    assert alarms.list_alarm_mute_rules()["AlarmMuteRuleSummaries"] == []


def test_an_alarm_comes_back_with_its_dimensions_numbers_and_times(alarms):
    put_alarm(alarms, "cpu")
    (alarm,) = alarms.describe_alarms()["MetricAlarms"]
    assert alarm["Dimensions"] == [{"Name": "InstanceId", "Value": "i-1"}]
    assert (alarm["Threshold"], alarm["Period"]) == (90.5, 60)
    assert alarm["StateUpdatedTimestamp"].tzinfo is not None


def test_alarms_come_in_pages_and_each_once(alarms):
    for number in range(5):
        put_alarm(alarms, f"alarm {number}")
    first = alarms.describe_alarms(MaxRecords=2)
    assert len(first["MetricAlarms"]) == 2
    pages = alarms.get_paginator("describe_alarms").paginate(PaginationConfig={"PageSize": 2})
    names = [alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]]
    assert sorted(names) == [f"alarm {number}" for number in range(5)]
    assert code(alarms.describe_alarms, MaxRecords=101) == "ValidationError"


def test_a_rule_mutes_its_alarms_until_it_is_deleted_and_deleting_twice_is_no_error(alarms):
    put_alarm(alarms, "cpu")
    put_alarm(alarms, "disk")
    alarms.put_alarm_mute_rule(**rule("night", ["cpu"]))
    assert cloudwatch.muted() == {"cpu"}
    (summary,) = alarms.list_alarm_mute_rules()["AlarmMuteRuleSummaries"]
    assert summary["AlarmMuteRuleArn"].endswith(":alarm-mute-rule:night")
    told = alarms.get_alarm_mute_rule(AlarmMuteRuleName="night")
    assert (told["MuteTargets"]["AlarmNames"], told["Status"]) == (["cpu"], "ACTIVE")
    for _ in range(2):
        alarms.delete_alarm_mute_rule(AlarmMuteRuleName="night")
    assert cloudwatch.muted() == set()
    assert code(alarms.get_alarm_mute_rule, AlarmMuteRuleName="night") == "ResourceNotFoundException"


def test_a_rule_is_scheduled_then_active_then_expired_and_can_be_put_again(alarms):
    put_alarm(alarms, "cpu")
    now = clock.CLOCK.utc()
    for begins, status in (
        (now + dt.timedelta(hours=2), "SCHEDULED"),
        (now - dt.timedelta(minutes=5), "ACTIVE"),
        (now - dt.timedelta(hours=2), "EXPIRED"),
    ):
        alarms.put_alarm_mute_rule(**rule("night", ["cpu"], begins))
        assert alarms.get_alarm_mute_rule(AlarmMuteRuleName="night")["Status"] == status
    assert cloudwatch.muted() == set()


def test_a_rule_without_targets_mutes_every_alarm(alarms):
    put_alarm(alarms, "cpu")
    alarms.put_alarm_mute_rule(**rule("all", []))
    assert cloudwatch.muted() == {"cpu"}


def test_a_rule_for_more_than_a_hundred_alarms_or_for_one_that_is_not_there_is_refused(alarms):
    assert code(alarms.put_alarm_mute_rule, **rule("n", [f"{n}" for n in range(101)])) == "ValidationError"
    assert code(alarms.put_alarm_mute_rule, **rule("n", ["gone"])) == "ValidationError"


def test_faults_and_the_call_log_know_cloudwatch_too(server, alarms):
    server.application.faults.add(Fault("DescribeAlarms", "AccessDenied", times=1))
    assert code(alarms.describe_alarms) == "AccessDenied"
    alarms.describe_alarms()
    seen = [call.operation for call in server.application.calls if call.service == "monitoring"]
    assert seen == ["DescribeAlarms"] * 2
