"""docs/servers.schema.json tells editors what `check` tells: the same keys, and the same mistakes."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from local.deploy import ROOT
from local.names import names
from local.rendering import BINARY, LONGEST_RENDERING
from operate import package

SCHEMA = ROOT / "docs" / "servers.schema.json"
VALIDATOR = Draft7Validator(json.loads(SCHEMA.read_text()))
MISTAKES = tomllib.loads((ROOT / "tests" / "servers_mistakes.toml").read_text())
ENVIRONMENT = '"an_environment-of-24-chs"'
ALLOWED = [
    {},
    {"servers": "[]"},
    {"servers": "", "tags": '{ Tier = "db" }', "minimum": "2"},
    {"number": "4294967295", "timeout_minutes": "1440", "environment": ENVIRONMENT},
    {"servers": '["web 1", "i-web", "é", "b"]', "minimum": "1", "minimum_after_minutes": "14"},
    {"force_stop_after_minutes": "10", "force_stop_accepts": '"data loss"', "settle_seconds": "60"},
    {"hourly_rate": '{ amount = 1, currency = "EUR" }', "minimum": '"all"'},
]


def changed(base: str, keys: dict[str, str]) -> str:
    """The list with these keys changed in their line, added behind the last, or taken away."""
    lines = base.splitlines()
    for key, value in keys.items():
        line = f"{key} = {value}" if value else ""
        places = [place for place, known in enumerate(lines) if known.startswith(f"{key} = ")]
        if places:
            lines[places[0]] = line
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def text_of(row: dict[str, Any]) -> str:
    if "keys" in row:
        return changed(MISTAKES["base"], row["keys"])
    if "other" in row:
        return f"{MISTAKES['base']}\n{changed(MISTAKES['other'], row['other'])}"
    return row["text"].replace("BASE", MISTAKES["base"])


def refused(text: str) -> bool:
    """By the schema, or because it is no TOML, which an editor sees too."""
    try:
        return not VALIDATOR.is_valid(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        return True


def keys_of(schema: dict[str, Any], within: str = "") -> Iterator[str]:
    """Every key with the tables that it stands in; NAME stands for a key that is the user's."""
    for name, value in schema.get("properties", {}).items():
        yield within + name
        inner = value.get("items", value)
        named = inner.get("additionalProperties")
        if isinstance(named, dict) and "properties" in named:
            yield from keys_of(named, f"{within}{name}.NAME.")
        inner = VALIDATOR.schema["definitions"]["list"] if "$ref" in inner else inner
        yield from keys_of(inner, f"{within}{name}.")


def test_it_is_a_schema():
    Draft7Validator.check_schema(VALIDATOR.schema)


def test_its_keys_are_the_binarys_own_and_each_is_described():
    assert sorted(keys_of(VALIDATOR.schema)) == sorted(names()["keys"])
    lists = VALIDATOR.schema["definitions"]["list"]["properties"]
    assert all(key.get("description") for key in [*lists.values(), *VALIDATOR.schema["properties"].values()])


@pytest.mark.parametrize("file", ["servers.toml", "tests/servers.toml"])
def test_our_own_files_are_as_it_wants_them(file: str):
    assert list(VALIDATOR.iter_errors(tomllib.loads((ROOT / file).read_text()))) == []


@pytest.mark.parametrize("file", ["servers.toml", "tests/servers.toml"])
def test_the_first_line_names_it_for_editors(file: str):
    named = re.fullmatch(r"#:schema (\S+)", (ROOT / file).read_text().splitlines()[0])
    assert named
    assert ((ROOT / file).parent / named[1]).resolve() == SCHEMA.resolve()


def test_a_release_has_it_where_the_first_line_names_it():
    assert str(SCHEMA.relative_to(ROOT)) in package.FILES


@pytest.mark.parametrize("row", MISTAKES["mistake"], ids=lambda row: f"{row['line']}: {row['says']}")
def test_it_refuses_what_check_refuses_as_far_as_a_schema_can(row: dict[str, Any]):
    assert refused(text_of(row)) == row["editor"]


@pytest.mark.parametrize("keys", ALLOWED, ids=str)
def test_it_accepts_what_check_accepts(keys: dict[str, str], tmp_path: Path):
    text = changed(MISTAKES["base"], keys)
    assert not refused(text)
    file = tmp_path / "servers.toml"
    file.write_text(text)
    checked = check(file)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_check_tells_every_mistake_in_a_line_that_an_editor_jumps_to(tmp_path: Path):
    file = tmp_path / "servers.toml"
    file.write_text(changed(MISTAKES["base"], {"number": "-1", "timeout_minutes": '"10"'}))
    checked = check(file)
    assert (checked.returncode, checked.stdout) == (1, "")
    first, second, count = checked.stderr.splitlines()
    assert first.startswith(f"{file}:2: number = -1: write a whole number")
    assert second.startswith(f'{file}:8: timeout_minutes = "10": write a whole number')
    assert count == "2 mistakes."


def check(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BINARY, "check", str(file)], cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_RENDERING
    )
