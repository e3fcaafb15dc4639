"""densehook: dense and hybrid retrieval for Elasticsearch with your own ONNX encoder.

    import densehook

    encoder = densehook.load("all-minilm-l6-v2")
    es = densehook.connect("https://search.example:9200", api_key="…")
    index = densehook.Index.create(es, "passages", encoder, inputs=["title", "text"])
    index.ingest("corpus.jsonl")
    for hit in index.search("how do vaccines work", filter={"term": {"lang": "en"}}):
        print(hit)

This module is the public face: these names and no others are promised. It imports nothing heavy:
onnxruntime, torch, Elasticsearch's client and the JVM are loaded by what needs them, when it is
used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, overload

from . import errors
from ._version import __version__
from .types import Document, ScoredDoc

if TYPE_CHECKING:
    from pathlib import Path

    from elasticsearch import Elasticsearch

    from .collections import BadLine, Collection, open_collection
    from .elastic.remote import RemoteEncoder
    from .encode import Encoder, Engine
    from .evaluation import Evaluation
    from .fusion import FusedHit, linear_combination, reciprocal_rank_fusion
    from .index import Asked, AsyncIndex, Hit, Hits, Index, IndexStats
    from .ingest import Failure, FeedReport

_ROOMS: Mapping[str, str] = {
    "Asked": "index",
    "AsyncIndex": "index",
    "BadLine": "collections",
    "Collection": "collections",
    "Encoder": "encode",
    "Engine": "encode",
    "Evaluation": "evaluation",
    "Failure": "ingest",
    "FeedReport": "ingest",
    "FusedHit": "fusion",
    "Hit": "index",
    "Hits": "index",
    "Index": "index",
    "IndexStats": "index",
    "linear_combination": "fusion",
    "open_collection": "collections",
    "reciprocal_rank_fusion": "fusion",
}
"""Where each name lives that is imported when it is used."""

__all__ = [
    "Asked",
    "AsyncIndex",
    "BadLine",
    "Collection",
    "Document",
    "Encoder",
    "Engine",
    "Evaluation",
    "Failure",
    "FeedReport",
    "FusedHit",
    "Hit",
    "Hits",
    "Index",
    "IndexStats",
    "ScoredDoc",
    "__version__",
    "connect",
    "errors",
    "evaluate",
    "linear_combination",
    "load",
    "open_collection",
    "reciprocal_rank_fusion",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_ROOMS[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


@overload
def load(
    path: Path | str, threads: int | None = None, provider: str | None = None, *, es: None = None
) -> Encoder: ...
@overload
def load(path: str, *, es: Elasticsearch) -> RemoteEncoder: ...
def load(
    path: Path | str,
    threads: int | None = None,
    provider: str | None = None,
    *,
    es: Elasticsearch | None = None,
) -> Encoder | RemoteEncoder:
    """Opens a bundle, runs its self-test and gives its encoder.

    ``path`` is its folder, or its name in $DENSEHOOK_MODELS or onnx_models/. ``encode_queries`` and
    ``encode_documents`` of the encoder give float32 [n, dims]. ``threads`` defaults to the CPUs
    this process is given. ``provider`` is ``cpu``, ``cuda`` or ``openvino``, where that onnxruntime
    is installed; by default the one the bundle was tuned for, else ``cpu``.

    With ``es``, a client, the bundle is that of a name in the cluster's service and need not be
    here: its texts are encoded by a node. ``threads`` and ``provider`` are the node's own then.

    Raises errors.BundleError for a bundle that is missing or damaged, errors.SelfTestError for one
    that does not reproduce its golden token ids and vectors, errors.ProviderError for a provider
    that is not there: none falls back to the CPU in silence; errors.NotInService and
    errors.ElasticError for a cluster that has not this encoder.

        encoder = densehook.load("all-minilm-l6-v2")
        encoder.encode_queries(["how do vaccines work"])  # float32 [1, 384]
    """
    if es is not None:
        from .elastic.remote import remote_encoder

        return remote_encoder(es, str(path))
    from .encode import load

    return load(path, threads, provider)


def connect(
    url: str | None = None, api_key: str | None = None, ca_certs: Path | None = None
) -> Elasticsearch:
    """A client of the cluster named, of the one in the environment, or of the local node.

    The environment is DENSEHOOK_ES_URL, DENSEHOOK_ES_API_KEY and DENSEHOOK_ES_CA_CERTS; the local
    node is that of ``densehook es start``. One request is made, so that a wrong address or key is
    known here. Any other client of the elasticsearch package does as well. Raises
    errors.RequestError for what is no address, errors.ClusterUnreachable, errors.NotElasticsearch,
    errors.AuthenticationFailed.

        es = densehook.connect("https://search.example:9200", api_key="…")
    """
    from .elastic.connect import connect, named_url

    if named_url(url) is None:
        from . import node

        state = node.status()
        url = None if state is None else state.url
    return connect(url, api_key, ca_certs)


def evaluate(
    collection: Collection | Path | str,
    index: Index,
    systems: Sequence[str] = ("bm25", "dense", "rrf", "linear"),
    output: Path | str = "evaluation",
    rerank: Encoder | Path | str | None = None,
    instruction: str | None = None,
    rerank_window: int = 100,
    rerank_chunks: int | None = None,
) -> Evaluation:
    """Measures systems on a judged collection whose documents the index holds, by trec_eval.

    ``collection`` is a BEIR folder, a dataset folder of Hugging Face, a name of ir_datasets, or
    what ``open_collection`` gave. ``rerank`` is the cross-encoder of systems such as
    ``rrf+rerank``, which reads the best ``rerank_window`` documents, or of each the best of its
    first ``rerank_chunks`` chunks; ``instruction`` what the encoder is told to do with every query,
    where its recipe has instructions. Runs, judgements, metrics.json and report.html are written
    below ``output``. Raises errors.CollectionError, errors.EvaluationError, also for an index of
    other documents, errors.JavaNotFound, errors.MissingExtra.

        scores = densehook.evaluate("path/to/beir/scifact", index)
        scores.systems["rrf"]["nDCG@10"]
    """
    from .evaluate import evaluate

    return evaluate(
        collection,
        index,
        systems,
        output,
        rerank,
        instruction,
        rerank_window=rerank_window,
        rerank_chunks=rerank_chunks,
    )
