"""A program for an environment of its own, whose Elasticsearch client is of another version.

    python client_elsewhere.py URL BUNDLE

Prints one JSON object: what was found, by who encodes, or the error that connecting gave.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import elasticsearch

import densehook
from densehook.errors import DensehookError

DOCUMENTS = [
    {"_id": "v", "title": "Vaccines", "text": "They train the immune system.", "lang": "en"},
    {"_id": "c", "title": "Cats", "text": "They sleep most of the day.", "lang": "en"},
    {"_id": "k", "title": "Katzen", "text": "Sie schlafen den ganzen Tag.", "lang": "de"},
]
QUERY = "how do vaccines work"
INPUTS = ["title", "text"]


def worked(es: elasticsearch.Elasticsearch, encoder: densehook.Encoder, in_cluster: bool) -> Any:
    """An index from its creation to its end."""
    index = densehook.Index.create(es, "elsewhere", encoder, inputs=INPUTS, in_cluster=in_cluster)
    try:
        report = index.ingest(DOCUMENTS)
        again = index.ingest(DOCUMENTS, replace=True)
        english = {"term": {"lang": "en"}}
        best = {mode: index.search(QUERY, mode=mode)[0].id for mode in ("bm25", "dense", "hybrid")}
        return {
            "indexed": report.indexed,
            "encoded again": again.encoded.texts,
            "best": best,
            "english": sorted(hit.id for hit in index.search(QUERY, mode="dense", filter=english)),
            "explained": index.explain(QUERY, "v").parts[1].rank,  # type: ignore[union-attr]
            "with a vector": index.stats().with_vector,
            "deleted": index.delete("c"),
            "awaited": asyncio.run(awaited(es, index.name)),
            "by command": commanded(es, index.name),
        }
    finally:
        index.drop()


async def awaited(es: elasticsearch.Elasticsearch, name: str) -> str:
    """The best hit by BM25, by an asynchronous client of the same cluster."""
    nodes = [node.config for node in es.transport.node_pool.all()]
    async with elasticsearch.AsyncElasticsearch(nodes) as client:
        index = await densehook.AsyncIndex.open(client, name)
        return (await index.search(QUERY, mode="bm25"))[0].id


def commanded(es: elasticsearch.Elasticsearch, name: str) -> str:
    """The best hit on the command line, which imports no more than half of the client."""
    (node,) = es.transport.node_pool.all()
    command = ["search", name, QUERY, "--mode", "bm25", "--url", node.base_url]
    done = subprocess.run(
        [sys.executable, "-m", "densehook", *command], capture_output=True, text=True, check=True
    )
    best = next(line for line in done.stdout.splitlines() if line.startswith("1 "))
    return best.split()[2]


CALLS: Sequence[Callable[[elasticsearch.Elasticsearch, str], object]] = (
    lambda es, bundle: densehook.Index.open(es, "elsewhere"),
    lambda es, bundle: densehook.Index.create(es, "new", densehook.load(bundle), inputs=INPUTS),
    lambda es, bundle: densehook.Index.create(
        es, "new", densehook.load(bundle), inputs=INPUTS, in_cluster=False
    ),
)
"""What can be asked first with a client of a user's own."""


def refusal(
    call: Callable[[elasticsearch.Elasticsearch, str], object],
    es: elasticsearch.Elasticsearch,
    bundle: str,
) -> str:
    try:
        return f"nothing was refused: {call(es, bundle)}"
    except DensehookError as error:
        return str(error)


def main(url: str, bundle: str) -> None:
    try:
        es = densehook.connect(url)
    except DensehookError as error:
        refused = [refusal(call, elasticsearch.Elasticsearch(url), bundle) for call in CALLS]
        found: Any = {"connect": str(error), "others": refused}
    else:
        encoder = densehook.load(bundle)
        found = {where: worked(es, encoder, where == "cluster") for where in ("cluster", "here")}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
