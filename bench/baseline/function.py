"""The baseline: one phase, or the mail, in Python with boto3, in the documented reference's way.

Describe by Name, ask, look again at fixed times: the state every 15 s at most 4 times, then the status after
45 s each, at most 6 times. Where it could be written slower or faster, it is written faster: no wait when
nothing was asked for, one put to the log a phase, no third-party package but boto3.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import boto3

STATE_LOOKS, STATE_WAIT = 4, 15
STATUS_LOOKS, STATUS_WAIT = 6, 45
WANTED = {"start": "running", "stop": "stopped"}

# Local runs only: "<anchor>:<speed>", as the function reads it.
SPEED = float(os.environ.get("LOCAL_CLOCK", "0:1").split(":")[1])
SERVERS: dict[str, list[str]] = json.loads(Path(os.environ["SERVERS_JSON"]).read_text())

ec2 = boto3.client("ec2")
logs = boto3.client("logs")
ses = boto3.client("ses")


def handler(event: dict[str, Any]) -> dict[str, Any]:
    """One event → one answer."""
    if event["send_mail"]:
        return send_mail(event)
    if not event["next_phase"]:
        return {"next_phase": False, "initial_state": {"empty": True}}
    return run_phase(event)


def run_phase(event: dict[str, Any]) -> dict[str, Any]:
    names, wanted = SERVERS[str(event["phase_number"])], WANTED[event["action"]]
    servers = describe(names)
    initial_state = {
        name: {"InstanceId": id, "State": state, "is_running": state == "running"}
        for name, (id, state) in servers.items()
    }
    to_change = [id for id, state in servers.values() if state != wanted]
    if to_change:
        change(event["action"], to_change)
    good = in_state(names, wanted, waits=bool(to_change))
    if good and event["action"] == "start":
        good = status_ok([id for id, _ in servers.values()], waits=bool(to_change))
    write_log(event["cw_log_phase"], [f"{name}: was {state}" for name, (_, state) in servers.items()])
    return {"next_phase": good, "initial_state": initial_state}


def describe(names: list[str]) -> dict[str, tuple[str, str]]:
    """Id and state by Name."""
    filters = [{"Name": "tag:Name", "Values": names}]
    servers = {}
    for page in ec2.get_paginator("describe_instances").paginate(Filters=filters):
        for reservation in page["Reservations"]:
            for instance in reservation["Instances"]:
                name = next(tag["Value"] for tag in instance["Tags"] if tag["Key"] == "Name")
                servers[name] = (instance["InstanceId"], instance["State"]["Name"])
    return servers


def change(action: str, ids: list[str]) -> None:
    if action == "start":
        ec2.start_instances(InstanceIds=ids)
    else:
        ec2.stop_instances(InstanceIds=ids)


def in_state(names: list[str], wanted: str, waits: bool) -> bool:
    if not waits:
        return True
    for _ in range(STATE_LOOKS):
        pause(STATE_WAIT)
        if all(state == wanted for _, state in describe(names).values()):
            return True
    return False


def status_ok(ids: list[str], waits: bool) -> bool:
    for _ in range(STATUS_LOOKS if waits else 1):
        if waits:
            pause(STATUS_WAIT)
        statuses = ec2.describe_instance_status(InstanceIds=ids)["InstanceStatuses"]
        if len(statuses) == len(ids) and all(
            status["InstanceStatus"]["Status"] == status["SystemStatus"]["Status"] == "ok"
            for status in statuses
        ):
            return True
    return False


def pause(seconds: float) -> None:
    time.sleep(seconds / SPEED)


def write_log(heading: str, lines: list[str]) -> None:
    group, stream = os.environ["PHASE_LOG_GROUP"], "phases"
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": line} for line in [heading.upper(), *lines]]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def send_mail(event: dict[str, Any]) -> dict[str, Any]:
    rows = "".join(f"<li>{name}: {state}</li>" for name, state in end_states())
    sent = ses.send_email(
        Source=os.environ["MAIL_SENDER"],
        Destination={"ToAddresses": os.environ["MAIL_RECIPIENTS"].split(",")},
        Message={
            "Subject": {"Data": f"{event['action'].upper()} STATUS"},
            "Body": {"Html": {"Data": f"<ul>{rows}</ul>"}},
        },
    )
    return {"message_id": sent["MessageId"]}


def end_states() -> list[tuple[str, str]]:
    every = [name for names in SERVERS.values() for name in names]
    return sorted((name, state) for name, (_, state) in describe(every).items())
