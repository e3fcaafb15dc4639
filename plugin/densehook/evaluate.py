"""``densehook.evaluate(collection, index)``, and what goes with it under the same name.

    scores = densehook.evaluate("path/to/beir/scifact", index)

The module can be called, because importing it puts it in the place of the package's function: to
whoever calls ``densehook.evaluate`` it must not matter whether somebody else has written
``from densehook.evaluate import open_collection``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .bundle import Cross
from .collections import (
    Collection,
    open_collection,
    open_measured,
    read_qrels,
    read_run,
    write_qrels,
    write_run,
)
from .errors import RequestError
from .evaluation import SYSTEMS, Evaluation, Reranker, check_systems, measure_runs, modes_of
from .evaluation import evaluate as run_systems
from .fusion import reranked_run
from .report import write_report
from .types import Run

if TYPE_CHECKING:
    from .elastic.search import Searcher
    from .encode import Encoder
    from .index import Index

__all__ = [
    "SYSTEMS",
    "Collection",
    "Evaluation",
    "evaluate",
    "measure_runs",
    "open_collection",
    "read_qrels",
    "read_run",
    "write_qrels",
    "write_run",
]


TOP = 100
"""Hits of each query that are reranked, unless another number is asked for."""


def evaluate(
    collection: Collection | Path | str,
    index: Index,
    systems: Sequence[str] = ("bm25", "dense", "rrf", "linear"),
    output: Path | str = "evaluation",
    rerank: Encoder | Path | str | None = None,
    instruction: str | None = None,
    rerank_window: int = TOP,
    rerank_chunks: int | None = None,
) -> Evaluation:
    """As ``densehook.evaluate``, which see."""
    opened = collection if isinstance(collection, Collection) else open_measured(collection)
    searcher = index.searcher(instruction)
    searcher.require_askable(opened.queries, modes_of(check_systems(systems)))
    told = run_systems(
        opened,
        systems,
        searcher,
        Path(output),
        text_of=searcher.text_of,
        rerank=None
        if rerank is None
        else reranker(rerank, opened, searcher, window=rerank_window, chunks=rerank_chunks),
    )
    write_report(told, searcher.texts_of)
    return told


def reranker(
    encoder: Encoder | Path | str,
    collection: Collection,
    searcher: Searcher,
    progress: Callable[[str, int, int], None] = lambda label, done, total: None,
    *,
    window: int = TOP,
    chunks: int | None = None,
) -> Reranker:
    """What puts the first ``window`` hits of a run in a cross-encoder's order, for ``+rerank``.

    By the best of a text's first ``chunks``, where they are given. Raises BundleError for an
    encoder of another kind, RequestError for numbers that cannot be, and where the index keeps no
    text of its documents.
    """
    for name, number in (("rerank_window", window), ("rerank_chunks", chunks)):
        if number is not None and number < 1:
            raise RequestError(f"{name} is {number}; it must be 1 or more")
    searcher.require_texts()
    if isinstance(encoder, str | Path):
        from .encode import load

        encoder = load(encoder)
    loaded = encoder
    loaded.manifest.of(Cross)

    def score(query: str, texts: Sequence[str]) -> Sequence[float]:
        scores: list[float] = loaded.score_best(query, texts, chunks).scores.tolist()
        return scores

    def rerank(first: str, run: Run) -> Run:
        label = f"reranking {first}"
        return reranked_run(
            run,
            collection.queries,
            searcher.texts_of,
            score,
            window,
            lambda done: progress(label, done, len(run)),
        )

    return rerank


class _Callable(ModuleType):
    def __call__(self, *given: Any, **named: Any) -> Evaluation:
        return evaluate(*given, **named)


sys.modules[__name__].__class__ = _Callable
