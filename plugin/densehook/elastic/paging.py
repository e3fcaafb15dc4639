"""All documents of a query, as one moment has them, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from elasticsearch import Elasticsearch

from .connect import elastic_errors

_KEEP_ALIVE = "5m"


def pages(
    client: Elasticsearch,
    index: str,
    query: Mapping[str, Any],
    fields: Sequence[str],
    size: int,
) -> Iterator[Sequence[Mapping[str, Any]]]:
    """The hits of a query, ``size`` at a time, each with these fields of its source.

    Each says by ``_seq_no`` and ``_primary_term`` which version of its document it is. What is
    written meanwhile is not seen. Raises IndexNotFound, ElasticError.
    """
    # named, a vector is in _source also where an index shows none (9.2 and newer)
    wanted: Any = list(fields) or False
    with elastic_errors(client):
        pit = client.open_point_in_time(index=index, keep_alive=_KEEP_ALIVE)["id"]
    try:
        after: Sequence[Any] | None = None
        while True:
            with elastic_errors(client):
                found = client.search(
                    pit={"id": pit, "keep_alive": _KEEP_ALIVE},
                    query=query,
                    source=wanted,
                    sort=[{"_shard_doc": "asc"}],
                    search_after=after,
                    seq_no_primary_term=True,
                    size=size,
                    track_total_hits=False,
                )
            hits = found["hits"]["hits"]
            pit = found.get("pit_id", pit)
            if not hits:
                return
            yield hits
            after = hits[-1]["sort"]
    finally:
        with elastic_errors(client):
            client.close_point_in_time(id=pit)
