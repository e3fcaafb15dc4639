"""How an index is searched: by words, by a list of vectors, or by several fused."""

from __future__ import annotations

from ..hooks import VECTOR_LISTS
from ..hooks.kinds.multi import RESCORED

BM25 = "bm25"
HYBRID = "hybrid"
MODES = (BM25, *VECTOR_LISTS, HYBRID)
"""A vector field's list of hits is called as its kind says: dense, sparse or maxsim."""
FIRSTS = tuple(mode for mode in MODES if mode != RESCORED)
"""The modes that may find what token vectors order."""

TWO_LISTS = (BM25, VECTOR_LISTS[0])
"""What hybrid search fuses where there is one vector field."""
