"""densehook: dense and hybrid retrieval for Elasticsearch with your own ONNX encoder.

This module is the public face. It imports nothing heavy: onnxruntime, torch, Elasticsearch's
client and the JVM are loaded by what needs them, when it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import errors
from ._version import __version__
from .types import Document, Hit

if TYPE_CHECKING:
    from pathlib import Path

    from .encode import Encoder

__all__ = ["Document", "Hit", "__version__", "errors", "load"]


def load(path: Path | str, threads: int | None = None, provider: str | None = None) -> Encoder:
    """Opens a bundle, runs its self-test and gives its encoder.

    ``encode_queries(texts)`` and ``encode_documents(texts)`` of the encoder give float32
    [n, dims]. ``threads`` defaults to the CPUs this process is given. ``provider`` is ``cpu``,
    ``cuda`` or ``openvino``, where that onnxruntime is installed; by default the one the bundle was
    tuned for, else ``cpu``.

    Raises errors.BundleError for a damaged bundle, errors.SelfTestError for one that does not
    reproduce its golden token ids and vectors, errors.ProviderError for a provider that is not
    there: none falls back to the CPU in silence.
    """
    from .encode import load

    return load(path, threads, provider)
