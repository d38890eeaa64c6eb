"""`make test-dates`: the core's tests once more with the clocks of their processes set to other dates.

Owns the dates and the setting of the clocks, by libfaketime. The Python tests are not among them: under it
Python's own sleep fails. Not in CI: it needs a library that the project does not install.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
CORE = ["cargo", "test", "--no-default-features", "--target-dir", "target/core", "--no-run"]
DATES = {
    "a leap day": dt.datetime(2028, 2, 29, 12, tzinfo=dt.UTC),
    "half a minute before summer time": dt.datetime(2027, 3, 28, 0, 59, 30, tzinfo=dt.UTC),
    "a year on": dt.datetime.now(dt.UTC) + dt.timedelta(days=365),
}


def main() -> int:
    """Runs the core's Rust tests; 1 if any fails on any date."""
    if not LIBRARIES:
        print("make test-dates: libfaketime is needed (Debian: apt-get install faketime)", file=sys.stderr)
        return 2
    programs = list(core_tests())
    failed = []
    for name, date in DATES.items():
        environment = set_to(date)
        told = subprocess.run(["date", "--iso-8601=seconds"], env=environment, capture_output=True, text=True)
        print(f"== {name}: {told.stdout.strip()}", flush=True)
        for program in programs:
            if subprocess.run([program, "--quiet"], cwd=ROOT, env=environment).returncode:
                failed.append(f"{name}: {Path(program).name}")
    print(f"== Failed: {', '.join(failed)}" if failed else f"== All passed on {len(DATES)} dates.")
    return 1 if failed else 0


def set_to(date: dt.datetime) -> dict[str, str]:
    """The environment of a process whose clock, and whose children's, is at that date now and goes on."""
    ahead = int((date - dt.datetime.now(dt.UTC)).total_seconds())
    faked = {"LD_PRELOAD": str(LIBRARIES[0]), "FAKETIME": f"{ahead:+d}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    return os.environ | faked | {"TZ": "Europe/Madrid", "CARGO_MANIFEST_DIR": str(ROOT)}


def core_tests() -> Iterator[str]:
    """The core's test programs, compiled by today's clock: a compiler has no business in another year."""
    built = subprocess.run(
        [*CORE, "--message-format", "json"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    for line in built.stdout.splitlines():
        told = json.loads(line)
        if told.get("executable") and told.get("profile", {}).get("test"):
            yield told["executable"]


if __name__ == "__main__":
    sys.exit(main())
