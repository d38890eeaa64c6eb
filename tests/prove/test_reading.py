"""That each check of a run can fail: histories, reports and phase logs with something wrong in them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from prove import reading, steps
from prove.plan import SERVERS
from prove.reading import Invocation, Run


def at(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def phase(
    number: int, asked: int, answered: int, outcome: str = "ready", action: str = "start"
) -> Invocation:
    payload = {"phase_number": number, "action": action}
    return Invocation(payload, at(asked), at(answered), {"outcome": outcome, "initial_state": {}})


def a_run(phases: list[Invocation] | None = None, log: list[str] | None = None, **report: Any) -> Run:
    return Run("r", "SUCCEEDED", "", report, phases or [], at(0), at(100), log or [])


def test_databases_before_applications_is_the_order_of_a_start_and_the_reverse_that_of_a_stop():
    in_order = [phase(3, 0, 10), phase(0, 11, 20)]
    assert steps.order_of_tiers(a_run(in_order)) == "kept"
    stop = [phase(0, 0, 10, action="stop"), phase(3, 11, 20, action="stop")]
    assert steps.order_of_tiers(a_run(stop)) == "kept"


def test_an_application_before_its_database_is_seen():
    assert steps.order_of_tiers(a_run([phase(0, 0, 10), phase(3, 11, 20)])) == "dev: app before db"


def test_an_application_while_its_database_goes_on_is_seen():
    assert steps.order_of_tiers(a_run([phase(3, 0, 10), phase(0, 9, 20)])) == "dev: app while db went on"


def test_a_history_without_phases_is_in_no_order():
    assert steps.order_of_tiers(a_run()) == "no phases"


def test_a_list_that_the_phase_log_does_not_name_is_seen():
    phases = [phase(3, 0, 10), phase(0, 11, 20)]
    log = [
        "[dev db] STARTING",
        "[dev db] prove-dev-db (i-1): ready after 3 s",
        "[dev app] prove-dev-db (i-1): x",
    ]
    told = a_run(phases, log)
    assert steps.reached(told) == ["dev-app", "dev-db"]
    assert steps.logged(told) == ["dev-db"]


def test_a_mail_without_an_id_from_ses_is_no_mail():
    assert steps.accepted_for(a_run(mail={"to": ["x@example.com"]})) == "no mail"
    assert steps.accepted_for(a_run(mail={"message_id": "m", "to": ["x@example.com"]})) == "x@example.com"


class Ec2Says:
    """A site of which only the states are asked."""

    def __init__(self, **states: str) -> None:
        self._states = {
            server.short: states.get(server.short.replace("-", "_"), "stopped") for server in SERVERS
        }

    def states(self) -> dict[str, str]:
        return self._states


def test_a_report_that_has_a_state_wrong_or_leaves_a_server_out_is_seen():
    rows = [{"name": f"p-{s.short}", "end_state": "stopped", "action": "nothing"} for s in SERVERS[:-1]]
    told = a_run(servers=rows)
    checks = list(steps.agrees(steps.Checker("x"), Ec2Says(dev_db="running"), told, "none"))
    assert [check.seen for check in checks] == ["dev-db", "dev-db, preprod-db"]
    assert {check.verdict for check in checks} == {"NOT"}


def test_an_initial_state_that_ec2_did_not_have_is_seen():
    told = a_run([phase(3, 0, 10)], servers=[])
    record = {
        "dev_db_initial_state": {"p-dev-db": {"State": "stopped"}},
        "dev_app_initial_state": {"empty": True},
    }
    told.phases[0].answer["branch"] = {"record": record}
    told.before = {"dev-db": "running"}
    wrong = list(steps.agrees(steps.Checker("x"), Ec2Says(), told, "none"))[-1]
    assert (wrong.seen, wrong.verdict) == ("dev-db", "NOT")


def test_a_history_is_read_by_its_links_and_not_by_its_order():
    def event(number: int, before: int, kind: str, seconds: int, **details: Any) -> dict[str, Any]:
        return {"id": number, "previousEventId": before, "type": kind, "timestamp": at(seconds), **details}

    def scheduled(number: int, phase_number: int) -> dict[str, Any]:
        given = json.dumps(
            {"FunctionName": "f", "Payload": {"phase_number": phase_number, "action": "start"}}
        )
        return event(number, 1, "TaskScheduled", number, taskScheduledEventDetails={"parameters": given})

    def succeeded(number: int, before: int, outcome: str) -> dict[str, Any]:
        output = json.dumps({"Payload": {"outcome": outcome}})
        return event(number, before, "TaskSucceeded", number, taskSucceededEventDetails={"output": output})

    another = event(8, 1, "TaskScheduled", 8, taskScheduledEventDetails={"parameters": '{"MaxResults": 100}'})
    events = [
        another,
        scheduled(10, 3),
        scheduled(11, 4),
        event(12, 11, "TaskStarted", 12),
        event(13, 10, "TaskStarted", 13),
        succeeded(14, 12, "failed"),
        succeeded(15, 13, "ready"),
    ]
    told = [(i.number, i.answer["outcome"], i.asked, i.answered) for i in reading.invocations(events)]
    assert told == [(3, "ready", at(10), at(15)), (4, "failed", at(11), at(14))]
