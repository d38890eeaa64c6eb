"""CloudWatch alarms on the embedded servers, for `make run MUTE=1` and the tests: nothing evaluates them."""

from __future__ import annotations

from typing import Any


def watch(client: Any, alarm: str, instance_ids: list[str]) -> None:
    """Creates an alarm on instances: on one as a metric, on several as metric math."""
    stats = [_stat(instance_id) for instance_id in instance_ids]
    if len(stats) == 1:
        how = stats[0]["Metric"] | {"Statistic": stats[0]["Stat"], "Period": stats[0]["Period"]}
    else:
        queries = [{"Id": f"m{n}", "MetricStat": stat, "ReturnData": False} for n, stat in enumerate(stats)]
        total = " + ".join(query["Id"] for query in queries)
        how = {"Metrics": [{"Id": "total", "Expression": total}, *queries]}
    client.put_metric_alarm(
        AlarmName=alarm,
        EvaluationPeriods=1,
        Threshold=90,
        ComparisonOperator="GreaterThanThreshold",
        **how,
    )


def _stat(instance_id: str) -> dict[str, Any]:
    dimension = {"Name": "InstanceId", "Value": instance_id}
    metric = {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Dimensions": [dimension]}
    return {"Metric": metric, "Period": 60, "Stat": "Average"}
