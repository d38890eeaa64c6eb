"""The table: each check, expected, seen, the verdict, and what the embedded AWS had seen."""

from __future__ import annotations

import json
from pathlib import Path

from prove.checks import MEASURED, NOT, Check

PREDICTED = Path(__file__).parent / "predicted.json"
HEAD = ["", "check", "expected", "seen", "embedded AWS"]


def predicted() -> dict[str, str]:
    """What each check saw in the embedded AWS, by its key; measured times differ and are not kept."""
    return json.loads(PREDICTED.read_text())


def write_predicted(checks: list[Check]) -> None:
    seen = {check.key: check.seen for check in checks if check.verdict != MEASURED}
    PREDICTED.write_text(json.dumps(seen, indent=2) + "\n")


def lines(checks: list[Check]) -> list[str]:
    """One table a step, in Markdown, with columns that line up in a terminal too."""
    known = predicted()
    told: list[str] = []
    for step in dict.fromkeys(check.step for check in checks):
        rows = [HEAD] + [row(check, known) for check in checks if check.step == step]
        widths = [max(3, *(len(row[column]) for row in rows)) for column in range(len(HEAD))]
        rows.insert(1, ["-" * width for width in widths])
        told += ["", f"### {step}", ""]
        for cells in rows:
            padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
            told.append(f"| {' | '.join(padded)} |")
    return told


def row(check: Check, known: dict[str, str]) -> list[str]:
    there = known.get(check.key, "not kept")
    same = "the same" if there == check.seen else there
    return [check.verdict, check.what, check.expected, check.seen, same]


def is_as_expected(checks: list[Check]) -> bool:
    """No check at all is not as expected."""
    return bool(checks) and all(check.verdict != NOT for check in checks)


def summary(checks: list[Check], whole: bool) -> str:
    """In one line, the verdict first; what was broken off has none, whatever it had shown until then."""
    counts: dict[str, int] = {}
    for check in checks:
        counts[check.verdict] = counts.get(check.verdict, 0) + 1
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) or "no check was made"
    if not whole:
        return f"Not proved; so far: {told}."
    return f"{'As expected' if is_as_expected(checks) else 'NOT as expected'}: {told}."
