"""How best to fuse, chosen where it is not measured: on other queries, or on the other folds.

A setting that is chosen and measured on the same queries looks better than it is. So it is chosen
on a development split, or by cross-validation: the queries are drawn into folds, and each query is
measured by the setting that is best on the folds it is not in.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..collections import Collection
from ..errors import EvaluationError
from ..fusion import FUSIONS, NORMALIZERS, Column, FusedHit, compensated_sum, merge, within
from ..fusion.merging import resorted
from ..types import QueryId, Ranking, Run, ScoredDoc
from .checking import judged_part
from .measures import measure_queries, parsed
from .progress import Progress, silent
from .significance import SEED
from .systems import LISTS, Searcher, lists_of

RATIOS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Of the second of two lists' weight to the first's."""
RANK_CONSTANTS = (1, 5, 10, 20, 60, 100)
WINDOWS = (20, 50, 100, 200)
"""Hits of each list that are fused."""
NORMALIZED = tuple(name for name in NORMALIZERS if name != "none")
SHARES = (0.25, 0.5, 0.75)
"""Of each list's hits, those that a minimum score leaves out; of more than two lists, half."""

Tried = Mapping["Setting", Mapping[QueryId, float]]
"""Every setting's value for every query."""

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


@dataclass(frozen=True)
class Choice:
    """The setting that is best on all the queries it was chosen on.

    ``lists`` are those it fuses, in order. ``chosen_on`` it reaches the mean ``reached`` there;
    ``folds`` are the settings of each fold, none where a split of its own was there to choose on.
    """

    setting: Setting
    lists: Sequence[str]
    measure: str
    chosen_on: str
    reached: float
    folds: Sequence[Setting] = ()

    def __str__(self) -> str:
        return self.setting.told(self.lists)


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


def lists_with(
    collection: Collection, searcher: Searcher, more: Mapping[str, Run], progress: Progress = silent
) -> dict[str, Run]:
    """The lists to fuse: those of hybrid search, and runs of other programs.

    Raises EvaluationError for a run of a list's name, or of other queries or documents.
    """
    for name in more:
        if name in (*LISTS, *fixed(len(LISTS)), "chosen", "learned"):
            raise EvaluationError(
                f"run {name!r} has a name that is given to what is chosen here; name it otherwise"
            )
    given = {name: judged_part(name, run, collection.qrels) for name, run in more.items()}
    ordered = {
        name: {query: resorted(ranking) for query, ranking in run.items()}
        for name, run in given.items()
    }
    return {**lists_of(collection, searcher, progress), **ordered}


def choose_on(
    collection: Collection, runs: Mapping[str, Run], measure: str, tried: Tried
) -> Choice:
    """The setting that is best on all queries of a development split."""
    queries = list(collection.qrels)
    best = best_of(tried, queries)
    return Choice(best, list(runs), measure, collection.name, _mean(tried[best], queries))


def choose_by_folds(
    collection: Collection, runs: Mapping[str, Run], measure: str, tried: Tried, folds: int = 5
) -> tuple[Choice, dict[QueryId, Ranking]]:
    """The setting that is best on all queries, and a run of which each query was not chosen on.

    Raises EvaluationError for fewer than two folds, or more than there are queries.
    """
    queries = sorted(collection.qrels)
    chosen = []
    held_out: dict[QueryId, Ranking] = {}
    for out in drawn_folds(queries, folds):
        others = [query for query in queries if query not in set(out)]
        best = best_of(tried, others)
        chosen.append(best)
        held_out |= best.run(list(runs.values()), out)
    best = best_of(tried, queries)
    told = Choice(
        best,
        list(runs),
        measure,
        f"{folds} folds of {collection.name}",
        _mean(tried[best], queries),
        chosen,
    )
    return told, {query: held_out[query] for query in collection.qrels}


