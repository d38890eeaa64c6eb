"""The embedded interpreter evaluates JSONata as AWS documents it: values, undefined, null, errors, variables.

These cases make the corrections in local/ safe: a new moto is a one-line change plus this suite.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.server import Server
from local.state_machine_lab import run

QUERY_ERROR = "States.QueryEvaluationError"
QUOTED = 'he said "hi" \\ back\nline \t tab / slash'

# expression, input, value
VALUES: list[tuple[str, Any, Any]] = [
    ("$states.input.a + 1", {"a": 1}, 2),
    ("$states.input.n", {"n": None}, None),
    ("$states.input.n = null", {"n": None}, True),
    ("$exists($states.input.n)", {"n": None}, True),
    ("$type($states.input.n)", {"n": None}, "null"),
    ("null", {}, None),
    ("{'a': $states.input.nope, 'b': 1}", {}, {"b": 1}),
    ("[1, $states.input.nope]", {}, [1]),
    ("$states.input.t and $not($states.input.f)", {"t": True, "f": False}, True),
    ("$states.input.f", {"f": False}, False),
    ("$states.input.s", {"s": QUOTED}, QUOTED),
    ("$states.input.s", {"s": ""}, ""),
    ("$states.input.a", {"a": []}, []),
    ("$states.input.a", {"a": {}}, {}),
    ("$states.input.a", {"a": [1]}, [1]),
    ("$states.input.a.x", {"a": [{"x": 1}]}, 1),
    ("[$states.input.a.x]", {"a": [{"x": 1}]}, [1]),
    ("$states.input.a", {"a": [[1, 2], [], [3]]}, [[1, 2], [], [3]]),
    ("[$states.input.a[x=9]]", {"a": [{"x": 1}]}, []),
    ("$states.input.n", {"n": 1764547200123}, 1764547200123),
    ("$states.input.n / 4", {"n": 1}, 0.25),
    ("$states.input.n / 2", {"n": 4}, 2),
    ("'x-' & $states.input.n", {"n": 4}, "x-4"),
    ("'x-' & $states.input.n", {"n": True}, "x-true"),
    ("$length($now())", {}, 24),
    ("$fromMillis($toMillis('2026-03-29T00:00:00Z')+3600000)", {}, "2026-03-29T01:00:00.000Z"),
    ("$parse('{\"a\": [1, null, true]}').a", {}, [1, None, True]),
    ("$string({'a': [1, null, true]})", {}, '{"a":[1,null,true]}'),
    ("$string($states.input.n)", {"n": 1.5}, "1.5"),
    ("$count($states.input.zip)", {}, 0),
    ("$exists($states.input.zip)", {}, False),
    ("$states.context.State.Name & $states.context.Execution.Input.a", {"a": 5}, "A5"),
    ("$contains($states.context.Execution.Id, ':execution:')", {}, True),
    ("$toMillis($states.context.State.EnteredTime) > 0", {}, True),
    ("/* $states.nope */ $states.input.a", {"a": 1}, 1),
    ("(\n $a := $states.input.a;\n $b := $a * 2;\n {'r': $b}\n)", {"a": 2}, {"r": 4}),
    ("($x := [1]; $x)", {}, [1]),
    ("$boolean($states.input.a)", {"a": None}, False),
    ("$states.input.a ? 1 : 2", {"a": None}, 2),
    ("$states.input.a = {'x': [1, null]}", {"a": {"x": [1, None]}}, True),
    ("$states.input", {"a": {"b": [1, {"c": None}]}}, {"a": {"b": [1, {"c": None}]}}),
    ("$states.input", {"$x": "a"}, {"$x": "a"}),
    ("$exists($states.errorOutput)", {}, False),
]

FAILING = [
    "$states.input.nope",
    "$states.input.a[x=9]",
    "'a' + 1",
    "$nope(1)",
    "function($x){$x}",
    "false ? 1",
    "$nosuchvariable",
    "$error('boom')",
    "$assert(false, 'boom')",
]

STRINGS = [QUOTED, "it's", '"; $x := 1; "', "héllo 😀 日本", ""]


def one(output: Any, **more: Any) -> dict[str, Any]:
    """A machine of one Pass."""
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "A",
        "States": {"A": {"Type": "Pass", "Output": output, "End": True, **more}},
    }


def chain(assign: dict[str, Any], output: Any) -> dict[str, Any]:
    """A machine that assigns variables in one state and reads them in the next."""
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Assign": assign, "Next": "B"},
            "B": {"Type": "Pass", "Output": output, "End": True},
        },
    }


@pytest.fixture
def evaluate(running_server: Server):
    return lambda definition, given=None: run(running_server, definition, {} if given is None else given)


@pytest.mark.parametrize(
    ("expression", "given", "value"), VALUES, ids=[f"{e} of {g}"[:70] for e, g, _ in VALUES]
)
def test_an_expression_has_the_documented_value(evaluate, expression, given, value):
    result = evaluate(one(f"{{% {expression} %}}"), given)
    assert result.status == "SUCCEEDED", result.cause
    assert result.output == value
    assert type(result.output) is type(value)


@pytest.mark.parametrize("expression", FAILING)
def test_an_expression_that_fails_or_gives_nothing_is_a_query_evaluation_error(evaluate, expression):
    result = evaluate(one(f"{{% {expression} %}}"), {"a": [{"x": 1}]})
    assert (result.status, result.error) == ("FAILED", QUERY_ERROR)


@pytest.mark.parametrize("expression", ["1 +", "$eval('1')"])
def test_an_expression_that_step_functions_refuses_is_refused_when_the_machine_is_made(evaluate, expression):
    with pytest.raises(ClientError):
        evaluate(one(f"{{% {expression} %}}"))


@pytest.mark.parametrize("text", STRINGS)
def test_a_string_in_a_variable_is_data_and_never_code(evaluate, text):
    result = evaluate(chain({"v": "{% $states.input.s %}"}, "{% $v %}"), {"s": text})
    assert result.output == text


def test_a_template_object_evaluates_each_of_its_strings(evaluate):
    result = evaluate(
        one({"x": "{% $states.input.a %}", "y": [1, "{% $states.input.a = 1 %}"], "z": "plain"}), {"a": 1}
    )
    assert result.output == {"x": 1, "y": [1, True], "z": "plain"}


def test_literals_of_every_type_are_kept_in_variables(evaluate):
    literals = {"a": None, "b": True, "c": [], "d": {"k": None}, "e": "plain", "f": 1.5}
    result = evaluate(chain(literals, {key: f"{{% ${key} %}}" for key in literals}))
    assert result.output == literals


def test_assign_and_output_see_the_variables_as_on_entry(evaluate):
    states = {
        "A": {"Type": "Pass", "Assign": {"x": 1}, "Next": "B"},
        "B": {"Type": "Pass", "Assign": {"x": 2, "y": "{% $x %}"}, "Output": "{% $x %}", "Next": "C"},
        "C": {"Type": "Pass", "Output": "{% [$states.input, $x, $y] %}", "End": True},
    }
    result = evaluate({"QueryLanguage": "JSONata", "StartAt": "A", "States": states})
    assert json.loads(json.dumps(result.output)) == [1, 2, 1]
