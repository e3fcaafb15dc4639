"""The encoder inside Elasticsearch: the same quality as from Python, and what it costs.

Everything on SciFact, in a node of its own with the plugin, flat index, one shard.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from elasticsearch import Elasticsearch

from densehook import node
from densehook.collections import open_collection, read_documents
from densehook.elastic.connect import connect
from densehook.elastic.indices import create_index
from densehook.elastic.search import Searcher
from densehook.encode import Encoder, load
from densehook.evaluation import evaluate
from densehook.hooks import TextRule, bm25_request, hybrid_request, text_of
from densehook.hooks.kinds import dense
from densehook.index import Index
from densehook.ingest import feed
from densehook.types import Document, QueryId, ScoredDoc

from .memory import resident_mib
from .report import Result, at_least, at_most, near, out, parser, require_scifact, show
from .setting import minilm, own_node

INPUTS = ("title", "text")
BULK = 500
CALLERS = 4
QUERIES_TIMED = 1100  # the node reports percentiles over its last 1,024 texts
SHORT_DOCUMENTS = 100_000
ENCODER = "all-minilm-l6-v2"


@dataclass(frozen=True)
class Setting:
    """The node, the corpus and the encoder of the Python road."""

    client: Elasticsearch
    encoder: Encoder
    documents: Sequence[Document]
    queries: Sequence[str]


class Retriever(Searcher):
    """Stands for a searcher, and answers with the node's own hybrid retriever."""

    def search(
        self,
        queries: Mapping[QueryId, str],
        mode: str,
        depth: int,
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> dict[QueryId, list[ScoredDoc]]:
        """The fused ranking of each query, as ``Index`` asks the node for it."""
        index = Index.open(self._client, self._index)
        found = {i: index.search(text, size=depth, fields=[]) for i, text in queries.items()}
        return {i: [ScoredDoc(hit.id, hit.score) for hit in hits] for i, hits in found.items()}


def effectiveness(setting: Setting) -> list[Result]:
    """BM25, dense and hybrid inside the node against the published numbers and the Python road."""
    client, encoder = setting.client, setting.encoder
    collection = open_collection(require_scifact())
    create_index(client, "python-road", encoder.manifest, inputs=INPUTS, index_type="flat")
    assert not feed(client, "python-road", setting.documents, encoder).failed
    python = Searcher(client, "python-road", encoder)
    in_node = Searcher(client, "in-node")
    with tempfile.TemporaryDirectory() as scratch:
        by = {
            name: evaluate(
                collection,
                ("bm25", "dense", "rrf"),
                searcher,
                Path(scratch) / name,
                text_of=searcher.text_of,
            ).systems
            for name, searcher in (("python", python), ("node", in_node))
        }
    with tempfile.TemporaryDirectory() as scratch:
        retriever = Retriever(client, "in-node")
        (hybrid,) = evaluate(
            collection, ("dense",), retriever, Path(scratch), text_of=retriever.text_of
        ).systems.values()
    for name, systems in by.items():
        for system, values in systems.items():
            out.print(f"{name:8} {system:8} {values}")
    out.print(f"node     hybrid retriever {hybrid}")
    road, found = by["python"], by["node"]
    return [
        near("BM25 in Elasticsearch: nDCG@10", found["bm25"]["nDCG@10"], 0.6789, 0.0005),
        near("BM25 in Elasticsearch: R@100", found["bm25"]["R@100"], 0.9253, 0.0005),
        near(
            "dense in the node: nDCG@10, against Python's",
            found["dense"]["nDCG@10"],
            road["dense"]["nDCG@10"],
            0.0005,
        ),
        near(
            "hybrid rrf in the node: nDCG@10, against Python's",
            hybrid["nDCG@10"],
            road["rrf"]["nDCG@10"],
            0.001,
        ),
    ]


def ingest(setting: Setting) -> list[Result]:
    """Texts a second through the pipeline, against the Python encoder's own."""
    encoder = setting.encoder
    rule = TextRule.joining(INPUTS)
    texts = [text_of(d, rule, encoder.manifest.join)[0] for d in setting.documents]
    encoder.encode_counted(texts[:64], "document")
    started = time.perf_counter()
    encoder.encode_counted(texts, "document")
    python = time.perf_counter() - started
    create_index(
        setting.client,
        "in-node",
        encoder.manifest,
        inputs=INPUTS,
        index_type="flat",
        in_cluster=True,
    )
    before = lane(setting.client, "ingest")
    started = time.perf_counter()
    bulk_all(setting.client, "in-node", setting.documents)
    seconds = time.perf_counter() - started
    after = lane(setting.client, "ingest")
    setting.client.indices.refresh(index="in-node")
    batches = after["batches"] - before["batches"]
    out.print(
        f"Python encodes {len(texts) / python:.1f} texts/s, the node ingests"
        f" {len(texts) / seconds:.1f} documents/s in {batches} batches"
    )
    return [
        at_least("in-node ingest / Python encoder, texts/s", python / seconds, 0.85),
        at_most("mean padding of ingest batches", after["padding_share"], 0.1),
    ]


def queries(setting: Setting) -> list[Result]:
    """One query's encoding in the node against Python's, idle and during a bulk ingest."""
    distinct = distinct_queries(setting.queries)
    for text in itertools.islice(distinct, 50):
        setting.encoder.encode_queries([text])
    python = []
    for text in itertools.islice(distinct, 300):
        started = time.perf_counter()
        setting.encoder.encode_queries([text])
        python.append(time.perf_counter() - started)
    idle = query_latency(setting.client, distinct)
    before = lane(setting.client, "ingest")
    with bulk_running(setting):
        started = time.perf_counter()
        busy = query_latency(setting.client, distinct)
        seconds = time.perf_counter() - started
        batches = lane(setting.client, "ingest")["batches"] - before["batches"]
    batch_ms = 1000 * seconds / max(1, batches)
    alone = 1000 * float(np.median(python))
    out.print(
        f"one query: Python {alone:.2f} ms; node idle p50 {idle['p50']:.2f} p99 {idle['p99']:.2f},"
        f" during ingest p50 {busy['p50']:.2f} p99 {busy['p99']:.2f} ms;"
        f" an ingest batch {batch_ms:.0f} ms"
    )
    return [
        at_most("one query, idle: node p50 / Python p50", idle["p50"] / alone, 1.3),
        at_most(
            "query p99 during ingest / (3 x idle p99 + one batch)",
            busy["p99"] / (3 * idle["p99"] + batch_ms),
            1.0,
        ),
    ]


def hybrid(setting: Setting) -> list[Result]:
    """The hybrid request against its two parts, each alone."""
    distinct = distinct_queries(setting.queries)
    field, size = "embedding", 100

    def timed(body: Callable[[str], dict[str, Any]]) -> float:
        text = next(distinct)
        started = time.perf_counter()
        setting.client.search(index="in-node", source=False, **body(text))
        return time.perf_counter() - started

    bodies: dict[str, Callable[[str], dict[str, Any]]] = {
        "bm25": lambda text: bm25_request(["densehook_text"], text, size),
        "dense": lambda text: dense.text_request(field, text, ENCODER, size),
        "hybrid": lambda text: hybrid_request(
            ["densehook_text"],
            [dense.text_retriever(field, text, ENCODER, size)],
            text,
            fusion="rrf",
            size=size,
            window=size,
        ),
    }
    times: dict[str, list[float]] = {name: [] for name in bodies}
    for turn in range(350):
        for name, body in bodies.items():
            seconds = timed(body)
            if turn >= 50:  # the first warm the node up
                times[name].append(seconds)
    medians = {name: 1000 * float(np.median(found)) for name, found in times.items()}
    out.print(", ".join(f"{name} {value:.2f} ms" for name, value in medians.items()))
    ratio = medians["hybrid"] / (medians["bm25"] + medians["dense"])
    return [at_most("hybrid request / sum of its parts alone, p50", ratio, 1.15)]


def memory(setting: Setting, documents: int) -> list[Result]:
    """Heap after a GC, and resident memory, before and after many short documents."""
    pid = current_node().pid
    short = [Document(str(i), {"title": "", "text": f"word {i}"}) for i in range(documents)]

    def ingest_and_delete(part: Sequence[Document]) -> None:
        create_index(
            setting.client,
            "short",
            setting.encoder.manifest,
            inputs=INPUTS,
            index_type="flat",
            in_cluster=True,
        )
        bulk_all(setting.client, "short", part)
        setting.client.indices.delete(index="short")

    ingest_and_delete(short[: documents // 10])
    heap, resident = heap_after_gc(setting.client, pid), resident_mib(pid)
    ingest_and_delete(short)
    heap_then, resident_then = heap_after_gc(setting.client, pid), resident_mib(pid)
    out.print(
        f"heap {heap:.0f} -> {heap_then:.0f} MiB after a GC, resident {resident:.0f} ->"
        f" {resident_then:.0f} MiB, {documents:,} documents"
    )
    return [
        at_most(f"heap after {documents:,} documents / before", heap_then / heap, 1.05),
        at_most("resident memory after / before", resident_then / resident, 1.1),
    ]


def lane(client: Elasticsearch, name: str) -> dict[str, Any]:
    """What the node says of one lane of the encoder."""
    headers = {"accept": "application/json"}
    nodes = client.perform_request("GET", "/_densehook", headers=headers).body["nodes"]
    (only,) = nodes.values()
    return dict(only["encoders"][ENCODER][name])


def bulk_all(client: Elasticsearch, index: str, documents: Sequence[Document]) -> None:
    """Every document, by several callers with a bulk of 500 each in flight."""
    patient = client.options(request_timeout=600, max_retries=0)

    def send(part: Sequence[Document]) -> None:
        lines: list[dict[str, Any]] = []
        for document in part:
            lines += [{"index": {"_id": document.id}}, dict(document.fields)]
        response = patient.bulk(index=index, operations=lines)
        assert not response["errors"], response["items"][:1]

    parts = [documents[i : i + BULK] for i in range(0, len(documents), BULK)]
    with ThreadPoolExecutor(CALLERS) as callers:
        list(callers.map(send, parts))


@contextmanager
def bulk_running(setting: Setting) -> Iterator[None]:
    """Bulk ingest flat out for as long as the block runs, of texts that are in no index yet."""
    over = threading.Event()
    client = setting.client.options(request_timeout=600, max_retries=0)

    def send(caller: int) -> None:
        starts = range(0, len(setting.documents) - 32, 32)
        for turn, start in enumerate(itertools.cycle(starts)):
            if over.is_set():
                return
            lines: list[dict[str, Any]] = []
            for document in setting.documents[start : start + 32]:
                fields = dict(document.fields)
                fields["text"] = f"{fields['text']} {caller} {turn}"  # or its vector is taken over
                lines += [{"index": {"_id": document.id}}, fields]
            client.bulk(index="in-node", operations=lines)

    callers = [threading.Thread(target=send, args=(caller,)) for caller in range(CALLERS)]
    for caller in callers:
        caller.start()
    time.sleep(3)
    try:
        yield
    finally:
        over.set()
        for caller in callers:
            caller.join()


def distinct_queries(texts: Sequence[str]) -> Iterator[str]:
    """SciFact's queries, over and over, never the same text: the node keeps query vectors."""
    for turn in itertools.count():
        for text in texts:
            yield f"{text} {turn}"


def query_latency(client: Elasticsearch, texts: Iterator[str]) -> dict[str, float]:
    """p50 and p99 in ms, from text to vector, as the node measures them over its last texts."""
    for text in itertools.islice(texts, QUERIES_TIMED):
        body = {"encoder": ENCODER, "role": "query", "texts": [text]}
        headers = {"accept": "application/json", "content-type": "application/json"}
        client.perform_request("POST", "/_densehook/_encode", headers=headers, body=body)
    return dict(lane(client, "query")["latency_ms"])


def current_node() -> node.NodeState:
    """The benchmark's own node."""
    state = node.status()
    assert state is not None
    return state


def heap_after_gc(client: Elasticsearch, pid: int) -> float:
    """Heap in use, in MiB, after a full collection; the lowest of three looks."""
    seen: list[float] = []
    for _ in range(3):
        subprocess.run(["jcmd", str(pid), "GC.run"], check=True, capture_output=True)
        time.sleep(2)
        (only,) = client.nodes.stats(metric="jvm")["nodes"].values()
        seen.append(only["jvm"]["mem"]["heap_used_in_bytes"] / 2**20)
    return min(seen)


PARTS: dict[str, Callable[[Setting], list[Result]]] = {
    "effectiveness": effectiveness,
    "queries": queries,
    "hybrid": hybrid,
}
"""What is measured on the index that ``ingest`` makes."""


def main() -> int:
    """Runs the benchmark."""
    options: argparse.ArgumentParser = parser(__doc__ or "")
    options.add_argument("--documents", type=int, help="only so many of SciFact's documents")
    options.add_argument("--only", choices=(*PARTS, "ingest", "memory"), help="one part")
    options.add_argument("--version", default="8.19.21", help="Elasticsearch's")
    options.add_argument("--short-documents", type=int, default=SHORT_DOCUMENTS)
    args = options.parse_args()
    documents = [d for d in read_documents(require_scifact()) if isinstance(d, Document)]
    results: list[Result] = []
    with own_node(args.version, with_plugin=True) as url:
        setting = Setting(
            connect(url),
            load(minilm().path),
            documents[: args.documents],
            list(open_collection(require_scifact()).queries.values()),
        )
        if args.only != "memory":
            results += ingest(setting)
        for name, part in PARTS.items():
            if args.only in (None, name):
                results += part(setting)
        if args.only in (None, "memory"):
            results += memory(setting, args.short_documents)
    return show("The encoder inside Elasticsearch, SciFact", results, args.json)


if __name__ == "__main__":
    sys.exit(main())
