"""Measures systems on judged collections: systems, measures; the only door to Pyserini.

It asks a searcher for runs and knows nothing of how that searcher works, nor of how its results
are shown. Importing it raises MissingExtra where what it measures with is not installed.
"""

from ..errors import MissingExtra, missing_of

if missing := missing_of("numpy", "scipy", "ir_measures", "pyserini"):
    raise MissingExtra(missing, "evaluate")

from .bm25 import pyserini_bm25
from .evaluating import evaluate, measure_runs
from .guard import Drop, Kept, drops, kept_at
from .measures import DEFAULT_MEASURES, check_measures, measure_queries
from .progress import Progress
from .reference_fusion import pyserini_fusion
from .result import Evaluation, KindOfQuery
from .significance import Difference, Interval
from .systems import (
    SYSTEMS,
    Reranker,
    Searcher,
    System,
    check_systems,
    modes_of,
    needs_documents,
    needs_encoder,
    needs_encoder_here,
    needs_reranker,
    systems_for,
    title_and_text,
)

__all__ = [
    "DEFAULT_MEASURES",
    "SYSTEMS",
    "Difference",
    "Drop",
    "Evaluation",
    "Interval",
    "Kept",
    "KindOfQuery",
    "Progress",
    "Reranker",
    "Searcher",
    "System",
    "check_measures",
    "check_systems",
    "drops",
    "evaluate",
    "kept_at",
    "measure_queries",
    "measure_runs",
    "modes_of",
    "needs_documents",
    "needs_encoder",
    "needs_encoder_here",
    "needs_reranker",
    "pyserini_bm25",
    "pyserini_fusion",
    "systems_for",
    "title_and_text",
]
