"""Fusion by pyserini.fusion itself: the reference our own fusion is held to."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import MissingExtra
from ..fusion.merging import resorted
from ..types import QueryId, Run, ScoredDoc

PYSERINI_FUSIONS: Mapping[str, str] = {"rrf": "reciprocal_rank_fusion", "linear": "normalize"}
"""The function of pyserini.fusion that each of our fusions is equal to."""

_COLUMNS = ("topic", "docid", "score")


def pyserini_fusion(method: str, runs: Sequence[Run], *, depth: int = 1000) -> Run:
    """Fuse two or more runs with pyserini.fusion: ``rrf`` (k 60) or ``linear`` (normalize).

    The runs are resorted by score, and at most ``depth`` hits of each and of the result count.
    Importing pyserini.fusion takes about two seconds (pandas) and starts no JVM. Raises
    MissingExtra where Pyserini is not installed.
    """
    if importlib.util.find_spec("pyserini") is None:
        raise MissingExtra("pyserini", "evaluate")
    fusion = importlib.import_module("pyserini.fusion")
    queries = dict.fromkeys(query for run in runs for query in run)
    if not any(ranking for run in runs for ranking in run.values()):
        return {query: [] for query in queries}
    trec_runs = [_trec_run(run) for run in runs]
    fused = getattr(fusion, PYSERINI_FUSIONS[method])(trec_runs, depth=depth, k=depth)
    return _rankings(fused, list(queries))


def _trec_run(run: Run) -> Any:
    trec_run = importlib.import_module("pyserini.trectools").TrecRun
    rows = [
        (query, "Q0", id_, rank, float(score), "densehook")
        for query, ranking in run.items()
        for rank, (id_, score) in enumerate(resorted(ranking), start=1)
    ]
    if rows:
        return trec_run.from_list(rows)
    # a table without rows would have columns of no type, and the sum over all runs then another one
    empty = trec_run.from_list([("", "Q0", "", 1, 0.0, "densehook")])
    empty.run_data = empty.run_data.iloc[:0]
    return empty


def _rankings(fused: Any, queries: Sequence[QueryId]) -> Run:
    rankings: dict[QueryId, list[ScoredDoc]] = {query: [] for query in queries}
    columns = (fused.run_data[name].tolist() for name in _COLUMNS)  # a column is read slowly
    for query, id_, score in zip(*columns, strict=True):
        rankings[query].append(ScoredDoc(id_, float(score)))
    return rankings
