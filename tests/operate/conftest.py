"""A shell signed in to the embedded AWS, without the user's own configuration, and a terminal to look at."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from local.deploy import STACK
from local.fleet import Fleet
from local.runtime_api import ACCOUNT, REGION
from local.server import Server
from operate import lists
from operate.command import main
from operate.place import Place
from operate.stack import Stack, find
from operate.terminal import Terminal
from tests.system.conftest import System

SERVERS = Path(__file__).with_name("servers.toml")


class Screen(Terminal):
    """A terminal in memory: what it shows, and a person who always gives the same answer."""

    def __init__(self, answer: str | None = None, is_live: bool = False) -> None:
        super().__init__(io.StringIO())
        self.answer, self.is_live, self.has_keyboard = answer, is_live, answer is not None

    @property
    def shown(self) -> str:
        return self.out.getvalue()

    @property
    def lines(self) -> list[str]:
        return self.shown.splitlines()

    def ask(self, question: str) -> str:
        self.say(question)
        return self.answer or ""


@pytest.fixture
def screen() -> Callable[..., Screen]:
    return Screen


@pytest.fixture(autouse=True)
def shell(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Signed in by AWS_REGION alone; gives the path of ~/.aws/config, where there is nothing."""
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    config = tmp_path / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    return config


@pytest.fixture
def system(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    made = System(server, tmp_path / "function.log", "stopped")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)  # the deployment sets it for sam's translator
    return made


@pytest.fixture
def session() -> boto3.Session:
    return boto3.Session(region_name=REGION)


@pytest.fixture
def stack(system: System, session: boto3.Session) -> Stack:
    return find(STACK, session)


@pytest.fixture
def where(session: boto3.Session) -> Place:
    return Place(session, ACCOUNT, "acme-dev")


@pytest.fixture
def servers() -> Path:
    return SERVERS


@pytest.fixture
def fleet(server: Server, session: boto3.Session) -> Fleet:
    """What the lists want: three servers by name and one by its tags."""
    made = Fleet(server, session.client("ec2"))
    for listed in lists.read(SERVERS):
        for name in listed.servers or ["mq1"]:
            made.create(name, {"Environment": listed.environment, "Tier": listed.tier})
    return made


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., int]:
    """`make <command>`, with the tests' own files."""

    def made(*arguments: str) -> int:
        files = ["--servers", str(SERVERS), "--samconfig", str(tmp_path / "samconfig.toml")]
        return main([*arguments, *files])

    return made
