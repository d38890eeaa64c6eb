"""`make run`: the whole system against the embedded AWS, told as it happens.

Owns the telling. Every line comes from the run itself: the phase log, the execution, the mail that SES took.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import shlex
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import accounts, alarms, calendars, clock, cloudwatch, events, mails, person
from local.asked import HIGHEST_SPEED, Asked, read
from local.deploy import ROOT, Stack, deploy
from local.fleet import Fleet
from local.rendering import rendered
from local.runtime_api import REGION
from local.server import Server
from operate import check_files
from operate.phase_log import Teller
from operate.report import check_lines, mail_error, report, sentence
from operate.terminal import leave_the_pipe

BINARY = ROOT / "target" / "debug" / "ec2-start-stop"
BUILD = ROOT / "build" / "run"
MACHINE = ROOT / "statemachine.asl.json"
SENDER, RECIPIENTS = "start-stop@example.com", "platform@example.com,oncall@example.com"
# Real seconds: for a schedule that fires later than this nobody waits.
LONGEST_WAIT_SECONDS = 600
# The event of a run's end comes after the end, by one more invocation of the function.
LONGEST_EVENT_REAL_SECONDS = 5


def main(arguments: list[str]) -> int:
    try:
        asked = read(arguments, BINARY)
    except ValueError as error:
        return _refuse(str(error))
    clock.set_speed(asked.speed)
    finding = check_files.machine_is_fresh(f"{shlex.quote(str(asked.binary))} render servers.toml", MACHINE)
    if finding.state != "ok":
        return _refuse(finding.text)
    try:
        server = Server(asked.port)
    except (OSError, SystemExit) as error:
        return _refuse(f"port {asked.port} cannot be used ({error}): choose another one with PORT=…")
    try:
        return _run(server, asked)
    except KeyboardInterrupt:
        print("\nInterrupted; nothing is left running.")
        return 130
    except BrokenPipeError:
        leave_the_pipe()
        return 2
    except ValueError as error:
        return _refuse(str(error))
    finally:
        server.stop()


def _refuse(why: str) -> int:
    print(f"make run: {why}", file=sys.stderr)
    return 2


def _run(server: Server, asked: Asked) -> int:
    print(f"Embedded AWS at {server.url}; simulated time runs {asked.speed:g} times as fast as yours.")
    began = time.monotonic()
    BUILD.mkdir(parents=True, exist_ok=True)
    servers = asked.servers or ROOT / "servers.toml"
    machine = rendered(servers, asked.binary) if asked.servers else None
    muting = {"MuteAlarms": "on"} if asked.mute else {}
    calendar = {"Calendar": "holidays"} if asked.calendar else {}
    log = BUILD / "function.log"
    stack = set_up(server, log, asked.binary, servers=servers, machine=machine, **muting, **calendar)
    if asked.calendar:
        _make_a_calendar(stack, asked.calendar == "open")
    fleet = Fleet(server, stack.client("ec2"))
    fleet.seed(servers, "stopped" if asked.actions[0] == "start" else "running")
    if asked.mute:
        _watch_a_server(stack, fleet)
    for wish in asked.faults:
        fleet.break_as(wish)
    print(f"Deployed template.yaml and created {len(fleet.ids)} servers in {time.monotonic() - began:.1f} s.")
    went_well = [run(stack, server, action, asked.more_input, asked.approve) for action in asked.actions]
    fault_is_absent = _tell_absent_faults(server, fleet)
    if asked.serve:
        _serve(stack)
    if fault_is_absent:
        return 1
    return 0 if asked.faults or all(went_well) else 1


def _make_a_calendar(stack: Stack, is_open: bool) -> None:
    """From an iCalendar text, as people import theirs; a closed one opens at midnight in two days."""
    today = clock.CLOCK.utc().replace(hour=0, minute=0, second=0, microsecond=0)
    until = None if is_open else today + dt.timedelta(days=2)
    stack.client("ssm").create_document(
        Name="holidays",
        Content=calendars.text(is_open=is_open, until=until),
        DocumentType="ChangeCalendar",
        DocumentFormat="TEXT",
    )


def _watch_a_server(stack: Stack, fleet: Fleet) -> None:
    if not fleet.ids:
        raise ValueError("MUTE: servers.toml names no server that an alarm could watch")
    name, instance_id = next(iter(fleet.ids.items()))
    place = fleet.places[name]
    client = (
        stack.client("cloudwatch")
        if place == accounts.HOME
        else accounts.client(stack.url, "cloudwatch", place)
    )
    for alarm in (f"{name}-cpu", f"{name}-status"):
        alarms.watch(client, alarm, [instance_id])


def _tell_absent_faults(server: Server, fleet: Fleet) -> bool:
    """Says which faults no call has met: what was shown is then not what was asked for."""
    absent = server.application.faults.never_happened()
    names = {instance_id: name for name, instance_id in fleet.ids.items()}
    for fault in absent:
        whose = f" for {names.get(fault.instance_id, fault.instance_id)}" if fault.instance_id else ""
        print(f"=== The fault never happened: no call {fault.operation}{whose} was made.")
    return bool(absent)


def set_up(
    server: Server,
    log: Path,
    binary: Path = BINARY,
    servers: Path = ROOT / "servers.toml",
    machine: str | None = None,
    **parameters: str,
) -> Stack:
    """Deploys the template and verifies the mail's addresses."""
    given = {
        "MailSender": SENDER,
        "MailRecipients": RECIPIENTS,
        "TimeZone": "Europe/Madrid",
        "StartEnabled": "ENABLED",
        "StopEnabled": "ENABLED",
    }
    if roles := accounts.roles(servers):
        given["MemberRoleArns"] = ",".join(roles)
    stack = deploy(server, given | parameters, binary, log, servers, machine)
    both = {name: value for name, value in parameters.items() if name == "MuteAlarms"}
    accounts.deploy_members(server.url, servers, stack.outputs["FunctionRoleArn"], **both)
    for address in [SENDER, *RECIPIENTS.split(",")]:
        stack.client("ses").verify_email_identity(EmailAddress=address)
    return stack


