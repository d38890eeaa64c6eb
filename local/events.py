"""EventBridge, brought to what AWS documents: Step Functions' own events, and what a rule's target is given.

Owns the corrections to moto's rules. Where AWS's guide does not say what an input transformer makes of a
value, the invocation fails here: a template of ours must not depend on it.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from moto.awslambda.utils import get_backend
from moto.events.models import Rule, events_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution

from local import clock
from local.runtime_api import Lambda

PLACE = re.compile(r"<([A-Za-z0-9_.-]+)>")
# Step Functions leaves the input and the output out of an event that would be larger than this (its guide,
# "Automating Step Functions event delivery with EventBridge").
LARGEST = 248 * 1024
WHOLE_EVENT = "aws.events.event.json"


@dataclass
class Bus:
    """What went over the default buses since the last `clear`."""

    lambdas: Lambda | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """The invocations of targets that failed: rule, target, why."""

    def ours(self) -> list[dict[str, Any]]:
        return [event for event in self.events if event["source"] == "ec2-start-stop"]

    def of_run(self, run: str, seconds: float) -> list[dict[str, Any]]:
        """Our events of a run that has ended, its end among them if it comes within so many real seconds."""
        deadline = time.monotonic() + seconds
        while True:
            found = [event for event in self.ours() if event["detail"]["run"] == run]
            if any(event["detail"]["ended_at"] for event in found) or time.monotonic() > deadline:
                return found
            time.sleep(0.02)


BUS = Bus()


class TransformError(Exception):
    """AWS would not deliver this, or does not say what it would deliver."""


def clear() -> None:
    BUS.events.clear()
    BUS.failed.clear()


def install(lambdas: Lambda) -> None:
    """Installs the corrections; `lambdas` are the functions that may be targets."""
    first = BUS.lambdas is None
    BUS.lambdas = lambdas
    if first:
        _targets()
        _status_changes()


def _targets() -> None:
    """Every target gets what its input says; functions, topics and queues are served here."""
    others = Rule.send_to_targets

    def send_to_targets(self: Any, original_event: Any, transform_input: bool = True) -> None:
        event = _as_delivered(original_event)
        if not any(seen["id"] == event["id"] for seen in BUS.events):
            BUS.events.append(event)
        served = [t for t in self.targets if t["Arn"].split(":")[2] in ("lambda", "sns", "sqs")]
        if len(served) < len(self.targets):
            others(self, original_event, transform_input)
            return
        if getattr(self, "state", "ENABLED") == "DISABLED" or not self.event_pattern.matches_event(event):
            return
        for target in served:
            try:
                _deliver(self.arn, target["Arn"], target_input(target, event))
            except TransformError as error:
                BUS.failed.append(f"{self.name}, {target['Id']}: {error}")

    Rule.send_to_targets = send_to_targets


def _as_delivered(event: Any) -> dict[str, Any]:
    """moto's event with its time as AWS writes it, and without what is moto's own."""
    seconds = event["time"] if isinstance(event["time"], int | float) else clock.CLOCK.now()
    at = dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {key: value for key, value in event.items() if key != "ingestion-time"} | {"time": at}


def _deliver(rule: str, arn: str, text: str) -> None:
    _, _, service, region, account, name = arn.split(":", 5)
    if service == "sns":
        sns_backends[account][region].topics[arn].publish(text)
    elif service == "sqs":
        sqs_backends[account][region].send_message(name, text, message_attributes={}, delay_seconds=0)
    else:
        _may_invoke(rule, arn, get_backend(account, region).get_function(name.split(":")[1]))
        BUS.lambdas.invoke(arn, text.encode(), "Event")


def _may_invoke(rule: str, arn: str, function: Any) -> None:
    for statement in function.policy.statements:
        by = statement.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn", rule)
        if statement["Principal"] == {"Service": "events.amazonaws.com"} and by == rule:
            return
    raise TransformError(f"the policy of {arn} does not let {rule} invoke it")


def target_input(target: dict[str, Any], event: dict[str, Any]) -> str:
    """What a target is given, as text."""
    if "Input" in target:
        return target["Input"]
    if "InputPath" in target:
        return json.dumps(_found(event, target["InputPath"]))
    if transformer := target.get("InputTransformer"):
        return transform(transformer["InputTemplate"], transformer.get("InputPathsMap", {}), event)
    return json.dumps(event)


def _found(event: Any, path: str) -> Any:
    for step in path.removeprefix("$").split(".")[1:]:
        if not isinstance(event, dict) or step not in event:
            raise TransformError(f"the event has no {path}")
        event = event[step]
    return event


def transform(template: str, paths: dict[str, str], event: dict[str, Any]) -> str:
    """Fills a template's places: inside quotes with a plain text, elsewhere with a value as JSON."""
    filled, end = "", 0
    for place in PLACE.finditer(template):
        name = place[1]
        value = event if name == WHOLE_EVENT else _found(event, paths[name]) if name in paths else None
        if value is None:
            raise TransformError(f"<{name}> has no path, or its value is null")
        before = template[end : place.start()]
        filled += before + (_in_quotes(name, value) if _quoted(filled + before) else json.dumps(value))
        end = place.end()
    filled += template[end:]
    try:
        json.loads(filled)
    except ValueError as error:
        raise TransformError(f"the filled template is no JSON: {error}") from error
    return filled


