"""Settings of a fusion: those that are tried, of any number of lists, and those nobody chose."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..fusion import FUSIONS, NORMALIZERS, Column, FusedHit, merge, within
from ..types import QueryId, Ranking, Run, ScoredDoc

RATIOS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Of the second of two lists' weight to the first's."""
RANK_CONSTANTS = (1, 5, 10, 20, 60, 100)
WINDOWS = (20, 50, 100, 200)
"""Hits of each list that are fused."""
NORMALIZED = tuple(name for name in NORMALIZERS if name != "none")
SHARES = (0.25, 0.5, 0.75)
"""Of each list's hits, those that a minimum score leaves out; of more than two lists, half."""

_MOST_WEIGHTS = 21
"""Of three lists and more."""
_WINDOW = 100
_DEPTH = 1000


@dataclass(frozen=True)
class Setting:
    """A fusion of lists, in their order; ``min_scores`` are theirs, none at all or one each."""

    fusion: str
    weights: tuple[float, ...]
    rank_constant: float | None = None
    normalizer: str | None = None
    window: int = _WINDOW
    min_scores: tuple[float | None, ...] = ()

    def column(self, ranking: Ranking, place: int) -> Column:
        """What the list at that place gives to its documents, before its weight."""
        given: dict[str, Any] = {}
        if self.rank_constant is not None:
            given["rank_constant"] = self.rank_constant
        if self.normalizer is not None:
            given["normalizer"] = self.normalizer
        least = self.min_scores[place] if self.min_scores else None
        return FUSIONS[self.fusion].column(within(ranking, self.window, least), **given)

    def fuse(self, rankings: Sequence[Ranking]) -> list[FusedHit]:
        """The fused ranking of one query."""
        columns = [self.column(ranking, place) for place, ranking in enumerate(rankings)]
        return merge(columns, self.weights)

    def run(self, runs: Sequence[Run], queries: Iterable[QueryId]) -> dict[QueryId, Ranking]:
        """The fused run of these queries."""
        return {
            query: [
                ScoredDoc(hit.id, hit.score)
                for hit in self.fuse([run.get(query, ()) for run in runs])[:_DEPTH]
            ]
            for query in queries
        }

    def asked(self, lists: Sequence[str]) -> dict[str, Any]:
        """What ``Index.search`` takes for it, where it has lists of these names."""
        least = zip(lists, self.min_scores, strict=True) if self.min_scores else ()
        stated = {
            "fusion": self.fusion,
            "rank_constant": self.rank_constant,
            "normalizer": self.normalizer,
            "window": self.window,
            "weights": dict(zip(lists, self.weights, strict=True)),
            "min_scores": {name: score for name, score in least if score is not None} or None,
        }
        return {name: value for name, value in stated.items() if value is not None}

    def told(self, lists: Sequence[str]) -> str:
        """It in a line."""
        how = f"constant {self.rank_constant}" if self.fusion == "rrf" else self.normalizer
        weights = ", ".join(
            f"{name} {weight:g}" for name, weight in zip(lists, self.weights, strict=True)
        )
        least = "".join(
            f", {name} from a score of {score:g}"
            for name, score in self.asked(lists).get("min_scores", {}).items()
        )
        return f"{self.fusion} ({how}), weights {weights}, window {self.window}{least}"


def fixed(lists: int) -> dict[str, Setting]:
    """The settings that nobody chose, by name: what a search does by itself."""
    equal = (1.0,) * lists
    return {
        "rrf": Setting("rrf", equal, rank_constant=60),
        "linear": Setting("linear", equal, normalizer="minmax"),
    }


def weightings(lists: int) -> list[tuple[float, ...]]:
    """The weights that are tried, a finite number for any number of lists.

    Of two lists the ratios; of more those whose parts are whole steps of the sum, 0 among them, as
    fine as keeps them few, and equal ones.
    """
    if lists <= 2:
        return [(1.0,) * (lists - 1) + (ratio,) for ratio in RATIOS] if lists == 2 else [(1.0,)]
    grid: list[tuple[float, ...]] = []
    for steps in itertools.count(1):
        finer = [tuple(part / steps for part in parts) for parts in _parts(steps, lists)]
        if grid and len(finer) > _MOST_WEIGHTS:
            break
        grid = finer
    return [(1.0,) * lists, *grid]


def _parts(total: int, count: int) -> Iterator[tuple[int, ...]]:
    """Every way to write a number as a sum of so many, 0 among them, in their order."""
    if count == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for others in _parts(total - first, count - 1):
            yield (first, *others)


def settings(lists: int, thresholds: Sequence[Sequence[float]] = ()) -> list[Setting]:
    """Every setting that is tried, the fixed ones among them; those of one way stand together.

    ``thresholds`` are for each list minimum scores to try, one list at a time, with the usual
    window.
    """
    return [
        replace(way, weights=weights)
        for way in _ways(lists, thresholds)
        for weights in weightings(lists)
    ]


def _ways(lists: int, thresholds: Sequence[Sequence[float]]) -> list[Setting]:
    """Every setting but for its weights."""
    none = Setting("rrf", ())
    ranked = [replace(none, rank_constant=constant) for constant in RANK_CONSTANTS]
    scaled = [replace(none, fusion="linear", normalizer=name) for name in NORMALIZED]
    ways = [replace(way, window=window) for way in [*ranked, *scaled] for window in WINDOWS]
    for place, scores in enumerate(thresholds):
        before, after = (None,) * place, (None,) * (lists - place - 1)
        ways += [
            replace(way, window=_WINDOW, min_scores=(*before, score, *after))
            for way in (replace(none, rank_constant=60), *scaled)
            if way.normalizer in (None, "minmax", "tmm")
            for score in scores
        ]
    return ways


def thresholds_of(runs: Sequence[Run]) -> list[list[float]]:
    """For each list the scores that leave out a quarter, half, three quarters of its hits."""
    shares = SHARES if len(runs) <= 2 else (0.5,)
    found = []
    for run in runs:
        scores = [hit.score for ranking in run.values() for hit in ranking[:_WINDOW]]
        cuts = np.quantile(scores, shares) if scores else ()
        found.append(list(dict.fromkeys(float(f"{cut:.4g}") for cut in cuts)))
    return found
