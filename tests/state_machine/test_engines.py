"""Our JSONata gives the same on jsonata-python and on the JavaScript engine 2.0.6, which AWS names."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from local import jsonata_bridge
from local.server import Server
from local.state_machine_lab import GIVEN, run
from tests.state_machine.test_opening import every_way
from tests.state_machine.test_paths import BAD_INPUTS, MACHINE, SCENARIOS, Script, refused

ROOT = Path(__file__).parents[2]
EVALUATE = """
const jsonata = require('jsonata');
const cases = JSON.parse(require('fs').readFileSync(0));
(async () => {
  const results = [];
  for (const [expression, bindings] of cases) {
    try {
      const value = await jsonata(expression).evaluate(undefined, bindings);
      results.push(value === undefined ? ['undefined'] : ['value', JSON.parse(JSON.stringify(value))]);
    } catch (error) { results.push(['error']); }
  }
  console.log(JSON.stringify(results));
})();
"""


@pytest.fixture(scope="module")
def recorded(running_server: Server) -> list:
    """Each evaluation of the scenarios' runs, once."""
    jsonata_bridge.RECORDED = []
    try:
        for given, script in SCENARIOS.values():
            run(running_server, MACHINE, given, script())
        for given in BAD_INPUTS:
            run(running_server, MACHINE, given, Script(input=[refused]))
        every_way(running_server)
        cases = {json.dumps(case): case for case in jsonata_bridge.RECORDED}
    finally:
        jsonata_bridge.RECORDED = None
    return list(cases.values())


def ours(expression: str, bindings: dict) -> list:
    try:
        return ["value", jsonata_bridge.evaluate(expression, bindings)]
    except jsonata_bridge.UndefinedError:
        return ["undefined"]
    except Exception:
        return ["error"]


def test_every_recorded_evaluation_gives_the_same_on_both_engines(recorded):
    node = subprocess.run(
        ["node", "-e", EVALUATE],
        input=json.dumps(recorded),
        cwd=ROOT / "tests" / "linters",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert node.returncode == 0, node.stderr
    theirs = json.loads(node.stdout)
    differing = [
        (expression, here, there)
        for (expression, bindings), there in zip(recorded, theirs, strict=True)
        if (here := ours(expression, bindings)) != there
    ]
    assert differing == []
    assert len(recorded) > 500


def test_every_expression_of_the_machine_was_among_them(recorded):
    text = json.dumps(MACHINE)
    for name, value in GIVEN.items():
        text = text.replace(f"${{{name}}}", value)
    evaluated = {expression for expression, _ in recorded}
    wanted = {
        part.split(" %}")[0] for part in json.loads(json.dumps(text)).replace('\\"', '"').split("{% ")[1:]
    }
    missing = {expression for expression in wanted if expression not in evaluated}
    # These Catches need a machine or a service that is broken on purpose (test_paths).
    assert missing <= {
        "$states.errorOutput",
        "'Nothing was done: the earlier execution ' & $states.input.earlier[0] "
        "& ' did not end within an hour.'",
    }
