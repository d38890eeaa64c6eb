"""The state machine of a servers.toml. Owns the one call of the renderer, which is the product's, in Rust."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
# A folder of its own: the function with the AWS SDK keeps its place in target/debug.
BINARY = ["cargo", "run", "--quiet", "--no-default-features", "--target-dir", "target/core", "--"]
# Real seconds: the first call of a clean tree compiles the core.
LONGEST_RENDERING = 600


@functools.cache
def rendered(servers: Path) -> str:
    """The definition's text, rendered once a process; a ValueError says what is wrong with the file."""
    command = [*BINARY, "render", str(servers.resolve())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_RENDERING)
    if done.returncode:
        raise ValueError(done.stderr)
    return done.stdout
