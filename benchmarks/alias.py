"""A search by text over a thousand indices behind one alias: what its rewrite costs.

Each index has a mapping that no other has. No shard is searched: a filter keeps all of them out
before, so that what a `dense` query takes longer than a `knn` query with the same vector is what
the node does to know which encoder the vectors come from. The text's vector is known to the node.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from elasticsearch import Elasticsearch

from densehook import node
from densehook.elastic.connect import connect
from densehook.encode import load
from densehook.hooks import Reading, index_request

from .report import Result, at_most, out, parser, show
from .setting import minilm, own_node

ALIAS = "everything"
TEXT = "how do vaccines work"
NO_SHARD = {"term": {"_index": "none of them"}}
BAR_MS = 5
BULK = 200


def make_indices(client: Elasticsearch, count: int, body: dict[str, Any]) -> None:
    """Makes indices of one template; a field of its own gives each a mapping of its own."""
    client.cluster.put_settings(persistent={"cluster.max_shards_per_node": 2 * count})
    client.indices.put_index_template(
        name=ALIAS,
        index_patterns=["one-*"],
        template={
            "settings": {**body["settings"], "number_of_shards": 1, "number_of_replicas": 0},
            "mappings": {**body["mappings"], "dynamic": True},
            "aliases": {ALIAS: {}},
        },
    )
    patient = client.options(request_timeout=600)
    for first in range(0, count, BULK):
        lines: list[dict[str, Any]] = []
        for i in range(first, min(first + BULK, count)):
            lines += [{"index": {"_index": f"one-{i}", "_id": "1"}}, {"text": "a", f"only_{i}": 1}]
        answer = patient.bulk(operations=lines, filter_path="errors,items.*.error")
        if answer["errors"]:
            raise SystemExit(f"an index was not made: {answer['items'][0]}")
    patient.cluster.health(wait_for_status="green", timeout="120s")


def milliseconds(client: Elasticsearch, query: dict[str, Any]) -> float:
    """What one search takes, as the client sees it."""
    started = time.perf_counter()
    answer = client.search(
        index=ALIAS, query=query, size=0, pre_filter_shard_size=1, filter_path="_shards"
    )
    took = (time.perf_counter() - started) * 1000
    shards = answer["_shards"]
    # the last shard that is left is searched, so that there is an answer to give
    if shards["skipped"] < shards["total"] - 1 or shards["failed"]:
        raise SystemExit(f"shards were searched: {shards}")
    return took


def compared(
    runs: int, one: Callable[[], float], other: Callable[[], float]
) -> tuple[float, float]:
    """The medians of two, measured in turn."""
    pairs = [(one(), other()) for _ in range(runs)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def main() -> int:
    """Runs the benchmark."""
    options = parser(__doc__ or "")
    options.add_argument("--version", default=node.ELASTICSEARCH_VERSION, help="Elasticsearch's")
    options.add_argument("--indices", type=int, default=1000)
    options.add_argument("--runs", type=int, default=60)
    given = options.parse_args()
    encoder = load(minilm().path)
    vector = encoder.encode_queries([TEXT])[0].tolist()
    with own_node(given.version, with_plugin=True) as url:
        client = connect(url)
        started = time.perf_counter()
        make_indices(client, given.indices, index_request(encoder.manifest, Reading(["text"])))
        out.print(f"{given.indices:,} indices in {time.perf_counter() - started:.0f} s")
        near = {"k": 10, "num_candidates": 10, "filter": NO_SHARD}
        dense = {"dense": {"field": "embedding", "text": TEXT, **near}}
        knn = {"knn": {"field": "embedding", "query_vector": vector, **near}}
        milliseconds(client, knn)
        first = milliseconds(client, dense)
        compared(10, lambda: milliseconds(client, knn), lambda: milliseconds(client, dense))
        by_vector, by_text = compared(
            given.runs, lambda: milliseconds(client, knn), lambda: milliseconds(client, dense)
        )
    results = [
        Result("knn, ms", by_vector, "", True),
        Result("dense, ms", by_text, "", True),
        Result("the first dense, ms", first, "", True),
        at_most("rewrite of dense, ms", by_text - by_vector, BAR_MS),
    ]
    return show(f"A search of {given.indices:,} indices behind an alias", results, given.json)


if __name__ == "__main__":
    sys.exit(main())
