"""Ingest: whether encoding overlaps with indexing, and memory stays where it is.

Overlap: SciFact encoded only, indexed only (with vectors made before), and ingested, in one run.
Memory: peak of a process that ingests SciFact once against one that ingests it ten times over.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from densehook.collections import read_documents
from densehook.elastic.connect import connect
from densehook.elastic.indices import create_index
from densehook.encode import Encoded, Encoder, load
from densehook.hooks import TextRule, text_of
from densehook.ingest import feed
from densehook.ingest.feed import WINDOW
from densehook.types import Document, EncodeStats

from . import memory
from .report import at_most, out, parser, require_scifact, show
from .setting import minilm, own_node

INPUTS = ("title", "text")
REPEATS = 10


@dataclass
class Recorded:
    """Stands for the encoder and hands out vectors made before: what is left is indexing alone."""

    manifest: object
    vectors: Iterator[np.ndarray]

    def encode(self, texts: list[str], role: str) -> Encoded:
        """The next vectors, one a text."""
        rows = list(itertools.islice(self.vectors, len(texts)))
        return Encoded(np.stack(rows), EncodeStats(texts=len(texts)))


def documents(scifact: Path, limit: int | None, repeats: int = 1) -> Iterator[Document]:
    """SciFact's documents, several times over under different ids."""
    for repeat in range(repeats):
        for document in itertools.islice(read_documents(scifact), limit):
            assert isinstance(document, Document)
            yield replace(document, id=f"{document.id}-{repeat}")


def overlap(url: str, scifact: Path, limit: int | None) -> tuple[float, float, float]:
    """Seconds of encoding alone, indexing alone, and the two in the pipeline."""
    client = connect(url)
    encoder = load(minilm().path)
    encoder.encode_documents(["warm up"] * 8)

    started = time.perf_counter()
    vectors: list[np.ndarray] = []
    stream = documents(scifact, limit)
    rule = TextRule.joining(INPUTS)
    while window := list(itertools.islice(stream, WINDOW)):
        texts = [text_of(document, rule, encoder.manifest.join)[0] for document in window]
        vectors.extend(encoder.encode_counted(texts, "document").vectors)
    encoding = time.perf_counter() - started

    def timed_feed(index: str, through: Encoder | Recorded) -> float:
        create_index(client, index, encoder.manifest, inputs=INPUTS, index_type="hnsw")
        started = time.perf_counter()
        report = feed(client, index, documents(scifact, limit), through)  # type: ignore[arg-type]
        assert report.indexed == len(vectors)
        return time.perf_counter() - started

    # the first index also warms the node up, for both that are counted
    timed_feed("warm-up", Recorded(encoder.manifest, iter(vectors)))
    indexing = timed_feed("indexing-alone", Recorded(encoder.manifest, iter(vectors)))
    return encoding, indexing, timed_feed("pipeline", encoder)


def peak_mib(url: str, limit: int | None, repeats: int) -> float:
    """Peak resident memory, in MiB, of a process that ingests SciFact so many times over."""
    command = [sys.executable, "-m", "benchmarks.ingest", "--child", url, str(repeats)]
    if limit:
        command += ["--documents", str(limit)]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(json.loads(run.stdout.splitlines()[-1]))


def child(url: str, repeats: int, limit: int | None) -> None:
    """One ingest in a process of its own; prints its peak memory."""
    client = connect(url)
    encoder = load(minilm().path)
    index = f"memory-{repeats}"
    create_index(client, index, encoder.manifest, inputs=INPUTS, index_type="flat")
    report = feed(client, index, documents(require_scifact(), limit, repeats), encoder)
    assert not report.failed
    out.print(memory.peak_mib())


def main() -> int:
    """Runs the benchmark."""
    options = parser(__doc__ or "")
    options.add_argument("--documents", type=int, help="only so many of SciFact's documents")
    options.add_argument("--only", choices=("overlap", "memory"), help="one part (memory is long)")
    options.add_argument("--child", nargs=2, metavar=("URL", "REPEATS"), help="internal")
    args = options.parse_args()
    if args.child:
        child(args.child[0], int(args.child[1]), args.documents)
        return 0
    scifact = require_scifact()
    results = []
    with own_node() as url:
        if args.only != "memory":
            encoding, indexing, pipeline = overlap(url, scifact, args.documents)
            out.print(
                f"encoding alone {encoding:.1f} s, indexing alone {indexing:.1f} s,"
                f" pipeline {pipeline:.1f} s"
            )
            ratio = pipeline / max(encoding, indexing)
            results.append(at_most("pipeline / the longer of encoding and indexing", ratio, 1.1))
        if args.only != "overlap":
            once, often = (peak_mib(url, args.documents, n) for n in (1, REPEATS))
            out.print(f"peak memory: once {once:.0f} MiB, {REPEATS} times over {often:.0f} MiB")
            results.append(at_most(f"peak memory {REPEATS} times over / once", often / once, 1.05))
    return show("Ingest of SciFact", results, args.json)


if __name__ == "__main__":
    sys.exit(main())
