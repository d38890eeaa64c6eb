"""moto's Step Functions interpreter, brought to what AWS documents, in simulated time.

Owns the corrections, one function each; tests/conformance shows that they are right. They reach into private
names of moto 5.2.5: the version is pinned.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
import types
import uuid
from typing import Any

from moto.core.config import default_user_config
from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.assign.assign_decl import AssignDecl
from moto.stepfunctions.parser.asl.component.common.catch.catch_outcome import CatchOutcome
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.program import program
from moto.stepfunctions.parser.asl.component.state import state as state_module
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison import ConditionStringJSONata
from moto.stepfunctions.parser.asl.component.state.choice.state_choice import StateChoice
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_aws_sdk
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.backend import execution as execution_module
from moto.stepfunctions.parser.backend.execution import Execution
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from local import clock, data_limits, jsonata_bridge, task_tokens

_installed = False


def install() -> None:
    """Installs every correction, once in a process."""
    global _installed
    if _installed:
        return
    _installed = True
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
    jsonata_bridge.install()
    simulated_waits()
    simulated_times()
    simulated_time_out()
    assign_and_output()
    catch_to_itself()
    choice_errors()
    execution_names()
    sdk_error_names()
    sdk_casing()
    task_tokens.install()
    data_limits.install()


def simulated_waits() -> None:
    """Wait states and the pauses of Retry take simulated time. A Wait's timestamp is UTC."""

    def wait(self: Any, env: Any, wait_seconds: float) -> None:
        end = time.monotonic() + clock.CLOCK.real(wait_seconds)
        while env.is_running() and (left := end - time.monotonic()) > 0:
            env.program_state_event.wait(left)

    def seconds_until(self: Any, env: Any) -> float:
        self.string.eval(env=env)
        text = env.stack.pop()
        if not isinstance(text, str) or not self._is_valid_timestamp_pattern(text):
            raise FailureEventException(self._create_failure_event(env, text))
        return max(0.0, dt.datetime.fromisoformat(text).timestamp() - clock.CLOCK.now())

    WaitFunction._wait_interval = wait
    Timestamp._get_wait_seconds = seconds_until
    retrier_decl.time = types.SimpleNamespace(sleep=lambda seconds: clock.CLOCK.sleep(seconds))


