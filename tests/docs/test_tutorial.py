"""The tutorial's servers.toml is one that the product takes, and is what its outputs are of."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from local.deploy import ROOT
from local.rendering import BINARY, rendered

PAGE = (ROOT / "docs" / "tutorial.md").read_text()
FILE = re.search(r"```toml\n(tiers = .+?)```", PAGE, re.DOTALL)


def test_the_file_that_a_reader_copies_gives_a_machine_of_its_three_environments(tmp_path: Path):
    assert FILE is not None
    (tmp_path / "servers.toml").write_text(FILE[1])
    branches = json.loads(rendered(tmp_path / "servers.toml"))["States"]["Start environments"]["Branches"]
    assert [branch["StartAt"] for branch in branches] == [
        "Start dev DB servers",
        "Start staging DB servers",
        "Start demo App servers",
    ]


def test_every_server_that_the_file_names_is_in_an_output():
    assert FILE is not None
    shown = PAGE.replace(FILE[1], "")
    for name in ("dev-web-1", "dev-web-2", "dev-db-1", "demo-1"):
        assert name in FILE[1]
        assert name in shown


def test_what_the_page_shows_of_the_file_and_of_a_mistake_is_what_check_says(tmp_path: Path):
    assert FILE is not None
    second = 'tier = "db"\nname = "dev databases"'
    assert FILE[1].count(second) == 1
    mistaken = FILE[1].replace(second, second.replace('"db"', '"database"'))
    good, bad = re.findall(r"\$ make statemachine\n(.+?)(?:…\n)?```", PAGE, re.DOTALL)
    for text, shown in ((FILE[1], good), (mistaken, bad)):
        file = tmp_path / "servers.toml"
        file.write_text(text)
        done = subprocess.run([*BINARY, "check", str(file)], cwd=ROOT, capture_output=True, text=True)
        assert (done.stdout + done.stderr).replace(str(file), file.name) == shown
