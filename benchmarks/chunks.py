"""Long documents: found by their best chunk, or cut; what chunks cost to make and to search.

SciFact's abstracts joined ten to a document, so that an answer may stand anywhere in one, against
the abstracts by themselves; and vectors by chance in a hundred thousand chunks.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from elasticsearch import Elasticsearch
from elasticsearch.helpers import parallel_bulk
from numpy.typing import NDArray

from densehook.bundle import read_bundle
from densehook.chunk import ChunkRule
from densehook.collections import Collection, open_collection
from densehook.elastic.connect import connect
from densehook.elastic.indices import create_index
from densehook.elastic.search import Searcher
from densehook.encode import Encoder, load
from densehook.evaluation import measure_runs
from densehook.export import export_bundle, read_recipe
from densehook.hooks.kinds import dense
from densehook.ingest import FeedReport, feed
from densehook.machine import usable_cpus
from densehook.types import Document

from .report import Result, at_least, out, parser, require_scifact, show
from .setting import minilm, own_node

TOGETHER = 10
RULES = {
    "by sentence": ChunkRule("sentence", 256, 32),
    "by tokens": ChunkRule("tokens", 256, 32),
}
SEED = 7
RECIPE = Path(__file__).parent.parent / "onnx_models" / "all-minilm-l6-v2.toml"
POSITIONS = 512
"""Tokens that the model can read at once, for late chunking; its recipe says 256."""
CHUNKS = 100_000
INPUTS = ("title", "text")


def joined(collection: Collection) -> Collection:
    """The same texts, ten to a document, in the corpus's order; judged as their parts were."""
    home: dict[str, str] = {}
    documents: list[Document] = []
    source = collection.documents()
    groups = iter(lambda: list(itertools.islice(source, TOGETHER)), [])
    for number, group in enumerate(groups):
        texts = [f"{each.fields['title']} {each.fields['text']}" for each in group]
        documents.append(Document(f"j{number}", {"title": "", "text": "\n\n".join(texts)}))
        home |= {each.id: f"j{number}" for each in group}
    qrels: dict[str, dict[str, int]] = {}
    for query, judged in collection.qrels.items():
        qrels[query] = {}
        for id_, grade in judged.items():
            if id_ in home:
                qrels[query][home[id_]] = max(grade, qrels[query].get(home[id_], 0))
    return Collection(
        f"{collection.name}, joined", lambda: iter(documents), collection.queries, qrels
    )


def quality(client: Elasticsearch, encoder: Encoder) -> list[Result]:
    """R@100 and nDCG@10 of the abstracts, and of what they are joined to."""
    apart = open_collection(require_scifact())
    together = joined(apart)
    found: dict[str, dict[str, float]] = {}
    ways: dict[str, tuple[Collection, ChunkRule | None]] = {
        "unjoined": (apart, None),
        "joined, cut": (together, None),
        **{f"joined, {name}": (together, rule) for name, rule in RULES.items()},
    }
    for number, (name, (collection, rule)) in enumerate(ways.items()):
        found[name], report = _ranked(client, f"chunks-{number}", encoder, collection, rule)
        told = ", ".join(f"{measure} {value:.4f}" for measure, value in found[name].items())
        out.print(f"{name}: {report.indexed:,} documents, {report.encoded.texts:,} vectors: {told}")
    whole = found["unjoined"]["R@100"]
    return [
        *(
            at_least(
                f"R@100, joined, {name} / unjoined", found[f"joined, {name}"]["R@100"] / whole, 0.95
            )
            for name in RULES
        ),
        Result("R@100, joined, cut / unjoined", found["joined, cut"]["R@100"] / whole, "", True),
    ]


def late(client: Elasticsearch, sizes: list[int]) -> list[Result]:
    """Chunks encoded with those around them against the same chunks alone, by one encoder."""
    together = joined(open_collection(require_scifact()))
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        recipe = replace(
            read_recipe(RECIPE), late_chunking=True, max_tokens=POSITIONS, overrides=["max_tokens"]
        )
        encoder = load(export_bundle(recipe, Path(scratch) / "bundle").path)
        for size, by in itertools.product(sizes, ("sentence", "late")):
            index = f"late-{by}-{size}"
            found, report = _ranked(client, index, encoder, together, ChunkRule(by, size))
            results += [
                Result(f"{name}, {by}, {size} tokens", value, "", True)
                for name, value in found.items()
            ]
            told = ", ".join(f"{name} {value:.4f}" for name, value in found.items())
            out.print(f"by {by}, {size} tokens: {report.encoded.tokens:,} tokens: {told}")
    return results


def _ranked(
    client: Elasticsearch,
    index: str,
    encoder: Encoder,
    collection: Collection,
    rule: ChunkRule | None,
) -> tuple[dict[str, float], FeedReport]:
    """R@100 and nDCG@10 of a collection in an index of its own, and what feeding it was."""
    create_index(client, index, encoder.manifest, inputs=INPUTS, index_type="flat", chunk=rule)
    report = feed(client, index, collection.documents(), encoder)
    assert not report.failed, report.failures[0]
    run = Searcher(client, index, encoder).search(collection.queries, "dense", 100)
    with tempfile.TemporaryDirectory() as scratch:
        evaluation = measure_runs(collection, {"dense": run}, Path(scratch) / "report")
    return dict(evaluation.systems["dense"]), report


