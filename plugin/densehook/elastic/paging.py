"""All documents of a query, as one moment has them, page by page; and what all shards say.

Where a shard is not there, Elasticsearch answers for the others, and says so beside the answer.
Whoever counts or goes through all would take a part for the whole: here that is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from elasticsearch import Elasticsearch

from ..errors import ClusterUnavailable, DensehookError, ElasticError
from .connect import elastic_errors
from .patience import Patience, given_up

T = TypeVar("T")

_KEEP_ALIVE = "5m"
_LOST = "search_context_missing_exception"
_MISSING = re.compile(r"rejected due to missing shards (\[\[.+?\]\])")


class MomentLost(ClusterUnavailable):
    """The cluster has let a moment go of which somebody read on."""


def patiently(
    client: Elasticsearch, patience: Patience | None, request: Callable[[Elasticsearch], T]
) -> T:
    """What a request gives that may be sent twice, and is, while the cluster is busy or gone.

    Without ``patience`` it is, as often as the client does that. Raises ClusterUnavailable at the
    end of all patience, else as ``elastic_errors``.
    """
    with elastic_errors(client):
        if patience is None:
            return request(client)
        once = client.options(max_retries=0)
        try:
            return patience.answer(lambda: request(once))
        except ClusterUnavailable as error:
            # it gives no reason of its own, but that of its cause
            if shards := _MISSING.search(str(getattr(error.__cause__, "body", ""))):
                raise given_up(f"shards {shards[1]} are not there") from error
            raise


def whole(
    client: Elasticsearch, patience: Patience | None = None, **asked: Any
) -> Mapping[str, Any]:
    """The answer to a search, to which every shard has given its part.

    Raises as ``patiently``, and MomentLost for a point in time that is not there any more.
    """
    try:
        # left to the server, it is what search.default_allow_partial_results says: true
        found = patiently(
            client, patience, lambda each: each.search(allow_partial_search_results=False, **asked)
        )
    except ElasticError as error:
        if _LOST not in str(getattr(error.__cause__, "body", "")):
            raise
        raise MomentLost(
            "a shard has restarted or moved while its documents were read, or that took too long;"
            " run it again"
        ) from error
    body: Mapping[str, Any] = found.body
    return body


def count_whole(
    client: Elasticsearch,
    index: str,
    query: Mapping[str, Any] | None = None,
    *,
    min_score: float | None = None,
    patience: Patience | None = None,
) -> int:
    """Documents that a search of the index finds, with at least that score. Raises as ``whole``.

    The API that counts cannot be told to leave no shard out.
    """
    found = whole(
        client,
        patience,
        index=index,
        query=query,
        min_score=min_score,
        size=0,
        track_total_hits=True,
    )
    return int(found["hits"]["total"]["value"])


def pages(
    client: Elasticsearch,
    index: str,
    query: Mapping[str, Any],
    fields: Sequence[str],
    size: int,
    patience: Patience | None = None,
) -> Generator[Sequence[Mapping[str, Any]], None, None]:
    """The hits of a query, ``size`` at a time, each with these fields of its source.

    Each says by ``_seq_no`` and ``_primary_term`` which version of its document it is. What is
    written meanwhile is not seen. Raises IndexNotFound, ElasticError, also for a shard that is not
    there; with ``patience``, which waits for it, ClusterUnavailable. MomentLost where one restarts
    or moves meanwhile.
    """
    # named, a vector is in _source also where an index shows none (9.2 and newer)
    wanted: Any = list(fields) or False
    # a point in time is of all shards, or refused, unless that is asked for (8.16 and newer)
    opened = patiently(
        client,
        patience,
        lambda each: each.open_point_in_time(index=index, keep_alive=_KEEP_ALIVE),
    )
    pit = opened["id"]
    try:
        after: Sequence[Any] | None = None
        while True:
            found = whole(
                client,
                patience,
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
        # in minutes it is forgotten anyway; an error would take the place of the one that ended it
        with suppress(DensehookError), elastic_errors(client):
            client.close_point_in_time(id=pit)