def drawn_folds(queries: Iterable[QueryId], folds: int) -> list[list[QueryId]]:
    """The queries drawn into folds, the same at every call.

    Raises EvaluationError for fewer than two folds, or more than there are queries.
    """
    known = sorted(queries)
    if not 2 <= folds <= len(known):
        raise EvaluationError(
            f"{folds} folds of {len(known)} queries cannot be; there must be 2 or more, and no"
            " more than queries"
        )
    drawn = random.Random(SEED).sample(known, len(known))
    return [drawn[fold::folds] for fold in range(folds)]


def try_settings(
    collection: Collection, runs: Mapping[str, Run], measure: str, progress: Progress = silent
) -> Tried:
    """Fuses the lists of every query by every setting, and measures."""
    tried: dict[Setting, dict[QueryId, float]] = {}
    judged = [{query: run.get(query, ()) for query in collection.qrels} for run in runs.values()]
    ways, weighted = _ways(len(runs), thresholds_of(judged)), weightings(len(runs))
    lists = {query: Lists([run[query] for run in judged]) for query in collection.qrels}
    depth = depth_of(measure)
    for number, way in enumerate(ways):
        progress("trying settings", number * len(weighted), len(ways) * len(weighted))
        fused = {query: each.fused(way, weighted, depth) for query, each in lists.items()}
        for place, weights in enumerate(weighted):
            run = {query: rankings[place] for query, rankings in fused.items()}
            values = measure_queries(run, collection.qrels, [measure])
            tried[replace(way, weights=weights)] = {
                query: each[measure] for query, each in values.items()
            }
    progress("trying settings", len(tried), len(tried))
    return tried


def depth_of(measure: str) -> int | None:
    """How many hits of a ranking count; None where all may."""
    params = parsed(measure).params
    return None if params.get("judged_only") else params.get("cutoff")


class Lists:
    """The lists of one query, fused by many weights at once: as ``Setting.fuse`` does by one."""

    def __init__(self, rankings: Sequence[Ranking]) -> None:
        self._rankings = [ranking[: max(WINDOWS)] for ranking in rankings]
        ids = {hit.id for ranking in self._rankings for hit in ranking}
        self._ids = sorted(ids, key=str.encode, reverse=True)
        self._places = {id_: place for place, id_ in enumerate(self._ids)}

    def fused(
        self, way: Setting, weightings: Iterable[Sequence[float]], depth: int | None = None
    ) -> list[list[ScoredDoc]]:
        """For each of the weights the first ``depth`` hits, in trec_eval's order.

        Their scores go down by 1 and say nothing else.
        """
        weights = np.array(list(weightings), dtype=np.float64)
        there = np.zeros(len(self._ids), dtype=bool)
        weighted: list[Any] = []
        for place, ranking in enumerate(self._rankings):
            column = way.column(ranking, place)
            worths = np.full(len(self._ids), column.absent or 0.0)
            held = [self._places[hit.id] for hit in column.hits]
            worths[held] = column.worths
            there[held] = True
            weighted.append(weights[:, place, None] * worths)
        # trec_eval reads 32 bits; ids descend already, and the sort is stable
        scores = np.asarray(compensated_sum(weighted), dtype=np.float64).astype(np.float32)
        within_window = np.flatnonzero(there)
        order = np.argsort(-scores[:, within_window], axis=1, kind="stable")[:, :depth]
        return [
            [ScoredDoc(self._ids[place], -float(rank)) for rank, place in enumerate(places)]
            for places in within_window[order].tolist()
        ]


def best_of(tried: Tried, queries: Sequence[QueryId]) -> Setting:
    """The best on these queries; of equals the first, and a fixed one before any other."""
    lists = len(next(iter(tried)).weights)
    unchosen = [setting for setting in fixed(lists).values() if setting in tried]
    order = [*unchosen, *(setting for setting in tried if setting not in unchosen)]
    return max(order, key=lambda setting: _mean(tried[setting], queries))


def _mean(values: Mapping[QueryId, float], queries: Sequence[QueryId]) -> float:
    return sum(values[query] for query in queries) / len(queries)
