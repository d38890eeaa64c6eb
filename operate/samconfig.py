"""What samconfig.toml says of the deployment: Region, stack, parameters. The file is sam's."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from operate.problem import OperatingError

FILE = Path(__file__).parent.parent / "samconfig.toml"
# sam's grammar of a text (samcli/cli/types.py, 1.170.0): a value has quotes, or ends at a blank.
NAME = r"""[A-Za-z0-9"']+"""
VALUE = r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|(?:\\.|[^ "\\])+"""
LONG_FORM = re.compile(f"ParameterKey=({NAME}),ParameterValue=({VALUE})")
SHORT_FORM = re.compile(f" ({NAME})=({VALUE})")


@dataclass(frozen=True)
class SamConfig:
    """The deployment that `make deploy` makes; empty if there is no file."""

    exists: bool = False
    region: str = ""
    stack_name: str = ""
    s3_prefix: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    """As sam reads them, which is not always as they were meant."""
    lost: list[str] = field(default_factory=list)
    """The texts of the parameters that sam does not take whole."""


def read(file: Path = FILE) -> SamConfig:
    """The file's default environment, as `sam deploy` reads it: what is global, then what is deploy's own."""
    if not file.exists():
        return SamConfig()
    try:
        default = tomllib.loads(file.read_text()).get("default", {})
        values: dict[str, Any] = {}
        for section in ("global", "deploy"):
            values |= default.get(section, {}).get("parameters", {})
    except (tomllib.TOMLDecodeError, AttributeError) as error:
        raise OperatingError(f"{file.name} cannot be read: {error}") from error
    parameters, lost = _overrides(values.get("parameter_overrides", []))
    return SamConfig(
        exists=True,
        region=str(values.get("region", "")),
        stack_name=str(values.get("stack_name", "")),
        s3_prefix=str(values.get("s3_prefix", "")),
        parameters=parameters,
        lost=lost,
    )


def _overrides(given: Any) -> tuple[dict[str, str], list[str]]:
    """A text, a table, or a list of such; and the texts of which sam drops something."""
    found: dict[str, str] = {}
    lost: list[str] = []
    for one in given if isinstance(given, list) else [given]:
        if isinstance(one, dict):
            found |= {name: _table_value(value) for name, value in one.items()}
        elif one != "":
            taken, rest = _text(str(one))
            found |= taken
            lost += [str(one)] if rest else []
    return found, lost


def _table_value(value: Any) -> str:
    return ",".join(str(item).strip() for item in value) if isinstance(value, list) else str(value)


def _text(text: str) -> tuple[dict[str, str], str]:
    """`Name=value` each, or each in the long form; and what is neither, which sam drops without a word."""
    text = f" {text.strip()}"
    form = LONG_FORM if LONG_FORM.search(text) else SHORT_FORM
    taken = {_unquoted(name): _unquoted(value) for name, value in form.findall(text)}
    return taken, form.sub("", text).strip()


def _unquoted(text: str) -> str:
    if text and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    return re.sub(r"""\\([ "'])""", r"\1", text)
