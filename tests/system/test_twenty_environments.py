"""The most environments that a machine has, and EC2 refuses every server of them: the mail still goes out.

UnauthorizedOperation is EC2's longest text (1,000 characters of encoded message a server), and whoever forgot
the tags gets it for all servers at once: what the branches hand on must fit a state's payload.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local import clock
from local.fleet import LIST
from tests.system.conftest import System

ENVIRONMENTS = 20
DATABASES, APPLICATIONS = 6, 3
# Twenty processes at a time on a small machine: slower than the other tests' clock.
SPEED = 60


@pytest.fixture
def servers(tmp_path: Path) -> Path:
    text = 'tiers = ["db", "app"]\n'
    tiers = (("db", DATABASES), ("app", APPLICATIONS))
    for number in range(ENVIRONMENTS):
        for tier, count in tiers:
            names = json.dumps([f"e{number:02}-{tier}-{n}" for n in range(count)])
            text += (
                f"\n[[{LIST}]]\nnumber = {number + 100 * (tier == 'app')}\n"
                f'environment = "e{number:02}"\ntier = "{tier}"\nname = "{tier} of e{number:02}"\n'
                f'servers = {names}\nready = "status-checks"\ntimeout_minutes = 15\n'
            )
    file = tmp_path / "servers.toml"
    file.write_text(text)
    return file


def test_all_servers_of_twenty_environments_refused_still_reach_the_mail(server, servers, tmp_path):
    clock.set_speed(SPEED)
    system = System(server, tmp_path / "function.log", "stopped", servers)
    system.fail("StartInstances=UnauthorizedOperation")
    outcome = system.run("start")
    assert (outcome.status, outcome.error) == ("FAILED", "ServersNotAsWanted")
    mail = system.mail()
    assert mail["Message.Subject.Data"].startswith("START STATUS: ABORTED")
    for body in ("Message.Body.Text.Data", "Message.Body.Html.Data"):
        assert "UnauthorizedOperation" in mail[body]
        assert all(f"e{number:02}-db-0" in mail[body] for number in range(ENVIRONMENTS))
    cause = json.loads(outcome.cause)
    assert cause["counts"]["problems"] == ENVIRONMENTS * DATABASES
    assert cause["problems"]
