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

from ..collections import Collection
from ..errors import EvaluationError
from ..fusion import FUSIONS, FusedHit
from ..types import QueryId, Ranking, Run, ScoredDoc
from .measures import measure_queries
from .progress import Progress, silent
from .significance import SEED
from .ties import without_ties

LISTS = ("bm25", "dense")
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
        weights = {"bm25": 1.0, "dense": self.dense_weight}
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
    for setting in wanted:
        progress("trying settings", len(tried), len(wanted))
        run = without_ties(setting.run(_lists(runs), collection.qrels))
        values = measure_queries(run, collection.qrels, [measure])
        tried[setting] = {query: each[measure] for query, each in values.items()}
    progress("trying settings", len(wanted), len(wanted))
    return tried


def _lists(runs: Mapping[str, Run]) -> list[Run]:
    return [runs[name] for name in LISTS]


def _best(tried: Mapping[Setting, Mapping[QueryId, float]], queries: Sequence[QueryId]) -> Setting:
    """The best on these queries; of equals the first, and a fixed one before any other."""
    fixed = [setting for setting in (RRF, LINEAR) if setting in tried]
    order = [*fixed, *(setting for setting in tried if setting not in fixed)]
    return max(order, key=lambda setting: _mean(tried[setting], queries))


def _mean(values: Mapping[QueryId, float], queries: Sequence[QueryId]) -> float:
    return sum(values[query] for query in queries) / len(queries)
