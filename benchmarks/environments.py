"""A virtual environment for packages that must not meet those of this one, made once and kept."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def environment(folder: Path, requirements: Sequence[str]) -> Path:
    """The Python of the folder's environment, which is made anew when its requirements change.

    Ends the program with one line when the packages cannot be installed.
    """
    stamp = folder / ".requirements"
    wanted = "\n".join((sys.version, *requirements))
    python = folder / "bin" / "python"
    if not (stamp.is_file() and stamp.read_text() == wanted):
        shutil.rmtree(folder, ignore_errors=True)
        _uv("venv", "--python", sys.executable, str(folder))
        _uv("pip", "install", "--python", str(python), *requirements)
        stamp.write_text(wanted)
    return python


def _uv(*arguments: str) -> None:
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv if uv.exists() else "uv"), *arguments, "--quiet"]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = str(getattr(error, "stderr", "") or error).strip()
        raise SystemExit(f"an environment cannot be made: {' '.join(command)}: {reason}") from error
