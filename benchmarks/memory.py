"""What processes take of the memory, as Linux counts it (proc(5), /proc/PID/status)."""

from __future__ import annotations

from pathlib import Path


def peak_mib() -> float:
    """The most that this process has had resident so far, in MiB.

    getrusage's ru_maxrss is no measure of it: a child begins with that of the process that started
    it.
    """
    return _status("self", "VmHWM")


def resident_mib(pid: int) -> float:
    """What a process has resident now, heap, native memory and mapped files, in MiB."""
    return _status(str(pid), "VmRSS")


def _status(pid: str, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024
