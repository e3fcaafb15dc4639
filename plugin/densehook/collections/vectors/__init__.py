"""Vectors of documents as Pyserini, Anserini and Faiss keep them: one module a format.

Reads and writes files and folders, float32 to the bit; knows no cluster and no model. Who made the
vectors is kept with them, where the other tools pass it over. The only door to faiss; needs numpy,
which comes with the extra encode.
"""

from ...errors import MissingExtra, missing_of

if missing := missing_of("numpy"):
    raise MissingExtra(missing, "encode")

from .files import FORMATS, VectorFile, open_vectors, require_writable, write_vectors
from .numbers import shortest, shown_id, stacked, stored_floats
from .origin import MadeBy
from .rows import VectorBatch, VectorRow

__all__ = [
    "FORMATS",
    "MadeBy",
    "VectorBatch",
    "VectorFile",
    "VectorRow",
    "open_vectors",
    "require_writable",
    "shortest",
    "shown_id",
    "stacked",
    "stored_floats",
    "write_vectors",
]
