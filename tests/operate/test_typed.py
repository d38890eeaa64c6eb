"""What is mistyped is refused before anybody needs to be signed in."""

from __future__ import annotations

import pytest

from local.run import BINARY
from operate import place
from operate.problem import OperatingError

NOT_SIGNED_IN = "nobody is signed in"
COMING = "2190-12-24T18:00"
COMMANDS = ("--commands", str(BINARY))


@pytest.fixture(autouse=True)
def signed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def here(_: object) -> place.Place:
        raise OperatingError(NOT_SIGNED_IN)

    monkeypatch.setattr(place, "here", here)


@pytest.mark.parametrize(
    "arguments",
    [
        ("start", "--environments", "dev"),
        ("stop",),
        ("check-account", "--environments", "dev"),
        ("approve", "--run", "stop-1", "--environments", "preprod", "--answer", "yes"),
        ("postpone", "--environments", "dev", "--until", COMING, *COMMANDS),
        ("release", "--environments", "dev"),
        ("status",),
    ],
)
def test_what_is_typed_well_needs_somebody_who_is_signed_in(make, capsys, arguments):
    assert make(*arguments) == 2
    assert capsys.readouterr().err == f"make {arguments[0]}: {NOT_SIGNED_IN}\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("start", "--at", "tomorrow"), "AT is tomorrow"),
        (("start", "--stop-after-hours", "three"), "STOP_AFTER_HOURS is three"),
        (("stop", "--environments", "dve"), "no environment dve (did you mean dev?)"),
        (("check-account", "--environments", "dve"), "no environment dve (did you mean dev?)"),
        (("approve", "--environments", "preprod", "--answer", "yes"), "name the run and the environment"),
        (("approve", "--run", "stop-1", "--environments", "preprod", "--answer", "yep"), "ANSWER is yep"),
        (("postpone", "--until", COMING, *COMMANDS), "ENV is missing"),
        (("postpone", "--environments", "dev", *COMMANDS), "UNTIL is missing"),
        (("postpone", "--environments", "dev", "--until", "Christmas", *COMMANDS), "is not understood"),
        (("release",), "ENV is missing"),
        (("release", "--environments", "dve"), "no environment dve (did you mean dev?)"),
    ],
)
def test_what_is_mistyped_is_said_first(make, capsys, arguments, says):
    assert make(*arguments) == 2
    told = capsys.readouterr()
    assert says in told.err
    assert NOT_SIGNED_IN not in told.err
    assert told.out == ""
