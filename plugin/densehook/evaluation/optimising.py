"""How best to fuse, chosen where it is not measured: on other queries, or on the other folds.

A setting that is chosen and measured on the same queries looks better than it is. So it is chosen
on a development split, or by cross-validation: the queries are drawn into folds, and each query is
measured by the setting that is best on the folds it is not in.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ..collections import Collection
from ..errors import EvaluationError
from ..fusion import FUSIONS, NORMALIZERS, FusedHit
from ..fusion.merging import resorted
from ..types import QueryId, Ranking, Run, ScoredDoc
from .measures import measure_queries, parsed
from .progress import Progress, silent
from .significance import SEED
from .systems import LISTS
from .ties import lowered

DENSE_WEIGHTS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Of dense search, where BM25's is 1."""
RANK_CONSTANTS = (1, 5, 10, 20, 60, 100)
WINDOWS = (20, 50, 100, 200)
"""Hits of each list that are fused."""

_SCALES = ("minmax", "l2_norm", "zscore")
_DEPTH = 1000


@dataclass(frozen=True)
class Setting:
    """A fusion of BM25 and dense search, in the words of ``densehook.Asked``."""

    fusion: str
    dense_weight: float = 1.0
    rank_constant: float | None = None
    normalizer: str | None = None
    window: int = 100

    def fuse(self, rankings: Sequence[Ranking]) -> list[FusedHit]:
        """The fused ranking of one query."""
        given: dict[str, Any] = {"weights": [1.0, self.dense_weight]}
        if self.rank_constant is not None:
            given["rank_constant"] = self.rank_constant
        if self.normalizer is not None:
            given["normalizer"] = self.normalizer
        return FUSIONS[self.fusion]([each[: self.window] for each in rankings], **given)

    def run(self, runs: Sequence[Run], queries: Iterable[QueryId]) -> dict[QueryId, Ranking]:
        """The fused run of these queries."""
        return {
            query: [
                ScoredDoc(hit.id, hit.score)
                for hit in self.fuse([run.get(query, ()) for run in runs])[:_DEPTH]
            ]
            for query in queries
        }

    def asked(self) -> dict[str, Any]:
        """What ``Index.search`` takes for it."""
        weights = dict(zip(LISTS, (1.0, self.dense_weight), strict=True))
        named = {k: v for k, v in asdict(self).items() if k != "dense_weight" and v is not None}
        return {**named, "weights": weights}

    def __str__(self) -> str:
        how = f"constant {self.rank_constant}" if self.fusion == "rrf" else self.normalizer
        return f"{self.fusion} ({how}), dense weight {self.dense_weight:g}, window {self.window}"


RRF = Setting("rrf", rank_constant=60)
LINEAR = Setting("linear", normalizer="minmax")
"""The settings that nobody chose: what a search does by itself."""


@dataclass(frozen=True)
class Choice:
    """The setting that is best on all the queries it was chosen on.

    ``chosen_on`` it reaches the mean ``reached`` there; ``folds`` are the settings of each fold,
    none where a split of its own was there to choose on.
    """

    setting: Setting
    measure: str
    chosen_on: str
    reached: float
    folds: Sequence[Setting] = ()


def settings() -> list[Setting]:
    """Every setting that is tried, the fixed ones among them."""
    ways = [
        *(Setting("rrf", rank_constant=constant) for constant in RANK_CONSTANTS),
        *(Setting("linear", normalizer=scale) for scale in _SCALES),
    ]
    return [
        replace(way, dense_weight=weight, window=window)
        for way in ways
        for weight in DENSE_WEIGHTS
        for window in WINDOWS
    ]


def choose_on(
    collection: Collection,
    runs: Mapping[str, Run],
    measure: str,
    progress: Progress = silent,
) -> Choice:
    """The setting that is best on all queries of a development split."""
    tried = _tried(collection, runs, measure, progress)
    best = _best(tried, list(collection.qrels))
    return Choice(best, measure, collection.name, _mean(tried[best], list(collection.qrels)))


