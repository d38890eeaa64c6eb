"""EC2 that behaves in time: instances that boot and shut down, checks that lag, states that refuse a call.

Owns what moto's EC2 lacks; everything else of EC2 is moto's. Times are simulated (local.clock). What is not
verified against AWS: StopInstances on a pending instance is refused here.
"""

from __future__ import annotations

import copy
import datetime as dt
from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instances import Instance, InstanceState, StateReason
from moto.ec2.responses.instances import InstanceResponse

from local import clock, error_texts

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
STARTABLE = ("stopped", "pending", "running")
STOPPABLE = ("running", "stopping", "stopped")


@dataclass
class Habit:
    """How an instance behaves; seconds are simulated ones."""

    boot: float = 20.0
    checks: float = 90.0
    shutdown: float = 40.0
    start_ends: str = "running"
    check_ends: str = "ok"
    reason: tuple[str, str] | None = None


HABITS: dict[str, Habit] = {}
"""By instance id; who is not in it has the habit of `habit_of`."""


def habit_of(instance_id: str) -> Habit:
    """Instances differ, and the same instance always behaves the same."""
    spread = int(instance_id[-4:], 16) % 30 if instance_id[-4:].isalnum() else 0
    return HABITS.setdefault(
        instance_id, Habit(boot=12 + spread / 2, checks=60 + 2 * spread, shutdown=20 + spread)
    )


class IncorrectInstanceStateError(EC2ClientError):
    """The state does not allow the request."""

    def __init__(self, instance_id: str, verb: str) -> None:
        super().__init__("IncorrectInstanceState", error_texts.incorrect_state(instance_id, verb))


@dataclass
class Transition:
    """What is under way."""

    due: float
    state: str
    reason: tuple[str, str] | None


def _settle(self: Instance) -> InstanceState:
    """The state now, after whatever was under way."""
    under_way: Transition | None = self.__dict__.get("_under_way")
    if under_way and clock.CLOCK.now() >= under_way.due:
        self.__dict__["_under_way"] = None
        self.__dict__["_settled"] = InstanceState(under_way.state, CODES[under_way.state])
        if under_way.state == "running":
            self.__dict__["_up_since"] = under_way.due
        if under_way.reason:
            self.state_reason = StateReason(under_way.reason[1], under_way.reason[0])
    return self.__dict__["_settled"]


def _begin(
    self: Instance,
    state: str,
    seconds: float,
    ends: str,
    reason: tuple[str, str] | None = None,
) -> None:
    self.__dict__["_settled"] = InstanceState(state, CODES[state])
    self.__dict__["_under_way"] = Transition(clock.CLOCK.now() + seconds, ends, reason)


def _checks(self: Instance) -> dict[str, Any]:
    """The status checks begin when the instance runs, and pass after a while."""
    if self._state.name != "running":
        return {"Status": "not-applicable"}
    habit = habit_of(self.id)
    up_since = self.__dict__.get("_up_since")
    if up_since is not None and clock.CLOCK.now() < up_since + habit.checks:
        status, detail = "initializing", "initializing"
    else:
        status, detail = habit.check_ends, "passed" if habit.check_ends == "ok" else "failed"
    return {"Details": [{"Name": "reachability", "Status": detail}], "Status": status}


_installed = False


def install() -> None:
    """Puts the behaviour into moto's EC2, once in a process."""
    global _installed
    if _installed:
        return
    _installed = True
    start, stop = Instance.start, Instance.stop

    def start_in_time(self: Instance) -> InstanceState:
        previous = copy.copy(_settle(self))
        if previous.name != "stopped":
            return previous
        start(self)
        habit = habit_of(self.id)
        self.launch_time = clock.CLOCK.utc()
        _begin(self, "pending", habit.boot, habit.start_ends, habit.reason)
        return previous

    def stop_in_time(self: Instance) -> InstanceState:
        previous = copy.copy(_settle(self))
        if previous.name in ("stopped", "stopping"):
            return previous
        stop(self)
        self._reason = f"User initiated ({clock.CLOCK.utc():%Y-%m-%d %H:%M:%S} GMT)"
        _begin(self, "stopping", habit_of(self.id).shutdown, "stopped")
        return previous

    Instance._state = property(_settle, lambda self, state: self.__dict__.__setitem__("_settled", state))
    Instance.start, Instance.stop = start_in_time, stop_in_time
    Instance.instance_status = property(_checks)
    Instance.system_status = property(_checks)
    Instance.attached_ebs_status = property(_checks)
    Instance.application_status = property(lambda self: {"Status": _checks(self)["Status"]})
    InstanceResponse.start_instances = _answer("start_instances", "StartingInstances", STARTABLE, "started")
    InstanceResponse.stop_instances = _answer("stop_instances", "StoppingInstances", STOPPABLE, "stopped")


def _answer(call: str, field: str, allowed: tuple[str, ...], verb: str) -> Any:
    """All or nothing, as the service: one instance in a wrong state refuses the whole call."""

    def answer(self: InstanceResponse) -> ActionResult:
        ids = self._get_param("InstanceIds", [])
        if not ids:
            raise EC2ClientError("MissingParameter", "The request must contain the parameter InstanceId")
        instances = self.ec2_backend.get_multi_instances_by_id(ids)
        self.error_on_dryrun()
        for instance in instances:
            if _settle(instance).name not in allowed:
                raise IncorrectInstanceStateError(instance.id, verb)
        changed = getattr(self.ec2_backend, call)(ids)
        states = [
            {
                "InstanceId": instance.id,
                "CurrentState": {"Code": _settle(instance).code, "Name": _settle(instance).name},
                "PreviousState": previous,
            }
            for instance, previous in changed
        ]
        return ActionResult({field: states})

    return answer


def pretend_launched(instance: Instance, hours_ago: float) -> None:
    """Sets when a seeded instance was last launched."""
    instance.launch_time = clock.CLOCK.utc() - dt.timedelta(hours=hours_ago)
