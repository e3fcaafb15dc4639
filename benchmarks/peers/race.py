"""Everyone encodes the same texts in turn, and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from densehook.encode import cosines

from ..report import out
from .workers import Contestant, working

BATCHES = (8, 16, 32)
TRIAL = 96
"""Texts that a batch size is tried with."""


def at_its_best(contestant: Contestant, texts: Sequence[str], scratch: Path) -> list[Contestant]:
    """The contestant with its defaults, and with a batch size that is faster here, if one is."""
    seconds = {}
    for each in (contestant, *(contestant.with_batch(batch) for batch in BATCHES)):
        with working(each, scratch) as worker:
            worker.encode(texts[:8])
            seconds[each.name] = (worker.encode(texts), each)
    fastest = min(seconds.values(), key=lambda value: value[0])[1]
    return [contestant] if fastest is contestant else [contestant, fastest]


@dataclass(frozen=True)
class Race:
    """What came out: seconds by name, one value for each round; lowest cosine; versions."""

    seconds: Mapping[str, Sequence[float]]
    cosines: Mapping[str, float]
    versions: Mapping[str, Mapping[str, str]]

    def times(self, faster: str, slower: str) -> float:
        """How many times as fast one is: the median over rounds of what each round says."""
        pairs = zip(self.seconds[slower], self.seconds[faster], strict=True)
        return median(slow / fast for slow, fast in pairs)


def race(
    contestants: Sequence[Contestant], texts: Sequence[str], rounds: int, scratch: Path
) -> Race:
    """Everyone encodes the texts in turn, and again; vectors are compared with the first one's."""
    seconds: dict[str, list[float]] = {each.name: [] for each in contestants}
    vectors: dict[str, NDArray[np.float32]] = {}
    with ExitStack() as stack:
        workers = [stack.enter_context(working(each, scratch)) for each in contestants]
        for worker in workers:
            name = worker.contestant.name
            path = scratch / "vectors.npy"
            worker.encode(texts[:TRIAL], path)  # the first run is not timed
            vectors[name] = np.load(path)
        for turn in range(rounds):
            out.print(f"Round {turn + 1} of {rounds}")
            for worker in workers:
                seconds[worker.contestant.name].append(worker.encode(texts))
        versions = {worker.contestant.name: worker.versions for worker in workers}
    near = {
        name: float(cosines(found, vectors[contestants[0].name]).min())
        for name, found in vectors.items()
    }
    return Race(seconds, near, versions)
