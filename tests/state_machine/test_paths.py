"""Every path of the rendered state machine, with stand-ins for the function."""

from __future__ import annotations

import json
import threading
import time
import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from local.faults import Fault
from local.fleet import lists
from local.rendering import rendered
from local.server import Server
from local.state_machine_lab import FunctionError, InvokeError, Run, lab, run
from tests.conftest import SERVERS_FILE

MACHINE = json.loads(rendered(SERVERS_FILE))
TIERS = tomllib.loads(SERVERS_FILE.read_text()).get("tiers", ["db", "app"])
LISTS = sorted(lists(SERVERS_FILE), key=lambda given: TIERS.index(given["tier"]))
NAMES = {given["number"]: f"{given['environment']} {given['tier']}" for given in LISTS}
ENVIRONMENTS = list(dict.fromkeys(given["environment"] for given in lists(SERVERS_FILE)))
# By environment, in the order of a start.
ORDER = {name: [given["number"] for given in LISTS if given["environment"] == name] for name in ENVIRONMENTS}
FIRST = [numbers[0] for numbers in ORDER.values()]
LAST = [numbers[-1] for numbers in ORDER.values()]
DEV = ENVIRONMENTS[0]
DEV_DB, DEV_APP = ORDER[DEV][0], ORDER[DEV][-1]
GOES_ON = ("ready", "degraded", "empty")
STATE = {"InstanceId": "i-0bad14933fffa49b9", "State": "stopped", "is_running": False}


def answer(payload: dict[str, Any], outcome: str = "ready", **more: Any) -> dict[str, Any]:
    """A phase's answer to the state machine, shaped as the function shapes it (test_contract.py)."""
    if not payload["next_phase"]:
        outcome = "skipped"
    number = payload["phase_number"]
    environment, tier = NAMES[number].split()
    initial = {"empty": True} if outcome in ("skipped", "empty") else {f"server{number}": STATE}
    servers = {"total": 1, "ready": 1, "changed": 1, "failed": 0}
    before = payload["branch"]
    phases = [phase for phase in before.get("phases", []) if phase["phase_number"] != number]
    phase = {"phase_number": number, "tier": tier, "outcome": outcome, "servers": servers, "problems": []}
    reached = {field_of(number): more.get("initial_state", initial)}
    record = {"environment": environment, "ok": outcome in (*GOES_ON, "skipped")}
    record |= {"phases": [*phases, phase | {k: v for k, v in more.items() if k in ("problems", "actions")}]}
    record |= {field_of(n): before.get(field_of(n), {"empty": True}) for n in ORDER[environment]} | reached
    settle = more.get("settle_seconds", 0)
    step = {
        "in_progress": outcome == "in_progress",
        "settle": outcome in GOES_ON and settle > 0,
        "settle_seconds": settle,
        "go_on": outcome in GOES_ON,
        "resume": more.get("resume"),
        "record": record,
    }
    return {"next_phase": outcome in GOES_ON, "outcome": outcome, "servers": servers, "branch": step}


def field_of(number: int) -> str:
    return f"{NAMES[number].replace(' ', '_')}_initial_state"


def report(payload: dict[str, Any]) -> dict[str, Any]:
    """The report's answer, cut down."""
    if payload.get("skipped"):
        return {"status": "SKIPPED", "mail": None, "problems": []}
    mail = {"message_id": "m-1", "from": "a@example.com", "to": ["b@example.com"]}
    ok = payload["error"] is None and all(result["ok"] for result in payload["results"])
    if ok:
        return {"status": "SUCCESS", "mail": mail, "problems": []}
    return {"status": "ABORTED", "mail": mail, "problems": [], "cause": '{"status":"ABORTED"}'}


def checked(payload: dict[str, Any]) -> dict[str, Any]:
    """A check that finds nothing."""
    return {"ok": True, "problems": [], "cause": None}


