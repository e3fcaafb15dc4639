"""What the terminal shows: results on stdout, notes and errors on stderr."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

# no markup: what is shown are people's own texts and paths, and [these] are brackets to them
out = Console(highlight=False, soft_wrap=True, markup=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


def command_name() -> str:
    """How this command was called, so that what is shown can be typed."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return "python -m densehook"
    return called.name if shutil.which(called.name) else os.path.relpath(called)


def fail(message: str) -> None:
    """One line on stderr."""
    err.print(Text.assemble(("error: ", "bold red"), message))


def note(message: str) -> None:
    """A line beside the result, on stderr."""
    err.print(message)
