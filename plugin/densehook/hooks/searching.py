"""Search bodies and what comes back, as Elasticsearch speaks them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..bundle import MANY
from ..errors import ElasticError, RequestError
from ..fusion import LEARNED
from ..types import ScoredDoc
from .kinds import TEXT_QUERIES, Filters
from .kinds.dense import told
from .kinds.multi import RESCORED
from .provenance import Provenance
from .text_rule import TextRule
from .vector_field import VectorField

MARKED = re.compile(r"<em>(.*?)</em>", re.S)
"""Words of the query, as a highlight has them."""


def bm25_request(
    fields: Sequence[str], text: str, size: int, filters: Filters = ()
) -> dict[str, Any]:
    """BM25 over text fields, ``size`` hits; the tie order is the index's own."""
    query = _bm25(fields, text)
    if filters:
        query = {"bool": {"must": [query], "filter": list(filters)}}
    return {"size": size, "track_total_hits": False, "query": query}


def _bm25(fields: Sequence[str], text: str) -> dict[str, Any]:
    """The query that the short form of ``hybrid`` makes of these fields in the node."""
    if len(fields) == 1:
        return {"match": {fields[0]: text}}
    return {"multi_match": {"query": text, "fields": list(fields), "type": "most_fields"}}


def hybrid_request(
    bm25_fields: Sequence[str],
    retrievers: Sequence[Mapping[str, Any]],
    text: str,
    *,
    fusion: str,
    size: int,
    window: int,
    rank_constant: float = 60,
    normalizer: str | None = None,
    weights: Sequence[float] = (1.0, 1.0),
    min_scores: Sequence[float | None] = (None, None),
    filters: Filters = (),
) -> dict[str, Any]:
    """BM25 and retrievers of vector fields fused in the cluster: one request, ``size`` hits.

    ``weights`` are those of each, BM25's first, and ``min_scores`` below which hits of theirs are
    left out; ``rank_constant`` is of rrf, ``normalizer`` of linear.
    """
    lists = [
        each if least is None else {kind: {**body, "min_score": least}}
        for each, least in zip(
            [{"standard": {"query": _bm25(bm25_fields, text)}}, *retrievers],
            min_scores,
            strict=True,
        )
        for kind, body in each.items()
    ]
    fused = hybrid_retriever(
        lists,
        fusion=fusion,
        window=window,
        rank_constant=rank_constant,
        normalizer=normalizer,
        weights=weights,
        filters=filters,
    )
    return {"size": size, "track_total_hits": False, "retriever": fused}


def hybrid_retriever(
    lists: Sequence[Mapping[str, Any]],
    *,
    fusion: str,
    window: int,
    rank_constant: float = 60,
    normalizer: str | None = None,
    weights: Sequence[float] = (1.0, 1.0),
    filters: Filters = (),
) -> dict[str, Any]:
    """Retrievers fused in the cluster; else as ``hybrid_request``."""
    weighed = [
        each if weight == 1 else {"retriever": each, "weight": weight}
        for each, weight in zip(lists, weights, strict=True)
    ]
    how = _fusion(fusion, rank_constant, normalizer)
    return dict(_hybrid({**how, "retrievers": weighed}, 0, window, filters)["retriever"])


def _fusion(fusion: str, rank_constant: float, normalizer: str | None) -> dict[str, Any]:
    """A fusion with what is its own: the constant of rrf, the normalizer of linear."""
    if fusion == "rrf":
        return {"fusion": fusion, "rank_constant": rank_constant}
    own = {} if normalizer is None else {"normalizer": normalizer}
    return {"fusion": fusion, **own}


def _hybrid(asked: Mapping[str, Any], size: int, window: int, filters: Filters) -> dict[str, Any]:
    """A search by retriever ``hybrid``."""
    filtered = {"filter": list(filters)} if filters else {}
    hybrid = {**asked, "rank_window_size": window, **filtered}
    return {"size": size, "track_total_hits": False, "retriever": {"hybrid": hybrid}}


