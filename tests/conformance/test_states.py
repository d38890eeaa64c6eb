"""The embedded interpreter runs states as AWS documents it: retries, catches, choices, parallels, waits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from local import clock
from local.server import Server
from local.state_machine_lab import FunctionError, InvokeError, Run, run


def task(**more: Any) -> dict[str, Any]:
    """A task that calls the stand-in with its input and gives its answer."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "${FunctionArn}", "Payload": "{% $states.input %}"},
        "Output": "{% $states.result.Payload %}",
    } | (more if "Next" in more else {"End": True} | more)


def machine(start: str, **states: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": start, "States": states}


def fails(times: int, error: Exception) -> Callable[[Any], Any]:
    """A stand-in that fails so often, then answers the number of calls."""
    calls: Counter = Counter()

    def stand_in(event: Any) -> Any:
        calls["all"] += 1
        if calls["all"] <= times:
            raise error
        return calls["all"]

    return stand_in


def retry(*errors: str, attempts: int = 3, **more: Any) -> list[dict[str, Any]]:
    return [
        {
            "ErrorEquals": list(errors),
            "IntervalSeconds": 1,
            "MaxAttempts": attempts,
            "BackoffRate": 1.0,
            **more,
        }
    ]


def catch(error: str, output: Any, to: str = "Z") -> list[dict[str, Any]]:
    return [{"ErrorEquals": [error], "Output": output, "Next": to}]


DONE = {"Type": "Pass", "End": True}


@pytest.fixture
def runs(running_server: Server):
    def runs(
        definition: dict[str, Any], given: Any = None, stand_in: Callable[[Any], Any] = lambda e: e
    ) -> Run:
        return run(running_server, definition, {} if given is None else given, stand_in)

    return runs


def test_a_tasks_arguments_are_evaluated_and_its_payload_comes_back(runs):
    arguments = {"FunctionName": "${FunctionArn}", "Payload": {"x": "{% $states.input.a * 2 %}", "n": None}}
    assert runs(machine("A", A=task(Arguments=arguments)), {"a": 4}).output == {"x": 8, "n": None}


def test_a_payload_of_null_is_null(runs):
    assert runs(machine("A", A=task()), {}, lambda event: None).output is None


def test_a_retry_by_name_goes_on_until_it_works(runs):
    definition = machine("A", A=task(Retry=retry("Other", attempts=0) + retry("Ours", JitterStrategy="FULL")))
    assert runs(definition, {}, fails(2, FunctionError("Ours"))).output == 3


@pytest.mark.parametrize("name", ["States.ALL", "States.TaskFailed"])
def test_a_wildcard_retries_a_functions_error(runs, name):
    assert runs(machine("A", A=task(Retry=retry(name))), {}, fails(1, FunctionError("Any"))).output == 2


def test_a_throttled_invocation_has_lambdas_name(runs):
    states = {"A": task(Catch=catch("Lambda.TooManyRequestsException", "caught"), Next="Z"), "Z": DONE}
    result = runs(machine("A", **states), {}, fails(99, InvokeError(429, "TooManyRequestsException")))
    assert result.output == "caught"


def test_a_retry_that_gives_up_goes_to_the_catch_with_error_and_cause(runs):
    output = {
        "name": "{% $states.errorOutput.Error %}",
        "message": "{% $parse($states.errorOutput.Cause).errorMessage %}",
        "input": "{% $states.input.a %}",
    }
    states = {"A": task(Retry=retry("Ours", attempts=1), Catch=catch("Ours", output), Next="Z"), "Z": DONE}
    result = runs(machine("A", **states), {"a": 1}, fails(9, FunctionError("Ours", "again")))
    assert result.output == {"name": "Ours", "message": "again", "input": 1}
    assert len(result.payloads) == 2


def test_the_retries_of_a_state_are_counted_anew_at_each_entry(runs):
    turns = iter([False, True, False, True])

    def stand_in(event: Any) -> int:
        if not next(turns):
            raise FunctionError("Ours")
        return 1

    states = {
        "I": {"Type": "Pass", "Assign": {"k": 0}, "Next": "A"},
        "A": task(Assign={"k": "{% $k + 1 %}"}, Retry=retry("Ours", attempts=1), Next="C"),
        "C": {"Type": "Choice", "Choices": [{"Condition": "{% $k < 2 %}", "Next": "A"}], "Default": "Z"},
        "Z": {"Type": "Pass", "Output": "{% $k %}", "End": True},
    }
    assert runs(machine("I", **states), {}, stand_in).output == 2


def test_an_error_that_nothing_catches_ends_the_execution_under_its_name(runs):
    result = runs(machine("A", A=task()), {}, fails(9, FunctionError("Ours")))
    assert (result.status, result.error) == ("FAILED", "Ours")
    assert json.loads(result.cause)["errorType"] == "Ours"


@pytest.mark.parametrize("field", ["Arguments", "Output", "Assign"])
def test_a_query_error_anywhere_in_a_task_can_be_caught(runs, field):
    broken = {
        "Arguments": {"FunctionName": "${FunctionArn}", "Payload": "{% $states.input.nope %}"},
        "Output": "{% $states.result.Payload.nope %}",
        "Assign": {"v": "{% $states.result.Payload.nope %}"},
    }
    caught = catch("States.QueryEvaluationError", "caught")
    states = {"A": task(**{field: broken[field]}, Catch=caught, Next="Z"), "Z": DONE}
    assert runs(machine("A", **states)).output == "caught"


def test_a_catch_may_go_back_to_its_own_state(runs):
    states = {"A": task(Catch=catch("Ours", "{% $states.input %}", "A"), Next="Z"), "Z": DONE}
    assert runs(machine("A", **states), {}, fails(1, FunctionError("Ours"))).output == 2


def test_a_choice_takes_the_first_rule_that_holds_with_its_assign_and_output(runs):
    rules = [
        {"Condition": "{% $states.input.n > 5 %}", "Next": "Big", "Output": {"k": 1}, "Assign": {"z": 2}},
        {"Condition": "{% $states.input.n > 3 %}", "Next": "Mid"},
    ]
    end = {"Type": "Pass", "Output": "{% [$states.input, $exists($z) ? $z : 0] %}", "End": True}
    states = {
        "C": {"Type": "Choice", "Choices": rules, "Default": "Small"},
        "Big": end,
        "Mid": end,
        "Small": end,
    }
    assert runs(machine("C", **states), {"n": 9}).output == [{"k": 1}, 2]
    assert runs(machine("C", **states), {"n": 4}).output == [{"n": 4}, 0]
    assert runs(machine("C", **states), {"n": 1}).output == [{"n": 1}, 0]


def test_a_choice_without_a_match_and_without_a_default_has_its_name(runs):
    states = {"C": {"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "Z"}]}, "Z": DONE}
    assert runs(machine("C", **states)).error == "States.NoChoiceMatched"


def test_a_condition_that_is_no_boolean_is_a_query_error(runs):
    states = {
        "C": {"Type": "Choice", "Choices": [{"Condition": "{% 1 %}", "Next": "Z"}], "Default": "Z"},
        "Z": DONE,
    }
    assert runs(machine("C", **states)).error == "States.QueryEvaluationError"


def parallel(*branches: dict[str, Any], **more: Any) -> dict[str, Any]:
    scopes = [{"StartAt": f"Q{n}", "States": {f"Q{n}": branch}} for n, branch in enumerate(branches)]
    return {"Type": "Parallel", "Branches": scopes, **more}


def test_a_branch_reads_outer_variables(runs):
    branch = {"Type": "Pass", "Output": "{% $v %}", "End": True}
    start = {"Type": "Pass", "Assign": {"v": 7}, "Next": "P"}
    assert runs(machine("S", S=start, P=parallel(branch, End=True))).output == [7]


def test_a_branch_that_fails_stops_its_siblings_and_is_caught(runs):
    broken = {"Type": "Fail", "Error": "Ours", "Cause": "why"}
    waiting = {"Type": "Wait", "Seconds": 100_000, "End": True}
    state = parallel(broken, waiting, Catch=catch("Ours", "{% $states.errorOutput %}"), End=True)
    assert runs(machine("P", P=state, Z=DONE)).output == {"Error": "Ours", "Cause": "why"}


def test_waits_take_simulated_time(runs):
    before = clock.CLOCK.now()
    states = {
        "W": {"Type": "Wait", "Seconds": "{% $states.input.s %}", "Next": "U"},
        "U": {
            "Type": "Wait",
            "Timestamp": "{% $fromMillis($toMillis($states.context.State.EnteredTime) + 60000) %}",
            "Next": "Z",
        },
        "Z": DONE,
    }
    assert runs(machine("W", **states), {"s": 60}).status == "SUCCEEDED"
    assert clock.CLOCK.now() - before >= 119


def test_a_machines_own_time_out_takes_simulated_time(runs):
    waiting = {"Type": "Wait", "Seconds": 1_000_000, "End": True}
    assert runs(machine("W", W=waiting) | {"TimeoutSeconds": 200}).status == "TIMED_OUT"
