"""A release, from its zip alone: unpacked, checked, rendered, deployed into the embedded AWS, and run dry."""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from local import deploy as local_deploy
from local import run as local_run
from local.fleet import Fleet
from local.run import BINARY
from local.server import Server
from operate import package
from operate.problem import OperatingError
from tests.system.conftest import System

LEFT_OUT = ["events", "kms", "muting"]
TEMPLATE = (package.ROOT / "template.yaml").read_text()


class Unpacked(System):
    """The system that lies in a folder, with its own binary, lists, state machine and template."""

    def __init__(self, server: Server, folder: Path, log: Path) -> None:
        self.server = server
        self.stack = local_run.set_up(
            server, log, binary=folder / "bootstrap", servers=folder / "servers.toml"
        )
        for function in server.application.lambdas.functions.values():
            del function.environment["SERVERS_FILE"]  # on Lambda nobody says where the lists lie
        self.fleet = Fleet(server, self.stack.client("ec2"))
        self.fleet.seed(folder / "servers.toml", "stopped")
        server.application.calls.clear()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package.package(BINARY, tmp_path_factory.mktemp("dist"))


@pytest.fixture
def folder(archive: Path, tmp_path: Path) -> Path:
    """What unzip makes of it."""
    subprocess.run(["unzip", "-q", archive, "-d", tmp_path], check=True, timeout=60)
    return tmp_path / archive.stem


def that_says(version: str, folder: Path) -> Path:
    """A program that says so of itself."""
    program = folder / "bootstrap"
    program.write_text(f"#!/bin/sh\necho '{version}'\n")
    program.chmod(0o755)
    return program


def ask(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=30, check=False)


def test_the_zip_is_named_after_version_and_architecture(archive: Path):
    version = ask(archive.parent, str(BINARY), "--version").stdout.split()[1]
    assert archive.name == f"ec2-start-stop-{version}-{package.architecture_of(BINARY)}.zip"


def test_its_commands_run_where_it_was_unpacked(folder: Path):
    checked = ask(folder, "./bootstrap", "check")
    assert checked.stdout.startswith("servers.toml: good."), checked.stderr
    assert ask(folder, "./bootstrap", "render").stdout == (folder / "statemachine.asl.json").read_text()


def test_every_file_that_its_page_names_is_in_it(folder: Path):
    page = (folder / "DEPLOY.md").read_text()
    for name in ("bootstrap", "servers.toml", "statemachine.asl.json"):
        assert name in page
        assert (folder / name).exists()
    assert os.access(folder / "bootstrap", os.X_OK)


def test_the_schema_is_where_the_lists_first_line_names_it(folder: Path):
    named = (folder / "servers.toml").read_text().splitlines()[0].removeprefix("#:schema ")
    assert (folder / named).read_text() == (package.ROOT / "docs" / "servers.schema.json").read_text()


def test_it_is_deployed_and_run_dry_from_its_folder_alone(
    server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(local_deploy, "ROOT", folder)
    system = Unpacked(server, folder, folder.parent / "function.log")
    outcome = system.run("start", dry_run=True)
    assert outcome.status == "SUCCEEDED", outcome.cause
    mail = system.mail()["Message.Body.Text.Data"]
    assert all(name in mail for name in system.fleet.ids)
    assert system.states(list(system.fleet.ids)) == {"stopped"}


def test_what_a_release_is_told_needs_no_build():
    ours = set(package.template("x86_64").splitlines())
    assert ours - set(TEMPLATE.splitlines()) == {"      SkipBuild: true", "    AllowedValues: [x86_64]"}


def test_a_small_release_offers_no_more_than_its_function_can_do():
    small = set(package.template("x86_64", LEFT_OUT).splitlines())
    added = small - set(package.template("x86_64").splitlines())
    assert added == {'    AllowedValues: ["off"]'}
    parameters = yaml_parse(package.template("x86_64", LEFT_OUT))["Parameters"]
    only_off = [name for name, given in parameters.items() if given.get("AllowedValues") == ["off"]]
    assert sorted(only_off) == ["Chat", "Events", "MuteAlarms"]
    assert {parameters[name]["Default"] for name in only_off} == {"off"}


@pytest.mark.parametrize(
    ("said", "left_out"),
    [("ec2-start-stop 1.2.0", []), ("ec2-start-stop 1.2.0 without events, kms, muting", LEFT_OUT)],
)
def test_a_binary_says_what_was_left_out_of_it(said: str, left_out: list[str], tmp_path: Path):
    assert package.version_of(that_says(said, tmp_path)) == ("1.2.0", left_out)


def test_what_is_not_ours_is_no_release(tmp_path: Path):
    with pytest.raises(OperatingError, match="its --version says something else"):
        package.version_of(that_says("true (GNU coreutils) 9.1", tmp_path))


@pytest.mark.parametrize(
    ("left_out", "suffix"), [([], ""), (LEFT_OUT, "-small"), (["events", "kms"], "-without-events-kms")]
)
def test_a_zips_name_says_what_its_function_lacks(left_out: list[str], suffix: str):
    assert package.suffix(left_out) == suffix


def test_a_binary_without_the_function_is_no_release(tmp_path: Path):
    binary = that_says("ec2-start-stop 1.2.0 without aws, events, kms, muting", tmp_path)
    with pytest.raises(OperatingError, match="was built without aws: it has the commands, not the function"):
        package.version_of(binary)


def test_a_feature_that_can_be_left_out_is_on_where_nothing_is_said():
    features = tomllib.loads((package.ROOT / "Cargo.toml").read_text())["features"]
    assert features["default"] == ["aws", *package.SWITCHED_BY]


def test_a_release_for_arm64_is_deployed_as_arm64_only():
    assert "    AllowedValues: [arm64]\n    Default: arm64\n" in package.template("arm64")


def test_the_same_files_make_the_same_zip(archive: Path, tmp_path: Path):
    again = tmp_path / "again.zip"
    package.write_zip(archive.with_suffix(""), again)
    assert again.read_bytes() == archive.read_bytes()


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x7fELF" + b"\x00" * 20])
def test_what_is_no_program_for_lambda_is_refused(content: bytes, tmp_path: Path):
    (tmp_path / "bootstrap").write_bytes(content)
    with pytest.raises(OperatingError, match="is no Linux program for x86_64 or arm64"):
        package.package(tmp_path / "bootstrap", tmp_path)


def test_a_binary_of_another_machine_is_refused_in_a_sentence(tmp_path: Path):
    other = "arm64" if package.architecture_of(BINARY) == "x86_64" else "x86_64"
    machine = {name: code for code, name in package.MACHINES.items()}[other]
    (tmp_path / "bootstrap").write_bytes(b"\x7fELF" + b"\x00" * 14 + machine + b"\x00" * 44)
    (tmp_path / "bootstrap").chmod(0o755)
    with pytest.raises(OperatingError, match="package it on a machine of its kind"):
        package.package(tmp_path / "bootstrap", tmp_path)


def test_make_says_what_is_wrong_and_no_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert package.main([str(tmp_path / "absent")]) == 2
    assert capsys.readouterr().err == f"make package: {tmp_path / 'absent'}: No such file or directory\n"
