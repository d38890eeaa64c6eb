"""The rows of builds: wall time and peak memory, from nothing and after touching one core file.

Owns these measurements. A clean build takes many minutes, so each is measured once, without a spread.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from bench.table import Goal, Row
from local.deploy import ROOT

CORE_FILE = ROOT / "src" / "phase" / "pace.rs"
FUNCTION = ["cargo", "build", "--quiet", "--bin", "ec2-start-stop"]
CORE = ["cargo", "test", "--no-default-features", "--quiet"]
PEAK_MB = 6_000
CORE_SECONDS, FUNCTION_SECONDS = 60, 240
# ru_maxrss is in units of 1,024 bytes (getrusage(2)).
BYTES = 1_024


def rows(folder: Path) -> list[Row]:
    """Builds into `folder`, which is emptied before and deleted afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        core, function = _clean_and_touched(CORE, folder), _clean_and_touched(FUNCTION, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return [
        _row("wall time of `make test-fast`", core, 0, "s", [Goal(CORE_SECONDS)]),
        _row("peak memory of `make test-fast`", core, 1, "MB"),
        _row("wall time of the function's build", function, 0, "s", [Goal(FUNCTION_SECONDS)]),
        _row("peak memory of the function's build", function, 1, "MB", [Goal(PEAK_MB)]),
    ]


def _row(
    what: str,
    measured: tuple[tuple[float, float], tuple[float, float]],
    which: int,
    unit: str,
    goals: Sequence[Goal] = (),
) -> Row:
    clean, touched = measured
    return Row(f"{what}, clean", [clean[which]], "one core file touched", [touched[which]], unit, goals)


def _clean_and_touched(command: list[str], folder: Path) -> tuple[tuple[float, float], tuple[float, float]]:
    """Wall seconds and peak megabytes of both; the peak is the largest single process's."""
    clean = _measured(command, folder)
    was = CORE_FILE.stat()
    CORE_FILE.touch()
    try:
        return clean, _measured(command, folder)
    finally:  # or every other build of the user's would take it for changed
        os.utime(CORE_FILE, ns=(was.st_atime_ns, was.st_mtime_ns))


def _measured(command: list[str], folder: Path) -> tuple[float, float]:
    environment = {**os.environ, "CARGO_TARGET_DIR": str(folder)}
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    # Its own and its children's peak: what all of ours had, builds before included, would be another number.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        raise RuntimeError(f"{' '.join(command)} failed")
    return time.monotonic() - began, usage.ru_maxrss * BYTES / 1_000_000
