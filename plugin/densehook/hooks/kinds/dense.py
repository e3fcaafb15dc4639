"""Dense: a dense_vector, searched by kNN."""

from __future__ import annotations

import struct
import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...bundle import Dense, Manifest

TYPE = "dense_vector"
LIST = "dense"
USUAL_NAME = "embedding"
"""What searches call the list of its hits."""
SHOWS_CHUNKS = True
TEXT_QUERY = "dense"
"""The plugin's query that reads in the mappings whose vectors a field has."""
INDEX_TYPES: tuple[str, ...] = ("hnsw", "int8_hnsw", "int4_hnsw", "bbq_hnsw", "flat")

MAX_CANDIDATES = 10_000
"""Elasticsearch's own bound."""
MIN_CANDIDATES = 200
"""For each shard, unless others are asked for."""

LEAST_IN_SHORT_FORM = 100
"""The same of the node's short form of ``hybrid``: LEAST_CANDIDATES of HybridLists."""

_ROUNDING = 1e-3  # what is lost when a vector is written out and read again is less

_Filters = Sequence[Mapping[str, Any]]


def mapping(manifest: Manifest, index_type: str) -> dict[str, Any]:
    """A vector of the encoder's dims, compared by its similarity."""
    dense = manifest.of(Dense)
    return {
        "type": TYPE,
        "dims": dense.dims,
        "index": True,
        "similarity": dense.similarity,
        "index_options": {"type": index_type},
    }


def objection(mapping: Mapping[str, Any], manifest: Manifest) -> str:
    """That the field has other dims; where it leaves them open, the first vector decides."""
    dims = manifest.of(Dense).dims
    if mapping.get("dims") in (None, dims):
        return ""
    return f"has {mapping['dims']} dims, encoder {manifest.name!r} gives {dims}"


def written(output: Iterable[float], *, base64: bool) -> list[float] | str:
    """Numbers, or base64 of big-endian float32."""
    numbers = array("f", output)
    if not base64:
        return numbers.tolist()
    if sys.byteorder == "little":
        numbers.byteswap()
    return b64encode(numbers).decode()


def parsed(value: Any) -> Sequence[float] | None:
    """A vector's numbers, also of one in base64; None when it is no vector."""
    try:
        if isinstance(value, str):
            content = b64decode(value, validate=True)
            return struct.unpack(f">{len(content) // 4}f", content)
        return [float(number) for number in value]
    except (TypeError, ValueError, OverflowError, struct.error):
        return None


def are_one(one: Any, other: Any) -> bool:
    """Whether two vectors are one, but for how an index that scales them writes them down."""
    a, b = parsed(one), parsed(other)
    if a is None or b is None or len(a) != len(b):
        return False
    apart = max((abs(x - y) for x, y in zip(a, b, strict=True)), default=0.0)
    return apart <= _ROUNDING * max(map(abs, a), default=0.0)


def request(
    field: str,
    output: Sequence[float],
    size: int,
    num_candidates: int | None = None,
    filters: _Filters = (),
) -> dict[str, Any]:
    """KNN, ``size`` hits among those that match the filters.

    ``num_candidates`` is per shard and defaults to twice the hits, at least 200: enough for HNSW
    to come within 0.003 nDCG@10 of the exact search on SciFact. A flat index is always exact.
    """
    return _search({"query_vector": output, **_knn(field, size, num_candidates, filters)}, size)


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
    knn = {**_built(text, encoder, instruction), **_knn(field, size, num_candidates, filters)}
    return _search(knn, size)


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

    ``passages`` says how documents of chunks are scored.
    """
    query = _text_query(text, _knn(field, size, num_candidates, filters), passages, instruction)
    return {"size": size, "track_total_hits": False, "query": query}


def told_request(
    field: str,
    told: Mapping[str, Any],
    size: int,
    num_candidates: int | None = None,
    filters: _Filters = (),
) -> dict[str, Any]:
    """As ``bridged_request``, by what is no text, which the plugin encodes.

    ``told`` is an ``image`` in base64 or as a data URL, or the list ``numbers``.
    """
    query = {TEXT_QUERY: {**told, **_knn(field, size, num_candidates, filters)}}
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
    knn = _knn(field, size, num_candidates, ())
    if passages is not None:
        return {"standard": {"query": _text_query(text, knn, passages, instruction)}}
    return {"knn": {**_built(text, encoder, instruction), **knn}}


def _text_query(
    text: str,
    knn: Mapping[str, Any],
    passages: Mapping[str, Any] | None,
    instruction: str | None,
) -> dict[str, Any]:
    scored = {} if passages is None else {"passages": passages}
    return {TEXT_QUERY: {"text": text, **told(instruction), **knn, **scored}}


def _search(knn: Mapping[str, Any], size: int) -> dict[str, Any]:
    return {"size": size, "track_total_hits": False, "knn": knn}


def _built(text: str, encoder: str, instruction: str | None) -> dict[str, Any]:
    query = {"text": text, "encoder": encoder, **told(instruction)}
    return {"query_vector_builder": {"densehook": query}}


def told(instruction: str | None) -> dict[str, str]:
    """A query's own instruction, as it stands beside its text."""
    return {} if instruction is None else {"instruction": instruction}


def _knn(field: str, size: int, num_candidates: int | None, filters: _Filters) -> dict[str, Any]:
    candidates = num_candidates or min(MAX_CANDIDATES, max(MIN_CANDIDATES, 2 * size))
    filtered = {"filter": list(filters)} if filters else {}
    return {"field": field, "k": size, "num_candidates": max(candidates, size), **filtered}
