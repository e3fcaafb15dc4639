"""A hundred schedules of faults over feeds of SciFact: nothing lost, doubled or without its vector.

Each feed is one command, run again as often as it ends, until it says that nothing is left; then
its index and its letters are those of a feed that was left alone, vectors to the bit; but for last
bits with ``--in-cluster``, where the node that breaks is the one that encodes. The encoder is a
random BERT of two layers, small enough for many feeds: what it finds does not matter here.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from tests import tiny_models

from densehook.bundle import Bundle
from densehook.export import export_bundle, read_recipe
from densehook.node import ELASTICSEARCH_VERSION

from ..report import Result, at_most, out, parser, require_scifact, show
from .running import Feeding, Outcome
from .schedule import KINDS, Schedule, schedule_of
from .world import world

INPUTS = ("title", "text")
RATE = 0.1
ALONE = Schedule(0, ())


def main() -> int:
    """Runs the benchmark."""
    args = _arguments()
    results: list[Result] = []
    with (
        _tiny_bundle() as bundle,
        world(args.es, serves=bundle if args.in_cluster else None) as node,
        tempfile.TemporaryDirectory() as scratch,
    ):
        corpus = _corpus(Path(scratch), args.documents)
        feeding = Feeding(node, corpus, bundle, INPUTS, args.in_cluster)
        if not node.small_disk:
            out.print("no disk can be mounted here: the disk full is left out")
        kinds = [kind for kind in KINDS if kind != "disk full" or node.small_disk]
        alone = feeding.run(ALONE)
        seeds = range(args.seed, args.seed + args.schedules)
        for rate in args.rates:
            schedules = [schedule_of(seed, alone.bulks, rate, kinds) for seed in seeds]
            results += _measured(feeding, schedules, alone, args.minutes)
    return show(f"Feeds of SciFact while everything breaks, {args.es}", results, args.json)


def _arguments() -> argparse.Namespace:
    options = parser(__doc__ or "")
    options.add_argument("--schedules", type=int, default=100)
    options.add_argument("--seed", type=int, default=1, help="the first; with --schedules 1 alone")
    options.add_argument(
        "--rates",
        type=lambda text: [float(part) for part in text.split(",")],
        default=[0.0, RATE],
        help="shares of all requests that meet a fault besides (default 0,0.1)",
    )
    options.add_argument("--documents", type=int, help="only so many of SciFact's documents")
    options.add_argument("--minutes", type=float, help="at most for each rate; what is done counts")
    options.add_argument("--in-cluster", action="store_true", help="the node makes the vectors")
    options.add_argument("--es", default=ELASTICSEARCH_VERSION, help="version of the node")
    return options.parse_args()


def _measured(
    feeding: Feeding, schedules: list[Schedule], alone: Outcome, minutes: float | None
) -> list[Result]:
    """What became of the feeds, summed up; each that went wrong is told with its seed."""
    found: Counter[str] = Counter()
    unlike = ran = 0
    farthest = 0.0
    began = time.monotonic()
    for schedule in schedules:
        if minutes is not None and time.monotonic() - began > 60 * minutes:
            break
        outcome = feeding.run(schedule)
        ran += 1
        found += outcome.struck
        found["runs of the command"] += outcome.runs
        said = outcome.unlike(alone, feeding.tolerance)
        farthest = max(farthest, outcome.farthest(alone))
        unlike += bool(said)
        out.print(f"{schedule}: {'; '.join(said) or 'the same'} ({outcome.runs} runs)")
        for name, count in outcome.wrong(alone).items():
            found[name] += count
    rate = schedules[0].rate
    out.print(f"{ran} schedules in {time.monotonic() - began:.0f} s: {dict(found)}")
    label = f"{ran} schedules" + (f", {rate:.0%} of requests besides" if rate else "")
    return [
        at_most(f"documents lost, {label}", found["lost"], 0),
        at_most(f"documents doubled, {label}", found["doubled"], 0),
        at_most(f"documents without a vector, {label}", found["without a vector"], 0),
        at_most(f"indices or letters unlike those of a feed left alone, {label}", unlike, 0),
        at_most(f"a number of a vector differs by, {label}", farthest, feeding.tolerance),
    ]


def _corpus(folder: Path, limit: int | None) -> Path:
    """SciFact's documents, and some lines that are none."""
    corpus = folder / "corpus.jsonl"
    with (require_scifact() / "corpus.jsonl").open() as source, corpus.open("w") as file:
        for number, line in enumerate(itertools.islice(source, limit)):
            file.write(line)
            if number % 500 == 0:
                file.write("torn\n")
    return corpus


@contextmanager
def _tiny_bundle() -> Iterator[Bundle]:
    """A random BERT of two layers, as the tests have it."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        torch.manual_seed(0)
        tiny_models.make_bert(folder / "model")
        tiny_models.describe(folder / "model")
        (folder / "tiny.toml").write_text('source = "model"\n')
        yield export_bundle(read_recipe(folder / "tiny.toml"), folder / "bundle")


if __name__ == "__main__":
    sys.exit(main())
