"""Searching an index: BM25, dense, and the two fused."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from elasticsearch import Elasticsearch

from ..bundle import is_blank
from ..encode import Encoder
from ..errors import ElasticError, RequestError, UnusableDocument
from ..fusion import FUSIONS, FusedHit, reciprocal_rank_fusion
from ..hooks import (
    NOTES,
    bm25_request,
    dense_request,
    dense_text_request,
    hybrid_request,
    join_by_spaces,
    ranking_of,
    text_of,
)
from ..types import DocId, Document, QueryId, ScoredDoc
from .connect import elastic_errors
from .indices import provenance_of

MODES = ("bm25", "dense")
WINDOW = 100
"""Hits of each list that a live hybrid search fuses."""
RANK_CONSTANT = 60
"""Of reciprocal rank fusion, unless given."""

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
        self._vector_fields = list(provenance.vector_fields)
        self._client = client
        self._index = index
        self._bm25_fields = provenance.bm25_fields
        self.in_cluster = provenance.in_cluster
        self._encoder = encoder

    def search(
        self,
        queries: Mapping[QueryId, str],
        mode: str,
        depth: int,
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> dict[QueryId, list[ScoredDoc]]:
        """Rankings of ``depth`` hits for each query, by ``bm25`` or ``dense``.

        A query of blanks is no text, and finds nothing.
        """
        if mode not in MODES:
            hint = "; for both fused there is hybrid()" if mode == "hybrid" else ""
            raise RequestError(f"mode {mode!r} is unknown; known: {', '.join(MODES)}{hint}")
        run: dict[QueryId, list[ScoredDoc]] = {}
        for ids in _batches(queries, _QUERIES_PER_REQUEST):
            asked = [i for i in ids if not is_blank(queries[i])]
            bodies = self._bodies([queries[i] for i in asked], mode, depth)
            found = dict(zip(asked, map(ranking_of, self._msearch(bodies)), strict=True))
            run |= {i: found.get(i, []) for i in ids}
            on_progress(len(run))
        return run

    def hybrid(
        self, text: str, fusion: str, window: int = WINDOW, rank_constant: int | None = None
    ) -> list[FusedHit]:
        """Both lists of one query, from one request, fused by ``rrf`` or ``linear``.

        ``rank_constant`` is of ``rrf`` alone, and 60 unless given. Raises RequestError for a query
        of blanks, as the node does.
        """
        fuse = _fusion(fusion, rank_constant)
        _require_text(text)
        bodies = [body for mode in MODES for body in self._bodies([text], mode, window)]
        rankings = [ranking_of(response) for response in self._msearch(bodies)]
        return fuse(rankings)

    def hybrid_in_cluster(
        self,
        text: str,
        fusion: str,
        size: int,
        window: int = WINDOW,
        rank_constant: int | None = None,
    ) -> list[ScoredDoc]:
        """As ``hybrid``, by the plugin's retriever, which encodes too: ``size`` hits."""
        _fusion(fusion, rank_constant)
        _require_text(text)
        body = hybrid_request(
            self._bm25(),
            self._field.name,
            text,
            self._field.encoder,
            fusion=fusion,
            size=size,
            window=max(window, size),
            rank_constant=RANK_CONSTANT if rank_constant is None else rank_constant,
        )
        return ranking_of(self._msearch([body])[0])

    def text_of(self, document: Document) -> str:
        """The text of a document that this index searches and its vectors are made from."""
        join = join_by_spaces if self._encoder is None else self._encoder.manifest.join
        try:
            return text_of(document, self._field.inputs, join)[0]
        except UnusableDocument:
            return ""

    def sources(self, ids: Sequence[DocId]) -> dict[DocId, dict[str, Any]]:
        """The documents' fields without their vectors and the notes of them."""
        if not ids:
            return {}
        hidden = [NOTES, *self._vector_fields]
        with elastic_errors(self._client):
            found = self._client.mget(index=self._index, ids=list(ids), source_excludes=hidden)
        return {doc["_id"]: doc["_source"] for doc in found["docs"] if doc["found"]}

    def _bm25(self) -> Sequence[str]:
        if not self._bm25_fields:
            raise RequestError(
                f"index {self._index!r} names no field for BM25; search it by dense, or name its"
                " text fields as bm25 in its mapping's _meta.densehook"
            )
        return self._bm25_fields

    def _bodies(self, texts: Sequence[str], mode: str, depth: int) -> list[dict[str, Any]]:
        if mode == "bm25":
            return [bm25_request(self._bm25(), text, depth) for text in texts]
        if self._encoder is None and self.in_cluster:
            name, encoder = self._field.name, self._field.encoder
            return [dense_text_request(name, text, encoder, depth) for text in texts]
        if self._encoder is None:
            raise RequestError(
                f"dense search needs the encoder {self._field.encoder!r}; give its bundle"
            )
        vectors = self._encoder.encode_queries(texts).tolist()
        return [dense_request(self._field.name, vector, depth) for vector in vectors]

    def _msearch(self, bodies: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        searches = [part for body in bodies for part in ({}, {**body, "_source": False})]
        if not searches:  # an empty request is refused
            return []
        with elastic_errors(self._client):
            found = self._client.msearch(index=self._index, searches=searches)
        responses: list[dict[str, Any]] = list(found["responses"])
        for response in responses:
            if "error" in response:
                causes = response["error"].get("root_cause") or [response["error"]]
                raise ElasticError(f"search of index {self._index!r} failed: {causes[0]['reason']}")
        return responses


def _fusion(
    name: str, rank_constant: int | None
) -> Callable[[Sequence[Sequence[ScoredDoc]]], list[FusedHit]]:
    """The fusion of that name. Raises RequestError when it is unknown or takes no such constant."""
    if name not in FUSIONS:
        raise RequestError(f"fusion {name!r} is unknown; known: {', '.join(FUSIONS)}")
    if rank_constant is None:
        return FUSIONS[name]
    if FUSIONS[name] is not reciprocal_rank_fusion:
        raise RequestError(f"rank_constant is of rrf; fusion {name!r} takes none, leave it out")
    if rank_constant < 1:
        raise RequestError(f"rank_constant is {rank_constant}; it must be at least 1")
    return partial(reciprocal_rank_fusion, rank_constant=rank_constant)


def _require_text(query: str) -> None:
    if is_blank(query):
        raise RequestError(f"the query {query!r} has no text to search for")


def _batches(ids: Iterable[QueryId], size: int) -> Iterable[list[QueryId]]:
    iterator = iter(ids)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
