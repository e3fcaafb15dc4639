"""Threads never exceed what the container gives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from densehook.machine import usable_cpus

CORES = len(os.sched_getaffinity(0))


def write(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


@pytest.mark.parametrize(
    ("quota", "cpus"),
    [
        ("max 100000", CORES),
        ("100000 100000", 1),
        ("150000 100000", 1),  # a second thread would be held up
        ("20000 100000", 1),
        (f"{CORES * 100_000} 100000", CORES),
        (f"{(CORES + 5) * 100_000} 100000", CORES),
        ("nonsense", CORES),
    ],
)
def test_a_quota_of_version_2_bounds_the_cpus(tmp_path: Path, quota: str, cpus: int) -> None:
    root = write(tmp_path, {"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": quota})
    assert usable_cpus(root) == cpus


def test_the_tightest_of_all_groups_around_it_counts(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/a/b\n",
        "sys/fs/cgroup/a/b/cpu.max": "max 100000",
        "sys/fs/cgroup/a/cpu.max": "100000 100000",
    }
    assert usable_cpus(write(tmp_path, files)) == 1


def test_in_a_container_the_group_seen_at_the_top_counts(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/docker/0123456789ab\n",  # the host's path, not seen in here
        "sys/fs/cgroup/cpu.max": "100000 100000",
    }
    assert usable_cpus(write(tmp_path, files)) == 1


@pytest.mark.parametrize(("quota", "cpus"), [("100000", 1), ("-1", CORES)])
def test_a_quota_of_version_1_bounds_the_cpus(tmp_path: Path, quota: str, cpus: int) -> None:
    group = "sys/fs/cgroup/cpu,cpuacct/docker/x"
    files = {
        "proc/self/cgroup": "5:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n",
        f"{group}/cpu.cfs_quota_us": quota,
        f"{group}/cpu.cfs_period_us": "100000",
    }
    assert usable_cpus(write(tmp_path, files)) == cpus


def test_without_control_groups_affinity_counts(tmp_path: Path) -> None:
    assert usable_cpus(tmp_path) == CORES


def test_affinity_counts_in_a_real_process() -> None:
    one = next(iter(os.sched_getaffinity(0)))
    program = (
        f"import os; os.sched_setaffinity(0, {{{one}}})\n"
        "from densehook.machine import usable_cpus; print(usable_cpus())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "1", done.stderr
