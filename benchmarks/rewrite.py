"""Writing an unchanged corpus again: the node compares, and encodes nothing.

SciFact through `index.densehook.embed`, twice, in a node of its own; then once more with
`index.densehook.reuse` off, to tell the reuse from everything else.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Sequence

from elasticsearch import Elasticsearch

from densehook import node
from densehook.collections import read_documents
from densehook.elastic.connect import connect
from densehook.elastic.indices import create_index
from densehook.encode import load
from densehook.types import Document

from .report import Result, at_most, parser, require_scifact, show
from .setting import minilm, own_node

INDEX = "rewrite"
INPUTS = ("title", "text")
BULK = 500


def encoded(client: Elasticsearch) -> int:
    """How many documents the node has encoded."""
    answer = client.perform_request("GET", "/_densehook", headers={"accept": "application/json"})
    nodes = answer.body["nodes"].values()
    return sum(int(e["ingest"]["texts"]) for each in nodes for e in each["encoders"].values())


def write(client: Elasticsearch, documents: Sequence[Document]) -> tuple[float, int]:
    """Seconds to write them all, and how many texts were encoded."""
    before = encoded(client)
    started = time.perf_counter()
    iterator = iter(documents)
    while bulk := list(itertools.islice(iterator, BULK)):
        operations: list[dict[str, object]] = []
        for document in bulk:
            operations += [{"index": {"_id": document.id}}, dict(document.fields)]
        answer = client.options(request_timeout=600).bulk(index=INDEX, operations=operations)
        if answer["errors"]:
            raise SystemExit(f"a document was not written: {answer['items'][0]}")
    return time.perf_counter() - started, encoded(client) - before


def main() -> int:
    """Runs it and prints the bars."""
    options = parser(__doc__ or "")
    options.add_argument("--version", default=node.ELASTICSEARCH_VERSION)
    options.add_argument("--documents", type=int, help="of the corpus, by default all")
    given = options.parse_args()
    documents = [
        document for document in read_documents(require_scifact()) if isinstance(document, Document)
    ][: given.documents]
    with own_node(given.version, with_plugin=True) as url:
        client = connect(url)
        manifest = load(minilm().path).manifest
        create_index(client, INDEX, manifest, inputs=INPUTS, in_cluster=True)
        first, texts = write(client, documents)
        again, encoded_again = write(client, documents)
        client.indices.put_settings(index=INDEX, settings={"index.densehook.reuse": False})
        without, _ = write(client, documents[:BULK])
    share = BULK / len(documents)
    results: list[Result] = [
        at_most("written again / the first time", again / first, 0.1),
        at_most("texts encoded again", encoded_again, 0),
        Result("the first time, s", first, "", True),
        Result("again, s", again, "", True),
        Result("without reuse / the first time", without / (first * min(1, share)), "", True),
    ]
    assert texts == len(documents), f"{texts} texts encoded of {len(documents)}"
    return show("An unchanged corpus, written again", results, given.json)


if __name__ == "__main__":
    sys.exit(main())
