"""What samconfig.toml says of the deployment: Region, stack, parameters. The file is sam's."""

from __future__ import annotations

import shlex
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from operate.problem import OperatingError

FILE = Path(__file__).parent.parent / "samconfig.toml"


@dataclass(frozen=True)
class SamConfig:
    """The deployment that `make deploy` makes; empty if there is no file."""

    exists: bool = False
    region: str = ""
    stack_name: str = ""
    s3_prefix: str = ""
    parameters: dict[str, str] = field(default_factory=dict)


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
    return SamConfig(
        exists=True,
        region=str(values.get("region", "")),
        stack_name=str(values.get("stack_name", "")),
        s3_prefix=str(values.get("s3_prefix", "")),
        parameters=_overrides(values.get("parameter_overrides", [])),
    )


def _overrides(given: str | list[str]) -> dict[str, str]:
    """`Name=value` each, in a list or one string; a value with spaces may have quotes of its own."""
    found: dict[str, str] = {}
    name = ""
    for text in [given] if isinstance(given, str) else given:
        for part in shlex.split(text):
            if "=" in part:
                name, _, found[name] = part.partition("=")
            elif name:
                found[name] += f" {part}"
    return found
