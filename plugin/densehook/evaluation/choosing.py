"""What `densehook optimise` chooses, and the runs that show what the choice is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..collections import Collection
from ..errors import EvaluationError
from ..types import Run
from .optimising import (
    Choice,
    choose_by_folds,
    choose_on,
    drawn_folds,
    lists_with,
    try_settings,
)
from .progress import Progress, silent
from .querywise import QueryWise, learn_by_folds, learn_on
from .settings import fixed
from .systems import Searcher


@dataclass(frozen=True)
class Chosen:
    """A choice; ``runs`` are what is to be measured, ``learned`` weights where they were asked for.

    The runs are the fixed fusions, ``chosen``, ``learned``, and the lists, in this order.
    """

    choice: Choice
    runs: Mapping[str, Run]
    learned: QueryWise | None = None


def choose(
    measured: Collection,
    searcher: Searcher,
    measure: str,
    *,
    dev: Collection | None = None,
    folds: int = 5,
    more: Mapping[str, Run] | None = None,
    query_wise: bool = False,
    progress: Progress = silent,
) -> Chosen:
    """Chooses on the split ``dev``, or else by folds, never on the queries that are measured.

    ``more`` are lists beside BM25's and dense search's. Raises EvaluationError for a split that
    shares queries with what is measured, folds that cannot be, and learned weights of more lists.
    """
    if dev is not None and (shared := set(dev.queries) & set(measured.queries)):
        raise EvaluationError(
            f"{len(shared)} queries of {dev.name!r} are those it is measured on; choose on others"
        )
    if dev is None:
        drawn_folds(measured.qrels, folds)
    if more and query_wise:
        raise EvaluationError(
            "weights for each query are learned for BM25 and dense search alone; leave the runs out"
        )
    lists = lists_with(measured, searcher, more or {}, progress)
    both = list(lists.values())
    learned: QueryWise | None = None
    if dev is None:
        tried = try_settings(measured, lists, measure, progress)
        choice, run = choose_by_folds(measured, lists, measure, tried, folds)
        if query_wise:
            learned = learn_by_folds(measured, both, tried, folds)
    else:
        there = lists_with(dev, searcher, more or {}, progress)
        tried = try_settings(dev, there, measure, progress)
        choice = choose_on(dev, there, measure, tried)
        run = choice.setting.run(both, measured.qrels)
        if query_wise:
            learned = learn_on(dev, list(there.values()), tried, measured, both)
    unchosen = {
        name: setting.run(both, measured.qrels) for name, setting in fixed(len(lists)).items()
    }
    of_queries = {} if learned is None else {"learned": learned.run}
    return Chosen(choice, {**unchosen, "chosen": run, **of_queries, **lists}, learned)
