"""Pyserini: an encoder as its ``QueryEncoder`` and ``DocumentEncoder``, an index as its searcher.

from densehook.integrations.pyserini import DensehookQueryEncoder, ElasticsearchSearcher

FaissSearcher("indexes/passages", DensehookQueryEncoder("all-minilm-l6-v2"))
HybridSearcher(ElasticsearchSearcher(index), LuceneSearcher("indexes/lucene"))

``densehook.pyserini`` is the same module by a shorter name, and runs Pyserini's command lines.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..bundle import Cross
from ..collections import read_run, write_run
from ..errors import RequestError
from ..fusion import reranked_run
from ..index import Asked
from ..java import find_java
from ..types import DocId, QueryId, Run
from .encoders import encoder_of
from .needing import needing

if TYPE_CHECKING:
    from ..encode import Encoder
    from ..index import Index

MINIMUM_JAVA = 21
_QUERIES_AT_ONCE = 16


@contextmanager
def pyserini_can_start() -> Iterator[None]:
    """Sees to what Pyserini asks for as soon as it is imported, and takes it away again.

    It starts a JVM of Java 21 or newer, and makes an OpenAI client, which wants a key. Raises
    JavaNotFound.
    """
    wanted = {"JAVA_HOME": str(find_java(MINIMUM_JAVA))}
    if "OPENAI_API_KEY" not in os.environ:
        wanted["OPENAI_API_KEY"] = "none"
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


with needing("pyserini", "densehook.integrations.pyserini"), pyserini_can_start():
    from pyserini.encode import DocumentEncoder, QueryEncoder


_OF_THE_BUNDLE = ("device", "l2_norm", "max_length", "pooling")
"""What Pyserini's command lines say of any encoder, and a bundle states itself."""


class DensehookQueryEncoder(QueryEncoder):
    """Queries as an encoder reads them, with its query prompt.

    DensehookQueryEncoder("all-minilm-l6-v2").encode("how do vaccines work")
    """

    def __init__(
        self, encoder: Encoder | Path | str | None = None, encoder_dir: str = "", **more: Any
    ) -> None:
        """``encoder`` is one that is loaded, or its bundle's name or folder.

        Pyserini's command lines call it ``encoder_dir``. Raises RequestError for what they know
        beside and a bundle does not, as a prefix of their own.
        """
        super().__init__()
        _require_of_the_bundle(more)
        self.encoder = encoder_of(encoder or encoder_dir)
        self.has_model = True

    def encode(self, query: str, max_length: int | None = None) -> Any:
        """A query -> float32 [dims]; ``max_length`` is the bundle's own."""
        return self.encoder.encode_queries(query)


class DensehookDocumentEncoder(DocumentEncoder):
    """Documents as an encoder reads them, with its document prompt.

    DensehookDocumentEncoder("all-minilm-l6-v2").encode(["a text"], titles=["its title"])
    """

    def __init__(
        self, encoder: Encoder | Path | str | None = None, model_name: str = "", **more: Any
    ) -> None:
        """``encoder`` is one that is loaded, or its bundle's name or folder.

        Pyserini's command lines call it ``model_name``; else as DensehookQueryEncoder.
        """
        _require_of_the_bundle(more)
        self.encoder = encoder_of(encoder or model_name)

    def encode(self, texts: Sequence[str], titles: Sequence[str] | None = None, **more: Any) -> Any:
        """Documents -> float32 [n, dims]; a title goes before its text as the bundle joins them.

        ``max_length`` is the bundle's own. Raises RequestError for what Pyserini knows beside and
        an encoder does not, as ``fp16``.
        """
        _require_of_the_bundle(more)
        if titles is None:
            return self.encoder.encode_documents(list(texts))
        join = self.encoder.manifest.join
        pairs = zip(titles, texts, strict=True)
        return self.encoder.encode_documents([join([title, text]) for title, text in pairs])


def _require_of_the_bundle(asked: Mapping[str, Any]) -> None:
    """Raises RequestError for what is asked of an encoder and no bundle can be asked."""
    for name in sorted(asked):
        if name not in _OF_THE_BUNDLE and asked[name]:
            raise RequestError(f"a bundle's encoder cannot have {name}={asked[name]!r}; leave it")


@dataclass(frozen=True)
class ElasticsearchResult:
    """A hit with the names that Pyserini's searchers give: a dense one has id and score alone."""

    docid: str
    score: float


class ElasticsearchSearcher:
    """An index of Elasticsearch, searched as by Pyserini's own searchers.

    ``mode`` is dense, bm25 or hybrid. Of a searcher's methods it has ``search`` and
    ``batch_search``, which is what Pyserini's HybridSearcher asks of either side.

        searcher = ElasticsearchSearcher(densehook.Index.open(es, "passages"))
        searcher.search("how do vaccines work", k=10)[0].docid
    """

    def __init__(self, index: Index, mode: str = "dense") -> None:
        """Raises RequestError for a mode that there is not."""
        Asked(mode=mode)
        self.index = index
        self.mode = mode

    def search(self, query: str, k: int = 10) -> list[ElasticsearchResult]:
        """The best ``k`` hits, best first. Raises as ``Index.search``."""
        return self.batch_search([query], [""], k)[""]

    def batch_search(
        self, queries: Sequence[str], q_ids: Sequence[str], k: int = 10, threads: int = 1
    ) -> dict[str, list[ElasticsearchResult]]:
        """The hits of each query by its id, in requests of 16; ``threads`` are Elasticsearch's own.

        Raises RequestError for other than one id for each query, and as ``Index.search``.
        """
        if len(set(q_ids)) != len(queries):
            raise RequestError(f"{len(queries)} queries have {len(set(q_ids))} ids; give one each")
        found: dict[str, list[ElasticsearchResult]] = {}
        for start in range(0, len(queries), _QUERIES_AT_ONCE):
            batch = list(queries[start : start + _QUERIES_AT_ONCE])
            answers = self.index.msearch(batch, mode=self.mode, size=k, fields=[])
            for id_, hits in zip(q_ids[start:], answers, strict=False):
                found[id_] = [ElasticsearchResult(hit.id, hit.score) for hit in hits]
        return found


def rerank_run(
    run: Path | str | Run,
    queries: Mapping[QueryId, str],
    texts: Mapping[DocId, str],
    encoder: Encoder | Path | str,
    *,
    top: int = 100,
    output: Path | str | None = None,
) -> Run:
    """A run of Pyserini's, or of any program in TREC's format, in a cross-encoder's order.

    The first ``top`` hits of each query are reranked, the others stay behind them; with ``output``
    the run is written, as trec_eval reads it. Raises CollectionError for a file that is no run,
    BundleError for an encoder of another kind.

        queries, texts = {"q1": "how do vaccines work"}, {"d1": "A vaccine …"}
        rerank_run("bm25.trec", queries, texts, "ms-marco-minilm-l12", output="reranked.trec")
    """
    from ..encode import load

    loaded = load(encoder) if isinstance(encoder, str | Path) else encoder
    loaded.manifest.of(Cross)
    given = read_run(Path(run)) if isinstance(run, str | Path) else run

    def score(query: str, those: Sequence[str]) -> Sequence[float]:
        scores: list[float] = loaded.score(query, those).tolist()
        return scores

    made = reranked_run(given, queries, lambda ids: texts, score, top)
    if output is not None:
        write_run(Path(output), made, loaded.manifest.name)
    return made
