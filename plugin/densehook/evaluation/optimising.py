"""How best to fuse, chosen where it is not measured: on other queries, or on the other folds.

A setting that is chosen and measured on the same queries looks better than it is. So it is chosen
on a development split, or by cross-validation: the queries are drawn into folds, and each query is
measured by the setting that is best on the folds it is not in.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..collections import Collection
from ..errors import EvaluationError
from ..fusion import compensated_sum
from ..fusion.merging import resorted
from ..types import QueryId, Ranking, Run, ScoredDoc
from .checking import judged_part
from .measures import measure_queries, parsed
from .progress import Progress, silent
from .settings import WINDOWS, Setting, fixed, settings, thresholds_of
from .significance import SEED
from .systems import LISTS, Searcher, lists_of

Tried = Mapping["Setting", Mapping[QueryId, float]]
"""Every setting's value for every query."""


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
    wanted = settings(len(runs), thresholds_of(judged))
    lists = {query: Lists([run[query] for run in judged]) for query in collection.qrels}
    depth = depth_of(measure)
    for way, alike in itertools.groupby(wanted, lambda setting: replace(setting, weights=())):
        progress("trying settings", len(tried), len(wanted))
        group = list(alike)
        weights = [setting.weights for setting in group]
        fused = {query: each.fused(way, weights, depth) for query, each in lists.items()}
        for place, setting in enumerate(group):
            run = {query: rankings[place] for query, rankings in fused.items()}
            values = measure_queries(run, collection.qrels, [measure])
            tried[setting] = {query: each[measure] for query, each in values.items()}
    progress("trying settings", len(tried), len(wanted))
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
