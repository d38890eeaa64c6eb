"""A CPU share like that of a small function, by a control group of the Linux kernel.

Owns the group. Lambda gives CPU in proportion to memory: one vCPU at 1,769 MB
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FULL_VCPU_MB = 1769
# Short, so that a burst of a few milliseconds is throttled too; the kernel refuses a quota below 1 ms.
PERIOD_US = 20_000
VERSION_1, VERSION_2 = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")


@contextmanager
def cpu_share_of(memory_mb: int) -> Iterator[Path]:
    """A group whose processes get what a function of so much memory gets; add one by `join`."""
    quota = PERIOD_US * memory_mb // FULL_VCPU_MB
    version_1 = (VERSION_1 / "cpu.cfs_quota_us").exists()
    group = (VERSION_1 if version_1 else VERSION_2) / f"bench-{os.getpid()}"
    group.mkdir()
    try:
        if version_1:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
        yield group
    finally:
        group.rmdir()


def join(group: Path, process: int) -> None:
    """From now on the process has the group's share."""
    (group / "cgroup.procs").write_text(str(process))
