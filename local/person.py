"""A person who is asked: `make run APPROVE=yes`, `no` or `late`.

Owns what the person sees and says. The question is found as `make approve` finds it; if SES took no mail of
it, nobody was asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local import mails
from operate.approve import ANSWERS, Question, questions

WAYS = (*ANSWERS, "late")


@dataclass
class Person:
    """Answers each question of a run once; who is late, when its time is up; who says nothing, never."""

    step_functions: Any
    execution: str
    way: str
    sent: Callable[[], list[mails.Mail]]
    """The run's mails that SES took."""
    build: Path
    """Where the HTML of a question goes."""
    seen: dict[str, Question] = field(default_factory=dict)
    """By their tokens, those that wait for the answer."""
    asked: set[str] = field(default_factory=set)
    """The tokens of all that were asked."""

    def look(self) -> None:
        waiting = {question.token: question for question in questions(self.step_functions, self.execution)}
        for token, question in waiting.items():
            if token not in self.asked and (mail := self._mail(token)):
                self.asked.add(token)
                self.seen[token] = question
                mails.show(mail, self.build / f"ask-{question.environment}.html")
                print(
                    f"=== {question.state}: somebody is asked by this mail, "
                    f"and answers: {self.way or 'nothing'}"
                )
                if self.way in ANSWERS:
                    self._say(question, ANSWERS[self.way])
        for token in [token for token in self.seen if token not in waiting]:
            question = self.seen.pop(token)
            if self.way == "late":
                self._say(question, approved=True)

    def was_asked_by(self, mail: mails.Mail) -> bool:
        return any(token in mail[mails.TEXT] for token in self.asked)

    def _mail(self, token: str) -> list[mails.Mail]:
        return [mail for mail in self.sent() if token in mail[mails.TEXT]]

    def _say(self, question: Question, approved: bool) -> None:
        output = json.dumps({"approved": approved, "by": "the person of make run"})
        try:
            self.step_functions.send_task_success(taskToken=question.token, output=output)
        except ClientError as error:
            print(f"=== AWS refuses the late answer about {question.environment}: {error}")
