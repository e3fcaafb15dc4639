"""What encoders and bulks take of a node's memory.

An encoder: what the node's resident memory grows by with each more. A bulk: the heap while 10,000
documents of 256 tokens are written at once, against ten bulks of 1,000, one after the other: the
same work, and as much garbage for the collector to leave lying.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch

from densehook.bundle import Bundle, read_bundle, write_manifest
from densehook.elastic.cluster import reload_encoders
from densehook.elastic.connect import connect
from densehook.elastic.indices import create_index

from .memory import resident_mib
from .node import current_node, heap_after_gc
from .report import Result, at_most, out, parser, show
from .setting import minilm, own_node

COPIES = 3
SMALL, LARGE = 1_000, 10_000
TOKENS = 256
SAMPLES_S = 0.05


def encoders(client: Elasticsearch, bundle: Bundle) -> list[Result]:
    """Resident memory of an encoder: of several copies under names of their own, each."""
    pid = current_node().pid
    folder = current_node().config / "densehook"
    heap_after_gc(client, pid)
    before = resident_mib(pid)
    for i in range(COPIES):
        name = f"copy-{i}"
        shutil.copytree(bundle.path, folder / name)
        manifest = replace(bundle.manifest, name=name)
        write_manifest(folder / name, manifest, list(manifest.files))
        for path in (folder / name, *(folder / name).rglob("*")):
            path.chmod(0o755)
    reload_encoders(client)
    each = (resident_mib(pid) - before) / COPIES
    model = (bundle.path / "model.onnx").stat().st_size / 2**20
    for i in range(COPIES):
        shutil.rmtree(folder / f"copy-{i}")
    reload_encoders(client)
    arena = arena_mib(bundle)
    out.print(
        f"an encoder takes {each:.1f} MiB, its model's file has {model:.1f} MiB, ONNX Runtime's"
        f" arena {arena:.1f} MiB"
    )
    beside = (each - arena) / model
    return [at_most("resident memory of an encoder beside the arena / its model", beside, 1.15)]


def arena_mib(bundle: Bundle) -> float:
    """What the self-test's runs leave in ONNX Runtime's arena: a process of its own tells."""
    done = subprocess.run(
        [sys.executable, "-c", _ARENA, bundle.path / "model.onnx"],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


_ARENA = """
import sys
import numpy as np
import onnxruntime
from benchmarks.memory import resident_mib
from os import getpid

options = onnxruntime.SessionOptions()
options.enable_mem_pattern = False
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])

def run(texts, tokens):
    ids = np.ones((texts, tokens), np.int64)
    session.run(None, {each.name: ids for each in session.get_inputs()})

run(1, 16)
before = resident_mib(getpid())
run(4, 256)
print(resident_mib(getpid()) - before)
"""


def bulks(client: Elasticsearch, bundle: Bundle, way: str, live: bool) -> list[Result]:
    """A bulk ten times as long must not take much more of the heap, and loses nothing.

    With ``live`` also what is in use after full collections is told: twice the time.
    """
    create_index(
        client,
        "bulks",
        bundle.manifest,
        inputs=["text"],
        index_type="flat",
        in_cluster=way == "pipeline",
    )
    if way == "setting":
        setting = {"index.densehook.embed": True}
        client.indices.put_settings(index="bulks", settings=setting)
    write(client, 100, "warm")
    refused: dict[int, int] = {}
    peaks: dict[int, float] = {}
    for count in (SMALL, LARGE):
        peaks[count], refused[count] = sampled(client, count, "peak")
        said = f"{way}, bulks of {count:,} documents: heap peak {peaks[count]:.0f} MiB"
        if live:
            in_use, more = sampled(client, count, "live", live=True)
            refused[count] += more
            said += f", live {in_use:.0f} MiB"
        out.print(f"{said}, {refused[count]} refused")
    client.indices.delete(index="bulks")
    return [
        at_most(f"documents refused of a bulk of {LARGE:,}, by {way}", refused[LARGE], 0),
        at_most(
            f"heap peak of a bulk of {LARGE:,} / of {SMALL:,}, by {way}",
            peaks[LARGE] / peaks[SMALL],
            1.3,
        ),
    ]


def sampled(
    client: Elasticsearch, count: int, label: str, *, live: bool = False
) -> tuple[float, int]:
    """The most heap in use while LARGE documents are written in bulks of so many, in MiB.

    And how many of them failed. Live: what is in use right after full collections, one after the
    other. The label makes the texts others than those of another call.
    """
    pid = current_node().pid
    over = threading.Event()
    seen = [0.0]

    def watch() -> None:
        eye = connect(current_node().url)
        while not over.is_set():
            if live:
                subprocess.run(["jcmd", str(pid), "GC.run"], check=True, capture_output=True)
            (only,) = eye.nodes.stats(metric="jvm")["nodes"].values()
            seen.append(only["jvm"]["mem"]["heap_used_in_bytes"] / 2**20)
            time.sleep(SAMPLES_S)

    heap_after_gc(client, pid)
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        failed = sum(write(client, count, f"{label} {n}") for n in range(LARGE // count))
    finally:
        over.set()
        watcher.join()
    return max(seen), failed


def write(client: Elasticsearch, count: int, label: str) -> int:
    """One bulk of so many different documents of 256 tokens and more; gives how many failed."""
    lines: list[dict[str, Any]] = []
    for i in range(count):
        lines += [
            {"index": {"_id": str(i)}},
            {"text": f"{label}: document {i} of {count} " + "word " * TOKENS},
        ]
    patient = client.options(request_timeout=3600, max_retries=0)
    started = time.perf_counter()
    items = patient.bulk(index="bulks", operations=lines, filter_path="items.*.status")["items"]
    out.print(f"  {count:,} documents in {time.perf_counter() - started:.1f} s")
    return sum(item["index"]["status"] not in (200, 201) for item in items)


def main() -> int:
    """Runs the benchmark."""
    options: argparse.ArgumentParser = parser(__doc__ or "")
    options.add_argument("--version", default="8.19.21", help="Elasticsearch's")
    options.add_argument("--bundle", type=Path, help="by default all-MiniLM-L6-v2")
    options.add_argument("--only", choices=("encoders", "bulks"), help="one part")
    options.add_argument("--way", choices=("pipeline", "setting"), help="one way of a bulk")
    options.add_argument("--live", action="store_true", help="also the heap after collections")
    args = options.parse_args()
    bundle = read_bundle(args.bundle) if args.bundle else minilm()
    results: list[Result] = []
    with own_node(args.version, with_plugin=True, bundle=bundle) as url:
        client = connect(url)
        if args.only != "bulks":
            results += encoders(client, bundle)
        if args.only != "encoders":
            for way in ("pipeline", "setting") if args.way is None else (args.way,):
                results += bulks(client, bundle, way, args.live)
    return show("What encoders and bulks take of the node's memory", results, args.json)


if __name__ == "__main__":
    sys.exit(main())
