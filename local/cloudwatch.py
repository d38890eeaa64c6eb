"""CloudWatch's alarms: its protocol, which moto does not speak, and mute rules, which moto does not have.

Owns the translation of Smithy RPC v2 CBOR into moto's JSON, the pages of DescribeAlarms, and the mute rules
in simulated time. Alarms themselves are moto's; nothing here evaluates a metric. Not verified against AWS:
what PutAlarmMuteRule makes of a window that has begun already (here it mutes at once).
"""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import cbor2
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from moto.cloudwatch.models import cloudwatch_backends

from local import clock
from local.accounts import HOME, Place
from local.runtime_api import Answer

OPERATION = re.compile(r"^/service/GraniteServiceVersion20100801/operation/(\w+)$")
AT = re.compile(r"^at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2})\)$")
MINUTES = re.compile(r"^PT(\d+)M$")
LONGEST_MINUTES = 15 * 24 * 60
MODEL = ServiceModel(Loader().load_service_model("cloudwatch", "service-2"))

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class CloudWatchError(Exception):
    """A call that CloudWatch refuses."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.status = code, status


@dataclass
class MuteRule:
    """One window; without targets it mutes every alarm."""

    place: Place
    given: dict[str, Any]
    begins: dt.datetime
    ends: dt.datetime

    @property
    def arn(self) -> str:
        account, region = self.place
        return f"arn:aws:cloudwatch:{region}:{account}:alarm-mute-rule:{self.given['Name']}"

    @property
    def targets(self) -> list[str]:
        return self.given.get("MuteTargets", {}).get("AlarmNames", [])

    def status(self) -> str:
        now = clock.CLOCK.utc()
        if now >= self.ends:
            return "EXPIRED"
        return "ACTIVE" if now >= self.begins else "SCHEDULED"


def rules(place: Place = HOME) -> dict[str, MuteRule]:
    """The rules by name. They are kept where moto's reset empties them."""
    return cloudwatch_backends[place.account][place.region].__dict__.setdefault("mute_rules", {})


def muted(place: Place = HOME) -> set[str]:
    """The alarms that a rule mutes now, or from the next minute on."""
    names: set[str] = set()
    for rule in rules(place).values():
        if rule.status() != "EXPIRED":
            names.update(rule.targets or _alarm_names(place))
    return names


def decode(body: bytes) -> dict[str, Any]:
    return cbor2.loads(body) if body else {}


def answer(
    moto: Wsgi, environ: dict[str, Any], operation: str, given: dict[str, Any], place: Place = HOME
) -> Answer:
    """The answer to one call, in CBOR."""
    try:
        told = OURS[operation](given, place) if operation in OURS else _moto(moto, environ, operation, given)
        if operation == "DescribeAlarms":
            told = _page_of_alarms(given, told)
    except CloudWatchError as error:
        return refusal(error.code, str(error), error.status)
    return 200, HEADERS, cbor2.dumps(told, datetime_as_timestamp=True, timezone=dt.UTC)


def refusal(code: str, message: str, status: int) -> Answer:
    """An error as the protocol writes it."""
    return status, HEADERS, cbor2.dumps({"__type": f"com.amazonaws.cloudwatch#{code}", "message": message})


HEADERS = {"smithy-protocol": "rpc-v2-cbor"}


def _moto(moto: Wsgi, environ: dict[str, Any], operation: str, given: dict[str, Any]) -> dict[str, Any]:
    """moto's answer to the same call in JSON."""
    body = json.dumps(given, default=lambda value: value.timestamp()).encode()
    request = environ | {
        "PATH_INFO": "/",
        "RAW_URI": "/",
        "REQUEST_URI": "/",
        "CONTENT_TYPE": "application/x-amz-json-1.0",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_AMZ_TARGET": f"GraniteServiceVersion20100801.{operation}",
        "wsgi.input": io.BytesIO(body),
    }
    status: list[int] = []
    text = b"".join(moto(request, lambda line, *_: status.append(int(line.split()[0]))))
    told = json.loads(text or b"{}")
    if status[0] >= 400:
        raise CloudWatchError(told.get("__type", "Unknown"), told.get("message", ""), status[0])
    return _with_times(told, MODEL.operation_model(operation).output_shape)


