"""densehook: dense and hybrid retrieval for Elasticsearch with your own ONNX encoder.

This module is the public face. It imports nothing heavy: onnxruntime, torch, Elasticsearch's
client and the JVM are loaded by what needs them, when it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import errors
from ._version import __version__
from .types import Document, ScoredDoc

if TYPE_CHECKING:
    from pathlib import Path

    from elasticsearch import Elasticsearch

    from .encode import Encoder

__all__ = ["Document", "ScoredDoc", "__version__", "connect", "errors", "load"]


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


def connect(
    url: str | None = None, api_key: str | None = None, ca_certs: Path | None = None
) -> Elasticsearch:
    """A client of the cluster named, of the one in the environment, or of the local node.

    The environment is DENSEHOOK_ES_URL, DENSEHOOK_ES_API_KEY and DENSEHOOK_ES_CA_CERTS; the local
    node is that of ``densehook es start``. One request is made, so that a wrong address or key is
    known here. Raises errors.ClusterUnreachable, errors.AuthenticationFailed, or
    errors.ElasticError when something else than Elasticsearch answers.
    """
    from .elastic.connect import connect, named_url

    if named_url(url) is None:
        from . import node

        state = node.status()
        url = None if state is None else state.url
    return connect(url, api_key, ca_certs)
