"""The policy for whoever deploys allows all that the commands ask of AWS."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable

from local.deploy import ROOT
from local.run import BINARY
from local.server import Call
from tests.system.conftest import System

POLICY = json.loads((ROOT / "docs" / "deployer-policy.json").read_text())
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
    calls = [call for call in system.server.application.calls if call.caller == PERSON]
    asked = {action_of(call) for call in calls}
    assert {"ec2:DescribeInstances", "states:StartExecution", "scheduler:GetSchedule"} <= asked
    assert {"ec2:CreateTags", "ec2:DeleteTags"} <= asked
    allowed = [action for statement in POLICY["Statement"] for action in statement["Action"]]
    assert {action for action in asked if not any(fnmatch.fnmatchcase(action, a) for a in allowed)} == set()
