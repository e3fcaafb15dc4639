"""MaxSim in this process: hits of another search in the order that their token vectors give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from elasticsearch import Elasticsearch

from ..errors import VectorError
from ..hooks import VectorField
from ..multivector import maxsim, unpack
from .connect import elastic_errors

Raw = Mapping[str, Any]

_FIRST_HITS = 16
_MOST_HITS = 1000
_BYTES = 16 * 1024 * 1024
"""Of token vectors in one answer, as long as hits to come have no more than those before."""
_HIDDEN: Mapping[str, Any] = MappingProxyType({"_source": False})


def rescored(
    client: Elasticsearch,
    index: str,
    field: VectorField,
    query: Sequence[Sequence[float]],
    raws: Sequence[Raw],
    size: int,
    shown: Mapping[str, Any] = _HIDDEN,
) -> list[Raw]:
    """The best ``size`` of some hits by their MaxSim, which is their score then.

    Equal ones stay as they were, and one without token vectors has 0, as in the plugin. They are
    read some at a time, each with so much of its source as ``shown`` says. Raises VectorError for a
    document whose value is damaged or has other dims, ElasticError.
    """
    import numpy as np

    vectors = np.array(query, dtype=np.float32)
    best: list[Raw] = []
    for some in _pages(client, index, field, raws, shown):
        scored = [{**raw, "_score": _score(vectors, raw, field)} for raw in some]
        best = sorted([*best, *scored], key=lambda raw: -float(raw["_score"]))[:size]
    return best


def _pages(
    client: Elasticsearch,
    index: str,
    field: VectorField,
    raws: Sequence[Raw],
    shown: Mapping[str, Any],
) -> Iterator[list[Raw]]:
    """The hits with their token vectors; one that is gone meanwhile has none."""
    start, count = 0, _FIRST_HITS
    while some := raws[start : start + count]:
        found = {_key(raw): raw for raw in _read(client, index, field, some, shown)}
        yield [found.get(_key(raw), raw) for raw in some]
        start += count
        largest = max((len(_value(raw, field) or "") for raw in found.values()), default=0)
        count = max(1, min(_MOST_HITS, _BYTES // max(1, largest)))


def _read(
    client: Elasticsearch,
    index: str,
    field: VectorField,
    raws: Sequence[Raw],
    shown: Mapping[str, Any],
) -> list[Raw]:
    indices = list(dict.fromkeys(raw["_index"] for raw in raws))
    ids = {"ids": {"values": [raw["_id"] for raw in raws]}}
    with elastic_errors(client):
        found = client.search(
            index=index,
            query={"bool": {"filter": [ids, {"terms": {"_index": indices}}]}},
            size=len(raws) * len(indices),  # one id may be of several
            source=shown["_source"],
            highlight=shown.get("highlight"),
            docvalue_fields=[{"field": field.name}],
            track_total_hits=False,
            allow_partial_search_results=False,
        )
    hits: list[Raw] = found["hits"]["hits"]
    return hits


def _key(raw: Raw) -> tuple[str, str]:
    return raw["_index"], raw["_id"]


def _value(raw: Raw, field: VectorField) -> Any:
    """What a hit has for the field; None where it has nothing, or several values."""
    values = raw.get("fields", {}).get(field.name, [])
    return values[0] if len(values) == 1 else None


def _score(query: Any, raw: Raw, field: VectorField) -> float:
    if not raw.get("fields", {}).get(field.name):
        return 0.0
    content = field.format.parsed(_value(raw, field))
    try:
        if content is not None:
            return maxsim(query, unpack(content))
        reason = "they cannot be compared"
    except VectorError as error:
        reason = str(error)
    raise VectorError(
        f"field {field.name!r} of document {raw['_id']!r} holds no token vectors to score by:"
        f" {reason}; write the document again without it"
    )
