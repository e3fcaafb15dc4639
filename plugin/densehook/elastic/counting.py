"""What the cluster's encoders did for writes: counters of its nodes, read before and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from elasticsearch import Elasticsearch

from ..errors import AuthenticationFailed, ClusterUnreachable, ElasticError, NotElasticsearch
from ..types import EncodeStats
from .connect import elastic_errors

Counts = Mapping[str, EncodeStats]
"""Of each node, by its id, since its encoder was loaded."""

_COUNTED = ("texts", "tokens", "truncated_texts", "lost_tokens", "short_texts")


def ingest_counts(client: Elasticsearch, encoder: str) -> Counts | None:
    """What each node encoded for writes; None where it is not told, as without ``monitor``."""
    try:
        with elastic_errors(client):
            headers = {"accept": "application/json"}
            body: Any = client.perform_request("GET", "/_densehook", headers=headers).body
    except (ElasticError, AuthenticationFailed, ClusterUnreachable, NotElasticsearch):
        return None
    return {
        id_: EncodeStats(**{name: int(lane.get(name, 0)) for name in _COUNTED})
        for id_, node in body["nodes"].items()
        if (lane := node["encoders"].get(encoder, {}).get("ingest")) is not None
    }


def counted_between(before: Counts | None, after: Counts | None) -> EncodeStats | None:
    """What was encoded in between, by whomever it was asked.

    None where it is not known, as of a node that left or began to count anew.
    """
    if before is None or after is None or before.keys() - after.keys():
        return None
    total = EncodeStats()
    for node, now in after.items():
        then = before.get(node, EncodeStats())
        each = EncodeStats(**{name: getattr(now, name) - getattr(then, name) for name in _COUNTED})
        if min(getattr(each, name) for name in _COUNTED) < 0:
            return None
        total += each
    return total
