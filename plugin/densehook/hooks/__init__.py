"""Requests to Elasticsearch and their answers, as plain values: dict in, dict out.

Pure: no server, no model, no numbers library; what an index says of its vectors is read here.
"""

from .indexing import (
    INDEX_TYPES,
    UnusableDocument,
    index_request,
    pipeline_name,
    pipeline_request,
    text_of,
)
from .provenance import Provenance, VectorField, read_provenance
from .searching import (
    bm25_request,
    dense_request,
    dense_text_request,
    hybrid_request,
    ranking_of,
)

__all__ = [
    "INDEX_TYPES",
    "Provenance",
    "UnusableDocument",
    "VectorField",
    "bm25_request",
    "dense_request",
    "dense_text_request",
    "hybrid_request",
    "index_request",
    "pipeline_name",
    "pipeline_request",
    "ranking_of",
    "read_provenance",
    "text_of",
]
