"""What the function calls things: its errors, and the codes of problems. The binary says so itself."""

from __future__ import annotations

import functools
import json
import subprocess

from local.rendering import BINARY, LONGEST_RENDERING, ROOT


@functools.cache
def names() -> dict[str, list[str]]:
    """`errors`: what the function fails with. `codes`: what it tells apart, advises on, or gives itself."""
    done = subprocess.run(
        [*BINARY, "names"], cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_RENDERING, check=True
    )
    return json.loads(done.stdout)
