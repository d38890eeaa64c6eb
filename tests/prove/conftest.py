"""A world in the embedded AWS, and few words to prove in it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from local import clock
from local.run import BINARY, SENDER
from local.server import Server
from prove import steps
from prove.command import main
from prove.embedded import Embedded


@dataclass
class Proof:
    """One call of the program."""

    code: int
    said: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.said)

    def rows(self, verdict: str) -> list[str]:
        """The table's rows with this verdict."""
        return [line for line in self.said if line.startswith(f"| {verdict} ")]

    @property
    def stack(self) -> str:
        """The stack's name, as it was announced."""
        return next(line for line in self.said if line.startswith("  the stack ")).split()[2].rstrip(":")


def proof(world: Embedded, *arguments: str, answer: str = "yes", sender: str = SENDER) -> Proof:
    """Runs the program as a person does who says yes."""
    said: list[str] = []
    code = main(["--sender", sender, *arguments], world, ask=lambda _: answer, say=said.append)
    return Proof(code, [line for text in said for line in text.split("\n")])


# Slower than the other tests' clock: a phase's patience of 20 minutes must not end on a busy machine.
SPEED = 100


def embedded(server: Server, directory: Path) -> Embedded:
    clock.set_speed(SPEED)
    world = Embedded(server, BINARY, directory / "function.log")
    world.client("ses").verify_email_identity(EmailAddress=SENDER)
    return world


@pytest.fixture
def world(server: Server, tmp_path: Path) -> Iterator[Embedded]:
    begun = embedded(server, tmp_path)
    yield begun
    begun.close()


@pytest.fixture
def prove(world: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Proof]:
    monkeypatch.setattr("prove.command.BUILD", tmp_path)
    return functools.partial(proof, world)


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Leaves the other steps out."""
    return lambda *those: monkeypatch.setattr(steps, "STEPS", those)