def asked(payload: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What the function makes of an input, shaped as it shapes it (test_contract.py); it refuses nothing."""
    context = payload["context"]
    given = context["Execution"]["Input"]
    if not isinstance(given, dict) or given.get("action", "start") not in ("start", "stop"):
        raise FunctionError("InvalidInput", "Nothing was started or stopped. The input is wrong.")
    execution = context["Execution"]
    stops = "stop_after_hours" in given
    begins = stops and payload.get("begins") is not None
    calendar = given.get("calendar") or payload["calendar"]
    asks = bool(calendar) and not given.get("ignore_calendar", False)
    return {
        "action": given.get("action", "start"),
        "dry_run": given.get("dry_run", False),
        "environments": given.get("environments", payload["environments"]),
        "execution": {
            "id": execution["Id"],
            "name": execution["Name"],
            "start_time": execution["StartTime"],
        },
        "later": "at" in given,
        "at": given.get("at"),
        "schedule": schedule(payload, "later") if "at" in given else None,
        "asks_calendar": asks and "at" not in given,
        "calendars": [calendar] if asks else [],
        "check": given.get("check", False),
        "stops_later": stops,
        "stops_at": "2999-01-01T00:00:00Z" if begins else None,
        "stop_schedule": schedule(payload, "stop") if begins else None,
        "input": given,
    } | more


def schedule(payload: dict[str, Any], what: str) -> dict[str, Any]:
    given = payload["schedules"]
    return {
        "Name": f"{what}-{payload['context']['Execution']['Name']}"[:64],
        "GroupName": given["group"],
        "Description": "made by a test",
        "ScheduleExpression": "at(2999-01-01T00:00:00)",
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        "Target": {
            "Arn": payload["context"]["StateMachine"]["Id"],
            "RoleArn": given["role"],
            "Input": '{"action":"stop"}',
            "DeadLetterConfig": {"Arn": given["dead_letters"]},
            "RetryPolicy": {"MaximumEventAgeInSeconds": 600, "MaximumRetryAttempts": 10},
        },
    }


def aborted(payload: dict[str, Any]) -> dict[str, Any]:
    """A report that saw what the branches did not."""
    return {"status": "ABORTED", "cause": '{"status":"ABORTED","problems":[]}'}


@dataclass
class Script:
    """What the function does: by default all is well; `phases` and `mail` override it, call by call."""

    phases: dict[int, list[Any]] = field(default_factory=dict)
    mail: list[Any] = field(default_factory=list)
    input: list[Any] = field(default_factory=list)
    check: list[Any] = field(default_factory=list)
    calls: Counter = field(default_factory=Counter)

    def __call__(self, payload: dict[str, Any]) -> Any:
        who = who_is_asked(payload)
        turns = getattr(self, who) if isinstance(who, str) else self.phases.get(who, [])
        self.calls[who] += 1
        turn = turns[min(self.calls[who], len(turns)) - 1] if turns else None
        if isinstance(turn, Exception):
            raise turn
        if callable(turn):
            return turn(payload)
        if turn is not None:
            return turn
        return {"mail": report, "input": asked, "check": checked}.get(who, answer)(payload)


def who_is_asked(payload: dict[str, Any]) -> str | int:
    """A phase by its number, else what the payload is."""
    if "context" in payload or payload.get("check"):
        return "input" if "context" in payload else "check"
    return "mail" if payload["send_mail"] else payload["phase_number"]


def outcome(name: str, **more: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda payload: answer(payload, name, **more)


def in_progress(payload: dict[str, Any]) -> dict[str, Any]:
    return answer(payload, "in_progress", resume={"initial_state": {"known": "before"}, "token": 7})


def each_phase(turn: Any) -> dict[int, list[Any]]:
    return {number: [turn] for number in NAMES}


def settling(payload: dict[str, Any]) -> dict[str, Any]:
    return answer(payload, settle_seconds=30)


def broken_tier(place: int, turn: Any) -> Script:
    """Every environment's tier at this place of a start goes wrong."""
    return Script({numbers[place]: [turn] for numbers in ORDER.values() if place < len(numbers)})


SCENARIOS: dict[str, tuple[Any, Callable[[], Script]]] = {
    "start": ({"action": "start"}, Script),
    "stop": ({"action": "stop"}, Script),
    "start in several invocations": (
        {"action": "start"},
        lambda: Script({number: [in_progress, in_progress, answer] for number in NAMES}),
    ),
    "stop in several invocations": (
        {"action": "stop"},
        lambda: Script({number: [in_progress, answer] for number in NAMES}),
    ),
    "start with pauses": ({"action": "start"}, lambda: Script(each_phase(settling))),
    "stop with pauses": ({"action": "stop"}, lambda: Script(each_phase(settling))),
    "dev db fails": ({"action": "start"}, lambda: Script({DEV_DB: [outcome("failed")]})),
    "every first tier fails on start": ({"action": "start"}, lambda: Script(each_phase(outcome("failed")))),
    "every first tier fails on stop": ({"action": "stop"}, lambda: Script(each_phase(outcome("failed")))),
    "degraded": ({"action": "start"}, lambda: Script(each_phase(outcome("degraded")))),
    "subset": ({"action": "start", "environments": [DEV]}, Script),
    "dry run": ({"action": "stop", "dry_run": True}, Script),
    "dev db throws": ({"action": "start"}, lambda: Script({DEV_DB: [FunctionError("AccessDenied", "no")]})),
    "every task throws on start": (
        {"action": "start"},
        lambda: Script(each_phase(FunctionError("AwsFailure"))),
    ),
    "every task throws on stop": ({"action": "stop"}, lambda: Script(each_phase(FunctionError("Panicked")))),
    "apps throw on start": (
        {"action": "start"},
        lambda: Script({number: [FunctionError("AwsFailure")] for number in NAMES if number not in FIRST}),
    ),
    "databases throw on stop": (
        {"action": "stop"},
        lambda: Script({number: [FunctionError("AwsFailure")] for number in NAMES if number not in LAST}),
    ),
    "an error after in_progress": (
        {"action": "start"},
        lambda: Script({DEV_DB: [in_progress, FunctionError("AccessDenied")]}),
    ),
    "a garbled answer": ({"action": "start"}, lambda: Script({DEV_DB: [{"nothing": "known"}]})),
    "an answer that is no object": ({"action": "start"}, lambda: Script({DEV_DB: ["garbled"]})),
    "throttled then well": (
        {"action": "start"},
        lambda: Script({DEV_DB: [FunctionError("Throttled"), FunctionError("AwsUnreachable"), answer]}),
    ),
    "throttled for ever": ({"action": "start"}, lambda: Script({DEV_DB: [FunctionError("Throttled")]})),
    "Lambda throttles then well": (
        {"action": "start"},
        lambda: Script({DEV_DB: [InvokeError(429, "TooManyRequestsException"), answer]}),
    ),
    "the function dies twice": (
        {"action": "start"},
        lambda: Script(
            {DEV_DB: [FunctionError("Runtime.ExitError"), FunctionError("Sandbox.Timedout"), answer]}
        ),
    ),
    "the function always dies": (
        {"action": "start"},
        lambda: Script({DEV_DB: [FunctionError("Runtime.ExitError")]}),
    ),
    "success mail fails": ({"action": "start"}, lambda: Script(mail=[FunctionError("MailRejected", "no")])),
    "failure mail fails": (
        {"action": "start"},
        lambda: Script({DEV_DB: [outcome("failed")]}, mail=[FunctionError("MailRejected", "no")]),
    ),
    **{
        f"every tier {place} {how} on {action}": ({"action": action}, partial(broken_tier, place, turn))
        for place in range(len(TIERS))
        for action in ("start", "stop")
        for how, turn in (("fails", outcome("failed")), ("throws", FunctionError("AwsFailure")))
    },
    "a report that does not agree": ({"action": "start"}, lambda: Script(mail=[aborted])),
    "mail throttled then sent": (
        {"action": "start"},
        lambda: Script(mail=[FunctionError("Throttled"), report]),
    ),
}
BAD_INPUTS = [
    '{"action":"start"}',
    {},
    {"action": "restart"},
    {"action": "START"},
    {"action": None},
    {"action": "start", "dry_run": "yes"},
    {"action": "start", "environments": "dev"},
    {"action": "start", "environments": []},
    {"action": "start", "environments": ["dev", "prod"]},
    {"action": "start", "environments": [1]},
    {"action": "start", "environments": None},
    {"action": "start", "enviroments": ["dev"]},
    [],
    "start",
    None,
    7,
]


@pytest.fixture(scope="session")
def runs(running_server: Server) -> Callable[[str], Run]:
    """A scenario's run, made once."""
    done: dict[str, Run] = {}

    def run_of(name: str) -> Run:
        if name not in done:
            given, script = SCENARIOS[name]
            done[name] = run(running_server, MACHINE, given, script())
        return done[name]

    return run_of


def phases_of(result: Run) -> list[str]:
    return [NAMES[p["phase_number"]] for p in result.payloads if p.get("send_mail") is False]


def mail_of(result: Run) -> dict[str, Any]:
    return next(p for p in result.payloads if p.get("send_mail"))


def result_of(result: Run, environment: str) -> dict[str, Any]:
    return next(r for r in mail_of(result)["results"] if r["environment"] == environment)


def in_order(result: Run, action: str) -> bool:
    asked = [
        p["phase_number"] for p in result.payloads if p.get("send_mail") is False and p["action"] == action
    ]
    found = {name: [n for n in asked if n in numbers] for name, numbers in ORDER.items()}
    return found == {name: numbers[:: 1 if action == "start" else -1] for name, numbers in ORDER.items()}


def test_a_start_runs_the_tiers_in_order_and_succeeds_with_the_report(runs):
    result = runs("start")
    assert (result.status, in_order(result, "start")) == ("SUCCEEDED", True)
    assert result.output["mail"]["message_id"] == "m-1"


def test_a_stop_runs_the_tiers_in_reverse(runs):
    assert in_order(runs("stop"), "stop")


def test_a_phases_payload_has_the_documented_fields_the_execution_and_the_branch(runs):
    payload = next(p for p in runs("start").payloads if p.get("phase_number") == DEV_DB)
    execution = payload["execution"]
    assert {name: value for name, value in payload.items() if name != "execution"} == {
        "phase_number": DEV_DB,
        "next_phase": True,
        "action": "start",
        "cw_log_phase": f"starting {NAMES[DEV_DB]} servers",
        "send_mail": False,
        "dry_run": False,
        "branch": {},
        "resume": None,
    }
    assert set(execution) == {"id", "name", "start_time"}
    assert execution["id"].endswith(execution["name"])


def test_the_mail_gets_every_environments_initial_states_and_phases(runs):
    mail = mail_of(runs("start"))
    assert [r["environment"] for r in mail["results"]] == ENVIRONMENTS
    for result in mail["results"]:
        numbers = ORDER[result["environment"]]
        assert [p["phase_number"] for p in result["phases"]] == numbers
        assert [set(result[field_of(n)]) for n in numbers] == [{f"server{n}"} for n in numbers]
        assert result["ok"] is True
    assert (mail["environments"], mail["waited"], mail["error"]) == (ENVIRONMENTS, False, None)


def test_resume_is_handed_back_unchanged_until_the_phase_is_done(runs):
    payloads = [p for p in runs("start in several invocations").payloads if p.get("phase_number") == DEV_DB]
    assert [p["resume"] is not None for p in payloads] == [False, True, True]
    assert payloads[1]["resume"] == {"initial_state": {"known": "before"}, "token": 7}
    app = [p for p in runs("start in several invocations").payloads if p.get("phase_number") == DEV_APP]
    assert app[0]["resume"] is None


def test_a_failed_database_tier_keeps_its_applications_from_being_asked_and_the_others_finish(runs):
    result = runs("dev db fails")
    assert (result.status, result.error) == ("FAILED", "ServersNotAsWanted")
    assert set(NAMES) - {p["phase_number"] for p in result.payloads if p.get("send_mail") is False} == set(
        ORDER[DEV][1:]
    )
    dev = result_of(result, DEV)
    assert (dev["ok"], dev[field_of(DEV_APP)]) == (False, {"empty": True})


def test_a_tier_settles_before_the_next_one_and_only_if_its_answer_says_so(runs):
    for action in ("start", "stop"):
        entered = [state for _, state in visited(runs(f"{action} with pauses").history)]
        pauses = [state for state in entered if " settle " in state]
        assert len(pauses) == len(NAMES) - len(ENVIRONMENTS)
        assert not any(" settle " in state for _, state in visited(runs(action).history))


@pytest.mark.parametrize("name", ["every first tier fails on start", "every first tier fails on stop"])
def test_all_environments_may_fail_and_the_mail_goes_out(runs, name):
    result = runs(name)
    assert result.status == "FAILED"
    assert len(phases_of(result)) == len(mail_of(result)["results"]) == len(ENVIRONMENTS)


def the_others_finish(result: Run) -> bool:
    asked = {p["phase_number"] for p in result.payloads if p.get("send_mail") is False}
    return asked >= set(NAMES) - set(ORDER[DEV])


def test_a_degraded_tier_goes_ahead_and_the_execution_succeeds(runs):
    result = runs("degraded")
    assert (result.status, len(phases_of(result))) == ("SUCCEEDED", len(NAMES))


def test_environments_that_were_not_asked_for_are_skipped_and_said_so(runs):
    result = runs("subset")
    assert result.status == "SUCCEEDED"
    asked = {p["phase_number"]: p["next_phase"] for p in result.payloads if p.get("send_mail") is False}
    assert asked == dict.fromkeys(FIRST, False) | dict.fromkeys(ORDER[DEV], True)
    assert mail_of(result)["environments"] == [DEV]


def test_a_dry_run_is_told_to_every_phase_and_to_the_mail(runs):
    told = [payload for payload in runs("dry run").payloads if "context" not in payload]
    assert len(told) > 1 and all(payload["dry_run"] is True for payload in told)


@pytest.mark.parametrize(
    "name", ["dev db throws", "throttled for ever", "the function always dies", "an error after in_progress"]
)
def test_a_branch_that_fails_by_an_error_becomes_a_result_and_the_others_finish(runs, name):
    result = runs(name)
    assert result.status == "FAILED"
    assert the_others_finish(result)
    dev = result_of(result, DEV)
    assert dev["ok"] is False
    assert dev["error"]["Error"]


def test_what_was_known_and_changed_before_an_error_is_kept(runs):
    dev = result_of(runs("an error after in_progress"), DEV)
    assert set(dev[field_of(DEV_DB)]) == {f"server{DEV_DB}"}
    assert [p["outcome"] for p in dev["phases"]] == ["in_progress"]
    stop = result_of(runs("databases throw on stop"), DEV)
    assert set(stop[field_of(DEV_APP)]) == {f"server{DEV_APP}"}
    assert [p["phase_number"] for p in stop["phases"]] == [DEV_APP]


@pytest.mark.parametrize("name", ["a garbled answer", "an answer that is no object"])
def test_an_answer_that_cannot_be_read_fails_its_branch_only(runs, name):
    result = runs(name)
    assert result.status == "FAILED"
    assert the_others_finish(result)
    assert result_of(result, DEV)["ok"] is False


@pytest.mark.parametrize(
    ("name", "invocations"),
    [
        ("throttled then well", 3),
        ("Lambda throttles then well", 2),
        ("the function dies twice", 3),
        ("throttled for ever", 6),
        ("the function always dies", 3),
        ("dev db throws", 1),
    ],
)
def test_only_what_passes_by_itself_is_retried_and_not_for_ever(runs, name, invocations):
    payloads = [p for p in runs(name).payloads if p.get("phase_number") == DEV_DB]
    assert len(payloads) == invocations


@pytest.mark.parametrize(
    "name", ["throttled then well", "Lambda throttles then well", "the function dies twice"]
)
def test_after_a_retry_the_run_goes_on(runs, name):
    assert runs(name).status == "SUCCEEDED"


def test_a_success_mail_that_fails_leaves_the_execution_succeeded_and_says_so(runs):
    result = runs("success mail fails")
    assert result.status == "SUCCEEDED"
    assert result.output["mail_error"]["Error"] == "MailRejected"
    assert len(result.output["results"]) == len(ENVIRONMENTS)


def test_a_report_that_does_not_agree_with_the_branches_fails_the_execution_with_its_cause(runs):
    result = runs("a report that does not agree")
    assert (result.status, result.error) == ("FAILED", "ServersNotAsWanted")
    assert json.loads(result.cause)["status"] == "ABORTED"


def test_a_degraded_run_of_which_nobody_was_told_fails_and_says_what_is_missing(running_server):
    problems = [{"name": "test8", "code": "InsufficientInstanceCapacity"}]
    script = Script(
        {DEV_DB: [outcome("degraded", problems=problems)]}, mail=[FunctionError("MailRejected", "no")]
    )
    result = run(running_server, MACHINE, {"action": "start"}, script)
    assert (result.status, result.error) == ("FAILED", "NobodyTold")
    cause = json.loads(result.cause)
    assert (cause["status"], cause["problems"]) == ("DEGRADED", problems)
    assert cause["mail_error"]["Error"] == "MailRejected"


@pytest.mark.parametrize(("how", "error"), [("degraded", "NobodyTold"), ("failed", "ServersNotAsWanted")])
def test_a_cause_without_a_report_has_twenty_problems_of_all_phases_together(running_server, how, error):
    problems = [{"name": f"test{number}", "code": "InsufficientInstanceCapacity"} for number in range(15)]
    phases = {phase: [outcome(how, problems=problems)] for phase in (DEV_DB, ORDER[ENVIRONMENTS[1]][0])}
    script = Script(phases, mail=[FunctionError("MailRejected", "no")])
    result = run(running_server, MACHINE, {"action": "start"}, script)
    assert (result.status, result.error) == ("FAILED", error)
    assert json.loads(result.cause)["problems"] == problems + problems[:5]


def test_a_failure_mail_that_fails_leaves_the_execution_failed_and_says_so(runs):
    result = runs("failure mail fails")
    assert (result.status, result.error) == ("FAILED", "ServersNotAsWanted")
    assert json.loads(result.cause)["mail_error"]["Error"] == "MailRejected"


def test_a_mail_that_is_throttled_is_sent_again(runs):
    result = runs("mail throttled then sent")
    assert result.status == "SUCCEEDED"
    assert sum(p.get("send_mail", False) for p in result.payloads) == 2


class Busy:
    """An account whose concurrency is two invocations at a time."""

    def __init__(self) -> None:
        self.free = threading.Semaphore(2)
        self.refused = 0

    def __call__(self, payload: dict[str, Any]) -> Any:
        if not self.free.acquire(blocking=False):
            self.refused += 1
            raise InvokeError(429, "TooManyRequestsException")
        try:
            time.sleep(0.2)  # real: 80 simulated seconds
            return Script()(payload)
        finally:
            self.free.release()


def test_six_environments_succeed_where_only_two_functions_may_run_at_a_time(running_server):
    machine = json.loads(json.dumps(MACHINE))
    branches = machine["States"]["Start environments"]["Branches"]
    machine["States"]["Start environments"]["Branches"] = (branches * 6)[:6]
    text = json.dumps(machine["States"]["Start environments"]["Branches"])
    assert text.count('"StartAt"') == 6
    busy = Busy()
    result = run(running_server, machine, {"action": "start"}, busy)
    assert result.status == "SUCCEEDED"
    assert busy.refused > 0


def refused(payload: dict[str, Any]) -> Any:
    raise FunctionError("InvalidInput", "Nothing was started or stopped. It is wrong.")


@pytest.mark.parametrize("given", BAD_INPUTS, ids=str)
def test_an_input_that_is_not_plain_is_read_by_the_function_whose_refusal_ends_the_run(running_server, given):
    result = run(running_server, MACHINE, given, Script(input=[refused]))
    assert (result.status, result.error) == ("FAILED", "InvalidInput")
    assert "Nothing was started or stopped" in result.cause
    assert [payload["context"]["Execution"]["Input"] for payload in result.payloads] == [given]


def test_a_parallel_that_itself_fails_still_sends_the_failure_mail(running_server):
    broken = json.loads(json.dumps(MACHINE))
    broken["States"]["Start environments"]["Output"] = "{% $error('broken on purpose') %}"
    result = run(running_server, broken, {"action": "start"}, Script())
    assert result.status == "FAILED"
    mail = mail_of(result)
    assert mail["error"]["Error"] == "States.QueryEvaluationError"


def overlapping(server: Server) -> list[Run]:
    """A start, and a stop that begins meanwhile; the start goes on when the stop waits for it."""
    begun, second = threading.Event(), []

    def stand_in(payload: dict[str, Any]) -> Any:
        if payload["action"] == "start" and payload.get("phase_number") == DEV_DB:
            begun.set()
            waiting = "Wait for the earlier run"
            assert waits_for(lambda: second and machine.has_entered(second[0], waiting)), "it does not wait"
        return Script()(payload)

    with lab(server, MACHINE, stand_in) as machine:
        start = machine.begin({"action": "start"})
        assert begun.wait(20)
        second.append(machine.begin({"action": "stop"}))
        return [machine.end(start), machine.end(second[0])]


def given_up(server: Server) -> Run:
    """The second run's look at a first one that does not end within the second's patience."""
    ended: list[bool] = []

    def stand_in(payload: dict[str, Any]) -> Any:
        if payload["action"] == "start" and payload.get("phase_number") == DEV_DB:
            assert waits_for(lambda: bool(ended)), "the second run does not give up"
        if payload["action"] == "stop":
            ended.append(True)
        return Script()(payload)

    with lab(server, MACHINE, stand_in) as machine:
        start = machine.begin({"action": "start"})
        second = machine.end(machine.begin({"action": "stop"}))
        machine.end(start)
        return second


def waits_for(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 50
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_a_run_of_the_opposite_action_waits_until_the_earlier_one_has_ended_and_says_so(running_server):
    start, stop = overlapping(running_server)
    assert (start.status, stop.status) == ("SUCCEEDED", "SUCCEEDED")
    actions = [payload["action"] for payload in stop.payloads]
    assert actions == ["start"] * (len(NAMES) + 1) + ["stop"] * (len(NAMES) + 1)
    mails = {payload["action"]: payload for payload in stop.payloads if payload["send_mail"]}
    assert mails["stop"]["waited"] is True
    assert mails["start"]["waited"] is False


def test_a_run_that_waited_too_long_does_nothing_and_mails_which_execution_it_waited_for(running_server):
    result = given_up(running_server)
    assert (result.status, result.error) == ("FAILED", "ServersNotAsWanted")
    asked = [payload for payload in result.payloads if payload["action"] == "stop"]
    assert [payload["send_mail"] for payload in asked] == [True]
    assert asked[0]["error"]["Error"] == "EarlierRunStillGoing"


def test_a_look_for_earlier_runs_that_fails_does_not_keep_the_servers_from_starting(running_server):
    running_server.application.faults.add(Fault("ListExecutions", "AccessDeniedException"))
    try:
        result = run(running_server, MACHINE, {"action": "start"}, Script())
    finally:
        running_server.application.faults.clear()
    assert (result.status, len(phases_of(result))) == ("SUCCEEDED", len(NAMES))
    assert mail_of(result)["look_error"]["Error"].startswith("Sfn.")


def transitions_of(states: dict[str, Any]) -> set[tuple[str, str]]:
    """Every way from a state to another one that the definition knows."""
    found = set()
    for name, state in states.items():
        ways = [state, *state.get("Choices", []), *state.get("Catch", [])]
        found |= {(name, way["Next"]) for way in ways if "Next" in way}
        if "Default" in state:
            found.add((name, state["Default"]))
        for branch in state.get("Branches", []):
            found |= transitions_of(branch["States"])
    return found


def visited(history: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """The ways that an execution went: an entry's event follows the exit of the state before it."""
    exits = {e["id"]: e["stateExitedEventDetails"]["name"] for e in history if "stateExitedEventDetails" in e}
    entries = [e for e in history if "stateEnteredEventDetails" in e]
    return {
        (exits[e["previousEventId"]], e["stateEnteredEventDetails"]["name"])
        for e in entries
        if e["previousEventId"] in exits
    }


def openings(server: Server) -> list[Run]:
    """Every way through the machine's opening (test_opening.py)."""
    from tests.state_machine.test_opening import every_way

    return every_way(server)


def test_every_transition_of_the_machine_was_visited(runs, running_server):
    histories = [runs(name).history for name in SCENARIOS]
    histories.append(overlapping(running_server)[1].history)
    histories.append(given_up(running_server).history)
    running_server.application.faults.add(Fault("ListExecutions", "AccessDeniedException"))
    histories.append(run(running_server, MACHINE, {"action": "start"}, Script()).history)
    running_server.application.faults.clear()
    histories += [case.history for case in openings(running_server)]
    for action in ("start", "stop"):
        broken = json.loads(json.dumps(MACHINE))
        broken["States"][f"{action.capitalize()} environments"]["Output"] = (
            "{% $error('broken on purpose') %}"
        )
        histories.append(run(running_server, broken, {"action": action}, Script()).history)
    histories.append(run(running_server, MACHINE, {}, Script(input=[refused])).history)
    seen = set().union(*(visited(history) for history in histories))
    wanted = transitions_of(MACHINE["States"])
    assert wanted - seen == set()
    assert len(wanted) > 50
