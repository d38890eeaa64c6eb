"""The benchmark's arithmetic: a goal that is missed is said to be missed."""

from __future__ import annotations

import pytest

from bench.table import Goal, Row, goal_text, markdown, percentile, quantity, ratio


def row(ours: list[float], theirs: list[float], *goals: Goal, unit: str = "s") -> Row:
    return Row("a thing", ours, "another", theirs, unit, goals)


def test_a_row_without_goals_says_so():
    assert markdown([row([1.0], [2.0])]).endswith("| 1.0 s | another | 2.0 s | 0.50 | – |")


def test_a_goal_is_met_up_to_its_limit_and_missed_above_it():
    goal = Goal(2.0)
    assert row([1.0, 2.0, 9.0], [1.0] * 3).met(goal)
    assert not row([1.0, 2.1, 9.0], [1.0] * 3).met(goal)


def test_a_missed_goal_is_told_with_the_figure():
    missed = row([3.0], [2.0], Goal(2.5), Goal(1.2, of_ratio=True))
    assert goal_text(missed, missed.goals[0]) == "≤ 2.5 s: **missed: 3.0 s**"
    assert goal_text(missed, missed.goals[1]) == "≤ 1.20 ×: **missed: 1.50**"


def test_ratios_are_taken_pair_by_pair_so_that_a_disturbance_of_both_cancels():
    assert row([1.0, 10.0, 1.0], [2.0, 20.0, 2.0]).ratios == [0.5, 0.5, 0.5]


def test_nothing_has_no_ratio():
    assert row([0.0], [0.0]).ratios == []
    assert "| 0 | another | 0 | – |" in markdown([row([0], [0], unit="")])


@pytest.mark.parametrize(("percent", "expected"), [(50, 5.5), (95, 10), (100, 10), (10, 1)])
def test_a_percentile_is_a_sample_that_so_many_do_not_exceed(percent: int, expected: float):
    assert percentile(list(range(10, 0, -1)), percent) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [(0.00412, "s", "4.1 ms"), (61.26, "s", "61.3 s"), (1234, "", "1,234"), (0.0025, "USD", "0.0025 USD")],
)
def test_a_quantity_is_told_in_the_scale_that_suits_it(value: float, unit: str, expected: str):
    assert quantity(value, unit) == expected


def test_small_ratios_are_told_as_fractions():
    assert (ratio(0.5), ratio(1 / 60)) == ("0.50", "1/60")
