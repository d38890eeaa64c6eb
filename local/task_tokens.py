"""moto's tasks that wait for an answer by their token, brought to what AWS documents, in simulated time.

Owns `.waitForTaskToken`: its time-out, and who may still answer. tests/conformance shows that it is right.
"""

from __future__ import annotations

from typing import Any

from moto.stepfunctions.exceptions import AWSError
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import Timeout
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_lambda import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.eval.callback.callback import (
    CallbackEndpoint,
    CallbackOutcomeFailure,
    CallbackOutcomeSuccess,
)
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from local import clock


class TaskTimedOutError(AWSError):
    """What AWS says to who answers too late, or a second time."""

    TYPE = "TaskTimedOut"
    STATUS = 400


class InvalidTokenError(AWSError):
    """What AWS says of a token that it never gave."""

    TYPE = "InvalidToken"
    STATUS = 400


class SimulatedTimeout(Timeout):
    """A time-out in simulated seconds, as the real seconds that it takes."""

    def __init__(self, simulated: Timeout) -> None:
        self.simulated = simulated

    def is_default_value(self) -> bool:
        return self.simulated.is_default_value()

    def _eval_seconds(self, env: Any) -> float:
        return clock.CLOCK.real(self.simulated._eval_seconds(env))


def install() -> None:
    """Installs every correction."""
    simulated_timeouts()
    answers_in_time()
    causes_of_failures()


def simulated_timeouts() -> None:
    """A task waits for its answer in simulated time, and its token is nobody's afterwards."""
    from_state_props = StateTaskServiceCallback.from_state_props
    eval_body = StateTaskServiceCallback._eval_body

    def props(self: Any, state_props: Any) -> None:
        from_state_props(self, state_props)
        if self.resource.condition == ResourceCondition.WaitForTaskToken:
            self.timeout = SimulatedTimeout(self.timeout)

    def body(self: Any, env: Any) -> None:
        context = env.states.context_object
        update = context.update_task_token
        tokens: list[str] = []
        context.update_task_token = lambda: tokens.append(update()) or tokens[-1]
        try:
            eval_body(self, env)
        finally:
            del context.update_task_token
            for token in tokens:
                env.callback_pool_manager.get(token).interrupt_all()

    StateTaskServiceCallback.from_state_props = props
    StateTaskServiceCallback._eval_body = body


def answers_in_time() -> None:
    """The first answer counts; a later one, and one after the time is up, is refused by name."""

    def endpoint(self: Any, token: str) -> CallbackEndpoint:
        for execution in self._get_executions():
            found = execution.exec_worker and execution.exec_worker.env.callback_pool_manager.get(token)
            if found and found._notify_event.is_set():
                raise TaskTimedOutError("Task Timed Out: 'Provided task does not exist anymore'")
            if found:
                return found
        raise InvalidTokenError("Invalid Token: 'Invalid token'")

    def success(self: Any, task_token: str, outcome: str) -> None:
        endpoint(self, task_token).notify(CallbackOutcomeSuccess(task_token, outcome))

    def failure(self: Any, task_token: str, error: str | None = None, cause: str | None = None) -> None:
        endpoint(self, task_token).notify(CallbackOutcomeFailure(task_token, error or "", cause or ""))

    StepFunctionsParserBackend.send_task_success = success
    StepFunctionsParserBackend.send_task_failure = failure


def causes_of_failures() -> None:
    """SendTaskFailure's cause reaches the task."""

    def send_task_failure(self: Any) -> str:
        given = {name: self._get_param(name) for name in ("error", "cause")}
        self.stepfunction_backend.send_task_failure(self._get_param("taskToken"), **given)
        return "{}"

    StepFunctionResponse.send_task_failure = send_task_failure
