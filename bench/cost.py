"""What runs cost: prices times what was used. Pure but for reading the price file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PRICES = Path(__file__).parent / "prices.toml"
# Weekdays of a month: one start and one stop each.
WEEKDAYS = 22
MEGABYTES_PER_GIGABYTE = 1024


@dataclass(frozen=True)
class Usage:
    """What one execution used."""

    invocations: int
    lambda_seconds: float
    memory_mb: int
    transitions: int
    mails: int = 1


def prices() -> dict[str, Any]:
    return tomllib.loads(PRICES.read_text())


def of_run(usage: Usage, prices: dict[str, Any]) -> float:
    """US dollars of one execution."""
    gigabyte_seconds = usage.lambda_seconds * usage.memory_mb / MEGABYTES_PER_GIGABYTE
    return (
        gigabyte_seconds * prices["lambda"]["gb_second"]
        + usage.invocations * prices["lambda"]["request"]
        + usage.transitions * prices["step_functions"]["state_transition"]
        + usage.mails * prices["ses"]["mail"]
    )


def of_month(start: Usage, stop: Usage, prices: dict[str, Any]) -> float:
    """US dollars of a start and a stop every weekday."""
    return WEEKDAYS * (of_run(start, prices) + of_run(stop, prices))
