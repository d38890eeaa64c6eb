"""A user's servers.toml with one more environment of three tiers: nothing else has to change."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.deploy import ROOT
from local.fleet import LIST
from tests.system.conftest import System

TIERS = {
    "db": 'servers = ["staging-db-a", "staging-db-b"]',
    "mq": 'tags = { Service = "broker" }',
    "app": 'servers = ["staging-web"]',
}
# Real seconds; the state machine's tests take about thirty.
LONGEST_TESTS = 300


@pytest.fixture
def servers(servers_file: Path, tmp_path: Path) -> Path:
    text = servers_file.read_text().replace('tiers = ["db", "app"]', 'tiers = ["db", "mq", "app"]')
    for number, (tier, which) in enumerate(TIERS.items(), start=6):
        text += (
            f'\n[[{LIST}]]\nnumber = {number}\nenvironment = "staging"\ntier = "{tier}"\n'
            f'name = "staging {tier} servers"\n{which}\nready = "running"\ntimeout_minutes = 15\n'
        )
    file = tmp_path / "servers.toml"
    file.write_text(text)
    return file


def test_all_of_its_servers_are_started_tier_by_tier_and_stopped(server, servers, tmp_path):
    system = System(server, tmp_path / "function.log", "stopped", servers)
    everyone = list(system.fleet.ids)
    assert len(everyone) == 20 + 2 + 3 + 1
    for action, state in (("start", "running"), ("stop", "stopped")):
        server.application.calls.clear()
        outcome = system.run(action)
        assert outcome.status == "SUCCEEDED"
        assert system.states(everyone) == {state}
        assert sorted(row["name"] for row in outcome.output["servers"]) == sorted(everyone)
        asked = [name for call in server.application.calls for name in staging(system, action, call)]
        assert asked == sorted(asked, key=["db-a", "mq-1", "web"].index, reverse=action == "stop")
        assert set(asked) == {"db-a", "mq-1", "web"}


def staging(system: System, action: str, call) -> list[str]:
    """Which tiers of staging a call starts or stops, by one server of each."""
    if call.operation != f"{action.title()}Instances":
        return []
    asked = call.parameters.values()
    return [name for name in ("db-a", "mq-1", "web") if system.fleet.ids[f"staging-{name}"] in asked]


def test_the_state_machines_tests_pass_with_it(servers):
    # Whether two JSONata engines agree does not depend on the lists, and takes long to find out.
    but_the_engines = "--ignore=tests/state_machine/test_engines.py"
    command = [sys.executable, "-m", "pytest", "tests/state_machine", but_the_engines]
    environment = os.environ | {"SERVERS_FIXTURE": str(servers)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONGEST_TESTS
    )
    assert done.returncode == 0, done.stdout
