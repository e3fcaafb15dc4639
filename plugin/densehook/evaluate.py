"""``densehook.evaluate(collection, index)``, and what goes with it under the same name.

    scores = densehook.evaluate("path/to/beir/scifact", index)

The module can be called, because importing it puts it in the place of the package's function: to
whoever calls ``densehook.evaluate`` it must not matter whether somebody else has written
``from densehook.evaluate import open_collection``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
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
from .evaluation import SYSTEMS, Evaluation, Reranker, measure_runs
from .evaluation import evaluate as run_systems
from .fusion import reranked_run
from .report import write_report
from .types import DocId, Run

if TYPE_CHECKING:
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


def evaluate(
    collection: Collection | Path | str,
    index: Index,
    systems: Sequence[str] = ("bm25", "dense", "rrf", "linear"),
    output: Path | str = "evaluation",
    rerank: Encoder | Path | str | None = None,
    instruction: str | None = None,
) -> Evaluation:
    """As ``densehook.evaluate``, which see."""
    opened = collection if isinstance(collection, Collection) else open_measured(collection)
    searcher = index.searcher(instruction)
    told = run_systems(
        opened,
        systems,
        searcher,
        Path(output),
        text_of=searcher.text_of,
        rerank=None if rerank is None else reranker(rerank, opened, searcher.texts_of),
    )
    write_report(told, searcher.texts_of)
    return told


def reranker(
    encoder: Encoder | Path | str,
    collection: Collection,
    texts_of: Callable[[Sequence[DocId]], Mapping[DocId, str]],
    progress: Callable[[str, int, int], None] = lambda label, done, total: None,
    top: int = 100,
) -> Reranker:
    """What puts the first ``top`` hits of a run in a cross-encoder's order, for ``+rerank``.

    Raises BundleError for an encoder of another kind.
    """
    if isinstance(encoder, str | Path):
        from .encode import load

        encoder = load(encoder)
    loaded = encoder
    loaded.manifest.of(Cross)

    def score(query: str, texts: Sequence[str]) -> Sequence[float]:
        scores: list[float] = loaded.score_best(query, texts).scores.tolist()
        return scores

    def rerank(first: str, run: Run) -> Run:
        label = f"reranking {first}"
        return reranked_run(
            run,
            collection.queries,
            texts_of,
            score,
            top,
            lambda done: progress(label, done, len(run)),
        )

    return rerank


class _Callable(ModuleType):
    def __call__(self, *given: Any, **named: Any) -> Evaluation:
        return evaluate(*given, **named)


sys.modules[__name__].__class__ = _Callable
