"""`make bench`: prints the tables, draws docs/growth.png.

Owns the order and the telling; each module owns its rows. `--builds` adds the clean builds: half an hour.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path

from bench import builds, functions, growth, simulated, start_up, table, whole_run
from local.deploy import ROOT
from local.server import Server

PLOT = ROOT / "docs" / "growth.png"


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    for binary in (functions.OURS, functions.HELLO):
        if not binary.exists():
            print(f"make bench: {binary.relative_to(ROOT)} is not there: run make bench", file=sys.stderr)
            return 2
    print(f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}\n", flush=True)
    _tell("simulating fleets (two minutes)")
    told = simulated.simulate()
    server = Server()
    try:
        _tell("starting functions (two minutes)")
        rows = start_up.rows(server)
        rows += simulated.rows(told)
        _tell("running whole systems (five minutes)")
        rows += whole_run.rows(server)
    finally:
        server.stop()
    if options.builds:
        _tell("building from nothing (half an hour)")
        rows += builds.rows(options.build_folder)
    growth.draw(told["growth"], PLOT)
    print(f"{table.markdown(rows)}\n\n{simulated.requests_table(told)}\n\n{PLOT.relative_to(ROOT)} is drawn.")
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--builds", action="store_true", help="measure clean builds too")
    parser.add_argument("--build-folder", type=Path, default=ROOT / "target" / "bench-builds")
    return parser.parse_args(arguments)


def _tell(what: str) -> None:
    print(f"== {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