def simulated_times() -> None:
    """An execution's begin and end, and its states', are simulated time, in AWS's form."""
    initialise = Execution.__init__

    def begun(self: Any, *args: Any, **kwargs: Any) -> None:
        now = clock.CLOCK.utc()
        kwargs["start_date"] = now.replace(microsecond=now.microsecond // 1000 * 1000)
        initialise(self, *args, **kwargs)

    Execution.__init__ = begun
    simulated = types.SimpleNamespace(now=lambda tz=None: clock.CLOCK.utc())
    state_module.datetime = types.SimpleNamespace(datetime=simulated, timezone=dt.timezone)
    execution_module.datetime = state_module.datetime


def simulated_time_out() -> None:
    """A machine's own time-out is simulated time; a state's is not: a slow computer times out no task."""

    class Worker(threading.Thread):
        def join(self, timeout: float | None = None) -> None:
            super().join(None if timeout is None else clock.CLOCK.real(timeout))

    program.threading = types.SimpleNamespace(Thread=Worker)


def assign_and_output() -> None:
    """Assign and Output both see the variables as on entry, and an error in Output reaches Catch."""

    def assign(self: Any, env: Any) -> None:
        values: dict[str, Any] = {}
        for binding in self.declaration_bindings:
            binding.eval(env=env)
            values.update(env.stack.pop())
        env.heap["assign"] = values  # the heap is emptied after each state

    exited = CommonStateField._get_state_exited_event_details

    def on_exit(self: Any, env: Any) -> Any:
        for name, value in env.heap.pop("assign", {}).items():
            env.variable_store.set(variable_identifier=name, variable_value=value)
        return exited(self, env)

    run = ExecutionState._evaluate_with_timeout

    def evaluate(self: Any, env: Any) -> None:
        env.heap.pop("assign", None)
        run(self, env)
        if self.output:
            self.output.jsonata_template_value.eval(env=env)
            env.heap["output"] = env.stack.pop()

    output = ExecutionState._eval_state_output

    def eval_output(self: Any, env: Any) -> None:
        if not isinstance(env.stack[-1], CatchOutcome) and "output" in env.heap:
            env.states.reset(input_value=env.heap["output"])
        else:
            output(self, env)

    AssignDecl._eval_body = assign
    CommonStateField._get_state_exited_event_details = on_exit
    ExecutionState._evaluate_with_timeout = evaluate
    ExecutionState._eval_state_output = eval_output


def catch_to_itself() -> None:
    """A Catch may go back to its own state; what the state assigned before it failed is dropped."""
    catch = ExecutionState._handle_catch
    set_next = CommonStateField._set_next

    def handle_catch(self: Any, env: Any, failure_event: Any) -> None:
        env.heap.pop("assign", None)
        catch(self, env, failure_event)
        env.heap["caught"] = env.stack[-1] == CatchOutcome.Caught

    def unless_caught(self: Any, env: Any) -> None:
        if not env.heap.get("caught"):
            set_next(self, env)

    ExecutionState._handle_catch = handle_catch
    CommonStateField._set_next = unless_caught


def choice_errors() -> None:
    """No matching rule is States.NoChoiceMatched; a Condition that is no boolean is a query error."""
    run = StateChoice._eval_state

    def eval_state(self: Any, env: Any) -> None:
        try:
            run(self, env)
        except RuntimeError as error:
            if "No branching option" not in str(error):
                raise
            name = StatesErrorName(typ=StatesErrorNameType.StatesNoChoiceMatched)
            cause = f"No choice matched in state {self.name}"
            details = EventDetails(
                executionFailedEventDetails=ExecutionFailedEventDetails(error=name.error_name, cause=cause)
            )
            event = HistoryEventType.ExecutionFailed
            raise FailureEventException(
                FailureEvent(env=env, error_name=name, event_type=event, event_details=details)
            ) from error

    def condition(self: Any, env: Any) -> None:
        self.string_jsonata.eval(env=env)
        if not isinstance(env.stack[-1], bool):
            told = f"The Condition '{self.string_jsonata.expression}' gave no boolean."
            raise jsonata_bridge.query_evaluation_error(env, told)

    StateChoice._eval_state = eval_state
    ConditionStringJSONata._eval_body = condition


def execution_names() -> None:
    """An execution that is started without a name gets one."""
    start = StepFunctionsParserBackend.start_execution

    def named(self: Any, state_machine_arn: str, name: str | None = None, *args: Any, **kwargs: Any) -> Any:
        return start(self, state_machine_arn, name or str(uuid.uuid4()), *args, **kwargs)

    StepFunctionsParserBackend.start_execution = named


def sdk_error_names() -> None:
    """SDK integrations' errors are named as AWS names them."""
    state_task_service_aws_sdk._SERVICE_ERROR_NAMES |= {
        "ec2": "Ec2",
        "scheduler": "Scheduler",
        "ses": "Ses",
        "sfn": "Sfn",
        "ssm": "Ssm",
    }


def sdk_casing() -> None:
    """SDK integrations take and give PascalCase; boto's own client of Step Functions does not."""
    call = StateTaskServiceAwsSdk._eval_service_task

    def evaluate(
        self: Any, env: Any, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> None:
        if self._get_boto_service_name() != "stepfunctions":
            call(self, env, resource_runtime_part, normalised_parameters, state_credentials)
            return
        parameters = {name[0].lower() + name[1:]: value for name, value in normalised_parameters.items()}
        call(self, env, resource_runtime_part, parameters, state_credentials)
        env.stack.append(_pascal_case(env.stack.pop()))

    StateTaskServiceAwsSdk._eval_service_task = evaluate


def _pascal_case(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[0].upper() + key[1:]: _pascal_case(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_pascal_case(item) for item in value]
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value
