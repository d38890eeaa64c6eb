"""What `sam build` makes of the product: its makefile target, without sam and without compiling."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from local.deploy import ROOT
from local.run import BINARY


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A clone with a bootstrap that is there already."""
    clone = tmp_path / "clone"
    clone.mkdir()
    for part in ("operate", "bench"):
        (clone / part).symlink_to(ROOT / part)
    for file in ("Makefile", "template.yaml", "servers.toml"):
        shutil.copy(ROOT / file, clone / file)
    shutil.copy(BINARY, clone / "bootstrap")
    return clone


def build(source: Path, artefact: Path) -> subprocess.CompletedProcess[str]:
    """As sam calls it."""
    artefact.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "--makefile", str(source / "Makefile"), "build-Function"],
        cwd=source,
        env=kept | {"ARTIFACTS_DIR": str(artefact)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_sam_calls_the_target_that_the_makefile_has():
    template = (ROOT / "template.yaml").read_text()
    assert (
        "  Function:\n    Type: AWS::Serverless::Function\n    Metadata:\n      BuildMethod: makefile\n"
        in template
    )
    assert "\nbuild-Function:\n" in (ROOT / "Makefile").read_text()


def test_the_artefact_has_the_lists_beside_the_binary(source: Path, tmp_path: Path):
    artefact = tmp_path / "artefact"
    told = build(source, artefact)
    assert told.returncode == 0, told.stderr
    assert sorted(file.name for file in artefact.iterdir()) == ["bootstrap", "servers.toml"]
    assert (artefact / "servers.toml").read_bytes() == (ROOT / "servers.toml").read_bytes()
    assert "nothing is compiled" in told.stdout
    # Away from the clone the function finds its lists by itself.
    checked = subprocess.run(
        [artefact / "bootstrap", "check"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert checked.stdout.startswith(f"{artefact / 'servers.toml'}: good."), checked.stderr


def test_a_bad_servers_toml_ends_the_build(source: Path, tmp_path: Path):
    (source / "servers.toml").write_text('tiers = ["db"]\n[[list]]\nnumber = "one"\n')
    told = build(source, tmp_path / "artefact")
    assert told.returncode == 2
    assert "servers.toml" in told.stderr
    assert not list((tmp_path / "artefact").iterdir())


def test_without_a_folder_for_the_artefact_the_right_target_is_named():
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    told = subprocess.run(
        ["make", "build-Function"],
        cwd=ROOT,
        env=kept,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 2
    assert "for make run: make build-function" in told.stderr
