"""What a person asks of `make run`, read and checked.

Owns the options and the sentences that refuse them, which name the variable as the Makefile calls it. Does
nothing of what is asked.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import faults, person
from local.deploy import ROOT
from operate import package
from operate.problem import OperatingError

ACTIONS = ("start", "stop", "check", "both")
# Faster than this the system's own milliseconds look like minutes, and phases run out of patience.
HIGHEST_SPEED = 600


@dataclass(frozen=True)
class Asked:
    """All of it."""

    binary: Path
    servers: Path | None
    """Another servers.toml than the project's."""
    actions: list[str]
    more_input: dict[str, Any]
    faults: list[faults.Wish]
    calendar: str
    approve: str
    mute: bool
    speed: float
    port: int
    serve: bool


def read(arguments: list[str], binary: Path) -> Asked:
    """What is asked, of `binary` if no other one is named; a ValueError says what is wrong with it."""
    given = _options(arguments, binary)
    return Asked(
        actions=["start", "stop"] if given.action == "both" else [_one_of("ACTION", given.action, ACTIONS)],
        calendar=_one_of("CALENDAR", given.calendar, ("open", "closed"), may_be_empty=True),
        approve=_one_of("APPROVE", given.approve, person.WAYS, may_be_empty=True),
        speed=_number("SPEED", given.speed, 1, HIGHEST_SPEED),
        port=int(_number("PORT", given.port, 0, 65_535, "0 (any free one)")),
        faults=faults.parse(given.fault),
        more_input=_more_input(given.input),
        servers=_servers(given.servers),
        binary=_binary(given.binary),
        mute=given.mute,
        serve=given.serve,
    )


def _options(arguments: list[str], binary: Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description="The program of make run.")
    parser.add_argument("--binary", default=str(binary.relative_to(ROOT)), help="the function")
    parser.add_argument("--action", default="both", help=", ".join(ACTIONS))
    parser.add_argument(
        "--speed", default="60", help=f"simulated seconds a real second, 1 to {HIGHEST_SPEED}"
    )
    parser.add_argument("--fault", default="", help=f"{faults.__doc__} A run that fails by one is no error.")
    parser.add_argument("--input", default="", help="more of the execution's input, as JSON")
    parser.add_argument("--calendar", default="", help="a Change Calendar that is open or closed")
    parser.add_argument("--approve", default="", help="what a person who is asked says: yes, no or late")
    parser.add_argument("--servers", default="", help="another servers.toml than the project's")
    parser.add_argument("--mute", action="store_true", help="watch a server by two alarms, and mute them")
    parser.add_argument("--port", default="0", help="0: any free one")
    parser.add_argument("--serve", action="store_true", help="keep the embedded AWS up")
    return parser.parse_args(arguments)


def _one_of(name: str, text: str, words: tuple[str, ...], may_be_empty: bool = False) -> str:
    if text in words or (may_be_empty and not text):
        return text
    raise ValueError(f"{name} is {text}; {', '.join(words[:-1])} or {words[-1]} is expected")


def _number(name: str, text: str, lowest: int, highest: int, lowest_in_words: str = "") -> float:
    expected = f"{name} is {text}; a number from {lowest_in_words or lowest} to {highest} is expected"
    try:
        number = float(text)
    except ValueError:
        raise ValueError(expected) from None
    if not lowest <= number <= highest:
        raise ValueError(expected)
    return number


def _more_input(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text or "{}")
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise ValueError(
            f'INPUT is {text}; a JSON object is expected, for example {{"environments":["dev"]}}'
        )
    return given


def _servers(file: str) -> Path | None:
    if file and not Path(file).is_file():
        raise ValueError(f"SERVERS is {file}, which is no file")
    return Path(file) if file else None


def _binary(given: str) -> Path:
    binary = ROOT / given
    if not binary.exists():
        raise ValueError(f"{given} is not there: run cargo build, or make run")
    if why := _does_not_fit(binary):
        raise ValueError(f"{given} {why}: put another one there, or none")
    return binary


def _does_not_fit(binary: Path) -> str:
    """Why a binary is not the function of this folder's template and machine; empty if it is."""
    try:
        version, left_out = package.version_of(binary)
    except OperatingError as error:
        return f"is not the function ({error})"
    if left_out:
        return f"was built without {', '.join(left_out)}"
    ours = package.version_here()
    return "" if version == ours else f"is version {version}, and this folder is {ours}"
