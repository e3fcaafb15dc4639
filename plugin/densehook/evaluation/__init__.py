"""Measures systems on judged collections: systems, measures; the only door to Pyserini.

It asks a searcher for runs and knows nothing of how that searcher works, nor of how its results
are shown.
"""

from .bm25 import pyserini_bm25
from .evaluating import Evaluation, KindOfQuery, evaluate
from .measures import MEASURES, measure
from .progress import Progress
from .reference_fusion import pyserini_fusion
from .systems import (
    SYSTEMS,
    Searcher,
    System,
    check_systems,
    needs_documents,
    needs_encoder,
    title_and_text,
)

__all__ = [
    "MEASURES",
    "SYSTEMS",
    "Evaluation",
    "KindOfQuery",
    "Progress",
    "Searcher",
    "System",
    "check_systems",
    "evaluate",
    "measure",
    "needs_documents",
    "needs_encoder",
    "pyserini_bm25",
    "pyserini_fusion",
    "title_and_text",
]
