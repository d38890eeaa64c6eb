"""One embedded AWS for all Python tests: started once, emptied before each test, stopped at the end.

Their servers are those of tests/servers.toml, or of the file that SERVERS_FIXTURE names.
"""

import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import accounts, calendars, clock, ec2, events
from local.rendering import rendered
from local.server import Server

# A minute takes 0.24 s; an HTTP request of a few milliseconds still takes only a few simulated seconds.
SPEED = 250
SERVERS_FILE = Path(os.environ.get("SERVERS_FIXTURE") or Path(__file__).parent / "servers.toml")


@pytest.fixture(scope="session")
def servers_file() -> Path:
    return SERVERS_FILE


@pytest.fixture(scope="session")
def machine(servers_file: Path) -> dict[str, Any]:
    """The state machine of the tests' servers."""
    return json.loads(rendered(servers_file))


@pytest.fixture(scope="session")
def running_server() -> Iterator[Server]:
    clock.set_speed(SPEED)
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def server(running_server: Server) -> Server:
    """The embedded AWS with nothing in it."""
    empty(running_server)
    return running_server


def empty(server: Server) -> None:
    clock.set_speed(SPEED)  # simulated time begins anew at real time
    server.application.lambdas.stop()
    server.application.lambdas.functions.clear()
    server.application.faults.clear()
    server.application.calls.clear()
    ec2.HABITS.clear()
    events.clear()
    accounts.clear()
    calendars.CALENDARS.clear()
    request = urllib.request.Request(f"{server.url}/moto-api/reset", method="POST")
    urllib.request.urlopen(request, timeout=10).close()
