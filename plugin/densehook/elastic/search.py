"""Searching an index for whole rankings: BM25 or dense, many queries at a time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from elasticsearch import Elasticsearch

from ..bundle import is_blank
from ..encode import Encoder
from ..errors import ElasticError, RequestError, UnusableDocument
from ..hooks import (
    bm25_request,
    dense_request,
    dense_text_request,
    join_by_spaces,
    ranking_of,
    text_of,
)
from ..types import Document, QueryId, ScoredDoc
from .connect import elastic_errors
from .indices import provenance_of

MODES = ("bm25", "dense")

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
            hint = "; for both fused there is Index.search" if mode == "hybrid" else ""
            raise RequestError(f"mode {mode!r} is unknown; known: {', '.join(MODES)}{hint}")
        run: dict[QueryId, list[ScoredDoc]] = {}
        for ids in _batches(queries, _QUERIES_PER_REQUEST):
            asked = [i for i in ids if not is_blank(queries[i])]
            bodies = self._bodies([queries[i] for i in asked], mode, depth)
            found = dict(zip(asked, map(ranking_of, self._msearch(bodies)), strict=True))
            run |= {i: found.get(i, []) for i in ids}
            on_progress(len(run))
        return run

    def text_of(self, document: Document) -> str:
        """The text of a document that this index searches and its vectors are made from."""
        join = join_by_spaces if self._encoder is None else self._encoder.manifest.join
        try:
            return text_of(document, self._field.inputs, join)[0]
        except UnusableDocument:
            return ""

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


def _batches(ids: Iterable[QueryId], size: int) -> Iterable[list[QueryId]]:
    iterator = iter(ids)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
