"""Every path of a branch that begins with a question to a person."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from local.deploy import ROOT
from local.rendering import rendered
from local.server import Server
from local.state_machine_lab import FunctionError, InvokeError, Run, lab

TEXT = (ROOT / "docs" / "approval.toml").read_text()
ASK, FIRST = "Ask whether preprod may stop", "Stop preprod App servers"
Stand = Callable[[dict[str, Any]], Any]


@pytest.fixture
def machines(tmp_path):
    def machine(silence: str) -> dict[str, Any]:
        file = tmp_path / f"{silence}.toml"  # rendered once a path
        file.write_text(TEXT.replace("leave alone", silence))
        return json.loads(rendered(file))

    return machine


def phase(payload: dict[str, Any]) -> dict[str, Any]:
    record = payload["branch"] | {"ok": True, "reached": True}
    return {"branch": {"in_progress": False, "settle": False, "go_on": False, "record": record}}


class Function:
    """Asks as it is told to, and does everything else well."""

    def __init__(self, ask: Stand = lambda payload: {}) -> None:
        self.ask, self.asked, self.mails = ask, [], []

    def __call__(self, payload: dict[str, Any]) -> Any:
        if "ask" in payload:
            self.asked.append(payload["ask"])
            return self.ask(payload)
        if payload.get("send_mail"):
            self.mails.append(payload)
            return {"status": "SUCCESS", "cause": "{}"}
        if "context" in payload:
            given = payload["context"]["Execution"]["Input"]
            return given | {
                "environments": given.get("environments", payload["environments"]),
                "dry_run": given.get("dry_run", False),
                "execution": {"id": "arn", "name": "run", "start_time": "2026-11-23T18:00:00Z"},
                "later": False, "asks_calendar": False, "check": False, "stops_later": False,
            }  # fmt: skip
        return phase(payload)


def fails(error: Exception) -> Stand:
    def ask(payload: dict[str, Any]) -> Any:
        raise error

    return ask


def stop(
    server: Server, definition: dict[str, Any], function: Function, say: dict[str, Any] | None = None, **more
) -> Run:
    """Runs a stop; somebody says something as soon as they are asked, or nobody does."""
    with lab(server, definition, function) as machine:

        def person() -> None:
            deadline = time.monotonic() + 20
            while not function.asked and time.monotonic() < deadline:
                time.sleep(0.005)
            time.sleep(0.1)
            machine.step_functions.send_task_success(
                taskToken=function.asked[0]["token"], output=json.dumps(say)
            )

        if say is not None:
            threading.Thread(target=person, daemon=True).start()
        return machine.end(machine.begin({"action": "stop"} | more))


def entered(run: Run) -> list[str]:
    return [e["stateEnteredEventDetails"]["name"] for e in run.history if "stateEnteredEventDetails" in e]


def result(function: Function) -> dict[str, Any]:
    (mail,) = function.mails
    (found,) = [one for one in mail["results"] if one["environment"] == "preprod"]
    return found


@pytest.mark.parametrize("more", [{"environments": ["dev"]}, {"dry_run": True}])
def test_who_is_not_wanted_and_a_dry_run_ask_nobody(running_server, machines, more):
    function = Function()
    run = stop(running_server, machines("leave alone"), function, **more)
    assert (run.status, function.asked) == ("SUCCEEDED", [])
    assert FIRST in entered(run)


def test_the_question_carries_its_token_and_what_silence_means(running_server, machines):
    function = Function()
    stop(running_server, machines("leave alone"), function, {"approved": True})
    (ask,) = function.asked
    assert ask.pop("token")
    assert ask == {"environment": "preprod", "action": "stop", "minutes": 30, "silence": "leave alone"}


def test_a_yes_goes_on_to_the_first_tier_with_who_said_it(running_server, machines):
    function = Function()
    run = stop(running_server, machines("leave alone"), function, {"approved": True, "by": "Ana"})
    assert FIRST in entered(run)
    assert result(function)["approval"] == {"approved": True, "by": "Ana"}
    assert result(function)["reached"]


@pytest.mark.parametrize(
    ("said", "approval"),
    [
        ({"approved": False, "by": "Ana"}, {"approved": False, "by": "Ana"}),
        ({"approved": "true", "by": 7}, {"approved": False, "by": "7"}),
        ([{"approved": 1}], {"approved": False}),
        ("approved", {"approved": False}),
        ({"approved": False, "by": "a" * 200_000}, {"approved": False, "by": "a" * 80}),
    ],
)
def test_anything_else_ends_the_branch_well_and_nothing_breaks_it(running_server, machines, said, approval):
    function = Function()
    run = stop(running_server, machines("leave alone"), function, said)
    assert (run.status, FIRST in entered(run)) == ("SUCCEEDED", False)
    assert (result(function)["approval"], result(function)["ok"]) == (approval, True)


@pytest.mark.parametrize(("silence", "goes_on"), [("leave alone", False), ("go on", True)])
def test_silence_does_what_the_file_says(running_server, machines, silence, goes_on):
    function = Function()
    run = stop(running_server, machines(silence), function)
    assert (run.status, FIRST in entered(run)) == ("SUCCEEDED", goes_on)
    assert result(function)["approval"] == {"approved": goes_on, "silence": silence}


def test_without_the_last_mail_too_an_environment_left_in_silence_is_degraded(running_server, machines):
    class NoMail(Function):
        def __call__(self, payload: dict[str, Any]) -> Any:
            if payload.get("send_mail"):
                raise FunctionError("MailRejected")
            return super().__call__(payload)

    left_alone = stop(running_server, machines("leave alone"), NoMail())
    assert (left_alone.error, json.loads(left_alone.cause)["status"]) == ("NobodyTold", "DEGRADED")
    assert stop(running_server, machines("go on"), NoMail()).output["status"] == "SUCCESS"


@pytest.mark.parametrize(
    "error",
    [
        FunctionError("MailRejected"),
        FunctionError("Misconfigured"),
        FunctionError("Runtime.ExitError"),
        InvokeError(403, "AccessDeniedException"),
        InvokeError(500, "ServiceException"),
    ],
    ids=str,
)
def test_where_nobody_could_be_asked_the_branch_fails_and_is_not_asked_again(running_server, machines, error):
    function = Function(fails(error))
    run = stop(running_server, machines("go on"), function)
    assert (run.status, len(function.asked), FIRST in entered(run)) == ("FAILED", 1, False)
    assert result(function)["ok"] is False
    assert result(function)["error"]["Error"].endswith(error.name)


def test_what_fails_before_the_mail_is_tried_again(running_server, machines):
    def ask(payload: dict[str, Any]) -> Any:
        if len(function.asked) < 3:
            raise FunctionError("Throttled")
        return {}

    function = Function(ask)
    run = stop(running_server, machines("go on"), function)
    assert (run.status, len(function.asked)) == ("SUCCEEDED", 3)
