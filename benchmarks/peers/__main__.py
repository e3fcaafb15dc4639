"""densehook against the libraries one would use instead: same model, same texts, in one run.

Each library runs in a process and an environment of its own, by default as its documentation has it
or with the batch size it is fastest with here, and all take turns. Whoever does not encode is
stopped. Vectors are compared, so that nobody is fast by doing something else.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import numpy as np
from rich.table import Table

from densehook.collections import Sample, open_collection, sample
from densehook.machine import has_int8_dot_products
from densehook.tune import ndcg

from ..encode import SEED, corpus
from ..report import Result, at_least, at_most, out, parser, require_scifact, show
from ..setting import minilm
from .environments import REQUIREMENTS
from .models import onnx_folder, settings_of, torch_folder, tuned_bundle
from .race import TRIAL, Race, at_its_best, race
from .workers import Contestant, working

FP32 = "densehook fp32"
TUNED = "densehook tuned"
BASELINE = "sentence-transformers"
LOWEST_COSINE = 0.999
"""Vectors further from ours are another model's, or were cut elsewhere."""


def ours() -> list[Contestant]:
    """The bundle as exported, the fastest fp32 variant and the one `tune` chose."""
    tuned, tuning = tuned_bundle()
    rows = [row for row in tuning.measured if row.get("precision") == "fp32"]
    best = max(rows, key=lambda row: row["texts_per_second"])
    variant = tuned.path / "variants" / best["variant"]
    return [
        Contestant("densehook as exported", "densehook", minilm().path),
        Contestant(FP32, "densehook", variant, settings_of(best)),
        Contestant(TUNED, "densehook", tuned.path),
    ]


def theirs(names: Sequence[str]) -> list[Contestant]:
    """The peers as their documentation starts them."""
    torch, onnx = torch_folder(), onnx_folder(minilm().manifest.max_tokens)
    every = [
        Contestant(BASELINE, "sentence-transformers", torch),
        Contestant("fastembed", "fastembed", onnx),
        Contestant("light-embed", "light-embed", onnx),
        Contestant("optimum", "optimum", onnx),
        Contestant("infinity torch", "infinity", torch, {"engine": "torch"}),
        Contestant(
            "infinity optimum", "infinity", onnx, {"engine": "optimum", "pooling_method": "mean"}
        ),
    ]
    return [each for each in every if each.library in names]


def quality(contestants: Sequence[Contestant], scratch: Path) -> Mapping[str, float]:
    """nDCG@10 of exact search over the whole collection, by name."""
    collection = open_collection(require_scifact())
    judged = sample(collection, " ", sys.maxsize)
    return {each.name: _ndcg(each, judged, scratch) for each in contestants}


def _ndcg(contestant: Contestant, judged: Sample, scratch: Path) -> float:
    out.print(f"nDCG@10 of {contestant.name}")
    path = scratch / "vectors.npy"
    with working(contestant, scratch) as worker:
        worker.encode(judged.documents, path)
        documents = np.load(path)
        worker.encode(list(judged.queries.values()), path)
    return ndcg(judged, documents, np.load(path), "dot_product")


def table_of(found: Race, count: int) -> Table:
    """One row a contestant, the fastest first."""
    table = Table("", "texts/s", "ratio", "cosine", "versions", box=None)
    for name in sorted(found.seconds, key=lambda name: median(found.seconds[name])):
        of = ", ".join(f"{package} {version}" for package, version in found.versions[name].items())
        table.add_row(
            name,
            f"{count / median(found.seconds[name]):.1f}",
            f"{found.times(name, BASELINE):.2f}",
            f"{found.cosines[name]:.6f}",
            of,
        )
    return table


def judged_race(found: Race, contestants: Sequence[Contestant]) -> list[Result]:
    """The bars on speed, and on everybody having done the same."""
    peers = [each.name for each in contestants if each.library != "densehook"]
    best = min(peers, key=lambda name: median(found.seconds[name]))
    others = [name for name in found.cosines if name != TUNED]
    bar = 4.0 if has_int8_dot_products() else 1.8
    return [
        at_least(f"fp32 / {BASELINE}", found.times(FP32, BASELINE), 1.3),
        at_least(f"fp32 / the fastest peer ({best})", found.times(FP32, best), 1.1),
        at_least(f"tuned / {BASELINE}", found.times(TUNED, BASELINE), bar),
        at_least(f"tuned / the fastest peer ({best})", found.times(TUNED, best), 1.5),
        at_least(
            "lowest cosine, fp32 vectors of all to ours",
            min(found.cosines[name] for name in others),
            LOWEST_COSINE,
        ),
    ]


def judged_quality(found: Mapping[str, float]) -> list[Result]:
    """The bars on quality."""
    return [
        at_most(f"nDCG@10: |fp32 - {BASELINE}|", abs(found[FP32] - found[BASELINE]), 0.0002),
        at_most(f"nDCG@10: {BASELINE} - tuned", found[BASELINE] - found[TUNED], 0.005),
    ]


def main() -> int:
    """Runs the comparison."""
    options = parser(__doc__ or "")
    options.add_argument("--documents", type=int, default=400, help="how many are encoded")
    options.add_argument("--rounds", type=int, default=3, help="how often everyone encodes them")
    options.add_argument(
        "--no-quality",
        dest="quality",
        action="store_false",
        help="leave out nDCG@10 on all of SciFact, which takes some ten minutes",
    )
    options.add_argument(
        "--peers",
        nargs="+",
        choices=tuple(REQUIREMENTS),
        default=tuple(REQUIREMENTS),
        help=f"libraries to compare with, {BASELINE} among them",
    )
    args = options.parse_args()
    if BASELINE not in args.peers:
        options.error(f"--peers must name {BASELINE}: the ratios are to it")
    texts = corpus(args.documents)
    own = ours()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        contestants = list(own)
        for peer in theirs(args.peers):
            out.print(f"Trying batch sizes of {peer.name}")
            contestants += at_its_best(peer, texts[:TRIAL], scratch)
        found = race(contestants, texts, args.rounds, scratch)
        results = judged_race(found, contestants)
        out.print(table_of(found, len(texts)))
        if args.quality:
            measured = [each for each in contestants if each.name in (BASELINE, FP32, TUNED)]
            scores = quality(measured, scratch)
            out.print(", ".join(f"{name} {score:.4f}" for name, score in scores.items()))
            results += judged_quality(scores)
    mean = sum(map(len, texts)) / len(texts)
    out.print(f"{len(texts)} documents of SciFact, {mean:.0f} characters each, seed {SEED}")
    return show("Encoders side by side, all-MiniLM-L6-v2 on SciFact", results, args.json)


if __name__ == "__main__":
    sys.exit(main())
