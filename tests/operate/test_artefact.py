"""What `sam build` makes of the product: its makefile target, without sam and without compiling."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from local.deploy import ROOT
from local.run import BINARY
from operate import package

VERSION = package.version_here()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A clone with a bootstrap that is there already, and with lists that are the tests' own."""
    clone = tmp_path / "clone"
    clone.mkdir()
    for part in ("operate", "bench"):
        (clone / part).symlink_to(ROOT / part)
    shutil.copy(ROOT / "Makefile", clone)
    shutil.copy(ROOT / "tests" / "servers.toml", clone)
    shutil.copy(ROOT / "template.yaml", clone)
    shutil.copy(ROOT / "Cargo.toml", clone)
    shutil.copy(BINARY, clone / "bootstrap")
    assert make("statemachine", clone).returncode == 0
    return clone


def make(goal: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        [shutil.which("make"), "--makefile", str(folder / "Makefile"), goal],
        cwd=folder,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def build(source: Path, artefact: Path) -> subprocess.CompletedProcess[str]:
    """As sam calls it."""
    artefact.mkdir(exist_ok=True)
    return make("build-Function", source, ARTIFACTS_DIR=str(artefact))


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
    assert (artefact / "servers.toml").read_bytes() == (source / "servers.toml").read_bytes()
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


def test_a_machine_that_is_not_the_rendering_ends_the_build_and_a_rendering_needs_no_compiler(
    source: Path, tmp_path: Path
):
    lists = source / "servers.toml"
    lists.write_text(lists.read_text().replace('environment = "dev"', 'environment = "staging"'))
    told = build(source, tmp_path / "artefact")
    assert told.returncode == 2
    assert "statemachine.asl.json is not the rendering of servers.toml: make statemachine" in told.stderr
    assert not list((tmp_path / "artefact").iterdir())
    without_cargo = {"PATH": "/usr/bin:/bin"}
    assert make("statemachine", source, **without_cargo).returncode == 0
    assert build(source, tmp_path / "artefact").returncode == 0


def test_a_schedule_that_is_not_in_the_template_ends_the_build(source: Path, tmp_path: Path):
    lists = source / "servers.toml"
    schedule = '[[schedule]]\nname = "nights"\naction = "stop"\nexpression = "cron(0 22 * * ? *)"\n'
    lists.write_text(f"{lists.read_text()}\n{schedule}")
    told = build(source, tmp_path / "artefact")
    assert told.returncode == 2
    assert "The schedules in template.yaml are not those of servers.toml: make statemachine" in told.stderr
    assert not list((tmp_path / "artefact").iterdir())
    assert make("statemachine", source).returncode == 0
    assert "  ScheduledNights:\n" in (source / "template.yaml").read_text()
    assert build(source, tmp_path / "artefact").returncode == 0


def test_a_bootstrap_for_another_processor_ends_the_build(source: Path, tmp_path: Path):
    ours = package.architecture_of(BINARY)
    other = "arm64" if ours == "x86_64" else "x86_64"
    told = make("build-Function", source, ARTIFACTS_DIR=str(tmp_path), ARCHITECTURE=other)
    assert told.returncode == 2
    assert f"is for {ours}, and the function's architecture is {other}" in told.stderr
    assert not (tmp_path / "bootstrap").exists()


def with_a_program_that_says(version: str, source: Path) -> None:
    """Puts a program in the bootstrap's place that is of another version, and else does the same."""
    (source / "bootstrap").rename(source / "whole")
    program = f'#!/bin/sh\ntest "$1" = --version && echo "ec2-start-stop {version}" || exec ./whole "$@"\n'
    (source / "bootstrap").write_text(program)
    (source / "bootstrap").chmod(0o755)


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("0.0.1", "is ec2-start-stop 0.0.1, and this folder is "),
        (VERSION, "is for nothing that Lambda runs"),
        (f"{VERSION} without events, kms, muting", "kms, muting: this folder's template switches that on"),
    ],
)
def test_what_is_not_the_whole_function_of_this_version_ends_the_build(
    source: Path, tmp_path: Path, version: str, said: str
):
    with_a_program_that_says(version, source)
    told = build(source, tmp_path / "artefact")
    assert told.returncode == 2
    assert said in told.stderr
    assert not list((tmp_path / "artefact").iterdir())


def test_without_a_bootstrap_and_without_rust_it_is_said_what_is_needed(source: Path, tmp_path: Path):
    (source / "bootstrap").unlink()
    (tmp_path / "nothing").mkdir()
    for goal in ("build-Function", "statemachine"):
        told = make(goal, source, ARTIFACTS_DIR=str(tmp_path), PATH=str(tmp_path / "nothing"))
        assert told.returncode == 2
        assert "Rust is needed (https://rustup.rs), or a release's bootstrap in this folder" in told.stderr


def test_without_a_folder_for_the_artefact_the_right_target_is_named():
    told = make("build-Function", ROOT)
    assert told.returncode == 2
    assert "for make run: make build-function" in told.stderr


def test_a_bootstrap_in_the_folder_saves_make_run_the_compiler(source: Path):
    (source / "local").symlink_to(ROOT / "local")
    with_it = make("run", source, MAKEFLAGS="n").stdout  # n: says the commands and runs none
    assert "-m local --binary bootstrap" in with_it
    assert "cargo" not in with_it
    (source / "bootstrap").unlink()
    without_it = make("run", source, MAKEFLAGS="n").stdout
    assert "cargo build" in without_it
    assert "--binary" not in without_it
