"""The CPUs this process is given, by affinity and by its control group."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def usable_cpus(root: Path = Path("/")) -> int:
    """CPUs the process may keep busy: its affinity, cut to the quota of its control group.

    A quota of one CPU and a half is one: a second thread would be held up by the kernel half of
    the time, and the first would wait for it. Control groups of version 1 and 2 are read below
    ``root``; where there is none, affinity alone counts.
    """
    quotas = [quota for folder in _groups(root) if (quota := _quota(folder)) is not None]
    return max(1, int(min([len(os.sched_getaffinity(0)), *quotas])))


def _groups(root: Path) -> Iterator[Path]:
    """The folders of the process's control group and of those it is in."""
    mounted = root / "sys" / "fs" / "cgroup"
    try:
        lines = (root / "proc" / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = mounted / controllers if controllers else mounted
        group = Path(path.lstrip("/"))
        # in a container the path may be the host's, and not below the mount that is seen
        yield from (top / group, *(top / parent for parent in group.parents))


def _quota(folder: Path) -> float | None:
    """CPUs a control group allows; None when it sets no bound."""
    try:
        if (folder / "cpu.max").is_file():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text()
            period = (folder / "cpu.cfs_period_us").read_text()
        return float(quota) / float(period) if float(quota) > 0 else None
    except (OSError, ValueError):  # "max" is no number
        return None
