"""Keeps our own AWS calls away from a company's proxy: the embedded AWS is on this machine.

Owns the process's NO_PROXY. Our clients, the interpreter's and moto's all read it; the functions' processes
get no proxy at all.
"""

from __future__ import annotations

import os

HERE = ("127.0.0.1", "localhost")
# Both are read; where both are set, the small one wins.
NAMES = ("no_proxy", "NO_PROXY")


def bypass() -> None:
    """Adds this machine to what is asked without a proxy."""
    given = next((os.environ[name] for name in NAMES if os.environ.get(name)), "")
    listed = [host.strip() for host in given.split(",") if host.strip()]
    if listed == ["*"]:  # everything, which only stands alone
        return
    wanted = ",".join([*listed, *(host for host in HERE if host not in listed)])
    os.environ |= dict.fromkeys(NAMES, wanted)
