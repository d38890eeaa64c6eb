"""What is shown while a run's log says nothing."""

from __future__ import annotations

import datetime as dt
import json

from botocore.exceptions import ClientError

from operate.approve import Question
from operate.terminal import CLEAR
from operate.waiting import Questions, Waiting, earlier_runs

EARLIER = [{"name": "stop-1"}]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_without_a_terminal_a_run_behind_another_is_said_at_once_and_then_every_minute(screen):
    clock, shown = Clock(), screen()
    waiting = Waiting(shown, clock)
    for clock.now in range(1, 200, 3):
        waiting.tell(EARLIER)
    assert shown.lines == [
        "  waiting for stop-1 (1 s)",
        "  waiting for stop-1 (61 s)",
        "  waiting for stop-1 (2 min)",
        "  waiting for stop-1 (3 min)",
    ]


def test_on_a_terminal_one_line_counts_who_is_ready(screen):
    clock, shown = Clock(), screen(is_live=True)
    waiting = Waiting(shown, clock)
    for message in (
        "[dev db] STARTING DEVELOPMENT DB SERVERS",
        "[dev db] test2 (i-1): it is stopped; asked to start",
        "[dev db] test7 (i-2): it is stopped; asked to start",
        "[dev db] test2 (i-1): ready after 80 s",
        "[test app] STARTING TEST APP SERVERS",
        "[test app] test6 (i-3): was running and ready",
        "[test app] READY: 1 of 1 servers ready, 0 changed, 0 failed, 0 held",
    ):
        waiting.heard(message)
    clock.now = 84
    waiting.tell([])
    assert shown.shown == "  dev db 1/2 ready, 84 s"
    shown.say("a line that stays")
    assert shown.shown.endswith(f"{CLEAR}a line that stays\n")


def test_a_stop_counts_who_is_stopped_and_ends_by_its_closing_line(screen):
    clock, shown = Clock(), screen(is_live=True)
    waiting = Waiting(shown, clock)
    for message in (
        "[dev app] STOPPING DEV APP SERVERS",
        "[dev app] test1 (i-1): stopped after 40 s",
        "[dev app] STOPPED: 1 of 1 servers stopped, 1 changed, 0 failed, 0 held",
        "[dev db] STOPPING DEV DB SERVERS",
        "[dev db] test2 (i-2): was stopped",
        "[dev db] test7 (i-3): it is stopping",
    ):
        waiting.heard(message)
    waiting.tell([])
    assert shown.shown == "  dev db 1/2 stopped, 0 s"


def test_lines_of_headings_alarms_and_problems_are_no_servers_and_one_that_is_missing_is(screen):
    shown = screen(is_live=True)
    waiting = Waiting(shown, Clock())
    for message in (
        "[dev db] STARTING: DEVELOPMENT DB SERVERS (CONTINUED)",
        "[dev db] 2 alarms muted until 2026-12-25 at the latest: cpu, status",
        "[dev db] alarms: they could not be listed",
        "[dev db] test2 (i-1): ready after 80 s",
        "[dev db] web: 1 (i-2): it is starting",
        "[dev db] test7: failed: NoSuchServer: no instance has this name",
        "[dev db] test8: VcpuLimitExceeded: the quota is used up",
    ):
        waiting.heard(message)
    waiting.tell([])
    assert shown.shown == "  dev db 1/3 ready, 0 s"


def test_a_phase_that_goes_on_in_another_invocation_is_still_counted(screen):
    shown = screen(is_live=True)
    waiting = Waiting(shown, Clock())
    waiting.heard("[dev db] test2 (i-1): it is starting")
    waiting.heard("[dev db] IN PROGRESS: 0 of 1 servers ready, 1 changed, 0 failed, 0 held")
    waiting.tell([])
    assert shown.shown == "  dev db 0/1 ready, 0 s"


def test_a_question_is_said_once_with_the_command_that_answers_and_then_every_minute_without_it(screen):
    clock, shown = Clock(), screen()
    waiting, question = Waiting(shown, clock), Question("preprod", "stop", "token-1")
    for clock.now in range(1, 100, 3):
        waiting.asks([question], "stop-7", "two")
        waiting.tell([])
    assert shown.lines == [
        "  waits for a yes to the stop of preprod: make approve RUN=stop-7 ENV=preprod ANSWER=yes STACK=two",
        "  preprod waits for a yes",
    ]


def test_a_question_that_was_answered_is_waited_for_no_more_and_one_that_is_asked_again_is_said_again(screen):
    shown = screen(is_live=True)
    waiting = Waiting(shown, Clock())
    for waits in ([Question("preprod", "stop", "token-1")], [], [Question("preprod", "stop", "token-2")], []):
        waiting.asks(waits, "stop-7", "two")
    waiting.tell([])
    assert shown.shown.count("waits for a yes to the stop of preprod") == 2
    assert shown.shown.endswith("  the run goes on (0 s)")


class Histories:
    """Step Functions whose every look at a history is counted, or refused."""

    def __init__(self, refuses: bool = False) -> None:
        self.looks, self.refuses = 0, refuses

    def get_paginator(self, _: str) -> Histories:
        return self

    def paginate(self, **_: str) -> list[dict]:
        self.looks += 1
        if self.refuses:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetExecutionHistory")
        ask = {"environment": "preprod", "action": "stop", "token": "token-1"}
        parameters = json.dumps({"Payload": {"ask": ask}})
        return [
            {"events": [{"type": "TaskScheduled", "taskScheduledEventDetails": {"parameters": parameters}}]}
        ]


def test_a_history_is_read_every_five_seconds_and_not_at_every_look():
    clock, histories = Clock(), Histories()
    asked = Questions(histories, "arn", clock)
    for clock.now in range(0, 30, 2):
        assert asked.look() == [Question("preprod", "stop", "token-1")]
    assert histories.looks == 5


def test_who_may_not_read_the_history_still_follows_the_run():
    assert Questions(Histories(refuses=True), "arn", Clock()).look() == []


def test_only_runs_that_began_before_are_waited_for():
    class StepFunctions:
        def list_executions(self, **_):
            days = {"start-9": 9, "stop-2": 2, "stop-1": 1}
            return {
                "executions": [
                    {"name": name, "startDate": dt.datetime(2026, 1, day)} for name, day in days.items()
                ]
            }

    begun = {"startDate": dt.datetime(2026, 1, 5)}
    assert [run["name"] for run in earlier_runs(StepFunctions(), "arn", begun)] == ["stop-1", "stop-2"]


def test_who_may_not_list_runs_still_follows_his_own():
    class Refusing:
        def list_executions(self, **_):
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "ListExecutions")

    assert earlier_runs(Refusing(), "arn", {}) == []
