"""A shard of an index that is on no node, as when its disk is gone, until it is let back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from elasticsearch import Elasticsearch

_RECOVERIES = "cluster.routing.allocation.node_initial_primaries_recoveries"


def lose(es: Elasticsearch, index: str, shard: int = 0) -> None:
    """Takes a shard without replicas from the only node, which begins with none meanwhile."""
    # a primary whose data is there goes back whatever else forbids it: that is forced
    es.cluster.put_settings(persistent={_RECOVERIES: 0})
    (node,) = es.nodes.info(node_id="_all", metric="_none")["nodes"]
    where = {"index": index, "shard": shard, "node": node, "allow_primary": True}
    es.cluster.reroute(commands=[{"cancel": where}], metric="none")
    health = es.cluster.health(index=index)
    assert (health["status"], health["initializing_shards"]) == ("red", 0)


def let_back(es: Elasticsearch, index: str) -> None:
    """The shard is what it was, some moments later."""
    es.cluster.put_settings(persistent={_RECOVERIES: None})
    es.cluster.health(index=index, wait_for_status="green")


@contextmanager
def lost(es: Elasticsearch, index: str, shard: int = 0) -> Iterator[None]:
    """The shard is nowhere in the ``with``, and is back after it."""
    try:
        lose(es, index, shard)
        yield
    finally:
        let_back(es, index)
