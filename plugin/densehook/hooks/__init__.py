"""Requests to Elasticsearch and their answers, as plain values: dict in, dict out.

Pure: no server, no model, no numbers library; what an index says of its vectors is read here.
"""

from .filters import fields_in, filter_of
from .indexing import (
    field_for,
    index_request,
    join_by_spaces,
    pipeline_name,
    pipeline_request,
    require_field_names,
    require_index_type,
    text_of,
)
from .kinds import FIELDS, INDEX_TYPES, Field, field_of
from .notes import (
    NOTES,
    Decision,
    Note,
    Stored,
    Vector,
    decide,
    note_in,
    note_of,
    with_note,
    with_vector,
    without_vector,
)
from .paths import value_at
from .provenance import (
    Provenance,
    VectorField,
    read_provenance,
    searched_together,
    short,
    with_weights,
)
from .searching import (
    MARKED,
    bm25_request,
    bridged_request,
    hybrid_request,
    learned_request,
    msearch_request,
    needs_plugin,
    ranking_of,
    require_answers,
)

__all__ = [
    "FIELDS",
    "INDEX_TYPES",
    "MARKED",
    "NOTES",
    "Decision",
    "Field",
    "Note",
    "Provenance",
    "Stored",
    "Vector",
    "VectorField",
    "bm25_request",
    "bridged_request",
    "decide",
    "field_for",
    "field_of",
    "fields_in",
    "filter_of",
    "hybrid_request",
    "index_request",
    "join_by_spaces",
    "learned_request",
    "msearch_request",
    "needs_plugin",
    "note_in",
    "note_of",
    "pipeline_name",
    "pipeline_request",
    "ranking_of",
    "read_provenance",
    "require_answers",
    "require_field_names",
    "require_index_type",
    "searched_together",
    "short",
    "text_of",
    "value_at",
    "with_note",
    "with_vector",
    "with_weights",
    "without_vector",
]
