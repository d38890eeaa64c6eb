"""What a run costs, from prices and usage."""

from __future__ import annotations

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
