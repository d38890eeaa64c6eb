"""What `sam build` makes of a checkout or of a release folder: the binary, and servers.toml beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from local.deploy import ROOT
from local.run import BINARY
from tests.conftest import SERVERS_FILE

COPIED = ["Makefile", "operate", "bench"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a binary that is there, as in a release."""
    for name in COPIED:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    shutil.copy(BINARY, tmp_path / "bootstrap")
    shutil.copy(SERVERS_FILE, tmp_path / "servers.toml")
    (tmp_path / "artefact").mkdir()
    return tmp_path


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"ARTIFACTS_DIR": str(folder / "artefact")}
    command = ["make", "build-Function"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def test_a_bootstrap_that_is_there_is_taken_with_the_lists_beside_it(folder):
    done = build(folder)
    assert done.returncode == 0, done.stderr
    artefact = folder / "artefact"
    assert sorted(path.name for path in artefact.iterdir()) == ["bootstrap", "servers.toml"]
    assert "dev: db (3 servers) → app (4 servers)" in done.stdout
    # The function finds the lists beside itself.
    rendered = subprocess.run([artefact / "bootstrap", "render"], cwd="/", capture_output=True, timeout=60)
    assert b'"Start dev DB servers"' in rendered.stdout


def test_a_bad_servers_file_is_refused_with_its_line_before_anything_is_deployed(folder):
    (folder / "servers.toml").write_text('tiers = ["db"]\n[[list]]\nnumber = "one"\n')
    done = build(folder)
    assert done.returncode != 0
    assert "line 3" in done.stderr
    assert not (folder / "artefact" / "servers.toml").exists()