def choose_by_folds(
    collection: Collection,
    runs: Mapping[str, Run],
    measure: str,
    folds: int = 5,
    progress: Progress = silent,
) -> tuple[Choice, dict[QueryId, Ranking]]:
    """The setting that is best on all queries, and a run of which each query was not chosen on.

    Raises EvaluationError for fewer than two folds, or more than there are queries.
    """
    queries = sorted(collection.qrels)
    if not 2 <= folds <= len(queries):
        raise EvaluationError(
            f"{folds} folds of {len(queries)} queries cannot be; there must be 2 or more, and no"
            " more than queries"
        )
    tried = _tried(collection, runs, measure, progress)
    drawn = random.Random(SEED).sample(queries, len(queries))
    chosen = []
    held_out: dict[QueryId, Ranking] = {}
    for fold in range(folds):
        out = drawn[fold::folds]
        others = [query for query in drawn if query not in set(out)]
        best = _best(tried, others)
        chosen.append(best)
        held_out |= best.run(_lists(runs), out)
    best = _best(tried, queries)
    told = Choice(
        best, measure, f"{folds} folds of {collection.name}", _mean(tried[best], queries), chosen
    )
    return told, {query: held_out[query] for query in collection.qrels}


def _tried(
    collection: Collection, runs: Mapping[str, Run], measure: str, progress: Progress
) -> dict[Setting, dict[QueryId, float]]:
    """Every setting's value for every query."""
    tried: dict[Setting, dict[QueryId, float]] = {}
    wanted = settings()
    lists = {
        query: Lists([run.get(query, ()) for run in _lists(runs)]) for query in collection.qrels
    }
    depth = depth_of(measure)
    for setting in wanted:
        progress("trying settings", len(tried), len(wanted))
        run = {query: each.fused(setting, depth) for query, each in lists.items()}
        values = measure_queries(run, collection.qrels, [measure])
        tried[setting] = {query: each[measure] for query, each in values.items()}
    progress("trying settings", len(wanted), len(wanted))
    return tried


def depth_of(measure: str) -> int | None:
    """How many hits of a ranking count; None where all may."""
    params = parsed(measure).params
    return None if params.get("judged_only") else params.get("cutoff")


class Lists:
    """The lists of one query, to be fused by many settings: as ``Setting.fuse``, 20 times as fast.

    What comes out is in trec_eval's order already, without ties.
    """

    def __init__(self, rankings: Sequence[Ranking]) -> None:
        self._rankings = [resorted(ranking) for ranking in rankings]
        ids = {hit.id for ranking in rankings for hit in ranking}
        self._ids = sorted(ids, key=str.encode, reverse=True)
        places = {id_: place for place, id_ in enumerate(self._ids)}
        self._places = [
            np.array([places[hit.id] for hit in ranking], dtype=np.int64)
            for ranking in self._rankings
        ]

    def fused(self, setting: Setting, depth: int | None = None) -> list[ScoredDoc]:
        """The first ``depth`` hits of the fused ranking."""
        total = np.zeros(len(self._ids))
        there = np.zeros(len(self._ids), dtype=bool)
        for ranking, places, weight in zip(
            self._rankings, self._places, (1.0, setting.dense_weight), strict=True
        ):
            within = places[: setting.window]
            given, absent = _given(ranking[: setting.window], weight, setting)
            contributions = np.full(len(total), absent)
            contributions[within] = given
            total += contributions
            there[within] = True
        scores = total.astype(np.float32)
        # ids descend already, and the sort is stable
        order = np.argsort(-scores, kind="stable")
        order = order[there[order]][:depth]
        return [
            ScoredDoc(self._ids[place], score)
            for place, score in zip(order.tolist(), lowered(scores[order]).tolist(), strict=True)
        ]


def _given(ranking: Ranking, weight: float, setting: Setting) -> tuple[Sequence[float], float]:
    """What a list gives to each of its documents, and to one that it does not hold."""
    if setting.normalizer is None:
        constant = setting.rank_constant or 0
        return [weight / (constant + rank) for rank in range(1, len(ranking) + 1)], 0.0
    scaled = NORMALIZERS[setting.normalizer]([hit.score for hit in ranking])
    lowest = min(scaled, default=0.0) if setting.normalizer == "zscore" else 0.0
    return [weight * each for each in scaled], weight * lowest


def _lists(runs: Mapping[str, Run]) -> list[Run]:
    return [runs[name] for name in LISTS]


def _best(tried: Mapping[Setting, Mapping[QueryId, float]], queries: Sequence[QueryId]) -> Setting:
    """The best on these queries; of equals the first, and a fixed one before any other."""
    fixed = [setting for setting in (RRF, LINEAR) if setting in tried]
    order = [*fixed, *(setting for setting in tried if setting not in fixed)]
    return max(order, key=lambda setting: _mean(tried[setting], queries))


def _mean(values: Mapping[QueryId, float], queries: Sequence[QueryId]) -> float:
    return sum(values[query] for query in queries) / len(queries)
