"""The simulated rows: dead time, the critical path, requests and throttles (bench/simulation.rs).

Owns the way from its JSON to rows and a table. Ours and the baseline start the same fleets in virtual time.
"""

from __future__ import annotations

import json
import statistics
import subprocess
from typing import Any

from bench.table import Goal, Row, spread
from local.deploy import ROOT

SIMULATION = [
    *("cargo", "run", "--quiet", "--no-default-features", "--features", "testkit"),
    *("--target-dir", "target/core", "--example", "simulation"),
]
MOST_REQUESTS = {20: 250, 1000: 600}
"""The goal of a start of so many servers, none of them bad."""
BIG = 1000
"""No throttle may come up to this many servers."""


def simulate() -> dict[str, Any]:
    """What the simulation prints; about two minutes."""
    done = subprocess.run(SIMULATION, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def rows(told: dict[str, Any]) -> list[Row]:
    """Dead time and critical path over all fleets, and the throttles at 1,000 servers."""
    ours, baseline = told["fleets"]["ours"], told["fleets"]["baseline"]
    fleets = f"{len(ours)} random fleets"
    requests = [_requests(told, servers, at_most) for servers, at_most in MOST_REQUESTS.items()]
    big = [size for size in told["sizes"] if size["servers"] == BIG]
    return [
        *requests,
        Row(
            f"dead time between tiers, {fleets}",
            dead_seconds(ours),
            "baseline",
            dead_seconds(baseline),
            "s",
            [Goal(5), Goal(10, percentile=95)],
        ),
        Row(
            f"whole start of six lists, {fleets}",
            [start["seconds"] for start in ours],
            "critical path",
            [start["critical_path"] for start in ours],
            "s",
            [Goal(1.10, of_ratio=True)],
        ),
        Row(
            f"whole start of six lists, {fleets}",
            [start["seconds"] for start in ours],
            "baseline",
            [start["seconds"] for start in baseline],
            "s",
        ),
        Row(
            f"throttled requests, {BIG:,} servers, up to 1 % bad",
            [sample["throttles"] for size in big for sample in size["ours"]],
            "baseline",
            [sample["throttles"] for size in big for sample in size["baseline"]],
            "",
            [Goal(0, percentile=100)],
        ),
    ]


def _requests(told: dict[str, Any], servers: int, at_most: int) -> Row:
    """Of a whole start, reads and changes."""
    size = next(size for size in told["sizes"] if (size["servers"], size["bad"]) == (servers, 0))
    ours, baseline = ([sample["requests"] for sample in size[who]] for who in ("ours", "baseline"))
    return Row(
        f"requests to EC2, start of {servers:,} servers", ours, "baseline", baseline, "", [Goal(at_most)]
    )


def dead_seconds(starts: list[dict[str, Any]]) -> list[float]:
    """Of every environment in which the next tier was reached."""
    return [seconds for start in starts for seconds in start["dead_seconds"] if seconds is not None]


def requests_table(told: dict[str, Any]) -> str:
    """Requests and throttles by fleet size; a second line for the baseline."""
    lines = [
        "| servers | bad | who | requests to EC2 | StartInstances | throttled | seconds | running after |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for size in told["sizes"]:
        for who in ("ours", "baseline"):
            lines.append(_requests_line(size, who))
    return "\n".join(lines)


def _requests_line(size: dict[str, Any], who: str) -> str:
    def cell(field: str) -> str:
        return spread([sample[field] for sample in size[who]], "")

    fields = ("requests", "start_requests", "throttles", "seconds")
    running = statistics.median(sample["running"] for sample in size[who])
    cells = [f"{size['servers']:,}", str(size["bad"]), who, *map(cell, fields), f"{running:,.0f}"]
    return f"| {' | '.join(cells)} |"
