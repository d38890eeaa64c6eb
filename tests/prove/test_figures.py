"""What only AWS can show, against the same answers given by hand: notices, metrics, Lambda's own records."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from local.run import SENDER
from prove import figures, steps
from prove.checks import NOT, OK, Checker
from prove.embedded import Embedded
from prove.plan import new_name
from prove.reading import Invocation, Run
from prove.site import Site

# As Lambda writes it with LogFormat JSON (Telemetry API, platform.report).
REPORT = {
    "time": "2026-11-25T17:00:00.000Z",
    "type": "platform.report",
    "record": {
        "requestId": "79b4f56e-95b1-4643-9700-2807f4e68189",
        "metrics": {
            "durationMs": 180000.1,
            "billedDurationMs": 180050,
            "memorySizeMB": 128,
            "maxMemoryUsedMB": 30,
            "initDurationMs": 49.5,
        },
        "status": "success",
    },
}


@pytest.fixture
def site(world: Embedded, tmp_path: Path) -> Site:
    """Set up, with one run that failed and one that did not."""
    world.unjudged = frozenset()
    site = Site(world, new_name(), SENDER, tmp_path / "stage", lambda _: None)
    site.set_up()
    site.runs = {steps.REFUSED: run("start-1", "FAILED"), steps.STOP: run("stop-1", "SUCCEEDED")}
    return site


def run(name: str, status: str, **more: Any) -> Run:
    now = dt.datetime.now(dt.UTC)
    return Run(name, status, "", {}, more.pop("phases", []), now, now, [], **more)


def phase(number: int, ready: int, **payload: Any) -> Invocation:
    given = {"phase_number": number, "action": "start", **payload}
    return Invocation(given, dt.datetime.now(dt.UTC), None, {"outcome": "ready", "servers": {"ready": ready}})


def notice(site: Site, name: str) -> None:
    message = f"ec2-start-stop: the run {name} is FAILED. If no report came by mail, look at …"
    site.world.client("sns").publish(TopicArn=site.product["AlarmTopic"], Message=message)


def test_a_notice_of_each_failed_run_and_of_no_other_is_ok(site: Site):
    notice(site, "start-1")
    assert figures.notices(Checker("x"), site).verdict == OK


def test_a_notice_that_does_not_arrive_is_not_as_expected(site: Site):
    check = figures.notices(Checker("x"), site)
    assert (check.verdict, check.expected, check.seen) == (NOT, steps.REFUSED, "")


def test_a_notice_of_a_run_that_succeeded_is_not_as_expected(site: Site):
    notice(site, "start-1")
    notice(site, "stop-1")
    assert figures.notices(Checker("x"), site).verdict == NOT


def test_the_metrics_must_come_to_what_the_phases_answered(site: Site):
    site.runs[steps.TAGGED] = run("start-2", "SUCCEEDED", phases=[phase(3, 1), phase(4, 1), phase(0, 1)])
    site.runs[steps.DRY_RUN] = run("dry", "SUCCEEDED", phases=[phase(5, 1, dry_run=True)])
    for value in (1, 1):
        put_metric(site, "db", value)
    told = {
        check.what: (check.expected, check.seen, check.verdict)
        for check in figures.metrics(Checker("x"), site)
    }
    assert told["metric: ServersReady, start db"] == ("2", "2", OK)
    assert told["metric: ServersReady, start app"] == ("1", "0", NOT)
    assert told["metric: ServersReady, stop app"] == ("0", "0", OK)


def put_metric(site: Site, tier: str, value: float) -> None:
    given = {"Stack": site.stack, "Action": "start", "Tier": tier}
    datum = {
        "MetricName": "ServersReady",
        "Dimensions": [{"Name": name, "Value": text} for name, text in given.items()],
        "Timestamp": dt.datetime.fromtimestamp(site.world.now(), dt.UTC),
        "Value": value,
    }
    site.world.client("cloudwatch").put_metric_data(Namespace=figures.NAMESPACE, MetricData=[datum])


def test_cold_starts_and_billed_seconds_come_from_lambdas_own_records(site: Site):
    warm = json.loads(json.dumps(REPORT))
    del warm["record"]["metrics"]["initDurationMs"]
    logs, group = site.world.client("logs"), site.product["FunctionLogGroup"]
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    now = int(site.world.now() * 1000)
    events = [{"timestamp": now, "message": json.dumps(record)} for record in (REPORT, warm)]
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    cold, billed = figures.lambda_reports(Checker("x"), site)
    assert cold.seen == "1 of 2 invocations: 50 ms (median), 50 ms (longest)"
    assert billed.seen == "360 s = 45 GB-seconds = 0.08 cents"


def test_dead_time_is_from_the_databases_readiness_to_the_applications_launch():
    started = {
        f"x-{env}-{tier}": {"name": f"x-{env}-{tier}", "environment": env, "tier": tier, "action": "started"}
        for env, tier in (("test", "db"), ("test", "app"), ("dev", "db"))
    }
    told = run(
        "start",
        "SUCCEEDED",
        ready_at={"test-db": 1000.0, "dev-db": 990.0},
        launched={"test-app": dt.datetime.fromtimestamp(1007, dt.UTC)},
    )
    told.report = {"servers": list(started.values())}
    assert figures.dead_seconds(told) == [7.0]


@pytest.mark.parametrize(
    ("seen", "judged", "verdict"),
    [
        ([14.9], True, OK),
        ([3.0, 15.1], True, NOT),
        ([], True, NOT),
        ([], False, NOT),
        ([99.0], False, "measured"),
    ],
)
def test_the_longest_time_counts_and_none_is_not_as_expected(seen, judged, verdict):
    assert Checker("x").at_most("dead time", 15.0, seen, "s", judged).verdict == verdict
