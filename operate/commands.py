"""The product's own commands (check, render, next, hold), as the Makefile names them. Owns how one is asked.

What a schedule or a hold tag means is said in one place, in Rust: nothing of it is read here.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
# A first build of the core takes a minute or two.
LONGEST_COMMAND_SECONDS = 600


def ask(commands: str, *arguments: str, where: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """What it prints; an OSError or a SubprocessError if it cannot be run."""
    return subprocess.run(
        [*shlex.split(commands), *arguments],
        cwd=where,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=LONGEST_COMMAND_SECONDS,
        check=False,
    )
