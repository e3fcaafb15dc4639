"""Impacts in a ``sparse_vector`` field, which every licence searches by given weights.

Lucene keeps the first nine significant bits of a weight; the document's source has it whole where
it shows such fields (before 9.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from elasticsearch import Elasticsearch

from ..collections.impacts import Impacts
from ..errors import ElasticError, NoProvenance, RequestError
from ..hooks import value_at
from ..hooks.kinds.sparse import parsed
from ..types import QueryId, ScoredDoc
from .bulk import Refusal, Write, require_available, send
from .connect import elastic_errors
from .indices import index_exists, provenance_of, refresh
from .paging import pages
from .search import rankings

TYPE = "sparse_vector"
CONTENTS = "contents"
"""The field with the documents' texts."""

_AT_ONCE = 256

Weights = Mapping[str, float]


@dataclass
class ImpactsReport:
    """Documents that were written, tokens of weight 0 that were left out, and what was refused."""

    indexed: int = 0
    zeros: int = 0
    failures: list[str] = field(default_factory=list)


def import_impacts(
    client: Elasticsearch,
    index: str,
    documents: Iterable[Impacts],
    field: str = "impacts",
    on_progress: Callable[[int], None] = lambda done: None,
) -> ImpactsReport:
    """Indexes documents with their weights, into an index that is made where there is none.

    Raises RequestError for an index whose field is mapped as something else; ElasticError,
    ClusterUnavailable.
    """
    report = ImpactsReport()
    with elastic_errors(client):
        there = index_exists(client, index)
        if there:
            _require_sparse(client, index, field)
        else:
            client.options(max_retries=0).indices.create(index=index, mappings=_mappings(field))
        rows = iter(documents)
        while window := list(islice(rows, _AT_ONCE)):
            writes = [
                Write.of(client, "create", row.id, _source(row, field), absent=not there)
                for row in window
            ]
            answers = list(send(client, index, writes))
            require_available(answers)
            for row, refusal in zip(window, answers, strict=True):
                _count(report, row, refusal)
            on_progress(report.indexed + len(report.failures))
    refresh(client, index)
    return report


def stored_impacts(client: Elasticsearch, index: str, field: str = "impacts") -> Iterator[Impacts]:
    """The documents of an index that have weights, an encoder's or others'.

    Where an encoder made them, the contents are the text that it made them of, its inputs joined by
    blanks. Raises RequestError, ElasticError.
    """
    _require_sparse(client, index, field)
    contents = _contents(client, index, field)
    for hits in pages(client, index, {"exists": {"field": field}}, [field, *contents], _AT_ONCE):
        for hit in hits:
            source = hit.get("_source", {})
            weights = parsed(value_at(source, field))
            if weights is None:
                raise ElasticError(
                    f"document {hit['_id']!r} of index {index!r} has weights that its source does"
                    " not show; the index's _source leaves them out"
                )
            texts = [value_at(source, each) for each in contents]
            told = " ".join(str(text) for text in texts if text is not None)
            yield Impacts(hit["_id"], told, weights)


def search_impacts(
    client: Elasticsearch,
    index: str,
    queries: Mapping[QueryId, Weights],
    depth: int,
    field: str = "impacts",
) -> dict[QueryId, list[ScoredDoc]]:
    """The best documents for each query: by the sum over its tokens of weight times weight.

    Every token counts; Elasticsearch's pruning of frequent ones, which newer versions do unasked,
    is off. A query without tokens finds nothing.
    """
    asked = {query: weights for query, weights in queries.items() if weights}
    bodies = [impact_request(field, weights, depth) for weights in asked.values()]
    found = dict(zip(asked, rankings(client, index, bodies), strict=True))
    return {query: found.get(query, []) for query in queries}


def impact_request(field: str, weights: Weights, size: int) -> dict[str, Any]:
    """The body of such a search."""
    query = {"field": field, "query_vector": dict(weights), "prune": False}
    return {"size": size, "query": {TYPE: query}, "_source": False}


def _mappings(field: str) -> dict[str, Any]:
    return {"dynamic": False, "properties": {CONTENTS: {"type": "text"}, field: {"type": TYPE}}}


def _source(row: Impacts, field: str) -> dict[str, Any]:
    return {CONTENTS: row.contents, field: dict(row.weights)}


def _contents(client: Elasticsearch, index: str, field: str) -> list[str]:
    """The fields with the text of the weights."""
    try:
        stated = provenance_of(client, index).vector_fields.get(field)
    except NoProvenance:
        stated = None
    return [CONTENTS] if stated is None else list(stated.inputs)


def _require_sparse(client: Elasticsearch, index: str, field: str) -> None:
    with elastic_errors(client):
        found = client.indices.get_mapping(index=index)
    for name, entry in found.items():
        seen = entry["mappings"].get("properties", {}).get(field, {}).get("type")
        if seen != TYPE:
            said = "not mapped" if seen is None else f"mapped as {seen}"
            raise RequestError(
                f"field {field!r} of index {name!r} is {said}; impacts need a field mapped as"
                f" {TYPE} (--field names another)"
            )


def _count(report: ImpactsReport, row: Impacts, refusal: Refusal | None) -> None:
    if refusal is None:
        report.indexed += 1
        report.zeros += row.zeros
        return
    report.failures.append(f"{row.origin}: document {row.id!r}: {refusal.reason}")
