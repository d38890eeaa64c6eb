"""The 256 KiB of Step Functions, which moto asks of results only and counts in its own way.

Owns what is measured: compact JSON in UTF-8, of a task's arguments, of each result and output, and of the
input of an execution; and that States.ALL is no name for what is too large. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state import state
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

MOST_BYTES = 262_144


def install() -> None:
    state.is_within_size_quota = fits
    state_task_service.is_within_size_quota = fits
    _arguments()
    _named_only()
    _execution_input()


def fits(value: Any) -> bool:
    """Whether a state may carry it."""
    text = json.dumps(json.loads(to_json_str(value)), ensure_ascii=False, separators=(",", ":"))
    return len(text.encode()) <= MOST_BYTES


def _arguments() -> None:
    parameters = StateTask._eval_parameters

    def evaluate(self: Any, env: Any) -> Any:
        given = parameters(self, env)
        if not fits(given):
            raise _exceeded(
                env, f"The arguments of the state/task '{self.name}' are over {MOST_BYTES} bytes."
            )
        return given

    StateTask._eval_parameters = evaluate


def _exceeded(env: Any, cause: str) -> FailureEventException:
    kind = StatesErrorNameType.StatesStatesDataLimitExceeded
    details = EventDetails(taskFailedEventDetails=TaskFailedEventDetails(error=kind.to_name(), cause=cause))
    failure = FailureEvent(env, StatesErrorName(typ=kind), HistoryEventType.TaskFailed, details)
    return FailureEventException(failure)


def _named_only() -> None:
    """States.ALL matches neither of these two (Step Functions' guide, "Error names")."""
    matches = ErrorEqualsDecl._eval_body
    apart = [
        StatesErrorName(typ=kind)
        for kind in (StatesErrorNameType.StatesStatesDataLimitExceeded, StatesErrorNameType.StatesRuntime)
    ]

    def evaluate(self: Any, env: Any) -> None:
        error = env.stack[-1]
        matches(self, env)
        if error in apart and error not in self.error_names:
            env.stack[-1] = False

    ErrorEqualsDecl._eval_body = evaluate


def _execution_input() -> None:
    """StartExecution's own constraint, in bytes of UTF-8."""
    start = StepFunctionsParserBackend.start_execution

    def started(
        self: Any, state_machine_arn: str, name: str | None, execution_input: str, *args: Any, **kwargs: Any
    ) -> Any:
        if len(execution_input.encode()) > MOST_BYTES:
            raise JsonRESTError(
                "ValidationException",
                "1 validation error detected: Value at 'input' failed to satisfy constraint: "
                f"Member must have length less than or equal to {MOST_BYTES}",
            )
        return start(self, state_machine_arn, name, execution_input, *args, **kwargs)

    StepFunctionsParserBackend.start_execution = started
