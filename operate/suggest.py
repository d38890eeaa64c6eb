"""The known word that somebody probably meant. No dependencies: the Makefile asks before .venv is there."""

import difflib
import sys
from collections.abc import Iterable


def closest(word: str, known: Iterable[str]) -> str | None:
    """By its letters alone; a longer form of a known word counts too (ENVIRONMENT is ENV)."""
    plain = {_letters(name): name for name in known}
    wanted = _letters(word)
    longer = [
        short for short in plain if len(short) >= 3 and (wanted.startswith(short) or short.startswith(wanted))
    ]
    near = difflib.get_close_matches(wanted, plain, n=1) or sorted(longer, key=len, reverse=True)
    return plain[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Behind the word; nothing if no known one is near."""
    near = closest(word, known)
    return f" (did you mean {near}?)" if near else ""


def _letters(word: str) -> str:
    return word.upper().replace("_", "")


if __name__ == "__main__":
    print(did_you_mean(sys.argv[1], sys.argv[2:]))
