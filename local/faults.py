"""Faults on demand: which AWS call fails, for which instance, with which code, how often.

Owns the small grammar that `make run FAULT=…` and the tests share: `Operation=Code[:server][*TIMES]`, several
separated by commas. `StartInstances=InsufficientInstanceCapacity:test2` fails every start that names test2.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass

from local import error_texts
from operate.suggest import did_you_mean

GRAMMAR = re.compile(
    r"^(?P<operation>[A-Za-z]+)=(?P<code>[A-Za-z.]+)(:(?P<server>[^*]+))?(\*(?P<times>[1-9]\d*))?$"
)
# What the function and the state machine call; a fault of anything else could never happen.
OPERATIONS = (
    "DescribeInstances",
    "DescribeInstanceStatus",
    "DescribeSpotInstanceRequests",
    "DescribeVolumes",
    "StartInstances",
    "StopInstances",
    "SendEmail",
    "CreateLogStream",
    "PutLogEvents",
    "DescribeAlarms",
    "GetAlarmMuteRule",
    "ListAlarmMuteRules",
    "PutAlarmMuteRule",
    "DeleteAlarmMuteRule",
    "ListExecutions",
    "GetCalendarState",
    "CreateSchedule",
    "AssumeRole",
)
EVERY_TIME = 1_000_000
# "Checks whether you have the required permissions for the action, without actually making the request" (API:
# StartInstances, DryRun): what only the request itself meets.
NOT_IN_A_DRY_RUN = re.compile(r"Capacity|^(Vcpu|Instance)LimitExceeded$|^Incorrect|^Unsupported")


@dataclass
class Fault:
    """One fault; `instance_id` none means every call of the operation. It may be a role's ARN, or a place."""

    operation: str
    code: str
    instance_id: str | None = None
    times: int = EVERY_TIME
    happened: int = 0

    @property
    def status(self) -> int:
        return error_texts.status(self.code)

    def message(self, service: str, subject: str | None) -> str:
        """What AWS says; `subject` is what the call named, where the fault itself names no instance."""
        return error_texts.text(
            self.code, error_texts.Refused(service, self.operation, self.instance_id or subject)
        )


@dataclass
class Wish:
    """A fault as a person writes it: a server's Name in place of its id, or an environment elsewhere."""

    operation: str
    code: str
    server: str | None
    times: int


def parse(text: str) -> list[Wish]:
    """Reads `FAULT`; a ValueError says what is expected."""
    wishes = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = GRAMMAR.match(part)
        if not match:
            raise ValueError(
                f"FAULT '{part}': expected Operation=Code, Operation=Code:server or either with *TIMES, "
                "for example StartInstances=InsufficientInstanceCapacity:test2*3"
            )
        operation = match["operation"]
        if operation not in OPERATIONS:
            raise ValueError(
                f"FAULT '{part}': nobody calls {operation}{did_you_mean(operation, OPERATIONS)}: "
                f"the calls are {', '.join(OPERATIONS)}"
            )
        times = int(match["times"]) if match["times"] else EVERY_TIME
        wishes.append(Wish(operation, match["code"], match["server"], times))
    return wishes


class Faults:
    """The faults that are waiting to happen."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def never_happened(self) -> list[Fault]:
        """Those that no call has met."""
        with self._lock:
            return [fault for fault in self._faults if not fault.happened]

    def due(
        self,
        operation: str,
        instance_ids: set[str],
        others: frozenset[str] = frozenset(),
        dry_run: bool = False,
    ) -> Fault | None:
        """The fault for this call, counted down; `others` are the role that it names, and its place."""
        with self._lock:
            for fault in self._faults:
                fits = fault.instance_id is None or fault.instance_id in instance_ids | others
                hidden = dry_run and NOT_IN_A_DRY_RUN.search(fault.code)
                if fault.operation == operation and fault.times > 0 and fits and not hidden:
                    fault.times -= 1
                    fault.happened += 1
                    return fault
        return None
