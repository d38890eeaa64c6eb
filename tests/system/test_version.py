"""A person who sees a mail, a log or a file can name the version."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from local.run import BINARY
from local.server import Server
from operate import package
from tests.system.conftest import System

VERSION = package.version_here()


@pytest.mark.parametrize("asked", ["--version", "-V"])
def test_the_binary_says_its_version(asked: str):
    done = subprocess.run([BINARY, asked], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == f"ec2-start-stop {VERSION}\n"


def test_the_mails_foot_and_the_functions_first_line_say_the_version(server: Server, tmp_path: Path):
    log = tmp_path / "function.log"
    system = System(server, log, "stopped")
    system.run("start", dry_run=True, environments=["dev"])
    mail = system.mail()
    for part in ("Message.Body.Text.Data", "Message.Body.Html.Data"):
        assert f"version {VERSION}" in mail[part].replace("\u00a0", " ").replace("&#160;", " ").replace(
            "\n", " "
        )
    first = json.loads(log.read_text().splitlines()[0])
    assert (first["message"], first["version"]) == ("ec2-start-stop", VERSION)
