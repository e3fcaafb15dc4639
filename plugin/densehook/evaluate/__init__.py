"""Measures systems on judged collections: collections, runs, measures; the only door to Pyserini.

It asks a searcher for runs and knows nothing of how that searcher works, nor of how its results
are shown.
"""

from .bm25 import pyserini_bm25
from .collection import Collection
from .evaluation import Evaluation, evaluate
from .measures import MEASURES, measure
from .opening import open_collection
from .progress import Progress
from .qrels import read_qrels
from .reference_fusion import pyserini_fusion
from .runs import read_run, write_qrels, write_run
from .systems import SYSTEMS, Searcher, System, check_systems, needs_encoder, title_and_text

__all__ = [
    "MEASURES",
    "SYSTEMS",
    "Collection",
    "Evaluation",
    "Progress",
    "Searcher",
    "System",
    "check_systems",
    "evaluate",
    "measure",
    "needs_encoder",
    "open_collection",
    "pyserini_bm25",
    "pyserini_fusion",
    "read_qrels",
    "read_run",
    "title_and_text",
    "write_qrels",
    "write_run",
]
