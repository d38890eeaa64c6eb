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
from matplotlib.ticker import FuncFormatter, NullFormatter  # noqa: E402

# https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
READ_TOKENS, READ_TOKENS_PER_SECOND = 100, 20
START_TOKENS = 1000
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
INVOCATION_SECONDS = 900
# Two tiers of 15 minutes each (tests/servers.toml).
PATIENCE_SECONDS = 1800
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
PAYLOAD_BYTES = 262_144

BLUE, ORANGE, GREEN, RED, GREY = "#1f5fa8", "#c2681a", "#4a7d2c", "#b3261e", "#666666"


def draw(growth: list[dict[str, Any]], file: Path) -> None:
    """Four panels over the same fleet sizes."""
    figure, panels = plt.subplots(2, 2, figsize=(13, 9), sharex=True, layout="constrained")
    (calls, rates), (seconds, sizes) = panels
    figure.suptitle(
        "A start of N servers: six lists, three environments at a time (simulated)\n"
        "hollow: not every server was up when the lists' patience was over",
        fontsize=13,
    )
    _line(calls, growth, "requests", BLUE, "o", "requests to EC2, whole start")
    _line(calls, growth, "start_requests", GREEN, "^", "of them StartInstances")
    _line(calls, growth, "throttles", RED, "x", "throttled, of all")
    _panel(calls, "requests", "Requests", "upper left")

    _line(rates, growth, "busiest_second_reads", BLUE, "o", "reads in the busiest second")
    _limit(rates, READ_TOKENS, f"EC2's bucket of reads: {READ_TOKENS} at once")
    _limit(rates, READ_TOKENS_PER_SECOND, f"its refill: {READ_TOKENS_PER_SECOND} a second")
    _panel(rates, "requests in one second", "Request rate", "lower right")
    rates.set_ylim(4, 200)

    _line(seconds, growth, "seconds", BLUE, "o", "whole start")
    _line(seconds, growth, "critical_path", ORANGE, "s", "critical path: the slowest servers")
    _limit(seconds, INVOCATION_SECONDS, "one invocation: 15 min; a phase goes on in the next")
    _limit(seconds, PATIENCE_SECONDS, "patience of two lists: 30 min")
    _panel(seconds, "simulated seconds", "Time", "lower left")
    seconds.set_ylim(200, 3500)
    seconds.set_yticks([200, 500, 1000, 2000])

    _line(sizes, growth, "largest_answer_bytes", BLUE, "o", "largest answer of a phase")
    _line(sizes, growth, "all_answers_bytes", ORANGE, "s", "all answers, if nothing were shortened")
    _limit(sizes, PAYLOAD_BYTES, "a state's payload: 256 KiB")
    _panel(sizes, "bytes", "Payload", "lower right")

    for panel in (seconds, sizes):
        panel.set_xlabel("servers")
    for panel in panels.flat:
        panel.axvline(START_TOKENS, color=GREY, linestyle="--", linewidth=1)
    calls.annotate(
        "StartInstances' bucket:\n1,000 servers at once,\nthen 2 a second",
        (START_TOKENS, 0.03),
        xycoords=("data", "axes fraction"),
        xytext=(6, 0),
        textcoords="offset points",
        fontsize=9,
        color=GREY,
    )
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _line(panel: Axes, growth: list[dict[str, Any]], field: str, color: str, marker: str, name: str) -> None:
    """A line through all sizes with a value above zero; a logarithm has no zero."""
    shown = [size for size in growth if size[field] > 0]
    panel.plot([s["servers"] for s in shown], [s[field] for s in shown], color=color, linewidth=1.6)
    for all_up in (True, False):
        points = [size for size in shown if (size["running"] == size["servers"]) == all_up]
        panel.plot(
            [point["servers"] for point in points],
            [point[field] for point in points],
            marker=marker,
            linestyle="none",
            color=color,
            markerfacecolor=color if all_up else "white",
            label=name if all_up and points else None,
        )
    if shown and not any(size["running"] == size["servers"] for size in shown):
        panel.lines[-1].set_label(name)


def _panel(panel: Axes, unit: str, title: str, legend: str) -> None:
    panel.set_title(title, loc="left", fontsize=11, fontweight="bold")
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_ylabel(unit)
    plain = FuncFormatter(lambda value, _: f"{value:,.0f}")
    panel.xaxis.set_major_formatter(plain)
    panel.yaxis.set_major_formatter(plain)
    panel.yaxis.set_minor_formatter(NullFormatter())
    panel.grid(True, which="major", color="#e2e2e2")
    panel.set_axisbelow(True)
    panel.legend(loc=legend, fontsize=9)


def _limit(panel: Axes, value: float, text: str) -> None:
    panel.axhline(value, color=RED, linewidth=1.3)
    panel.annotate(
        text,
        (0, value),
        xycoords=("axes fraction", "data"),
        xytext=(5, 3),
        textcoords="offset points",
        fontsize=9,
        color=RED,
    )
