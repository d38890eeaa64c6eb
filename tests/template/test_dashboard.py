"""The dashboard shows metrics that the summary records really have, under their own names and dimensions."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from local.deploy import ROOT, translate
from local.server import Server
from tests.parameters import REQUIRED
from tests.system.conftest import System


def widgets() -> list[dict[str, Any]]:
    template = translate(ROOT / "template.yaml", REQUIRED)
    body = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    return json.loads(body)["widgets"]


def shown(widget: dict[str, Any]) -> set[tuple[str, frozenset[str]]]:
    """The metrics of a widget, each with its dimensions' names."""
    found = set()
    for metric in widget["properties"].get("metrics", []):
        if isinstance(metric[0], dict):
            schema, name = re.search(r"\{(.*)\} .*MetricName=\"(\w+)\"", metric[0]["expression"]).groups()
            assert schema.split(",")[0] == '"ec2-start-stop"'
            found.add((name, frozenset(schema.split(",")[1:])))
        else:
            namespace, name, *dimensions = metric
            assert namespace == "ec2-start-stop"
            found.add((name, frozenset(dimensions[::2])))
    return found


def recorded(records: list[dict[str, Any]]) -> set[tuple[str, frozenset[str]]]:
    return {
        (metric["Name"], frozenset(dimensions))
        for record in records
        for directive in record["_aws"]["CloudWatchMetrics"]
        for dimensions in directive["Dimensions"]
        for metric in directive["Metrics"]
    }


@pytest.fixture
def records(server: Server, tmp_path: Path) -> list[dict[str, Any]]:
    """What a start wrote to the function's standard output."""
    log = tmp_path / "function.log"
    System(server, log, "stopped", Metrics="on").run("start")
    lines = log.read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith('{"_aws"')]


def test_every_metric_of_the_dashboard_is_recorded_and_every_recorded_one_is_shown(records):
    assert set().union(*map(shown, widgets())) == recorded(records)


def test_the_table_of_runs_asks_for_fields_that_a_runs_record_has(records):
    (table,) = [widget["properties"]["query"] for widget in widgets() if widget["type"] == "log"]
    fields = re.search(r"fields (.*?) \|", table).group(1).split(", ")
    (run,) = [record for record in records if record["record"] == "run"]
    for field in fields[1:]:
        value: Any = run
        for step in field.split("."):
            value = value[step]


def test_a_run_of_six_lists_leaves_six_phase_records_and_one_of_the_run(records):
    assert sorted(record["record"] for record in records) == ["phase"] * 6 + ["run"]
    assert {record["run"] for record in records} == {records[0]["run"]}
