"""`make run`: the whole system against the embedded AWS, told as it happens.

Owns the telling. Every line comes from the run itself: the phase log, the execution, the mail that SES got.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from local import alarms, clock, cloudwatch, faults
from local.deploy import ROOT, Stack, deploy
from local.fleet import Fleet
from local.server import Server
from operate.execution import phase_log

BINARY = ROOT / "target" / "debug" / "ec2-start-stop"
BUILD = ROOT / "build" / "run"
SENDER, RECIPIENTS = "start-stop@example.com", "platform@example.com,oncall@example.com"
# No run takes longer than this in simulated time (the machine's own time-out is shorter).
LONGEST_RUN_SECONDS = 3 * 3600


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    if not 0 <= options.port <= 65_535:
        return _refuse(f"PORT is {options.port}; 0 (any free one) to 65535 is expected")
    try:
        wishes = faults.parse(options.fault)
        more_input = _more_input(options.input)
        clock.set_speed(options.speed)
    except ValueError as error:
        return _refuse(str(error))
    if not BINARY.exists():
        return _refuse(f"{BINARY.relative_to(ROOT)} is not there: run cargo build, or make run")
    try:
        server = Server(options.port)
    except (OSError, SystemExit) as error:
        return _refuse(f"port {options.port} cannot be used ({error}): choose another one with PORT=…")
    try:
        return _run(server, options, wishes, more_input)
    except KeyboardInterrupt:
        print("\nInterrupted; nothing is left running.")
        return 130
    except ValueError as error:
        return _refuse(str(error))
    finally:
        server.stop()


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--action", choices=["start", "stop", "both"], default="both")
    parser.add_argument("--speed", type=float, default=60.0, help="simulated seconds a real second")
    parser.add_argument("--fault", default="", help=faults.__doc__)
    parser.add_argument("--input", default="", help="more of the execution's input, as JSON")
    parser.add_argument("--mute", action="store_true", help="watch test2 by two alarms, and mute them")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--serve", action="store_true", help="keep the embedded AWS up")
    return parser.parse_args(arguments)


def _refuse(why: str) -> int:
    print(f"make run: {why}", file=sys.stderr)
    return 2


def _more_input(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text or "{}")
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise ValueError(
            f'INPUT is {text}; a JSON object is expected, for example {{"environments":["dev"]}}'
        )
    return given


def _run(
    server: Server, options: argparse.Namespace, wishes: list[faults.Wish], more_input: dict[str, Any]
) -> int:
    print(f"Embedded AWS at {server.url}; simulated time runs {options.speed:g} times as fast as yours.")
    began = time.monotonic()
    BUILD.mkdir(parents=True, exist_ok=True)
    stack = set_up(server, BUILD / "function.log", **({"MuteAlarms": "on"} if options.mute else {}))
    fleet = Fleet(server, stack.client("ec2"))
    actions = ["start", "stop"] if options.action == "both" else [options.action]
    fleet.seed(ROOT / "servers.toml", "stopped" if actions[0] == "start" else "running")
    if options.mute:
        for alarm in ("test2-cpu", "test2-status"):
            alarms.watch(stack.client("cloudwatch"), alarm, [fleet.ids["test2"]])
    for wish in wishes:
        fleet.break_as(wish)
    print(f"Deployed template.yaml and created {len(fleet.ids)} servers in {time.monotonic() - began:.1f} s.")
    statuses = [run(stack, server, action, more_input) for action in actions]
    if options.serve:
        _serve(stack)
    return 0 if wishes or all(status == "SUCCEEDED" for status in statuses) else 1


def set_up(
    server: Server,
    log: Path,
    binary: Path = BINARY,
    servers: Path = ROOT / "servers.toml",
    machine: str | None = None,
    **parameters: str,
) -> Stack:
    """Deploys the template and verifies the mail's sender."""
    given = {
        "MailSender": SENDER,
        "MailRecipients": RECIPIENTS,
        "TimeZone": "Europe/Madrid",
        "StartEnabled": "ENABLED",
        "StopEnabled": "ENABLED",
    }
    stack = deploy(server, given | parameters, binary, log, servers, machine)
    stack.client("ses").verify_email_identity(EmailAddress=SENDER)
    return stack


