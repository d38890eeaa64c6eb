"""The rows of whole executions on the embedded AWS: Lambda seconds, state transitions, cost.

Owns these measurements: ours as template.yaml deploys it, the baseline's machine and function beside it, on
fleets with the same boot times. Both functions are warm before the execution: their inits are other rows.
"""

from __future__ import annotations

import json
import math
import random
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import cost, functions
from bench.baseline import machine
from bench.cost import Usage
from bench.start_up import LAMBDA_MB
from bench.table import Goal, Row
from local import clock, ec2, run
from local.deploy import client
from local.fleet import Fleet
from local.rendering import rendered
from local.runtime_api import ACCOUNT, Function
from local.server import Server

SAMPLES = 7
# A minute takes two seconds; a call of some milliseconds is less than half a simulated second.
SPEED = 30
# Real seconds; a run takes about fifteen.
LONGEST_RUN = 300.0
ENVIRONMENTS = 3
ACTIONS = ("start", "stop")
SKIP = {**functions.phase_event(), "next_phase": False}


@dataclass
class System:
    """A deployed system: its function, and the machine and input of each action."""

    function: Function
    targets: dict[str, tuple[str, dict[str, Any]]]


def rows(server: Server) -> list[Row]:
    """Runs both systems in turn; the clock is as it was afterwards."""
    measured: dict[str, list[dict[str, Usage]]] = {"ours": [], "baseline": []}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(SAMPLES):
            for name, set_up in (("ours", _ours), ("baseline", _baseline)):
                measured[name].append(_start_and_stop(server, set_up, Path(folder), number))
    clock.set_speed(1)
    return _rows(measured["ours"], measured["baseline"])


def _rows(ours: list[dict[str, Usage]], baseline: list[dict[str, Usage]]) -> list[Row]:
    prices = cost.prices()

    def row(what: str, unit: str, of: Callable[[dict[str, Usage]], float], *goals: Goal) -> Row:
        return Row(what, [of(run) for run in ours], "baseline", [of(run) for run in baseline], unit, goals)

    return [
        *(
            row(f"Lambda seconds of a {action}", "s", lambda run, a=action: run[a].lambda_seconds)
            for action in ACTIONS
        ),
        *(
            row(f"state transitions of a {action}", "", lambda run, a=action: run[a].transitions)
            for action in ACTIONS
        ),
        row("cost of a start", "USD", lambda run: cost.of_run(run["start"], prices)),
        row(
            f"cost of a month: {cost.WEEKDAYS} starts and stops",
            "USD",
            lambda run: cost.of_month(run["start"], run["stop"], prices),
            Goal(0.15),
        ),
    ]


def _start_and_stop(
    server: Server, set_up: Callable[[Server, Path], System], folder: Path, seed: int
) -> dict[str, Usage]:
    _empty(server)
    system = set_up(server, folder)
    fleet = Fleet(server, client(server.url, "ec2"))
    fleet.seed(functions.SERVERS, "stopped")
    _give_habits(fleet, seed)
    _warm(system.function, server)
    return {action: _run(server, system, fleet, action) for action in ACTIONS}


def _run(server: Server, system: System, fleet: Fleet, action: str) -> Usage:
    seconds = _metered(system.function)
    arn, given = system.targets[action]
    history = _execute(client(server.url, "stepfunctions"), arn, given)
    wanted = "running" if action == "start" else "stopped"
    if any(fleet.state(name) != wanted for name in fleet.ids):
        raise RuntimeError(f"not every server is {wanted}: the {action} did not do its work")
    # "Each time a step of your workflow is executed", retries too: https://aws.amazon.com/step-functions/pricing/
    entered = sum(event["type"].endswith("StateEntered") for event in history)
    tasks = sum(event["type"] == "TaskStateEntered" for event in history)
    retries = sum(event["type"] == "TaskScheduled" for event in history) - tasks
    return Usage(len(seconds), sum(seconds), LAMBDA_MB, entered + retries)


