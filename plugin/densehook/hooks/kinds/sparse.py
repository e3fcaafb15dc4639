"""Sparse: a sparse_vector, searched by a clause for each of the query's tokens.

Scores are sums of weight times weight, of the document's as Lucene keeps them: the first nine
significant bits. No token is left out for being frequent, as Elasticsearch's own query leaves some
out unless ``prune`` is false there, and every licence and distribution has what is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...bundle import Manifest
from ...errors import RequestError
from .instructions import require_none

TYPE = "sparse_vector"
LIST = "sparse"
"""What searches call the list of its hits."""
USUAL_NAME = "weights"
SHOWS_CHUNKS = False
TEXT_QUERY = "sparse"
"""The plugin's query that reads in the mappings whose weights a field has."""
INDEX_TYPES: tuple[str, ...] = ("inverted",)

_KEPT = 1 / 256  # Lucene cuts off what is less, in parts of a weight

_Filters = Sequence[Mapping[str, Any]]
_Weights = Mapping[str, float]


def mapping(manifest: Manifest, index_type: str) -> dict[str, Any]:
    """A field of weights, whatever the encoder's."""
    return {"type": TYPE}


def objection(mapping: Mapping[str, Any], manifest: Manifest) -> str:
    """None: such a field takes any token."""
    return ""


def written(output: _Weights, *, base64: bool) -> dict[str, float]:
    """An object of weights by token, nine digits each."""
    return {token: float(f"{weight:.9g}") for token, weight in output.items()}


def parsed(value: Any) -> _Weights | None:
    """Weights by token, also of a list of one such object; None when it is none."""
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    if not isinstance(value, Mapping):
        return None
    weights = {token: weight for token, weight in value.items() if weight is not None}
    return weights if all(map(_is_weight, weights.values())) else None


def are_one(one: Any, other: Any) -> bool:
    """Whether two values have weights of the same tokens, but for what Lucene cuts off."""
    a, b = parsed(one), parsed(other)
    if a is None or b is None or a.keys() != b.keys():
        return False
    return all(abs(a[token] - b[token]) <= _KEPT * max(a[token], b[token]) for token in a)


def request(
    field: str,
    output: _Weights,
    size: int,
    num_candidates: int | None = None,
    filters: _Filters = (),
) -> dict[str, Any]:
    """Documents with one of the tokens. Every hit is found, so that no candidates are counted."""
    return _search(terms_query(field, output), size, filters)


def text_request(
    field: str,
    text: str,
    encoder: str,
    size: int,
    num_candidates: int | None = None,
    filters: _Filters = (),
    instruction: str | None = None,
) -> dict[str, Any]:
    """As ``request``, with the text encoded in the cluster, by the plugin."""
    return bridged_request(field, text, size, num_candidates, filters, instruction=instruction)


def bridged_request(
    field: str,
    text: str,
    size: int,
    num_candidates: int | None = None,
    filters: _Filters = (),
    passages: Mapping[str, Any] | None = None,
    instruction: str | None = None,
) -> dict[str, Any]:
    """As ``text_request``, by the encoder that each of the searched indices states.

    Raises RequestError for a passage score: documents of chunks are scored by their best one.
    """
    _require_best_chunk(field, passages)
    require_none(field, TYPE, instruction)
    filtered = {"filter": list(filters)} if filters else {}
    query = {TEXT_QUERY: {"field": field, "text": text, **filtered}}
    return {"size": size, "track_total_hits": False, "query": query}


def text_retriever(
    field: str,
    text: str,
    encoder: str,
    size: int,
    num_candidates: int | None = None,
    passages: Mapping[str, Any] | None = None,
    instruction: str | None = None,
) -> dict[str, Any]:
    """As ``text_request``, without filters; ``passages`` as in ``bridged_request``."""
    _require_best_chunk(field, passages)
    require_none(field, TYPE, instruction)
    return {"standard": {"query": {TEXT_QUERY: {"field": field, "text": text}}}}


def terms_query(field: str, weights: _Weights) -> dict[str, Any]:
    """The query of given weights; one of none finds nothing."""
    if not weights:
        return {"match_none": {}}
    clauses = [
        {"term": {field: {"value": token, "boost": weight}}} for token, weight in weights.items()
    ]
    return {"bool": {"should": clauses, "minimum_should_match": 1}}


def _search(query: dict[str, Any], size: int, filters: _Filters) -> dict[str, Any]:
    if filters:
        query = {"bool": {"must": [query], "filter": list(filters)}}
    return {"size": size, "track_total_hits": False, "query": query}


def _require_best_chunk(field: str, passages: Mapping[str, Any] | None) -> None:
    if passages is not None:
        raise RequestError(
            f"field {field!r} is a {TYPE}, whose documents of chunks are scored by their best one;"
            " leave the passage score out"
        )


def _is_weight(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
