"""How much memory a vector index wants, where Elasticsearch does not say it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_LINKS = 16
"""Of each vector in a graph, ``m``, unless the index says otherwise."""
_WHOLE: Mapping[str, Callable[[int], float]] = {
    "float": lambda dims: 4 * dims,
    "byte": lambda dims: dims,
    "bit": lambda dims: dims / 8,
}
_QUANTISED: Mapping[str, Callable[[int], float]] = {
    "int8": lambda dims: dims + 4,
    "int4": lambda dims: dims / 2 + 4,
    "bbq": lambda dims: dims / 8 + 14,
}


def expected_memory(mapping: Mapping[str, Any], options: Mapping[str, Any], vectors: int) -> int:
    """Bytes of the vectors that are compared and of their graph, by the field's mapping.

    The rule of Elasticsearch's manual, "Tune approximate kNN search: ensure data nodes have enough
    memory".
    """
    precision, _, structure = options["type"].rpartition("_")
    dims = int(mapping["dims"])
    bytes_of = _QUANTISED.get(precision) or _WHOLE[mapping.get("element_type", "float")]
    graph = 4 * int(options.get("m", _LINKS)) if structure == "hnsw" else 0
    return round(vectors * (bytes_of(dims) + graph))
