"""What a release has beside its zips: notes of its version, what is compiled in, checksums."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from operate import release
from operate.package import ROOT
from operate.problem import OperatingError

CHANGELOG = """# Changelog

## 1.3.0 (unreleased)

- Not yet.

## 1.2.0 (2026-11-27)

### Features
- A thing.

## 1.1.0 (2026-10-01)
"""


@pytest.fixture(scope="module")
def metadata() -> dict[str, Any]:
    return release.cargo_metadata()


@pytest.fixture(scope="module")
def materials(metadata: dict[str, Any]) -> dict[str, Any]:
    return release.bill_of_materials(metadata, tomllib.loads((ROOT / "Cargo.lock").read_text()))


def test_the_notes_are_the_changelogs_part_of_the_version_and_no_more():
    assert release.notes(CHANGELOG, "1.2.0") == "### Features\n- A thing.\n"


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("1.3.0", "calls 1.3.0 'unreleased': a release has a date there"),
        ("1.1.0", "says nothing of 1.1.0"),
        ("1.2", "has no heading '## 1.2 (<date>)'"),
        ("1.2.1", "has no heading"),
    ],
)
def test_a_version_without_date_or_words_is_not_released(version: str, said: str):
    with pytest.raises(OperatingError) as refusal:
        release.notes(CHANGELOG, version)
    assert said in str(refusal.value)


def test_the_changelog_has_a_part_for_the_version_that_is_built(metadata: dict[str, Any]):
    version = release.root_of(metadata)["version"]
    assert f"\n## {version} (" in (ROOT / "CHANGELOG.md").read_text()


def test_what_is_compiled_in_is_named_and_what_only_tests_use_is_not(materials: dict[str, Any]):
    names = {component["name"] for component in materials["components"]}
    assert {"aws-sdk-ec2", "ring", "serde"} <= names
    assert not {"proptest", "expect-test", "windows-sys", "ec2-start-stop"} & names
    assert materials["metadata"]["component"]["name"] == "ec2-start-stop"


def test_every_crate_has_its_licence_and_the_checksum_of_the_lock(materials: dict[str, Any]):
    for component in materials["components"]:
        (licence,), (hashed,) = component["licenses"], component["hashes"]
        assert "/" not in licence["expression"]
        assert len(hashed["content"]) == 64, component["name"]


def test_the_checksums_are_what_sha256sum_checks(tmp_path: Path):
    (tmp_path / "one.zip").write_bytes(b"one")
    (tmp_path / "SHA256SUMS").write_text(release.checksums([tmp_path / "one.zip"]))
    subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=tmp_path, check=True, timeout=10)


def test_without_a_zip_nothing_is_written_and_a_sentence_says_what_to_do(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(release, "DIST", tmp_path)
    monkeypatch.setattr(release, "notes", lambda *_: "notes")
    assert release.main() == 2
    assert "make package first" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
