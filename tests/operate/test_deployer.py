"""The policy for whoever deploys allows all that the commands ask of AWS."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from local.deploy import ROOT
from local.run import BINARY
from local.server import Call, Server
from operate import approve
from tests.system.conftest import System
from tests.template import deployer

# The access key of the shell that the tests are signed in with.
PERSON = "local"
# Services that are asked by path: what IAM calls it.
BY_PATH = {
    "ses:GET /v2/email/account": "ses:GetAccount",
    "scheduler:GET /schedules": "scheduler:ListSchedules",
    "scheduler:GET /schedules/…": "scheduler:GetSchedule",
}


def action_of(call: Call) -> str:
    action = f"{call.service}:{call.operation}"
    return BY_PATH.get(re.sub(r"(/schedules/).+", r"\1…", action), action)


def not_allowed(system: System) -> set[str]:
    """What the person asked of AWS and may not."""
    calls = [call for call in system.server.application.calls if call.caller == PERSON]
    return {action for action in map(action_of, calls) if not deployer.allows(action)}


def asked(system: System) -> set[str]:
    return {action_of(call) for call in system.server.application.calls if call.caller == PERSON}


def test_no_command_asks_for_anything_that_the_policy_does_not_allow(
    system: System, make: Callable[..., int]
):
    system.server.application.calls.clear()
    make("doctor", "--commands", "true")
    make("start", "--dry-run", "--yes")
    make("status", "--commands", str(BINARY))
    make("log")
    make("postpone", "--environments", "dev", "--until", "2190-12-24", "--commands", str(BINARY))
    make("release", "--environments", "dev")
    assert {"ec2:DescribeInstances", "states:StartExecution", "scheduler:GetSchedule"} <= asked(system)
    assert {"ec2:CreateTags", "ec2:DeleteTags"} <= asked(system)
    assert not_allowed(system) == set()


def test_the_status_of_a_run_that_waits_for_a_yes_asks_for_nothing_more(
    server: Server, tmp_path: Path, make: Callable[..., int], capsys
):
    system = System(server, tmp_path / "function.log", "running", ROOT / "docs" / "approval.toml")
    step_functions = system.stack.client("stepfunctions")
    waiting = system.begin("stop")
    deadline = time.monotonic() + 30
    while not approve.questions(step_functions, waiting):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    system.server.application.calls.clear()
    assert make("status", "--commands", str(BINARY)) == 0
    assert "waits for a yes to the stop of preprod" in capsys.readouterr().out
    assert "states:GetExecutionHistory" in asked(system)
    assert not_allowed(system) == set()
    step_functions.stop_execution(executionArn=waiting)
