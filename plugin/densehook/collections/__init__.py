"""Documents, queries, judgements and runs, as files and datasets hold them.

Reads and writes what people bring, and samples it; knows no cluster, no model and no measure. The
only door to ir_datasets.
"""

from .collection import Collection, judgements_alone
from .documents import Documents, documents_from, read_documents
from .judged_folder import JudgedFolder
from .letters import read_letters
from .opening import open_collection, open_measured
from .packaged import help_topics
from .parts import Part
from .pooling import POOL_DEPTH, Pair, Pool, by_query, open_pool
from .qrels import read_qrels
from .rows import BadLine
from .runs import read_run, write_qrels, write_run
from .sampling import Sample, sample, sample_of, unjudged
from .topics import open_topics

__all__ = [
    "POOL_DEPTH",
    "BadLine",
    "Collection",
    "Documents",
    "JudgedFolder",
    "Pair",
    "Part",
    "Pool",
    "Sample",
    "by_query",
    "documents_from",
    "help_topics",
    "judgements_alone",
    "open_collection",
    "open_measured",
    "open_pool",
    "open_topics",
    "read_documents",
    "read_letters",
    "read_qrels",
    "read_run",
    "sample",
    "sample_of",
    "unjudged",
    "write_qrels",
    "write_run",
]
