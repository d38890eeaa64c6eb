"""What a person sees and answers: lines that stay, one line that is overwritten, and questions.

Owns the difference between a terminal and a pipe: on a pipe nothing is overwritten. Whether there is somebody
to ask is a matter of the input, so that `make stop | tee log` asks too.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

# Back to the line's begin, and the rest of it away.
CLEAR = "\r\x1b[K"


class Terminal:
    """Standard output, and the keyboard if there is one."""

    def __init__(self, out: TextIO | None = None) -> None:
        self.out = out or sys.stdout
        self.is_live = self.out.isatty()
        self.has_keyboard = sys.stdin is not None and sys.stdin.isatty()
        self._overwritable = False

    def say(self, line: str = "") -> None:
        """A line that stays. It is written at once, on a pipe too."""
        self._clear()
        print(line, file=self.out, flush=True)

    def live(self, line: str) -> None:
        """A line that the next one overwrites; nothing on a pipe."""
        if self.is_live:
            self._clear()
            self.out.write(line[: shutil.get_terminal_size().columns - 1])
            self.out.flush()
            self._overwritable = True

    def ask(self, question: str) -> str:
        """The answer; empty at the end of input, which is never a yes."""
        self._clear()
        print(question, end="", file=self.out, flush=True)
        try:
            if sys.stdin:
                return input().strip()
        except EOFError:
            pass
        self.say()
        return ""

    def _clear(self) -> None:
        if self._overwritable:
            self.out.write(CLEAR)
            self._overwritable = False


def leave_the_pipe() -> None:
    """After a BrokenPipeError: what is still buffered goes nowhere, and Python's end says nothing of it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
