"""The vectors an index stores, read back as they are searched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from elasticsearch import Elasticsearch

from ..errors import ElasticError
from ..types import DocId
from .connect import elastic_errors

_AT_ONCE = 500
_KEEP_ALIVE = "5m"


def stored_vectors(
    client: Elasticsearch, index: str, field: str
) -> Iterator[list[tuple[DocId, Sequence[float]]]]:
    """Every document that has a vector in the field, with it, some hundred at a time.

    What is written meanwhile is not seen. Raises IndexNotFound, ElasticError where the field's
    vectors cannot be read.
    """
    with elastic_errors(client):
        opened = client.open_point_in_time(index=index, keep_alive=_KEEP_ALIVE)["id"]
    try:
        after: list[Any] | None = None
        while True:
            with elastic_errors(client):
                answer = client.search(
                    pit={"id": opened, "keep_alive": _KEEP_ALIVE},
                    query={"exists": {"field": field}},
                    # by ``fields``, as from 9.2 on ``_source`` shows no vectors
                    fields=[{"field": field}],
                    source=False,
                    size=_AT_ONCE,
                    sort=[{"_shard_doc": "asc"}],
                    search_after=after,
                    track_total_hits=False,
                )
            hits = answer["hits"]["hits"]
            if not hits:
                return
            yield [(hit["_id"], _vector_of(hit, field)) for hit in hits]
            after = hits[-1]["sort"]
    finally:
        with elastic_errors(client):
            client.close_point_in_time(id=opened)


def _vector_of(hit: dict[str, Any], field: str) -> Sequence[float]:
    vector: Sequence[float] | None = hit.get("fields", {}).get(field)
    if vector is None:
        raise ElasticError(
            f"the vector of document {hit['_id']!r} in {field!r} cannot be read back; its"
            " _source does not keep it"
        )
    return vector
