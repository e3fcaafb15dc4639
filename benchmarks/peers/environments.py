"""A virtual environment for each peer, made once and kept; no library sees another's versions."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..environments import environment

HOME = Path(
    os.environ.get("DENSEHOOK_BENCHMARK_HOME", Path.home() / ".cache" / "densehook" / "peers")
)

# onnxruntime and torch are those densehook has, wherever the peer lets us choose
REQUIREMENTS: Mapping[str, Sequence[str]] = {
    "sentence-transformers": ("sentence-transformers==6.2.0", "torch==2.15.0"),
    "fastembed": ("fastembed==0.9.1", "onnxruntime==1.32.0"),
    "light-embed": ("light-embed==1.0.9", "onnxruntime==1.32.0"),
    "optimum": (
        "optimum==2.1.0",
        "optimum-onnx[onnxruntime]==0.1.0",
        "onnxruntime==1.32.0",
        "torch==2.15.0",
    ),
    "infinity": ("infinity-emb[torch,optimum]==0.0.78",),
}


def python_of(library: str) -> Path:
    """The Python of a library's environment; densehook's own is the one that runs this.

    Ends the benchmark with one line when the packages cannot be installed.
    """
    if library == "densehook":
        return Path(sys.executable)
    return environment(HOME / library, REQUIREMENTS[library])
