"""What is told and measured over all runs: notices, metrics, dead time, cold starts, billed seconds."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any

from prove.checks import Check, Checker
from prove.plan import SERVERS
from prove.reading import Run
from prove.site import ARRIVAL_PATIENCE_SECONDS, Site
from prove.world import NotInTimeError

STEP = "all runs"
# Simulated: 4.2 s, and 10 s at most for 95 of 100 (docs/performance.md). A cold start, EC2's launch time in
# whole seconds and our own look every two seconds come on top.
LONGEST_DEAD_SECONDS = 15.0
NAMESPACE = "ec2-start-stop"
# us-east-1, x86_64 (bench/prices.toml).
DOLLARS_PER_GB_SECOND = 0.0000166667


def figures(site: Site) -> Iterator[Check]:
    check = Checker(STEP)
    yield notices(check, site)
    yield from metrics(check, site)
    dead = [seconds for run in site.runs.values() for seconds in dead_seconds(run)]
    judged = "seconds" not in site.world.unjudged
    yield check.at_most("dead time between tiers", LONGEST_DEAD_SECONDS, dead, "s", judged)
    yield from lambda_reports(check, site)


def hears(site: Site) -> bool:
    """Whether a message of our own goes from the alarm topic to the queue."""
    message = f"A test by {site.stack}"
    site.world.client("sns").publish(TopicArn=site.product["AlarmTopic"], Message=message)
    return patiently(site, lambda: message in heard(site))


def patiently(site: Site, arrived: Callable[[], bool]) -> bool:
    """Whether it has arrived; that it has not is for a check to say."""
    try:
        site.world.wait(arrived, "it did not arrive", ARRIVAL_PATIENCE_SECONDS)
    except NotInTimeError:
        return False
    return True


def heard(site: Site) -> str:
    """Everything that the queue has got so far, as one text."""
    sqs = site.world.client("sqs")
    while True:
        got = sqs.receive_message(QueueUrl=site.fleet["QueueUrl"], MaxNumberOfMessages=10).get("Messages", [])
        if not got:
            return "\n".join(site.heard)
        for message in got:
            site.heard.append(json.loads(message["Body"])["Message"])
            sqs.delete_message(QueueUrl=site.fleet["QueueUrl"], ReceiptHandle=message["ReceiptHandle"])


def notices(check: Checker, site: Site) -> Check:
    """The runs that failed are told of by name, and no others."""
    failed = [step for step, run in site.runs.items() if run.status != "SUCCEEDED"]
    if "notices" in site.world.unjudged:
        return check.unjudged("notice: runs told of", "; ".join(failed))

    def told() -> list[str]:
        text = heard(site)
        return [step for step, run in site.runs.items() if run.name in text]

    patiently(site, lambda: set(failed) <= set(told()))
    return check.same("notice: runs told of", "; ".join(failed), "; ".join(told()))


def metrics(check: Checker, site: Site) -> Iterator[Check]:
    """ServersReady of each action and tier, against the answers in the histories."""
    for action, tier in (("start", "db"), ("start", "app"), ("stop", "app"), ("stop", "db")):
        what = f"metric: ServersReady, {action} {tier}"
        expected = ready_servers(list(site.runs.values()), action, tier)
        if "metrics" in site.world.unjudged:
            yield check.unjudged(what, str(expected))
            continue
        patiently(site, lambda a=action, t=tier, all_of_it=expected: metric_sum(site, a, t) >= all_of_it)
        yield check.same(what, str(expected), f"{metric_sum(site, action, tier):.0f}")


def ready_servers(runs: list[Run], action: str, tier: str) -> int:
    """How many servers the phases of an action and tier told to be ready, dry runs apart."""
    numbers = [server.number for server in SERVERS if server.tier == tier]
    return sum(
        phase.answer["servers"]["ready"]
        for run in runs
        for phase in run.decided()
        if phase.number in numbers and phase.payload["action"] == action and not phase.payload.get("dry_run")
    )


def metric_sum(site: Site, action: str, tier: str) -> float:
    given = {"Stack": site.stack, "Action": action, "Tier": tier}
    now = dt.datetime.fromtimestamp(site.world.now(), dt.UTC)
    told = site.world.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName="ServersReady",
        Dimensions=[{"Name": name, "Value": value} for name, value in given.items()],
        StartTime=now - dt.timedelta(hours=6),
        EndTime=now + dt.timedelta(minutes=5),
        Period=3600,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in told["Datapoints"])


def dead_seconds(run: Run) -> list[float]:
    """From the database's readiness, as we saw it, to EC2's launch time of the application."""
    started = {
        f"{row['environment']}-{row['tier']}" for row in run.rows.values() if row["action"] == "started"
    }
    seconds = []
    for environment in sorted({server.environment for server in SERVERS}):
        database, application = f"{environment}-db", f"{environment}-app"
        if {database, application} <= started and database in run.ready_at:
            seconds.append(max(0.0, run.launched[application].timestamp() - run.ready_at[database]))
    return seconds


def lambda_reports(check: Checker, site: Site) -> Iterator[Check]:
    """Cold starts and what is billed, from Lambda's own records in the function's log."""
    cold, billed = "Lambda: cold starts", "Lambda: billed"
    if "reports" in site.world.unjudged:
        yield check.unjudged(cold, "")
        yield check.unjudged(billed, "")
        return
    records = reports(site)
    inits = sorted(record["initDurationMs"] for record in records if "initDurationMs" in record)
    middle = f"{inits[len(inits) // 2]:.0f} ms (median), {inits[-1]:.0f} ms (longest)" if inits else "none"
    yield check.measured(cold, f"{len(inits)} of {len(records)} invocations: {middle}")
    gb_seconds = sum(r["billedDurationMs"] / 1000 * r["memorySizeMB"] / 1024 for r in records)
    seconds = sum(record["billedDurationMs"] for record in records) / 1000
    cents = 100 * gb_seconds * DOLLARS_PER_GB_SECOND
    yield check.measured(billed, f"{seconds:.0f} s = {gb_seconds:.0f} GB-seconds = {cents:.2f} cents")


def reports(site: Site) -> list[dict[str, Any]]:
    """The metrics of every `platform.report` record (the function logs in JSON)."""
    paginator = site.world.client("logs").get_paginator("filter_log_events")
    pages = paginator.paginate(
        logGroupName=site.product["FunctionLogGroup"], filterPattern='{ $.type = "platform.report" }'
    )
    return [json.loads(event["message"])["record"]["metrics"] for page in pages for event in page["events"]]
