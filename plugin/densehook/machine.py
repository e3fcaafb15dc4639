"""The CPUs this process is given, by affinity and control group, and what they can do."""

from __future__ import annotations

import os
import platform
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


# instructions that add four products of bytes in 32 bits
_INT8_DOT_PRODUCTS = ("amx_int8", "avx512_vnni", "avx_vnni")
_CPUINFO = Path("/proc/cpuinfo")


def has_int8_dot_products(cpuinfo: Path = _CPUINFO) -> bool:
    """Whether an x86 CPU has VNNI or AMX."""
    flags = _of_cpu("flags", cpuinfo).split()
    return any(name in flags for name in _INT8_DOT_PRODUCTS)


def machine_name(cpuinfo: Path = _CPUINFO) -> str:
    """The CPU's name, the best it can do with numbers, and how much of it the process has."""
    flags = _of_cpu("flags", cpuinfo).split()
    best = next((f for f in (*_INT8_DOT_PRODUCTS, "avx512f", "avx2") if f in flags), "no AVX2")
    name = _of_cpu("model name", cpuinfo) or platform.processor() or platform.machine()
    return f"{name} ({best}), {usable_cpus()} CPUs"


def saturates_int8() -> bool:
    """Whether products of unsigned and signed bytes are added in 16 bits, where they may clip.

    So it is on x86 CPUs without VNNI or AMX.
    """
    return platform.machine() in ("x86_64", "AMD64") and not has_int8_dot_products()


def _of_cpu(key: str, cpuinfo: Path) -> str:
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


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
