"""Requests to Elasticsearch and their answers, as plain values: dict in, dict out.

Pure: no server, no model, no numbers library; what an index says of its vectors is read here.
"""

from .adding import addition_request, notes_addition, require_kept_source
from .coverage import (
    embedded,
    has_note,
    has_other_text,
    has_vector,
    lacks_vector,
    of_a_client,
    of_another_encoder,
    to_embed,
)
from .field_text import field_text
from .filters import fields_in, filter_of
from .indexing import (
    default_index_type,
    field_for,
    index_request,
    pipeline_name,
    pipeline_request,
    require_field_names,
    require_index_type,
)
from .kinds import FIELDS, INDEX_TYPES, Field, field_for_kind, field_of
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
from .passages import PassageScore, passage_score
from .paths import mapping_at, value_at
from .provenance import (
    Provenance,
    read_provenance,
    searched_together,
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
from .successor import (
    PIPELINES,
    makes_like,
    pipelines_of,
    require_no_other_encoder,
    successor_request,
    template_after,
)
from .template import TextTemplate
from .text_rule import Input, Join, TextRule, join_by_spaces, prompt_of, text_of
from .vector_field import VectorField, short

__all__ = [
    "FIELDS",
    "INDEX_TYPES",
    "MARKED",
    "NOTES",
    "PIPELINES",
    "Decision",
    "Field",
    "Input",
    "Join",
    "Note",
    "PassageScore",
    "Provenance",
    "Stored",
    "TextRule",
    "TextTemplate",
    "Vector",
    "VectorField",
    "addition_request",
    "bm25_request",
    "bridged_request",
    "decide",
    "default_index_type",
    "embedded",
    "field_for",
    "field_for_kind",
    "field_of",
    "field_text",
    "fields_in",
    "filter_of",
    "has_note",
    "has_other_text",
    "has_vector",
    "hybrid_request",
    "index_request",
    "join_by_spaces",
    "lacks_vector",
    "learned_request",
    "makes_like",
    "mapping_at",
    "msearch_request",
    "needs_plugin",
    "note_in",
    "note_of",
    "notes_addition",
    "of_a_client",
    "of_another_encoder",
    "passage_score",
    "pipeline_name",
    "pipeline_request",
    "pipelines_of",
    "prompt_of",
    "ranking_of",
    "read_provenance",
    "require_answers",
    "require_field_names",
    "require_index_type",
    "require_kept_source",
    "require_no_other_encoder",
    "searched_together",
    "short",
    "successor_request",
    "template_after",
    "text_of",
    "to_embed",
    "value_at",
    "with_note",
    "with_vector",
    "with_weights",
    "without_vector",
]