def target(stack: Stack, action: str) -> tuple[str, dict[str, Any]]:
    """What the schedule of this action starts, and with which input."""
    scheduler = stack.client("scheduler")
    for summary in scheduler.list_schedules(GroupName="default")["Schedules"]:
        schedule = scheduler.get_schedule(Name=summary["Name"])
        given = json.loads(schedule["Target"]["Input"])
        # The template's own; those of servers.toml may be of some environments only.
        if given == {"action": action} or given == {action: True}:
            return schedule["Target"]["Arn"], given
    raise RuntimeError(f"the template has no schedule that does {action}")


@dataclass(frozen=True)
class Shown:
    """The system that is shown, and what a person says there who is asked."""

    stack: Stack
    server: Server
    approve: str


def run(stack: Stack, server: Server, action: str, more_input: dict[str, Any], approve: str = "") -> bool:
    """Runs an action through its schedule's target, telling the log; whether it and its mail went well."""
    machine, given = target(stack, action)
    given |= more_input
    print(f"\n=== {action.upper()}: the schedule's target with its input {json.dumps(given)}")
    earlier_mails = len(mails.accepted(server))
    step_functions = stack.client("stepfunctions")
    execution = step_functions.start_execution(stateMachineArn=machine, input=json.dumps(given))
    shown = Shown(stack, server, approve)
    went_well = follow(shown, execution["executionArn"], action, earlier_mails)
    # A run for later, and the stop after a start, are begun by their schedules.
    return all([went_well, *(follow_a_schedule(shown, one) for one in one_time_schedules(stack))])


def one_time_schedules(stack: Stack) -> list[dict[str, Any]]:
    """Those that runs have made and that have not fired yet."""
    scheduler = stack.client("scheduler")
    found = [one for one in scheduler.list_schedules()["Schedules"] if one["GroupName"] != "default"]
    return [scheduler.get_schedule(Name=one["Name"], GroupName=one["GroupName"]) for one in found]


def follow_a_schedule(shown: Shown, schedule: dict[str, Any]) -> bool:
    """Waits, in simulated time, for the run that a one-time schedule starts, and tells it too."""
    given = json.loads(schedule["Target"]["Input"])
    print(f"\n=== The schedule {schedule['Name']} fires {schedule['ScheduleExpression']} UTC")
    at = dt.datetime.fromisoformat(schedule["ScheduleExpression"][3:-1]).replace(tzinfo=dt.UTC)
    wait = at.timestamp() - clock.CLOCK.now()
    if clock.CLOCK.real(wait) > LONGEST_WAIT_SECONDS:
        print(f"    That is in {wait / 3600:.1f} h, and not waited for: {what_is_waited_for(wait)}.")
        return True
    step_functions = shown.stack.client("stepfunctions")
    earlier_mails = len(mails.accepted(shown.server))
    machine = schedule["Target"]["Arn"]
    known = {
        one["executionArn"] for one in step_functions.list_executions(stateMachineArn=machine)["executions"]
    }
    deadline = time.monotonic() + clock.CLOCK.real(wait) + 30
    while time.monotonic() < deadline:
        for one in step_functions.list_executions(stateMachineArn=machine)["executions"]:
            if one["executionArn"] not in known:
                print(
                    f"=== {given.get('action', 'check').upper()}: it fired with its input {json.dumps(given)}"
                )
                return follow(shown, one["executionArn"], given.get("action", "check"), earlier_mails)
        time.sleep(0.1)
    print("=== It did not fire.")
    return False


