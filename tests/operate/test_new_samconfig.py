"""make samconfig.toml chooses arm64 where it can be built, and nowhere else."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from local.deploy import ROOT


def made(
    folder: Path, machine: str, *arguments: str, sysroot: Path = Path("/nowhere")
) -> subprocess.CompletedProcess[str]:
    """make in a copy of the tree's makefiles, on a machine that calls itself so, with Rust in sysroot."""
    for name in ("Makefile", "samconfig.toml.example"):
        shutil.copy(ROOT / name, folder)
    for name in ("operate", "bench"):
        (folder / name).mkdir()
        shutil.copy(ROOT / name / f"{name}.mk", folder / name)
    programs = folder / "programs"
    programs.mkdir()
    for name, told in (("uname", machine), ("rustc", sysroot)):
        (programs / name).write_text(f"#!/bin/sh\necho {told}\n")
        (programs / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment = kept | {"PATH": f"{programs}:{os.environ['PATH']}"}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


def architectures(folder: Path) -> list[str]:
    found = tomllib.loads((folder / "samconfig.toml").read_text())["default"]
    given = found["build"]["parameters"].get("parameter_overrides", [])
    given += found["deploy"]["parameters"]["parameter_overrides"]
    return [one for one in given if one.startswith("Architecture=")]


@pytest.mark.parametrize(
    ("machine", "chosen"),
    [("x86_64", []), ("aarch64", ["Architecture=arm64"] * 2), ("arm64", ["Architecture=arm64"] * 2)],
)
def test_build_and_deployment_are_for_what_the_machine_can_build(tmp_path, machine, chosen):
    told = made(tmp_path, machine, "samconfig.toml")
    assert told.returncode == 0, told.stderr
    assert architectures(tmp_path) == chosen


@pytest.mark.parametrize(
    ("target", "chosen"),
    [("aarch64-unknown-linux-gnu", ["Architecture=arm64"] * 2), ("aarch64-unknown-linux-musl", []), ("", [])],
)
def test_another_machine_builds_for_arm64_only_with_rusts_target_for_it(tmp_path, target, chosen):
    sysroot = tmp_path / "rust"
    (sysroot / "lib" / "rustlib" / target).mkdir(parents=True)
    assert made(tmp_path, "x86_64", "samconfig.toml", sysroot=sysroot).returncode == 0
    assert architectures(tmp_path) == chosen


@pytest.mark.parametrize(
    ("machine", "processor", "chosen"), [("aarch64", 0x3E, []), ("x86_64", 0xB7, ["Architecture=arm64"] * 2)]
)
def test_a_bootstrap_that_lies_there_decides(tmp_path, machine, processor, chosen):
    # e_machine, at its place in an ELF file's header.
    header = b"ELF".rjust(4).ljust(18) + bytes([processor]).ljust(46)
    (tmp_path / "bootstrap").write_bytes(header)
    assert made(tmp_path, machine, "samconfig.toml").returncode == 0
    assert architectures(tmp_path) == chosen


def test_make_deploy_does_not_go_on_with_the_addresses_of_the_example(tmp_path):
    told = made(tmp_path, "x86_64", "deploy", "-o", "doctor")
    assert told.returncode == 2
    assert "put your Region and your addresses in" in told.stderr