def _with_times(value: Any, shape: Shape | None) -> Any:
    """JSON's numbers as times, where the model says so."""
    if shape is None or value is None:
        return value
    if shape.type_name == "structure":
        return {name: _with_times(item, shape.members.get(name)) for name, item in value.items()}
    if shape.type_name == "list":
        return [_with_times(item, shape.member) for item in value]
    return dt.datetime.fromtimestamp(value, dt.UTC) if shape.type_name == "timestamp" else value


def _page_of_alarms(given: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """moto gives all alarms at once. Composite ones, which nobody asks for here, are left out."""
    page, token = _page(given, told["MetricAlarms"], 50)
    return {"MetricAlarms": page, "CompositeAlarms": [], **token}


def _page(given: dict[str, Any], items: list[Any], default: int) -> tuple[list[Any], dict[str, str]]:
    """The page that was asked for, and the token of the next one."""
    begin, most = int(given.get("NextToken", 0)), given.get("MaxRecords", default)
    if not 1 <= most <= 100:
        raise CloudWatchError("ValidationError", f"MaxRecords is {most}; 1 to 100 is expected")
    end = begin + most
    return items[begin:end], {"NextToken": str(end)} if end < len(items) else {}


def _alarm_names(place: Place) -> set[str]:
    return {alarm.name for alarm in cloudwatch_backends[place.account][place.region].describe_alarms()}


def _put_rule(given: dict[str, Any], place: Place) -> dict[str, Any]:
    schedule = given["Rule"]["Schedule"]
    at, minutes = AT.match(schedule["Expression"]), MINUTES.match(schedule["Duration"])
    if not at or not minutes or not 1 <= int(minutes[1]) <= LONGEST_MINUTES:
        raise CloudWatchError("ValidationError", f"no window that this embedded AWS understands: {schedule}")
    begins = dt.datetime.fromisoformat(at[1]).replace(tzinfo=dt.UTC)
    ends = begins + dt.timedelta(minutes=int(minutes[1]))
    rule = MuteRule(place, given, begins, min(ends, given.get("ExpireDate", ends)))
    if len(rule.targets) > 100:
        raise CloudWatchError("ValidationError", f"{len(rule.targets)} alarm names; at most 100 are expected")
    if unknown := set(rule.targets) - _alarm_names(place):
        raise CloudWatchError("ValidationError", f"there is no alarm {', '.join(sorted(unknown))}")
    rules(place)[given["Name"]] = rule
    return {}


def _delete_rule(given: dict[str, Any], place: Place) -> dict[str, Any]:
    rules(place).pop(given["AlarmMuteRuleName"], None)
    return {}


def _get_rule(given: dict[str, Any], place: Place) -> dict[str, Any]:
    rule = rules(place).get(given["AlarmMuteRuleName"])
    if rule is None:
        raise CloudWatchError("ResourceNotFoundException", "there is no such rule", 404)
    return rule.given | {"AlarmMuteRuleArn": rule.arn, "Status": rule.status(), "MuteType": "ONE_TIME"}


def _list_rules(given: dict[str, Any], place: Place) -> dict[str, Any]:
    page, token = _page(given, list(rules(place).values()), 50)
    summaries = [{"AlarmMuteRuleArn": rule.arn, "Status": rule.status()} for rule in page]
    return {"AlarmMuteRuleSummaries": summaries, **token}


OURS: dict[str, Callable[[dict[str, Any], Place], dict[str, Any]]] = {
    "PutAlarmMuteRule": _put_rule,
    "DeleteAlarmMuteRule": _delete_rule,
    "GetAlarmMuteRule": _get_rule,
    "ListAlarmMuteRules": _list_rules,
}
