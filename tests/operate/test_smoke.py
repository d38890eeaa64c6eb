"""make smoke takes the emulator that runs on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from operate.problem import OperatingError
from operate.smoke import find_emulator


@pytest.mark.parametrize(("machine", "name"), [("x86_64", "x86_64"), ("aarch64", "arm64")])
def test_the_emulator_is_the_one_for_the_processor(tmp_path: Path, machine, name):
    folder = tmp_path / "lib/python3.13/site-packages/samcli/local/rapid"
    folder.mkdir(parents=True)
    for one in ("x86_64", "arm64"):
        (folder / f"aws-lambda-rie-{one}").touch()
    assert find_emulator(tmp_path, "Linux", machine).name == f"aws-lambda-rie-{name}"


@pytest.mark.parametrize(("system", "machine"), [("Darwin", "arm64"), ("Linux", "riscv64")])
def test_a_machine_that_cannot_run_it_is_said(tmp_path: Path, system, machine):
    with pytest.raises(OperatingError, match=f"this is {system} {machine}"):
        find_emulator(tmp_path, system, machine)


def test_a_wheel_without_an_emulator_is_said(tmp_path: Path):
    with pytest.raises(OperatingError, match="has no aws-lambda-rie-x86_64"):
        find_emulator(tmp_path, "Linux", "x86_64")
