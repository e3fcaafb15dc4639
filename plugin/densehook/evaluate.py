"""``densehook.evaluate(collection, index)``, and what goes with it under the same name.

    scores = densehook.evaluate("path/to/beir/scifact", index)

The module can be called, because importing it puts it in the place of the package's function: to
whoever calls ``densehook.evaluate`` it must not matter whether somebody else has written
``from densehook.evaluate import open_collection``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .collections import (
    Collection,
    open_collection,
    open_measured,
    read_qrels,
    read_run,
    write_qrels,
    write_run,
)
from .evaluation import SYSTEMS, Evaluation, measure_runs
from .evaluation import evaluate as run_systems
from .report import write_report

if TYPE_CHECKING:
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
) -> Evaluation:
    """As ``densehook.evaluate``, which see."""
    opened = collection if isinstance(collection, Collection) else open_measured(collection)
    searcher = index.searcher()
    told = run_systems(opened, systems, searcher, Path(output), text_of=searcher.text_of)
    write_report(told, searcher.texts_of)
    return told


class _Callable(ModuleType):
    def __call__(self, *given: Any, **named: Any) -> Evaluation:
        return evaluate(*given, **named)


sys.modules[__name__].__class__ = _Callable