def bridged_request(
    fields: Sequence[str | Mapping[str, Any]],
    text: str,
    *,
    fusion: str,
    size: int,
    window: int,
    rank_constant: float = 60,
    normalizer: str | None = None,
    filters: Filters = (),
    instruction: str | None = None,
) -> dict[str, Any]:
    """Text fields and a vector field fused in the cluster over indices of several encoders.

    Each encoder's hits are a list of their own there.
    """
    how = _fusion(fusion, rank_constant, normalizer)
    asked = {"query": text, **told(instruction), "fields": list(fields), **how}
    return _hybrid(asked, size, window, filters)


def learned_request(
    fields: Sequence[str],
    text: str,
    *,
    size: int,
    window: int,
    filters: Filters = (),
    instruction: str | None = None,
) -> dict[str, Any]:
    """Text fields and a vector field fused in the cluster by the weights that were learned."""
    asked = {"query": text, **told(instruction), "fields": list(fields), "weights": LEARNED}
    return _hybrid(asked, size, window, filters)


def vector_request(
    field: VectorField,
    output: Any,
    size: int,
    num_candidates: int | None = None,
    filters: Filters = (),
) -> dict[str, Any]:
    """A search by what an encoder here made of a query, ``size`` hits.

    Documents of chunks are found by their best one: kNN does so by itself, a query does in a nested
    one.
    """
    body = field.format.request(field.name, output, size, num_candidates, filters)
    if field.chunk is None or "query" not in body:
        return body
    own = field.format.request(field.name, output, size)["query"]
    best = {"nested": {"path": field.path, "score_mode": "max", "query": own}}
    query = {"bool": {"must": [best], "filter": list(filters)}} if filters else best
    return {**body, "query": query}


def read_rule(field: VectorField, provenance: Provenance) -> TextRule | None:
    """How the text of a document is made that people and cross-encoders read.

    As its vectors' own, or, where these are made of no texts, as another field's, or of the fields
    that BM25 searches; None where there are none either.
    """
    rules = (each.text for each in (field, *provenance.vector_fields.values()))
    of_texts = next((rule for rule in rules if rule.modality == "text"), None)
    if of_texts is not None or not provenance.bm25_fields:
        return of_texts
    return TextRule.joining(provenance.bm25_fields)


def require_read_rule(field: VectorField, provenance: Provenance) -> TextRule:
    """The same; RequestError where no text of documents can be read to rerank them by."""
    if provenance.sourceless:
        raise RequestError(
            f"index {provenance.index!r} keeps no _source of its documents, so that there is no"
            " text to rerank by; leave rerank out"
        )
    rule = read_rule(field, provenance)
    if rule is None:
        raise RequestError(
            f"field {field.name!r} of index {provenance.index!r} is made of"
            f" {MANY[field.text.modality]}, and no fields are named for BM25, so that there is no"
            " text to rerank by; name some as bm25 in its mapping's _meta.densehook, or leave"
            " rerank out"
        )
    return rule


def unread_paths(provenance: Provenance) -> list[str]:
    """Where documents have what is no text, as the images and numbers that vectors are made of."""
    paths = (
        path
        for field in provenance.vector_fields.values()
        for each in field.encoders
        if each.text.modality != "text"
        for path in each.text.paths
    )
    return list(dict.fromkeys(paths))


def needs_plugin(body: Mapping[str, Any]) -> bool:
    """Whether the cluster's plugin encodes or fuses what a search asks for."""
    return (
        not {"hybrid", "rerank", RESCORED}.isdisjoint(body.get("retriever", {}))
        or "query_vector_builder" in body.get("knn", {})
        or not TEXT_QUERIES.isdisjoint(body.get("query", {}))
    )


def msearch_request(bodies: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Searches of one index, as the lines of one request."""
    return [line for body in bodies for line in ({}, body)]


def require_answers(index: str, responses: Iterable[Mapping[str, Any]]) -> None:
    """Raises ElasticError where one of several searches of an index was answered by an error."""
    for response in responses:
        if "error" in response:
            causes = response["error"].get("root_cause") or [response["error"]]
            reason = causes[0].get("reason") or causes[0].get("type")
            raise ElasticError(f"search of index {index!r} failed: {reason}")


def ranking_of(response: Mapping[str, Any]) -> list[ScoredDoc]:
    """The hits of a search response, best first, as Elasticsearch ordered them."""
    return [ScoredDoc(hit["_id"], float(hit["_score"])) for hit in response["hits"]["hits"]]
