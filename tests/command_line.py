"""`densehook` as a user runs it, in a process and a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

COMMAND = [sys.executable, "-m", "densehook"]

Run = Callable[..., "subprocess.CompletedProcess[str]"]
"""Arguments, and variables of the environment by keyword, to what came of it."""


def running_in(folder: Path, **always: str) -> Run:
    """Runs commands in the folder, with these variables in their environment."""

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *map(str, arguments)],
            cwd=folder,
            env={**os.environ, "COLUMNS": "120", **always, **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    """What a command printed that ended well."""
    assert done.returncode == 0, done.stderr
    return done.stdout
