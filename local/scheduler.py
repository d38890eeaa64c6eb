"""One-time schedules of EventBridge Scheduler that fire, in simulated time: moto fires none.

Owns when a one-time schedule is due, the execution that it starts, where an event goes that starts none, and
its deletion when it is done. Recurring schedules do not fire: `make run` goes through their target and input.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import threading
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from botocore.exceptions import ClientError
from moto.scheduler.exceptions import ScheduleGroupNotFound
from moto.scheduler.models import EventBridgeSchedulerBackend, scheduler_backends

from local import clock, schedule_rules

# Real seconds between two looks at the schedules.
PAUSE_SECONDS = 0.02


def install() -> None:
    """A schedule knows when it was made, in simulated time; what AWS refuses is refused."""
    create = EventBridgeSchedulerBackend.create_schedule
    update = EventBridgeSchedulerBackend.update_schedule
    if getattr(create, "is_simulated", False):
        return

    def created(self: Any, *args: Any, **kwargs: Any) -> Any:
        schedule_rules.check(kwargs)
        group = kwargs.get("group_name") or "default"
        if group not in self.schedule_groups:
            raise ScheduleGroupNotFound(group)
        schedule = create(self, *args, **kwargs)
        schedule.made_at = clock.CLOCK.now()
        return schedule

    def updated(self: Any, *args: Any, **kwargs: Any) -> Any:
        schedule_rules.check(kwargs)
        return update(self, *args, **kwargs)

    created.is_simulated = True
    EventBridgeSchedulerBackend.update_schedule = updated
    EventBridgeSchedulerBackend.create_schedule = created


def due(schedule: Any) -> float | None:
    """When a one-time schedule fires, in epoch seconds; none if it recurs, or was past when it was made."""
    at = schedule_rules.AT.fullmatch(schedule.schedule_expression)
    if not at or schedule.state != "ENABLED":
        return None
    zone = ZoneInfo(schedule.schedule_expression_timezone)
    moment = dt.datetime.fromisoformat(at[1]).replace(tzinfo=zone).timestamp()
    return moment if moment >= getattr(schedule, "made_at", moment) else None


class Scheduler:
    """Fires what is due until it is stopped."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client
        self._ends = threading.Event()
        self._fired: set[int] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ends.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._ends.wait(PAUSE_SECONDS):
            for group, schedule in _schedules():
                if id(schedule) in self._fired:
                    continue
                try:
                    self._fire_if_due(group, schedule)
                except Exception as error:  # noqa: BLE001 - whatever ails one schedule, the others still fire
                    self._fired.add(id(schedule))
                    print(f"schedule {schedule.name}: {type(error).__name__}: {error}", file=sys.stderr)

    def _fire_if_due(self, group: Any, schedule: Any) -> None:
        moment = due(schedule)
        if moment is None or moment > clock.CLOCK.now():
            return
        self._fired.add(id(schedule))
        self._fire(schedule)
        if schedule.action_after_completion == "DELETE":
            group.schedules.pop(schedule.name, None)

    def _fire(self, schedule: Any) -> None:
        target = schedule.target
        try:
            self._client("stepfunctions").start_execution(
                stateMachineArn=target["Arn"], input=target.get("Input", "{}")
            )
        except ClientError as error:
            self._keep(target, error)

    def _keep(self, target: dict[str, Any], error: ClientError) -> None:
        """The event goes to the dead-letter queue, with what AWS said."""
        if arn := target.get("DeadLetterConfig", {}).get("Arn"):
            sqs = self._client("sqs")
            queue = sqs.get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
            code = {"DataType": "String", "StringValue": error.response["Error"]["Code"]}
            attributes = {"ERROR_CODE": code}
            body = json.dumps({"StateMachineArn": target["Arn"], "Input": target.get("Input", "{}")})
            sqs.send_message(QueueUrl=queue, MessageBody=body, MessageAttributes=attributes)


def _schedules() -> list[tuple[Any, Any]]:
    """Every schedule of every account and Region, with its group."""
    backends = [
        backend for account in list(scheduler_backends.values()) for backend in list(account.values())
    ]
    groups = [group for backend in backends for group in list(backend.schedule_groups.values())]
    return [(group, schedule) for group in groups for schedule in list(group.schedules.values())]
