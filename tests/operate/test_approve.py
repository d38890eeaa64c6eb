"""make approve, and what make status says of a run that waits for a yes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import mails
from local import run as local_run
from local.deploy import ROOT, STACK
from local.person import Person
from local.server import Server
from operate import approve, execution, status
from operate.problem import OperatingError
from operate.stack import Stack, find
from tests.system.conftest import System

ASKED = ["preprod-db1", "preprod-app1", "preprod-app2"]


@pytest.fixture
def system(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    made = System(server, tmp_path / "function.log", "running", ROOT / "docs" / "approval.toml")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    return made


@pytest.fixture
def stack(system: System, session: boto3.Session) -> Stack:
    return find(STACK, session)


@pytest.fixture
def waiting(system: System, stack: Stack) -> str:
    """The name of a run that waits for a yes to preprod's stop."""
    execution = system.begin("stop")
    deadline = time.monotonic() + 30
    while not approve.questions(stack.client("stepfunctions"), execution):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return execution.rsplit(":", 1)[1]


class History:
    """Step Functions, of which only a run's history is asked."""

    def __init__(self, *events: dict[str, Any]) -> None:
        self.events = list(events)

    def get_paginator(self, operation: str) -> History:
        assert operation == "get_execution_history"
        return self

    def paginate(self, executionArn: str) -> list[dict[str, Any]]:  # noqa: N803
        return [{"events": [event]} for event in self.events]


def scheduled(token: str) -> dict[str, Any]:
    ask = {"environment": "preprod", "action": "stop", "token": token}
    return {
        "type": "TaskScheduled",
        "taskScheduledEventDetails": {"parameters": json.dumps({"Payload": {"ask": ask}})},
    }


@pytest.mark.parametrize("between", [["TaskFailed"], ["ExecutionAborted", "ExecutionRedriven"]])
def test_of_a_question_that_was_asked_again_the_last_token_is_the_one_that_counts(between):
    history = History(scheduled("first"), *({"type": event} for event in between), scheduled("second"))
    assert [question.token for question in approve.questions(history, "arn")] == ["second"]


def test_a_question_that_was_answered_or_timed_out_is_asked_no_more():
    state = "Ask whether preprod may stop"
    exited = {"type": "TaskStateExited", "stateExitedEventDetails": {"name": state}}
    assert approve.questions(History(scheduled("first"), {"type": "TaskTimedOut"}, exited), "arn") == []


def end(system: System, stack: Stack, run: str):
    return system.end(f"{stack.outputs['StateMachineArn'].replace(':stateMachine:', ':execution:')}:{run}")


def test_a_yes_lets_the_run_go_on_and_the_report_names_who_is_signed_in(make, system, stack, waiting, capsys):
    assert make("approve", "--run", waiting, "--environments", "preprod", "--answer", "yes") == 0
    assert f"said yes to the stop of preprod in {waiting}." in capsys.readouterr().out
    outcome = end(system, stack, waiting)
    assert system.states(ASKED) == {"stopped"}
    who = stack.client("sts").get_caller_identity()["Arn"].rsplit(":", 1)[1]
    assert f"preprod: {who} said yes to the stop." in outcome.output["remarks"]


def test_a_no_leaves_the_environment_as_it_is(make, system, stack, waiting):
    assert make("approve", "--run", waiting, "--environments", "preprod", "--answer", "no") == 0
    end(system, stack, waiting)
    assert system.states(ASKED) == {"running"}


def test_a_second_answer_finds_nothing_that_waits(make, system, stack, waiting, capsys):
    arguments = ("approve", "--run", waiting, "--environments", "preprod", "--answer", "no")
    assert make(*arguments) == 0
    end(system, stack, waiting)
    assert make(*arguments) == 2
    assert f"{waiting} waits for nothing: it is SUCCEEDED" in capsys.readouterr().err


def test_an_answer_that_comes_between_the_look_and_the_end_is_told_as_too_late(
    stack, system, waiting, monkeypatch
):
    (asked,) = approve.questions(stack.client("stepfunctions"), approve._execution(stack, waiting))
    end(system, stack, waiting)
    monkeypatch.setattr(approve, "_waiting", lambda *_: asked)
    with pytest.raises(OperatingError, match=r"too late: .*TaskTimedOut"):
        approve.approve(stack, waiting, "preprod", "yes")


