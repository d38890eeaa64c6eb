"""What a run is waiting for, in one line, while its log says nothing.

Owns the counts that the phase log's lines add up to, the earlier run that a run stands behind, and when it is
looked whether a run waits for a person's yes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operate.approve import Question, questions
from operate.terminal import Terminal

# Where nothing can be overwritten, a line this often is enough to see that it goes on.
QUIET_SECONDS = 60.0
# A run's history is long, and who is asked has minutes to answer: it is not read at every look.
QUESTIONS_EVERY_SECONDS = 5.0
LINE = re.compile(r"^\[(?P<whose>[^\]]+)\] (?P<text>.*)$", re.DOTALL)
VERDICT = re.compile(r"^[A-Z ]+: \d+ of \d+ servers (ready|stopped)")
# The state machine's heading of a stop's phase.
STOPPING = "STOPPING "
# A server's line has its id, or says that there is none; others are the heading's and the alarms'.
SERVER = re.compile(r"^(?P<server>.+? \(i-\w+\)|.+?(?=: failed: )): (?P<sentence>.+)$", re.DOTALL)
THERE = ("ready after", "stopped after", "was running and ready", "was stopped")


@dataclass
class Phase:
    """A phase that has begun and not ended, as its lines told it."""

    began: float
    is_there: dict[str, bool] = field(default_factory=dict)
    there: str = "ready"


class Waiting:
    """Says what goes on: always on a terminal's last line, else a line a minute."""

    def __init__(self, terminal: Terminal, clock: Callable[[], float] = time.monotonic) -> None:
        self.terminal, self.clock = terminal, clock
        self.phases: dict[str, Phase] = {}
        self.began_any = False
        self.asked: dict[str, Question] = {}
        self.last_said = self.began = clock()

    def heard(self, message: str) -> None:
        """A line of the phase log, which has been told."""
        self.last_said = self.clock()
        self.began_any = True
        line = LINE.match(message)
        if not line:
            return
        whose, text = line["whose"], line["text"]
        if VERDICT.match(text):
            if not text.startswith("IN PROGRESS"):
                self.phases.pop(whose, None)
            return
        phase = self.phases.setdefault(whose, Phase(self.clock()))
        if text.startswith(STOPPING):
            phase.there = "stopped"
        if server := SERVER.match(text):
            phase.is_there[server["server"]] = server["sentence"].startswith(THERE)

    def asks(self, waiting: list[Question], run: str, stack: str) -> None:
        """What the run waits for a person to say; each is said once, with the command that answers."""
        for question in waiting:
            if question.token not in self.asked:
                self.terminal.say(f"  {question.words(run, stack)}")
                self.last_said = self.clock()
        self.asked = {question.token: question for question in waiting}

    def tell(self, earlier: list[dict[str, Any]]) -> None:
        """Called at every look; `earlier` are the runs that this one stands behind."""
        line = self._line(earlier)
        self.terminal.live(line)
        behind_for_the_first_time = bool(earlier) and self.last_said == self.began
        if not self.terminal.is_live and (
            behind_for_the_first_time or self.clock() - self.last_said >= QUIET_SECONDS
        ):
            self.terminal.say(line)
            self.last_said = self.clock()

    def _line(self, earlier: list[dict[str, Any]]) -> str:
        if earlier:
            more = f" and {len(earlier) - 1} more" if len(earlier) > 1 else ""
            return f"  waiting for {earlier[0]['name']}{more} ({self._since(self.began)})"
        counts = [
            f"{whose} {sum(phase.is_there.values())}/{len(phase.is_there)} {phase.there}, "
            f"{self._since(phase.began)}"
            for whose, phase in self.phases.items()
        ]
        counts += [f"{question.environment} waits for a yes" for question in self.asked.values()]
        return "  " + (" · ".join(counts) or f"the run goes on ({self._since(self.began)})")

    def _since(self, moment: float) -> str:
        seconds = self.clock() - moment
        return f"{seconds:.0f} s" if seconds < 120 else f"{seconds // 60:.0f} min"


class Questions:
    """Those that a run waits for, looked for now and then; none if we may not look."""

    def __init__(
        self, step_functions: Any, execution: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.step_functions, self.execution, self.clock = step_functions, execution, clock
        self.next_look = clock()
        self.waiting: list[Question] = []

    def look(self) -> list[Question]:
        if self.clock() >= self.next_look:
            self.next_look = self.clock() + QUESTIONS_EVERY_SECONDS
            try:
                self.waiting = questions(self.step_functions, self.execution)
            except (ClientError, BotoCoreError):
                self.waiting = []
        return self.waiting


def earlier_runs(step_functions: Any, machine: str, begun: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs that still go on and began before this one, the earliest first; none if we may not look."""
    try:
        running = step_functions.list_executions(stateMachineArn=machine, statusFilter="RUNNING")[
            "executions"
        ]
    except ClientError:
        return []
    before = [run for run in running if run["startDate"] < begun["startDate"]]
    return sorted(before, key=lambda run: run["startDate"])
