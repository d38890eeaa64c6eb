"""The commands of docs/migrate.md do what the page says of them."""

from __future__ import annotations

import re

import boto3
import jmespath

from local.deploy import ROOT, client
from local.server import Server

PAGE = (ROOT / "docs" / "migrate.md").read_text()
COUNT = 230


def test_every_alarm_without_actions_is_listed_and_enabled_in_calls_that_cloudwatch_takes(server: Server):
    cloudwatch = client(server.url, "cloudwatch")
    for number in range(COUNT):
        cloudwatch.put_metric_alarm(
            AlarmName=f"test{number} CPU",
            ActionsEnabled=number % 10 == 0,
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            MetricName="CPUUtilization",
            Namespace="AWS/EC2",
            Period=60,
            Statistic="Average",
            Threshold=90,
        )
    query = re.search(r"--query '(.+?)'", PAGE)[1]

    def listed() -> list[str]:
        pages = cloudwatch.get_paginator("describe_alarms").paginate()
        return [name for page in pages for (name,) in jmespath.search(query, page)]

    off = listed()
    assert len(off) == COUNT * 9 // 10
    at_a_time = int(re.search(r"xargs -0 -n (\d+)", PAGE)[1])
    model = boto3.client("cloudwatch", region_name="eu-west-1").meta.service_model
    names = model.operation_model("EnableAlarmActions").input_shape.members["AlarmNames"]
    assert at_a_time == names.metadata["max"]
    for start in range(0, len(off), at_a_time):
        cloudwatch.enable_alarm_actions(AlarmNames=off[start : start + at_a_time])
    assert listed() == []