def what_is_waited_for(wait_seconds: float) -> str:
    """What to choose in place of a simulated time that is too far away."""
    longest = LONGEST_WAIT_SECONDS * HIGHEST_SPEED
    if wait_seconds > longest:
        return f"choose a time within {longest / 3600:g} h, and SPEED={HIGHEST_SPEED}"
    return f"choose a nearer time, or SPEED={math.ceil(wait_seconds / LONGEST_WAIT_SECONDS)} or higher"


def follow(shown: Shown, execution_arn: str, action: str, earlier_mails: int) -> bool:
    """Tells a run's log until it ends, then its mail; whether both went well."""
    stack, server = shown.stack, shown.server
    step_functions = stack.client("stepfunctions")
    execution = {"executionArn": execution_arn}
    name = execution["executionArn"].rsplit(":", 1)[1]
    teller = Teller(stack.client("logs"), stack.outputs["PhaseLogGroup"], name)

    def sent() -> list[mails.Mail]:
        return mails.accepted(server)[earlier_mails:]

    somebody = person.Person(step_functions, execution["executionArn"], shown.approve, sent, BUILD)
    began = clock.CLOCK.now()
    while True:  # the machine's own time-out ends every execution
        told = step_functions.describe_execution(executionArn=execution["executionArn"])
        for event in teller.news():
            print(f"  {event['timestamp'] / 1000 - began:5.0f} s  {event['message']}")
        somebody.look()
        if told["status"] != "RUNNING":
            break
        time.sleep(0.2)
    print(f"=== Execution {name}: {told['status']} {told.get('error') or ''}".rstrip())
    if told.get("error") == "InvalidInput":
        print(f"    {sentence(told['cause'])}")
    show_events(name)
    if muted := cloudwatch.muted():
        print(f"=== CloudWatch alarms that take no action now: {', '.join(sorted(muted))}")
    found = report(told) or {}
    if found.get("status") == "SCHEDULED":
        print(f"=== Scheduled for {found['at']} by {found['schedule']}; no mail is sent before that.")
        return told["status"] == "SUCCEEDED"
    if action == "check":
        print("\n".join(check_lines(told)))
        if told["status"] == "SUCCEEDED":
            print("=== No mail: nothing would fail.")
            return True
    reports = [mail for mail in sent() if not somebody.was_asked_by(mail)]
    was_sent = show_mail(reports, mail_error(report(told) or {}), action)
    return told["status"] == "SUCCEEDED" and was_sent


def show_mail(sent: list[mails.Mail], error: str, action: str) -> bool:
    """Shows the run's mail, or says why there is none; whether it was sent."""
    if error:
        print(f"=== Mail NOT sent: {error}")
    if not sent:
        if not error:
            print("=== No mail was sent.")
        return False
    mails.show(sent, BUILD / f"{action}.html")
    return not error


def show_events(run: str) -> None:
    """Shows what whoever listens on EventBridge was told of a run."""
    told = events.BUS.of_run(run, LONGEST_EVENT_REAL_SECONDS)
    for event in told:
        print(f"=== Event {event['detail-type']}: {event['detail']['title']}")
    if not any(event["detail"]["ended_at"] for event in told):
        print("=== No event of its end was put on EventBridge.")


def _serve(stack: Stack) -> None:
    port, function = stack.url.rsplit(":", 1)[1], stack.outputs["FunctionName"]
    print(
        f"\nThe embedded AWS stays up at {stack.url}; Ctrl-C ends it. In another shell:\n"
        # boto3 and the AWS CLI version 1 read the second one only.
        f"  export AWS_ENDPOINT_URL={stack.url} AWS_REGION={REGION} AWS_DEFAULT_REGION={REGION} "
        "AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local\n"
        "  make status\n"
        "  make start ENV=dev\n"
        '  aws stepfunctions start-execution --input \'{"action":"start"}\' '
        f"--state-machine-arn {stack.outputs['StateMachineArn']}\n"
        f"  PATH=$PATH:.venv-deploy/bin cargo lambda invoke {function} --invoke-address 127.0.0.1 "
        f"--invoke-port {port} --data-file events/phase-3-start.json"
    )
    while True:
        time.sleep(1)
