"""`make approve`: a person's yes or no to a run that waits for one (docs/operate.md).

Owns how a question is found in a run's history, and how it is answered. Who may answer, IAM says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operate.problem import OperatingError
from operate.stack import Stack

ANSWERS = {"yes": True, "no": False}


@dataclass(frozen=True)
class Question:
    """What a run waits for a person to say."""

    environment: str
    action: str
    token: str

    @property
    def state(self) -> str:
        """The state that waits (src/servers/machine/approval.rs)."""
        return f"Ask whether {self.environment} may {self.action}"

    def words(self, run: str, stack: str) -> str:
        """What the run waits for, and the command that answers."""
        return (
            f"waits for a yes to the {self.action} of {self.environment}: "
            f"make approve RUN={run} ENV={self.environment} ANSWER=yes STACK={stack}"
        )


def questions(step_functions: Any, execution: str) -> list[Question]:
    """Those of a run that wait now. Of a question that was asked again, the last token is the good one."""
    asked: dict[str, Question] = {}
    pages = step_functions.get_paginator("get_execution_history").paginate(executionArn=execution)
    for event in (event for page in pages for event in page["events"]):
        if scheduled := event.get("taskScheduledEventDetails"):
            if found := _question(scheduled.get("parameters", "")):
                asked[found.state] = found
        elif event["type"] == "TaskStateExited":
            asked.pop(event["stateExitedEventDetails"]["name"], None)
    return list(asked.values())


def _question(parameters: str) -> Question | None:
    try:
        ask = json.loads(parameters)["Payload"]["ask"]
        return Question(ask["environment"], ask["action"], ask["token"])
    except (ValueError, KeyError, TypeError):
        return None


def refuse_no_answer(run: str, environment: str, answer: str) -> None:
    """Refuses what can be no answer to any run."""
    if not run or not environment:
        raise OperatingError("name the run and the environment: RUN=… ENV=preprod ANSWER=yes or no")
    if answer not in ANSWERS:
        raise OperatingError(f"ANSWER is {answer or 'empty'}; yes or no is expected")


def approve(stack: Stack, run: str, environment: str, answer: str) -> str:
    """Answers, and says what was answered."""
    refuse_no_answer(run, environment, answer)
    step_functions = stack.client("stepfunctions")
    question = _waiting(step_functions, _execution(stack, run), environment)
    by = stack.client("sts").get_caller_identity()["Arn"].rsplit(":", 1)[1]
    output = json.dumps({"approved": ANSWERS[answer], "by": by})
    try:
        step_functions.send_task_success(taskToken=question.token, output=output)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("TaskTimedOut", "TaskDoesNotExist"):
            raise OperatingError(
                f"too late: {run} does not wait for an answer about {environment} any more "
                f"({error.response['Error']['Code']}). make status shows what became of it"
            ) from error
        raise
    return f"{by} said {answer} to the {question.action} of {environment} in {run}."


def _execution(stack: Stack, run: str) -> str:
    return f"{stack.outputs['StateMachineArn'].replace(':stateMachine:', ':execution:')}:{run}"


def _waiting(step_functions: Any, execution: str, environment: str) -> Question:
    name = execution.rsplit(":", 1)[1]
    try:
        status = step_functions.describe_execution(executionArn=execution)["status"]
    except step_functions.exceptions.ExecutionDoesNotExist as error:
        raise OperatingError(f"there is no run {name}: make status shows the last ones") from error
    if status != "RUNNING":
        raise OperatingError(f"{name} waits for nothing: it is {status}")
    waiting = questions(step_functions, execution)
    for question in waiting:
        if question.environment == environment:
            return question
    others = ", ".join(question.environment for question in waiting)
    what = f"it waits for an answer about {others}" if others else "it waits for no answer now"
    raise OperatingError(f"{name} does not ask about {environment}: {what}")


def running_lines(stack: Stack, runs: Iterable[dict[str, Any]]) -> list[str]:
    """For `make status`: each run, and what it waits for a person to say."""
    step_functions = stack.client("stepfunctions")
    lines = []
    for run in runs:
        lines.append(f"  {run['name']}")
        try:
            waiting = questions(step_functions, run["executionArn"])
        except (ClientError, BotoCoreError) as error:
            lines.append(f"    whether it waits for a yes cannot be seen: {error}")
            continue
        lines += [f"    {question.words(run['name'], stack.name)}" for question in waiting]
    return lines
