"""JSONata for moto's Step Functions interpreter: values bound natively, undefined kept apart from null.

Owns the translation of values and errors. moto pastes `$states` and the variables as text in front of an
expression, which breaks on quotes and emoji; here they are bound as values. Every evaluation error becomes
States.QueryEvaluationError, as AWS documents it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

import moto.stepfunctions.parser.asl.component.common.string.string_expression as string_expression
from jsonata import JException, Jsonata, Utils
from moto.stepfunctions.parser.api import EvaluationFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

NULL = Utils.NULL_VALUE
# Doubles hold integers exactly up to here; beyond it JSON keeps the fraction's form.
EXACT = 2**53


class UndefinedError(Exception):
    """The expression gave nothing: for Step Functions that is an error."""


def to_jsonata(value: Any) -> Any:
    """JSON to JSONata: null is a value of its own there, None means undefined."""
    if value is None:
        return NULL
    if isinstance(value, dict):
        return {key: to_jsonata(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_jsonata(item) for item in value]
    if isinstance(value, bool | int | float | str):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def from_jsonata(value: Any) -> Any:
    """JSONata to JSON."""
    if value is None:
        raise UndefinedError
    if value is NULL:
        return None
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < EXACT else value
    if isinstance(value, dict):
        return {key: from_jsonata(item) for key, item in value.items() if item is not None}
    if isinstance(value, Iterable):
        return [from_jsonata(item) for item in value]
    raise TypeError("the expression gave a function")


def compiled(expression: str) -> Jsonata:
    """The expression, or an error as CreateStateMachine gives it."""
    if "$eval(" in expression.replace(" ", ""):
        raise ValueError("$eval is not supported by Step Functions")
    program = Jsonata(expression)
    program.set_output_convert_nulls(False)
    # The one of Step Functions' own functions that we use; another one fails, as an unknown function does
    # (https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html).
    program.register_lambda("parse", lambda text: to_jsonata(json.loads(text)))
    return program


def evaluate(expression: str, bindings: dict[str, Any]) -> Any:
    """The expression's JSON value.

    Raises UndefinedError, JException, or the Python error that the engine lets through.
    """
    return from_jsonata(compiled(expression).evaluate(None, {k: to_jsonata(v) for k, v in bindings.items()}))


def query_evaluation_error(env: Any, cause: str) -> FailureEventException:
    """States.QueryEvaluationError, told in the execution's history."""
    name = StatesErrorName(typ=StatesErrorNameType.StatesQueryEvaluationError)
    details = EventDetails(
        evaluationFailedEventDetails=EvaluationFailedEventDetails(cause=cause, error=name.error_name)
    )
    env.event_manager.add_event(
        context=env.event_history_context, event_type=HistoryEventType.EvaluationFailed, event_details=details
    )
    return FailureEventException(
        FailureEvent(
            env=env, error_name=name, event_type=HistoryEventType.EvaluationFailed, event_details=details
        )
    )


RECORDED: list[tuple[str, dict[str, Any]]] | None = None
"""When a list: every evaluation's expression and bindings, for the comparison with the JavaScript engine."""


def _eval_body(self: Any, env: Any) -> None:
    variables = env.variable_store
    states = {
        key: value
        for key, value in env.states._states_data.items()
        if not (value is None and key in ("result", "errorOutput"))
    }
    bindings = {**variables._outer_scope, **variables._inner_scope, "states": states}
    if RECORDED is not None:
        RECORDED.append((self.expression, json.loads(json.dumps(bindings, default=dt.datetime.isoformat))))
    told = f"The JSONata expression '{self.expression}'"
    try:
        env.stack.append(evaluate(self.expression, bindings))
    except UndefinedError:
        raise query_evaluation_error(env, f"{told} returned nothing (undefined).") from None
    except JException as error:
        raise query_evaluation_error(env, f"{told} failed. {error.error}: {error}") from error
    except (TypeError, ValueError, ArithmeticError, AttributeError, KeyError, IndexError) as error:
        raise query_evaluation_error(env, f"{told} failed. {type(error).__name__}: {error}") from error


def install() -> None:
    """Puts the bridge into moto's interpreter."""
    initialise = string_expression.StringJSONata.__init__

    def checked(self: Any, expression: str) -> None:
        compiled(expression)
        initialise(self, expression)

    string_expression.StringJSONata.__init__ = checked
    string_expression.StringJSONata._eval_body = _eval_body
