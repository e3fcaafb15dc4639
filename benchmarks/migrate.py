"""An index with vectors behind an alias that is written to and searched all the time.

Writers put and delete SciFact's documents through the alias, and four callers search it by BM25 and
by hybrid search in turn, while `densehook migrate` fills an index with the vectors of a second
encoder, the first one in eight bits, and moves the alias; the cluster has both in service. Every
write that was acknowledged must be there afterwards; how long nothing could be written is what it
prints.
"""

from __future__ import annotations

import itertools
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from elasticsearch import ApiError, Elasticsearch

from densehook import node
from densehook.bundle import Bundle, write_manifest
from densehook.collections import open_collection
from densehook.elastic.connect import connect
from densehook.encode import load
from densehook.export.variants import build_variant
from densehook.index import Index

from .embed import INPUTS, Callers, by_words, documents
from .report import Result, at_most, out, parser, require_scifact, show
from .setting import minilm, own_node

ALIAS, OLD = "articles", "articles-1"
WRITERS = 2
LONGEST_BLOCK_MS = 2000


class Writers:
    """Programs that write through the alias, and what it must hold then; in a ``with``."""

    def __init__(self, client: Elasticsearch, ids: Sequence[str]) -> None:
        self.expected: dict[str, str | None] = {}
        self.writes = 0
        self.sent_again = 0
        self._client = client.options(max_retries=0)
        self._ids = ids
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(n,)) for n in range(WRITERS)]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _write(self, writer: int) -> None:
        drawn = random.Random(writer)
        own = self._ids[writer::WRITERS]
        for number in itertools.count():
            if self._ended.is_set():
                return
            id_ = drawn.choice(own)
            title = None if number % 4 == 3 else f"title {number}"
            self._until_taken(id_, title)
            self.expected[id_] = title
            self.writes += 1

    def _until_taken(self, id_: str, title: str | None) -> None:
        client = self._client.options(ignore_status=404)
        while True:
            try:
                if title is None:
                    client.delete(index=ALIAS, id=id_)
                else:
                    client.index(index=ALIAS, id=id_, document={"title": title, "text": ""})
                return
            except ApiError as error:
                if error.error != "cluster_block_exception":
                    raise
                self.sent_again += 1
                time.sleep(0.05)


def lost(client: Elasticsearch, expected: Mapping[str, str | None]) -> int:
    """Writes that were acknowledged, and of which the alias shows nothing."""
    count = 0
    items = iter(expected.items())
    while part := list(itertools.islice(items, 500)):
        found = client.mget(index=ALIAS, ids=[id_ for id_, _ in part], source=["title"])["docs"]
        titles = [doc["_source"]["title"] if doc["found"] else None for doc in found]
        count += sum(title != wanted for title, (_, wanted) in zip(titles, part, strict=True))
    return count


def in_eight_bits(folder: Path) -> Bundle:
    """all-MiniLM-L6-v2 as another encoder, under a name of its own."""
    texts = [f"{each.fields['title']} {each.fields['text']}" for each in documents(128)]
    made = build_variant(minilm(), "int8-static", folder / "minilm-int8", texts)
    manifest = replace(made.manifest, name="minilm-int8")
    return Bundle(made.path, write_manifest(made.path, manifest, manifest.files))


def in_turn() -> Callable[[str], Mapping[str, Any]]:
    """BM25's ten best, then those of hybrid search, and so on."""
    numbers = itertools.count()

    def asked(query: str) -> Mapping[str, Any]:
        if next(numbers) % 2:
            return by_words(query)
        return {"retriever": {"hybrid": {"query": query}}, "size": 10}

    return asked


def migrated(url: str, other: Bundle, limit: int | None, pace: float | None) -> list[Result]:
    """What writers and searchers feel while the alias gets another encoder's vectors."""
    client = connect(url)
    read = list(documents(limit))
    index = Index.create(client, OLD, load(minilm().path), inputs=INPUTS, in_cluster=False)
    count = index.ingest(read).indexed
    client.indices.put_alias(index=OLD, name=ALIAS)
    queries = list(open_collection(require_scifact()).queries.values())
    command = [sys.executable, "-m", "densehook", "migrate", ALIAS, "--url", url, "--unmeasured"]
    command += ["--encoder", str(other.path), "--input", ",".join(INPUTS), "--not-in-cluster"]
    if pace is not None:
        command += ["--requests-per-second", str(pace)]
    started = time.perf_counter()
    with (
        Callers(client, ALIAS, queries, in_turn()) as searched,
        Writers(client, [document.id for document in read]) as writers,
    ):
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds = time.perf_counter() - started
    found = re.search(r"for ([\d,]+) ms nothing could be written", said)
    assert found is not None, said
    blocked_ms = float(found[1].replace(",", ""))
    out.print(
        f"{count:,} documents in {seconds:.0f} s; {writers.writes:,} writes meanwhile, of which"
        f" {writers.sent_again:,} were sent again; {said.splitlines()[0]}"
    )
    return [
        at_most(f"searches that failed of {len(searched.seconds):,}", searched.failed, 0),
        at_most(f"writes that were lost of {writers.writes:,}", lost(client, writers.expected), 0),
        at_most("ms in which nothing could be written", blocked_ms, LONGEST_BLOCK_MS),
    ]


def main() -> int:
    """Runs the benchmark."""
    options = parser(__doc__ or "")
    options.add_argument("--version", default=node.ELASTICSEARCH_VERSION, help="Elasticsearch's")
    options.add_argument("--documents", type=int, help="only so many of SciFact's documents")
    options.add_argument("--requests-per-second", type=float, help="documents copied a second")
    args = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        other = in_eight_bits(Path(scratch))
        with own_node(args.version, with_plugin=True, beside=[other]) as url:
            results = migrated(url, other, args.documents, args.requests_per_second)
    return show("Another encoder behind an alias", results, args.json)


if __name__ == "__main__":
    sys.exit(main())