@pytest.mark.parametrize(
    ("run", "environment", "answer", "words"),
    [
        ("", "preprod", "yes", "name the run and the environment"),
        ("RUN", "", "yes", "name the run and the environment"),
        ("RUN", "preprod", "", "ANSWER is empty; yes or no is expected"),
        ("RUN", "preprod", "maybe", "ANSWER is maybe; yes or no is expected"),
        ("nowhere", "preprod", "yes", "there is no run nowhere"),
        ("RUN", "dev", "yes", "does not ask about dev: it waits for an answer about preprod"),
    ],
)
def test_what_answers_nothing_is_refused_and_says_why(
    stack, system, waiting, run, environment, answer, words
):
    with pytest.raises(OperatingError) as refused:
        approve.approve(stack, run.replace("RUN", waiting), environment, answer)
    assert words in str(refused.value)
    approve.approve(stack, waiting, "preprod", "no")
    end(system, stack, waiting)


def test_the_status_marks_the_run_that_waits_with_the_command_that_answers(stack, system, waiting):
    lines = status.status_lines(stack, "./no-bootstrap")
    assert lines[1] == f"  {waiting}"
    command = f"make approve RUN={waiting} ENV=preprod ANSWER=yes STACK={stack.name}"
    assert lines[2] == f"    waits for a yes to the stop of preprod: {command}"
    approve.approve(stack, waiting, "preprod", "no")
    end(system, stack, waiting)


def test_who_follows_a_run_in_a_pipe_learns_that_it_waits_for_a_yes_and_the_answer_ends_it(
    stack, system, waiting, screen, monkeypatch
):
    shown = screen()
    said = shown.say

    def say(line: str = "") -> None:
        said(line)
        if "waits for a yes" in line:
            approve.approve(stack, waiting, "preprod", "no")

    monkeypatch.setattr(shown, "say", say)
    assert execution.follow(stack, approve._execution(stack, waiting), shown, pause_seconds=0.05)
    command = f"make approve RUN={waiting} ENV=preprod ANSWER=yes STACK={stack.name}"
    assert f"  waits for a yes to the stop of preprod: {command}" in shown.lines


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("yes", "preprod: the person of make run said yes to the stop."),
        ("no", "preprod was left alone: the person of make run said no."),
        ("late", "AWS refuses the late answer about preprod"),
    ],
)
def test_make_run_shows_each_answer(server, tmp_path, capsys, way, words, monkeypatch):
    monkeypatch.setattr(local_run, "BUILD", tmp_path)
    monkeypatch.setattr(local_run, "ROOT", tmp_path.parent)
    system = System(server, tmp_path / "function.log", "running", ROOT / "docs" / "approval.toml")
    assert local_run.run(system.stack, server, "stop", {}, way)
    shown = " ".join(capsys.readouterr().out.split())
    assert (
        "=== Mail to platform@example.com, oncall@example.com: STOP OF preprod: YOUR YES IS NEEDED" in shown
    )
    asked, answers = shown.split(
        f"Ask whether preprod may stop: somebody is asked by this mail, and answers: {way}"
    )
    assert "make approve RUN=" in asked and "SHUTDOWN STATUS" not in asked
    assert words in answers
    assert "make approve RUN=" in (tmp_path / "ask-preprod.html").read_text()
    assert "=== Mail to platform@example.com, oncall@example.com: SHUTDOWN STATUS" in answers


class Answers(History):
    """A run that asks one question, and what it was answered."""

    def __init__(self) -> None:
        super().__init__(scheduled("token-1"))
        self.given: list[str] = []

    def send_task_success(self, taskToken: str, output: str) -> None:  # noqa: N803
        self.given.append(taskToken)


def question_mail(token: str) -> mails.Mail:
    to = {"Destination.ToAddresses.member.1": "ops@example.com"}
    return {mails.SUBJECT: "STOP OF preprod", mails.TEXT: f"answer with {token}", mails.HTML: "<p>", **to}


@pytest.mark.parametrize("sent", [[], [question_mail("another-token")]])
def test_of_a_question_whose_mail_ses_did_not_take_nobody_of_make_run_knows(tmp_path, capsys, sent):
    run = Answers()
    Person(run, "arn", "yes", lambda: sent, tmp_path).look()
    assert run.given == []
    assert capsys.readouterr().out == ""


def test_a_question_is_answered_once_and_its_mail_is_not_the_runs_report(tmp_path, capsys):
    run, mail = Answers(), question_mail("token-1")
    somebody = Person(run, "arn", "yes", lambda: [mail], tmp_path)
    assert not somebody.was_asked_by(mail)
    somebody.look()
    somebody.look()
    assert run.given == ["token-1"]
    assert somebody.was_asked_by(mail)
    assert capsys.readouterr().out.count("=== Mail to ops@example.com: STOP OF preprod") == 1