def _quoted(before: str) -> bool:
    """Whether a quote is open."""
    return len(re.findall(r'(?<!\\)(?:\\\\)*"', before)) % 2 == 1


def _in_quotes(name: str, value: Any) -> str:
    if not isinstance(value, str | int | float) or json.dumps(value, ensure_ascii=False).strip('"') != str(
        value
    ):
        raise TransformError(f"<{name}> stands in quotes: {value!r} cannot be put there as it is")
    return str(value)


def _status_changes() -> None:
    """Step Functions puts an event when an execution begins and when it ends."""
    start = Execution.start
    reflect = BaseExecutionWorkerCommunication._reflect_execution_status

    def started(self: Any) -> None:
        start(self)
        put_status_change(self, "RUNNING")

    def ended(self: Any) -> None:
        reflect(self)
        put_status_change(self.execution, self.execution.exec_status.value)

    Execution.start = started
    BaseExecutionWorkerCommunication._reflect_execution_status = ended


def put_status_change(execution: Any, status: str) -> None:
    """Puts Step Functions' own event on the default bus of the execution's account."""
    backend = events_backends[execution.account_id][execution.region_name]
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": execution.account_id,
        "time": clock.CLOCK.now(),
        "region": execution.region_name,
        "resources": [execution.exec_arn],
        "detail": status_detail(execution, status),
    }
    for rule in list(backend.describe_event_bus("default").rules.values()):
        rule.send_to_targets(event)


def status_detail(execution: Any, status: str) -> dict[str, Any]:
    """As Step Functions' guide shows it; what is too large is left out, the input first."""
    ended = status != "RUNNING"
    has_output = ended and status == "SUCCEEDED"
    detail = {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine_arn,
        "stateMachineVersionArn": None,
        "stateMachineAliasArn": None,
        "name": execution.name,
        "status": status,
        "startDate": _milliseconds(execution.start_date),
        "stopDate": _milliseconds(execution.stop_date) if ended else None,
        "input": json.dumps(execution.input_data),
        "output": json.dumps(execution.output) if has_output else None,
        "inputDetails": {"included": True},
        "outputDetails": {"included": True} if has_output else None,
        "error": execution.error if ended else None,
        "cause": execution.cause if ended else None,
        "redriveCount": 0,
        "redriveDate": None,
    }
    for name in ("input", "output"):
        if detail[name] and len(json.dumps(detail)) > LARGEST:
            detail |= {name: None, f"{name}Details": {"included": False}}
    return detail


def _milliseconds(at: dt.datetime) -> int:
    return int(at.timestamp() * 1000)
