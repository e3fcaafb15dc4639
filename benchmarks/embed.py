"""Vectors for an index that serves: what its searchers feel meanwhile, and what embedding takes.

Searches: four callers search SciFact by BM25, idle and while `densehook embed` gives the documents
their vectors, in the cluster and here. Memory: peak of a process that embeds a corpus against one
that embeds it ten times over.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch

from densehook import node
from densehook.collections import open_collection, read_documents
from densehook.elastic.connect import connect
from densehook.encode import load
from densehook.hooks import bm25_request
from densehook.index import Index
from densehook.types import Document

from . import memory
from .report import Result, at_most, out, parser, require_scifact, show
from .setting import minilm, own_node

INPUTS = ("title", "text")
CALLERS = 4
IDLE_S = 20
WARM_S = 10
REPEATS = 10
SHORT = 200
"""Characters of each text in the measurement of memory, which asks how many there are."""


def by_words(query: str) -> Mapping[str, Any]:
    """BM25's ten best."""
    return bm25_request(INPUTS, query, 10)


@dataclass
class Felt:
    """What callers felt: seconds of each search, and searches that failed."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def p99_ms(self) -> float:
        """Of a hundred searches the slowest but one takes at most so long."""
        return 1000 * float(np.percentile(self.seconds, 99))


class Callers:
    """Searchers that ask one question after the other, in a ``with``; each as ``asked`` says."""

    def __init__(
        self,
        client: Elasticsearch,
        index: str,
        queries: Sequence[str],
        asked: Callable[[str], Mapping[str, Any]] = by_words,
    ) -> None:
        self.felt = Felt()
        self._client = client.options(max_retries=0)
        self._index = index
        self._queries = queries
        self._asked = asked
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(i,)) for i in range(CALLERS)]

    def __enter__(self) -> Felt:
        for thread in self._threads:
            thread.start()
        return self.felt

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, caller: int) -> None:
        for query in itertools.islice(itertools.cycle(self._queries), caller, None, CALLERS):
            if self._ended.is_set():
                return
            started = time.perf_counter()
            try:
                body = self._asked(query)
                found = self._client.search(index=self._index, source=False, **body)
                self.felt.failed += bool(found["_shards"]["failed"])
            except (ApiError, TransportError):
                self.felt.failed += 1
            self.felt.seconds.append(time.perf_counter() - started)


def make_index(client: Elasticsearch, index: str, documents: Iterator[Document]) -> int:
    """An index of nobody's vectors; gives how many documents it has."""
    text = {"type": "text"}
    client.indices.create(
        index=index,
        mappings={"properties": dict.fromkeys(INPUTS, text)},
        settings={"number_of_shards": 1, "number_of_replicas": 0},
    )
    count = 0
    while part := list(itertools.islice(documents, 500)):
        lines: list[Any] = []
        for each in part:
            lines += [{"index": {"_id": each.id}}, {n: each.fields.get(n, "") for n in INPUTS}]
        assert not client.bulk(index=index, operations=lines)["errors"]
        count += len(part)
    client.indices.refresh(index=index)
    return count


def documents(limit: int | None, repeats: int = 1, characters: int | None = None) -> Iterator[Any]:
    """SciFact's documents, several times over under different ids, each text cut."""
    for repeat in range(repeats):
        for document in itertools.islice(read_documents(require_scifact()), limit):
            assert isinstance(document, Document)
            fields = {name: str(document.fields.get(name, ""))[:characters] for name in INPUTS}
            yield Document(f"{document.id}-{repeat}", fields)


def searches(url: str, way: str, limit: int | None, pace: float | None) -> list[Result]:
    """What four callers feel while a way of embedding runs."""
    client = connect(url)
    index = f"articles-{way}"
    count = make_index(client, index, documents(limit))
    queries = list(open_collection(require_scifact()).queries.values())
    with Callers(client, index, queries):
        time.sleep(WARM_S)
    with Callers(client, index, queries) as idle:
        time.sleep(IDLE_S)
    flag = "--in-cluster" if way == "cluster" else "--not-in-cluster"
    command = [sys.executable, "-m", "densehook", "embed", index, "--url", url, flag]
    command += ["--encoder", str(minilm().path), "--input", ",".join(INPUTS)]
    if pace is not None:
        command += ["--requests-per-second", str(pace)]
    started = time.perf_counter()
    with Callers(client, index, queries) as busy:
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds = time.perf_counter() - started
    assert f"{count:,} documents embedded" in said, said
    out.print(
        f"{way}: {count:,} documents in {seconds:.0f} s, {count / seconds:.1f}/s; callers' p99"
        f" {idle.p99_ms:.1f} ms idle ({len(idle.seconds) / IDLE_S:.0f} searches/s),"
        f" {busy.p99_ms:.1f} ms meanwhile ({len(busy.seconds) / seconds:.0f}/s)"
    )
    return [
        at_most(f"{way}: searches that failed of {len(busy.seconds):,}", busy.failed, 0),
        at_most(f"{way}: search p99 meanwhile / idle", busy.p99_ms / idle.p99_ms, 3),
    ]


def peak_mib(url: str, limit: int, repeats: int) -> float:
    """Peak resident memory, in MiB, of a process that embeds so many documents here."""
    index = f"memory-{repeats}"
    make_index(connect(url), index, documents(limit, repeats, SHORT))
    command = [sys.executable, "-m", "benchmarks.embed", "--child", url, index]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(json.loads(run.stdout.splitlines()[-1]))


def child(url: str, index: str) -> None:
    """One run in a process of its own; prints its peak memory."""
    encoder = load(minilm().path)
    made = Index.add_field(connect(url), index, encoder, inputs=INPUTS, in_cluster=False)
    report = made.embed()
    assert report.written and not report.coverage.lacking
    out.print(memory.peak_mib())


def main() -> int:
    """Runs the benchmark."""
    options = parser(__doc__ or "")
    options.add_argument("--version", default=node.ELASTICSEARCH_VERSION, help="Elasticsearch's")
    options.add_argument("--documents", type=int, help="only so many of SciFact's documents")
    options.add_argument("--requests-per-second", type=float, help="documents written a second")
    options.add_argument("--only", choices=("cluster", "here", "memory"), help="one part")
    options.add_argument("--child", nargs=2, metavar=("URL", "INDEX"), help="internal")
    args = options.parse_args()
    if args.child:
        child(*args.child)
        return 0
    results: list[Result] = []
    with own_node(args.version, with_plugin=True) as url:
        for way in ("cluster", "here"):
            if args.only in (None, way):
                results += searches(url, way, args.documents, args.requests_per_second)
        if args.only in (None, "memory"):
            limit = args.documents or 500
            once, often = (peak_mib(url, limit, n) for n in (1, REPEATS))
            out.print(f"peak memory: once {once:.0f} MiB, {REPEATS} times over {often:.0f} MiB")
            results.append(at_most(f"peak memory {REPEATS} times over / once", often / once, 1.05))
    return show("Vectors for an index that serves", results, args.json)


if __name__ == "__main__":
    sys.exit(main())
