"""What a run costs, from prices and usage."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.cost import Usage, of_month, of_run, prices

PRICES = {
    "lambda": {"gb_second": 0.5, "request": 3.0},
    "step_functions": {"state_transition": 7.0},
    "ses": {"mail": 11.0},
}


def test_each_use_has_its_price_and_memory_counts_in_gigabytes():
    assert of_run(Usage(1, 0.0, 128, 0, mails=0), PRICES) == 3
    assert of_run(Usage(0, 16.0, 128, 0, mails=0), PRICES) == 1
    assert of_run(Usage(0, 0.0, 128, 2, mails=1), PRICES) == 25


def test_a_month_is_a_start_and_a_stop_each_weekday():
    usage = Usage(0, 0.0, 128, 1, mails=0)
    assert of_month(usage, usage, PRICES) == 22 * 14


def test_the_price_file_has_every_price_and_says_when_it_was_read():
    assert of_run(Usage(7, 1000.0, 128, 22), prices()) > 0
    assert prices()["read_on"]


PAGE = (Path(__file__).parents[2] / "docs" / "cost.md").read_text()


def test_the_pages_sum_is_that_of_its_rows_and_at_most_fifteen_cents():
    rows = re.findall(r"^\| (.+?) \| \**\$([0-9.]+)\** \|", PAGE.split("## The sum")[1], re.MULTILINE)
    *parts, (last, total) = rows
    assert last == "**a month**" and len(parts) >= 5
    assert sum(float(part) for _, part in parts) == pytest.approx(float(total), abs=0.0006)
    assert float(total) <= 0.15


def test_the_page_counts_with_the_prices_of_the_benchmark():
    gigabyte_seconds, requests, dollars = re.search(
        r"Lambda: ([0-9,]+) GB-seconds, ([0-9]+) requests \| \$([0-9.]+)", PAGE
    ).groups()
    of = prices()["lambda"]
    counted = float(gigabyte_seconds.replace(",", "")) * of["gb_second"] + int(requests) * of["request"]
    assert counted == pytest.approx(float(dollars), abs=0.0001)
    transitions, dollars = re.search(r"Step Functions: ([0-9,]+) transitions \| \$([0-9.]+)", PAGE).groups()
    assert int(transitions.replace(",", "")) * prices()["step_functions"][
        "state_transition"
    ] == pytest.approx(float(dollars), abs=0.0001)