def _execute(step_functions: Any, arn: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    """Runs to the end; gives the history."""
    execution = step_functions.start_execution(stateMachineArn=arn, input=json.dumps(given))["executionArn"]
    deadline = time.monotonic() + LONGEST_RUN
    while (told := step_functions.describe_execution(executionArn=execution))["status"] == "RUNNING":
        if time.monotonic() > deadline:
            raise RuntimeError(f"{execution} does not end")
        time.sleep(0.1)
    if told["status"] != "SUCCEEDED":
        raise RuntimeError(f"{execution} is {told['status']}: {told.get('cause')}")
    pages = step_functions.get_paginator("get_execution_history").paginate(executionArn=execution)
    return [event for page in pages for event in page["events"]]


def _metered(function: Function) -> list[float]:
    """The simulated seconds of each invocation from now on."""
    seconds: list[float] = []
    invoke = Function.invoke

    def timed(payload: bytes, address: str) -> Any:
        began = clock.CLOCK.now()
        job = invoke(function, payload, address)
        seconds.append(clock.CLOCK.now() - began)
        return job

    function.invoke = timed  # type: ignore[method-assign]
    return seconds


def _warm(function: Function, server: Server) -> None:
    """One process for each environment, past its init."""
    address = server.application.lambdas.address
    payload = json.dumps(SKIP).encode()
    threads = [threading.Thread(target=function.invoke, args=(payload, address)) for _ in range(ENVIRONMENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _give_habits(fleet: Fleet, seed: int) -> None:
    """Boot times by name, so that both sides have the same; as src/testkit/simulation/fleet.rs assumes them.

    None is longer than the baseline's patience (60 s a state, 270 s the checks): both do all the work.
    """
    dice = random.Random(seed)
    for name in sorted(fleet.ids):
        habit = fleet.habit(name)
        habit.boot = min(dice.lognormvariate(math.log(18), 0.35), 55)
        habit.checks = min(dice.lognormvariate(math.log(110), 0.35), 200)
        habit.shutdown = min(dice.lognormvariate(math.log(25), 0.35), 55)


def _ours(server: Server, folder: Path) -> System:
    machine = rendered(functions.SERVERS)
    stack = run.set_up(server, folder / "ours.log", functions.OURS, functions.SERVERS, machine)
    function = server.application.lambdas.functions[stack.outputs["FunctionName"]]
    return System(function, {action: run.target(stack, action) for action in ACTIONS})


def _baseline(server: Server, folder: Path) -> System:
    variables = {
        "PHASE_LOG_GROUP": functions.LOG_GROUP,
        "MAIL_SENDER": run.SENDER,
        "MAIL_RECIPIENTS": run.RECIPIENTS,
    }
    environment = functions.environment(server.url, variables, functions.SERVERS, folder)
    function = Function("baseline", functions.BASELINE, environment, folder / "baseline.log")
    server.application.lambdas.functions[function.name] = function
    client(server.url, "ses").verify_email_identity(EmailAddress=run.SENDER)
    logs = client(server.url, "logs")
    logs.create_log_group(logGroupName=functions.LOG_GROUP)
    functions.create_streams(logs, functions.LOG_GROUP)
    step_functions = client(server.url, "stepfunctions")
    targets = {}
    for action in ACTIONS:
        created = step_functions.create_state_machine(
            name=f"baseline-{action}",
            definition=json.dumps(machine.definition(function.arn, action)),
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/baseline",
        )
        targets[action] = (created["stateMachineArn"], {})
    return System(function, targets)


def _empty(server: Server) -> None:
    """A new embedded AWS, with simulated time from now on."""
    clock.set_speed(SPEED)
    server.application.lambdas.stop()
    server.application.lambdas.functions.clear()
    ec2.HABITS.clear()
    request = urllib.request.Request(f"{server.url}/moto-api/reset", method="POST")
    urllib.request.urlopen(request, timeout=30).close()
