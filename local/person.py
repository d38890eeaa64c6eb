"""A person who is asked: `make run APPROVE=yes`, `no` or `late`.

Owns what the person sees and says; the question is found as `make approve` finds it.
"""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from operate.approve import ANSWERS, Question, questions

WAYS = (*ANSWERS, "late")


class Person:
    """Answers each question of a run once; who is late, when its time is up; who says nothing, never."""

    def __init__(self, step_functions: Any, execution: str, way: str) -> None:
        self.step_functions, self.execution, self.way = step_functions, execution, way
        self.seen: dict[str, Question] = {}

    def look(self) -> None:
        waiting = {question.token: question for question in questions(self.step_functions, self.execution)}
        for token, question in waiting.items():
            if token not in self.seen:
                self.seen[token] = question
                print(
                    f"=== {question.state}: somebody is asked by mail, and answers: {self.way or 'nothing'}"
                )
                if self.way in ANSWERS:
                    self._say(question, ANSWERS[self.way])
        for token in [token for token in self.seen if token not in waiting]:
            question = self.seen.pop(token)
            if self.way == "late":
                self._say(question, approved=True)

    def _say(self, question: Question, approved: bool) -> None:
        output = json.dumps({"approved": approved, "by": "the person of make run"})
        try:
            self.step_functions.send_task_success(taskToken=question.token, output=output)
        except ClientError as error:
            print(f"=== AWS refuses the late answer about {question.environment}: {error}")
