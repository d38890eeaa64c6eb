"""What is rendered from a servers.toml. Owns the calls of the renderer, which is the product's, in Rust."""

from __future__ import annotations

import functools
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
# A folder of its own: the function with the AWS SDK keeps its place in target/debug.
BINARY = ["cargo", "run", "--quiet", "--no-default-features", "--target-dir", "target/core", "--"]
# Real seconds: the first call of a clean tree compiles the core.
LONGEST_RENDERING = 600
TEMPLATE = ROOT / "template.yaml"
# What is the user's in template.yaml (src/servers/template.rs).
SCHEDULES = re.compile(r"(  # Begin of the schedules of .*\n)(?s:.*)(  # End of the schedules of .*\n)")


@functools.cache
def rendered(servers: Path, binary: Path | None = None) -> str:
    """The definition's text, rendered once a process; a ValueError says what is wrong with the file."""
    return _asked("render", str(servers.resolve()), binary=binary)


@functools.cache
def rendered_template(servers: Path, template: Path = TEMPLATE, binary: Path | None = None) -> str:
    """A template's text with the schedules of the file; a ValueError says what is wrong with it."""
    return _asked("render-template", str(servers.resolve()), str(template.resolve()), binary=binary)


def without_schedules(template: str) -> str:
    """The template as the product has it: nothing of the user's servers.toml."""
    text, count = SCHEDULES.subn(r"\1\2", template)
    if count != 1:
        raise ValueError(f"the template has {count} regions of schedules; one is expected")
    return text


def _asked(*command: str, binary: Path | None = None) -> str:
    """Of a binary that is there; else of the core, which is compiled first."""
    program = BINARY if binary is None else [str(binary)]
    done = subprocess.run(
        [*program, *command], cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_RENDERING
    )
    if done.returncode:
        raise ValueError(done.stderr)
    return done.stdout
