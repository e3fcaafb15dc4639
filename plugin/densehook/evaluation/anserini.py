"""Runs the Java inside Pyserini's package, and our worker that drives it, as child processes.

The JVM, Pyserini's imports and what they print stay out of this process.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ..errors import EvaluationError, MissingExtra

MINIMUM_JAVA = 21
"""What the classes in Anserini's jar are compiled for."""

PROGRESS = "searched"
"""First word of a line in which the worker says how many queries are done."""

CHILDREN: set[subprocess.Popen[str]] = set()
"""The workers that run."""

_TAIL = 1000
_WORKER = "densehook.evaluation.pyserini_worker"


def anserini_jar() -> Path:
    """Find the jar that comes with Pyserini, without importing it; MissingExtra where it is not."""
    spec = importlib.util.find_spec("pyserini")
    if spec is None:
        raise MissingExtra("pyserini", "evaluate")
    for folder in spec.submodule_search_locations or ():
        jars = sorted(Path(folder, "resources", "jars").glob("anserini-*-fatjar.jar"))
        if jars:
            return jars[-1]
    raise EvaluationError("the installed pyserini has no Anserini jar; install pyserini again")


def run_worker(
    arguments: Sequence[str], java_home: Path, on_line: Callable[[str], None] = lambda _line: None
) -> None:
    """Run our worker to its end; ``on_line`` sees each line it prints.

    Raises EvaluationError with the line that tells most of what went wrong.
    """
    command = [sys.executable, "-m", _WORKER, *arguments]
    tail: deque[str] = deque(maxlen=_TAIL)
    with subprocess.Popen(
        command,
        env=child_environment(java_home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as child:
        CHILDREN.add(child)
        try:
            for line in child.stdout or ():
                tail.append(line)
                on_line(line.rstrip("\n"))
        finally:
            CHILDREN.discard(child)
    if child.returncode != 0:
        raise EvaluationError(f"Pyserini failed to {arguments[0]}: {telling_line(tail)}")


def end_workers() -> None:
    """End the workers that run: nobody wants any more what they make."""
    for child in list(CHILDREN):
        child.terminate()


def child_environment(java_home: Path) -> dict[str, str]:
    """Environment of this process with that Java in front, in UTF-8."""
    path = os.pathsep.join([str(java_home / "bin"), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "JAVA_HOME": str(java_home), "PATH": path, "PYTHONUTF8": "1"}


def telling_line(lines: Iterable[str]) -> str:
    """Pick the line that says what went wrong: the first error, or else the last line.

    Later errors follow from the first: Anserini logs one, goes on, and fails to open its index.
    """
    said = [line.strip() for line in lines if line.strip() and not _FRAME.match(line)]
    errors = [line for line in said if _ERROR.search(line)]
    return _LOG_PREFIX.sub("", [*errors[:1], *said[-1:], "it said nothing"][0])


_FRAME = re.compile(r'\s{4}|\s*(at |\.\.\. \d+ more|File "|[\^~]+$)|\s+[\w.$<>/@-]+\(.*\)$')
_ERROR = re.compile(r"\w(Error|Exception)\b|\bERROR\b")
_LOG_PREFIX = re.compile(
    r"^(.*? ERROR \[.*?\) - |ERROR: |jnius\.JavaException: JVM exception occurred: )"
)
