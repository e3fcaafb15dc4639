"""A Python environment of a test's own, beside the one the tests run in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def own_environment(folder: Path, *requirements: str) -> Path:
    """Makes an environment at the folder with these installed; its Python."""
    uv = Path(sys.executable).with_name("uv")
    python = folder / "bin" / "python"
    for arguments in (
        ("venv", "--python", sys.executable, str(folder)),
        ("pip", "install", "--python", str(python), *requirements),
    ):
        subprocess.run([uv, *arguments, "--quiet"], check=True)
    return python
