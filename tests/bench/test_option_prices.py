"""What an option costs is said in several places: all of them follow from the benchmark's prices."""

from __future__ import annotations

import re
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from bench.cost import WEEKDAYS, prices
from local.deploy import ROOT

PAGE = (ROOT / "docs" / "cost.md").read_text()
PARAMETERS = (ROOT / "docs" / "deploy.md").read_text()
TEMPLATE = yaml_parse((ROOT / "template.yaml").read_text())
CLOUDWATCH = prices()["cloudwatch"]
LAMBDA = prices()["lambda"]
# docs/cost.md, "What is counted".
METRIC_HOURS = WEEKDAYS * 18
HOURS_A_MONTH = 730


def number(pattern: str, text: str) -> float:
    found = re.search(pattern, " ".join(text.split()))
    assert found, f"{pattern} is not in it"
    return float(found[1].replace(",", ""))


def description(parameter: str) -> str:
    return TEMPLATE["Parameters"][parameter]["Description"]


def alarms() -> list[dict[str, Any]]:
    found = [one for one in TEMPLATE["Resources"].values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    assert all(alarm["Condition"] == "HasAlarms" for alarm in found)
    return found


def test_the_alarms_cost_what_each_place_says():
    month = len(alarms()) * CLOUDWATCH["alarm"]
    assert number(r"six alarms \| \$([0-9.]+)", PAGE) == pytest.approx(month)
    assert number(r"\$([0-9.]+) a month; auto is on", description("FunctionAlarms")) == pytest.approx(month)
    assert number(r"six CloudWatch alarms at \$([0-9.]+) a month each", PARAMETERS) == CLOUDWATCH["alarm"]
    assert len(alarms()) == 6, "they are called six"
    assert CLOUDWATCH["free_alarms"] == 10 and "the free tier has ten alarms" in PAGE


def test_the_metrics_cost_what_each_place_says():
    months = METRIC_HOURS / HOURS_A_MONTH
    assert number(r"`Metrics=on`: ([0-9.]+) metric-months", PAGE) == pytest.approx(months, abs=0.005)
    month = pytest.approx(months * CLOUDWATCH["metric"], abs=0.005)
    assert number(r"metric-months \| \$([0-9.]+)", PAGE) == month
    assert number(r"about \$([0-9.]+) a month", description("Metrics")) == month
    assert number(r"About \$([0-9.]+) a month \(\[cost.md\]", PARAMETERS) == month
    assert CLOUDWATCH["free_metrics"] == 10 and "the free tier has ten metrics" in PAGE


def test_a_dashboard_costs_what_each_place_says():
    dashboard = CLOUDWATCH["dashboard"]
    assert number(r"fourth dashboard on \| \$([0-9.]+)", PAGE) == dashboard
    assert number(r"each further one \$([0-9.]+) a month", description("ShowDashboard")) == dashboard
    assert number(r"a further one costs \$([0-9]+) a month", PARAMETERS) == dashboard
    assert CLOUDWATCH["free_dashboards"] == 3 and "first three are free" in description("ShowDashboard")


def test_the_pages_table_of_prices_is_the_benchmarks():
    for pattern, price in {
        r"CloudWatch alarm \| ([0-9.]+)": CLOUDWATCH["alarm"],
        r"CloudWatch metric of one's own \| ([0-9.]+)": CLOUDWATCH["metric"],
        r"CloudWatch dashboard \| ([0-9.]+)": CLOUDWATCH["dashboard"],
        r"Lambda, x86_64 \| ([0-9.]+)": LAMBDA["gb_second"],
        r"Lambda, arm64 \| ([0-9.]+)": LAMBDA["gb_second_arm64"],
        r"Lambda, requests \| ([0-9.]+)": LAMBDA["request"] * 1e6,
        r"Step Functions, Standard \| ([0-9.]+)": prices()["step_functions"]["state_transition"] * 1000,
        r"SES, outgoing \| ([0-9.]+)": prices()["ses"]["mail"] * 1000,
        r"events of one's own \| ([0-9.]+)": prices()["eventbridge"]["event"] * 1e6,
    }.items():
        assert number(pattern, PAGE) == pytest.approx(price), pattern


def test_arm64_and_the_events_cost_what_the_page_says():
    gigabyte_seconds = number(r"Lambda: ([0-9,]+) GB-seconds", PAGE)
    requests = number(r"GB-seconds, ([0-9]+) requests", PAGE)
    arm64 = gigabyte_seconds * LAMBDA["gb_second_arm64"] + requests * LAMBDA["request"]
    assert number(r"On arm64 Lambda comes to \$([0-9.]+[0-9])", PAGE) == pytest.approx(arm64, abs=0.0001)
    saved = gigabyte_seconds * (LAMBDA["gb_second"] - LAMBDA["gb_second_arm64"])
    assert number(r"Architecture=arm64` \| \$([0-9.]+) less", PAGE) == pytest.approx(saved, abs=0.0005)
    events = number(r"\| Events: ([0-9]+), and as many", PAGE)
    seconds = number(r"half a second: ([0-9.]+) GB-seconds", PAGE)
    month = events * (prices()["eventbridge"]["event"] + LAMBDA["request"]) + seconds * LAMBDA["gb_second"]
    for pattern in (r"as many invocations \| \$([0-9.]+)", r"Events=off` \| \$([0-9.]+) less"):
        assert number(pattern, PAGE) == pytest.approx(month, abs=0.00005)


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md", "docs/cost.md"])
def test_the_month_is_the_same_on_each_page(page):
    total = number(r"\*\*a month\*\* \| \*\*\$([0-9.]+)\*\*", PAGE)
    said = number(r"(?i)(?:A month costs )?about \W*\$([0-9]\.[0-9]{2})", (ROOT / page).read_text())
    assert said == pytest.approx(total, abs=0.005)