def speed(client: Elasticsearch, encoder: Encoder, documents: int) -> list[Result]:
    """Feeding long documents against feeding their chunks as documents, in turn."""
    rule = RULES["by sentence"]
    long = list(itertools.islice(joined(open_collection(require_scifact())).documents(), documents))
    short = [
        Document(f"{each.id}-{number}", {"title": "", "text": chunk.content})
        for each in long
        for number, chunk in enumerate(encoder.cut(each.fields["text"], rule).chunks)
    ]
    rates: dict[str, list[float]] = {"long": [], "short": []}
    for turn in range(3):
        for name, given, chunk in (("long", long, rule), ("short", short, None)):
            index = f"speed-{name}-{turn}"
            create_index(client, index, encoder.manifest, inputs=INPUTS, chunk=chunk)
            started = time.perf_counter()
            report = feed(client, index, given, encoder)
            rates[name].append(report.encoded.tokens / (time.perf_counter() - started))
            assert not report.failed
            client.indices.delete(index=index)
    told = ", ".join(f"{name} {max(each):,.0f}" for name, each in rates.items())
    out.print(f"{len(long)} documents, {len(short)} chunks; tokens a second, best of three: {told}")
    return [
        at_least("tokens/s, chunked / as documents", max(rates["long"]) / max(rates["short"]), 0.95)
    ]


def latency(client: Elasticsearch, dims: int, chunks: int) -> list[Result]:
    """One caller's p50 and p99 for ten hits, in milliseconds; vectors by chance."""
    chance = np.random.default_rng(SEED)
    results = []
    for index_type, each in itertools.product(("hnsw", "int8_hnsw"), (1, 10, 100)):
        vector = {"type": "dense_vector", "dims": dims, "index_options": {"type": index_type}}
        client.indices.create(
            index="latency",
            settings={"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"},
            mappings={
                "properties": {"passages": {"type": "nested", "properties": {"vector": vector}}}
            },
        )
        patient = client.options(request_timeout=600)
        documents = _drawn(chance, dims, chunks, each)
        writing = parallel_bulk(
            patient, documents, thread_count=usable_cpus(), chunk_size=500 // each + 1
        )
        assert all(taken for taken, _ in writing)
        patient.indices.refresh(index="latency")
        times = _times(client, chance.standard_normal((300, dims)).astype(np.float32))
        for name, value in times.items():
            results.append(Result(f"{index_type}, {each} a document: {name}, ms", value, "", True))
            out.print(f"{results[-1].name} {value:.1f}")
        client.indices.delete(index="latency")
    return results


def _drawn(
    chance: np.random.Generator, dims: int, chunks: int, each: int
) -> Iterator[dict[str, Any]]:
    """Documents of so many chunks each, whose vectors are drawn."""
    for start in range(0, chunks, each):
        rows = chance.standard_normal((each, dims)).astype(np.float32)
        passages = [{"vector": row.tolist()} for row in rows]
        yield {"_index": "latency", "_id": str(start), "passages": passages}


def _times(client: Elasticsearch, queries: NDArray[np.float32]) -> dict[str, float]:
    seconds = []
    for query in queries:
        body = dense.request("passages.vector", query.tolist(), 10)
        started = time.perf_counter()
        hits = client.search(index="latency", source=False, **body)["hits"]["hits"]
        seconds.append(1000 * (time.perf_counter() - started))
        assert len(hits) == 10
    warm = seconds[50:]
    return {"p50": statistics.median(warm), "p99": statistics.quantiles(warm, n=100)[98]}


def main() -> int:
    """Runs the parts and prints the bars."""
    options = parser(__doc__ or "")
    options.add_argument("--only", choices=("quality", "late", "speed", "latency"), help="one part")
    options.add_argument("--bundle", type=Path, help="by default all-MiniLM-L6-v2")
    options.add_argument("--documents", type=int, default=30, help="joined ones, for the speed")
    options.add_argument(
        "--sizes",
        type=lambda text: [int(part) for part in text.split(",")],
        default=[64, 256],
        help="tokens of a chunk, for late chunking",
    )
    options.add_argument("--chunks", type=int, default=CHUNKS, help="for the latency")
    given = options.parse_args()
    encoder = load(read_bundle(given.bundle).path if given.bundle else minilm().path)
    results: list[Result] = []
    with own_node() as url:
        client = connect(url)
        if given.only in (None, "speed"):
            results += speed(client, encoder, given.documents)
        if given.only in (None, "quality"):
            results += quality(client, encoder)
        if given.only in (None, "late"):
            results += late(client, given.sizes)
        if given.only in (None, "latency"):
            results += latency(client, encoder.dims, given.chunks)
    return show("Chunks of long documents", results, given.json)


if __name__ == "__main__":
    sys.exit(main())