def target(stack: Stack, action: str) -> tuple[str, dict[str, Any]]:
    """What the schedule of this action starts, and with which input."""
    scheduler = stack.client("scheduler")
    for summary in scheduler.list_schedules()["Schedules"]:
        schedule = scheduler.get_schedule(Name=summary["Name"])
        given = json.loads(schedule["Target"]["Input"])
        if given.get("action") == action:
            return schedule["Target"]["Arn"], given
    raise RuntimeError(f"the template has no schedule that does {action}")


def run(stack: Stack, server: Server, action: str, more_input: dict[str, Any]) -> str:
    """Runs one action through its schedule's target, telling the phase log; gives the execution's status."""
    machine, given = target(stack, action)
    given |= more_input
    print(f"\n=== {action.upper()}: the schedule's target with its input {json.dumps(given)}")
    step_functions = stack.client("stepfunctions")
    execution = step_functions.start_execution(stateMachineArn=machine, input=json.dumps(given))
    name = execution["executionArn"].rsplit(":", 1)[1]
    teller = Teller(stack, name)
    deadline = time.monotonic() + clock.CLOCK.real(LONGEST_RUN_SECONDS)
    while time.monotonic() < deadline:
        told = step_functions.describe_execution(executionArn=execution["executionArn"])
        teller.tell()
        if told["status"] != "RUNNING":
            break
        time.sleep(0.2)
    print(f"=== Execution {name}: {told['status']} {told.get('error') or ''}".rstrip())
    if told.get("error") == "InvalidInput":
        print(f"    {told['cause']}")
    if muted := cloudwatch.muted():
        print(f"=== CloudWatch alarms that take no action now: {', '.join(sorted(muted))}")
    show_mail(server, action)
    return told["status"]


class Teller:
    """Prints a run's phase log as it grows."""

    def __init__(self, stack: Stack, stream: str) -> None:
        self.logs = stack.client("logs")
        self.group = stack.outputs["PhaseLogGroup"]
        self.stream = stream
        self.told = 0
        self.began = clock.CLOCK.now()

    def tell(self) -> None:
        events = phase_log(self.logs, self.group, self.stream)
        for event in events[self.told :]:
            print(f"  {event['timestamp'] / 1000 - self.began:5.0f} s  {event['message']}")
        self.told = len(events)


def mails(server: Server) -> list[dict[str, str]]:
    """The mails that SES was given, both bodies, as they were sent."""
    return [call.parameters for call in server.application.calls if call.operation == "SendEmail"]


def show_mail(server: Server, action: str) -> None:
    sent = mails(server)
    if not sent:
        print("=== No mail was sent.")
        return
    mail = sent[-1]
    html = BUILD / f"{action}.html"
    html.write_text(mail["Message.Body.Html.Data"])
    to = ", ".join(value for key, value in mail.items() if key.startswith("Destination.ToAddresses"))
    print(f"=== Mail to {to}: {mail['Message.Subject.Data']}\n")
    print(mail["Message.Body.Text.Data"])
    print(f"\n=== Its HTML: {html.relative_to(ROOT)}")


def _serve(stack: Stack) -> None:
    print(
        f"\nThe embedded AWS stays up at {stack.url}; Ctrl-C ends it. For example:\n"
        f"  export AWS_ENDPOINT_URL={stack.url} AWS_REGION=eu-west-1 "
        "AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local\n"
        '  aws stepfunctions start-execution --input \'{"action":"start"}\' '
        f"--state-machine-arn {stack.outputs['StateMachineArn']}\n"
        f"  cargo lambda invoke {stack.outputs['FunctionName']} --invoke-port {stack.url.rsplit(':', 1)[1]} "
        "--data-file events/phase-3-start.json"
    )
    while True:
        time.sleep(1)
