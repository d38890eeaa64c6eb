"""docs/growth.png: what grows with the number of servers, against AWS's limits.

Owns the drawing; the figures are the simulation's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402 - after the choice of a backend without a screen
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.ticker import FuncFormatter  # noqa: E402

# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
PAYLOAD_BYTES = 262_144
# What the state machine lets all results come to before it hands on counts only (src/statemachine.rs).
RESULTS_BYTES = 200_000
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
INVOCATION_SECONDS = 900
# https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
READS_PER_SECOND = 20
READ_TOKENS = 100
START_TOKENS = 1000

OURS, SECOND, LIMIT = "#1f5fa8", "#c2681a", "#b3261e"


def draw(growth: list[dict[str, Any]], file: Path) -> None:
    """Three panels over one axis of fleet sizes."""
    servers = [size["servers"] for size in growth]

    def of(field: str) -> list[float]:
        return [size[field] for size in growth]

    figure, (calls, seconds, size) = plt.subplots(3, 1, figsize=(8.5, 11), sharex=True, layout="constrained")
    figure.suptitle(
        "A start of N servers in six lists, three environments at a time (simulated)", fontsize=13
    )

    calls.plot(servers, of("requests"), "o-", color=OURS, label="requests to EC2, whole start")
    calls.plot(servers, of("busiest_second_reads"), "s-", color=SECOND, label="reads in the busiest second")
    calls.plot(servers, of("start_requests"), "^-", color="#5b8c3a", label="StartInstances requests")
    _limit(
        calls, READ_TOKENS, f"EC2's bucket for reads: {READ_TOKENS} at once, then {READS_PER_SECOND} a second"
    )
    _panel(calls, "requests")

    seconds.plot(servers, of("seconds"), "o-", color=OURS, label="whole start")
    seconds.plot(
        servers, of("critical_path"), "s--", color=SECOND, label="critical path: the slowest servers"
    )
    _limit(seconds, INVOCATION_SECONDS, "one invocation: 15 min (a phase goes on in the next one)")
    _panel(seconds, "simulated seconds")

    size.plot(servers, of("largest_answer_bytes"), "o-", color=OURS, label="largest answer of a phase")
    size.plot(servers, of("all_answers_bytes"), "s-", color=SECOND, label="all answers, whole")
    _limit(size, PAYLOAD_BYTES, "a state's payload: 256 KiB")
    size.axhline(RESULTS_BYTES, color=LIMIT, linestyle=":", linewidth=1)
    _panel(size, "bytes")
    size.set_xlabel("servers")
    size.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    for panel in (calls, seconds, size):
        panel.axvline(START_TOKENS, color="#777777", linestyle="--", linewidth=1)
    calls.annotate(
        "StartInstances' bucket:\n1,000 servers, then 2 a second",
        (START_TOKENS, 1.3),
        xytext=(-6, 0),
        textcoords="offset points",
        ha="right",
        fontsize=8.5,
        color="#555555",
    )
    figure.savefig(file, dpi=130)
    plt.close(figure)


def _panel(panel: Axes, unit: str) -> None:
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_ylabel(unit)
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    panel.grid(True, which="major", color="#dddddd")
    panel.legend(loc="upper left", fontsize=9)


def _limit(panel: Axes, value: float, text: str) -> None:
    panel.axhline(value, color=LIMIT, linewidth=1.4)
    panel.annotate(
        text,
        (1, value),
        xycoords=("axes fraction", "data"),
        xytext=(-4, 3),
        textcoords="offset points",
        ha="right",
        fontsize=8.5,
        color=LIMIT,
    )
