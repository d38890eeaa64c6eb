"""The Makefile refuses what it does not understand, before it does anything."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from local.deploy import ROOT


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What make would do; what is installed already is not installed again."""
    command = ["make", "-n", "-o", ".venv/.installed", "-o", ".venv-deploy/.installed", *arguments]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        command, cwd=ROOT, env=kept | environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("stop env=dev", "make stop takes no variable env (did you mean ENV?)"),
        ("stop ENVIRONMENT=dev", "make stop takes no variable ENVIRONMENT (did you mean ENV?)"),
        ("start DRYRUN=1", "make start takes no variable DRYRUN (did you mean DRY_RUN?)"),
        (
            "stop SERVE=1",
            "make stop takes no variable SERVE: it takes AT DRY_RUN ENV IGNORE_CALENDAR STACK YES",
        ),
        ("status AWS_REGOIN=x", "make status takes no variable AWS_REGOIN (did you mean AWS_REGION?)"),
    ],
)
def test_a_variable_that_the_command_does_not_take_is_refused_by_its_name(arguments, sentence):
    told = make(*arguments.split())
    assert told.returncode == 2
    assert sentence in told.stderr
    assert "operate" not in told.stdout


@pytest.mark.parametrize("name", ["ENV", "STACK"])
def test_an_empty_name_is_refused_and_does_not_mean_everything(name):
    for nothing in ("", "  "):
        told = make("stop", f"{name}={nothing}")
        assert told.returncode == 2
        assert f"{name} is empty: name what is meant, or leave {name}= out" in told.stderr


def test_the_environments_variables_are_nobodys_typing():
    assert make("stop", env="dev", SERVE="1").returncode == 0
    assert make("stop", "AWS_REGION=eu-west-1", "AWS_PROFILE=dev", "ENV=dev").returncode == 0


@pytest.mark.parametrize(("value", "is_dry"), [("1", True), ("yes", True), ("true", True)])
def test_words_that_mean_yes(value, is_dry):
    assert ("--dry-run" in make("start", f"DRY_RUN={value}").stdout) == is_dry


@pytest.mark.parametrize("value", ["", "0", "no", "false"])
def test_words_that_mean_no(value):
    told = make("start", f"DRY_RUN={value}", f"YES={value}")
    assert told.returncode == 0
    assert "--dry-run" not in told.stdout
    assert "--yes" not in told.stdout


@pytest.mark.parametrize(
    ("goal", "name"), [("start", "DRY_RUN"), ("stop", "YES"), ("tag", "APPLY"), ("bench", "BUILDS")]
)
def test_any_other_word_is_refused(goal, name):
    told = make(goal, f"{name}=maybe")
    assert told.returncode == 2
    assert f'{name} is "maybe"; 1, yes or true is expected, or 0, no or false' in told.stderr


def test_deploy_begins_with_doctor():
    commands = make("deploy", "-o", "samconfig.toml").stdout
    assert 0 <= commands.find("operate doctor") < commands.find("sam build")


def test_help_explains_every_variable_that_a_command_takes():
    taken = set(
        re.findall(r"[A-Z_]+", " ".join(re.findall(r"^takes-\S+ := (.*)$", makefile(), re.MULTILINE)))
    )
    help_text = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    for name in taken - {"CHROMIUM"}:
        assert re.search(rf"^  {name}=", help_text, re.MULTILINE), name


def test_an_old_make_is_refused_in_a_sentence(tmp_path):
    head = makefile().split("endif\n")[0] + "endif\nall:\n"
    old = tmp_path / "Makefile"
    old.write_text("override .FEATURES :=\n" + head)
    told = subprocess.run(["make", "-f", old, "all"], capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 2
    assert "GNU make 3.82 or newer is needed" in told.stderr


def makefile() -> str:
    return (ROOT / "Makefile").read_text()
