"""What stands around the code: the workflows, who looks after versions, and the changelog."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from local.deploy import ROOT
from operate import package

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKEFILES = "".join(path.read_text() for path in [ROOT / "Makefile", *ROOT.glob("*/*.mk")])
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILES, re.MULTILINE))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_githubs_own_and_fixed_by_commit_with_its_version_beside(workflow: Path):
    used = re.findall(r"uses: (.+)", workflow.read_text())
    assert used
    for action in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_command_of_a_workflow_is_one_that_a_person_can_run(workflow: Path):
    used = set(re.findall(r"make ([a-z-]+)", re.sub(r"#.*", "", workflow.read_text())))
    assert used
    assert used <= TARGETS


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_read_unless_a_job_says_more(workflow: Path):
    told = yaml_parse(workflow.read_text())
    assert told["permissions"] == {"contents": "read"}
    writing = {name for name, job in told["jobs"].items() if "permissions" in job}
    assert writing <= {"release"}


def test_every_list_of_versions_is_looked_after():
    cared_for = {
        (update["package-ecosystem"], folder)
        for update in yaml_parse((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
        for folder in update.get("directories", [update.get("directory")])
    }
    kinds = {"Cargo.lock": "cargo", "requirements.txt": "pip", "package-lock.json": "npm"}
    for name, kind in kinds.items():
        for found in [*ROOT.glob(name), *ROOT.glob(f"[a-z]*/{name}"), *ROOT.glob(f"[a-z]*/[a-z]*/{name}")]:
            if "target" in found.parts:
                continue
            folder = found.parent.relative_to(ROOT).as_posix()
            assert (kind, "/" if folder == "." else f"/{folder}") in cared_for, found


def test_the_changelog_says_of_each_version_when():
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    version = package.version_here()
    assert headings[0].split()[0] == version
    for heading in headings:
        assert re.fullmatch(r"\d+\.\d+\.\d+ \((unreleased|\d{4}-\d{2}-\d{2})\)", heading), heading
    assert not any("unreleased" in heading for heading in headings[1:])
