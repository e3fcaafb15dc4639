"""Searching an index: BM25, dense, and the two fused."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from elasticsearch import Elasticsearch

from ..encode import Encoder
from ..errors import ElasticError
from ..fusion import FUSIONS, FusedHit
from ..hooks import (
    UnusableDocument,
    bm25_request,
    dense_request,
    dense_text_request,
    hybrid_request,
    ranking_of,
    text_of,
)
from ..types import DocId, Document, Hit, QueryId
from .connect import elastic_errors
from .indices import provenance_of

MODES = ("bm25", "dense")
WINDOW = 100
"""Hits of each list that a live hybrid search fuses."""

_QUERIES_PER_REQUEST = 16


class Searcher:
    """One index and, for dense search, its encoder.

    Without an encoder here the cluster encodes queries, where it makes the index's vectors too.
    Raises IndexNotFound; EncoderMismatch when the encoder is not the vector field's.
    """

    def __init__(
        self,
        client: Elasticsearch,
        index: str,
        encoder: Encoder | None = None,
        vector_field: str | None = None,
    ) -> None:
        provenance = provenance_of(client, index)
        self._field = provenance.vector_field(vector_field)
        if encoder is not None:
            self._field.require(encoder.manifest, index)
        self._client = client
        self._index = index
        self._bm25_field = provenance.bm25_field
        self.in_cluster = provenance.in_cluster
        self._encoder = encoder

    def search(
        self,
        queries: Mapping[QueryId, str],
        mode: str,
        depth: int,
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> dict[QueryId, list[Hit]]:
        """Rankings of ``depth`` hits for each query, by ``bm25`` or ``dense``."""
        run: dict[QueryId, list[Hit]] = {}
        for ids in _batches(queries, _QUERIES_PER_REQUEST):
            bodies = self._bodies([queries[i] for i in ids], mode, depth)
            for query_id, response in zip(ids, self._msearch(bodies), strict=True):
                run[query_id] = ranking_of(response)
            on_progress(len(run))
        return run

    def hybrid(
        self, text: str, fusion: str, window: int = WINDOW, rank_constant: int = 60
    ) -> list[FusedHit]:
        """Both lists of one query, from one request, fused by ``rrf`` or ``linear``."""
        _require_known(fusion)
        bodies = [body for mode in MODES for body in self._bodies([text], mode, window)]
        rankings = [ranking_of(response) for response in self._msearch(bodies)]
        return FUSIONS[fusion](rankings)

    def hybrid_in_cluster(
        self, text: str, fusion: str, size: int, window: int = WINDOW
    ) -> list[Hit]:
        """Both lists fused by the plugin's retriever, in one request: ``size`` hits."""
        _require_known(fusion)
        body = hybrid_request(
            self._bm25_field,
            self._field.name,
            text,
            self._field.encoder,
            fusion=fusion,
            size=size,
            window=max(window, size),
        )
        return ranking_of(self._msearch([body])[0])

    def text_of(self, document: Document) -> str:
        """The text of a document that this index searches and its vectors are made from."""
        join = " ".join if self._encoder is None else self._encoder.manifest.join
        try:
            return text_of(document, self._field.inputs, join)[0]
        except UnusableDocument:
            return ""

    def sources(self, ids: Sequence[DocId]) -> dict[DocId, dict[str, Any]]:
        """The documents' fields without their vectors."""
        if not ids:
            return {}
        with elastic_errors(self._client):
            found = self._client.mget(
                index=self._index, ids=list(ids), source_excludes=[self._field.name]
            )
        return {doc["_id"]: doc["_source"] for doc in found["docs"] if doc["found"]}

    def _bodies(self, texts: Sequence[str], mode: str, depth: int) -> list[dict[str, Any]]:
        if mode == "bm25":
            return [bm25_request(self._bm25_field, text, depth) for text in texts]
        if self._encoder is None and self.in_cluster:
            name, encoder = self._field.name, self._field.encoder
            return [dense_text_request(name, text, encoder, depth) for text in texts]
        if self._encoder is None:
            raise ElasticError(
                f"dense search needs the encoder {self._field.encoder!r}; give its bundle"
            )
        vectors = self._encoder.encode_queries(texts).tolist()
        return [dense_request(self._field.name, vector, depth) for vector in vectors]

    def _msearch(self, bodies: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        searches = [part for body in bodies for part in ({}, {**body, "_source": False})]
        with elastic_errors(self._client):
            found = self._client.msearch(index=self._index, searches=searches)
        responses: list[dict[str, Any]] = list(found["responses"])
        for response in responses:
            if "error" in response:
                causes = response["error"].get("root_cause") or [response["error"]]
                raise ElasticError(f"search of index {self._index!r} failed: {causes[0]['reason']}")
        return responses


def _require_known(fusion: str) -> None:
    if fusion not in FUSIONS:
        raise ElasticError(f"fusion {fusion!r} is unknown; known: {', '.join(FUSIONS)}")


def _batches(ids: Iterable[QueryId], size: int) -> Iterable[list[QueryId]]:
    iterator = iter(ids)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
