"""Queries that tell whose vectors an index's documents have: by their notes, none of them read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..types import Document
from .field_text import field_text
from .notes import NOTES, is_current, note_in, note_of, text_hash, with_vector
from .text_rule import Join, prompt_of
from .vector_field import VectorField

Query = Mapping[str, Any]


def has_vector(field: VectorField) -> Query:
    """Documents with a vector, whoever made it."""
    exists = {"exists": {"field": field.name}}
    return exists if field.chunk is None else {"nested": {"path": field.path, "query": exists}}


def has_note(field: VectorField) -> Query:
    """Documents that say of what text their vector was made."""
    return {"exists": {"field": _note(field, "text")}}


def lacks_vector(field: VectorField) -> Query:
    """Documents with text in an input, and without a vector.

    Where no query can tell which have text, all but those that say they have none.
    """
    text = [{"exists": {"field": name}} for name in field.text.paths] if field.findable else []
    silent = [
        {"term": {_note(field, "fingerprint"): field.fingerprint}},
        {"term": {_note(field, "text"): text_hash("", field.chunk)}},
    ]
    return {
        "bool": {
            "must_not": [has_vector(field), {"bool": {"filter": silent}}],
            "filter": [{"bool": {"should": text, "minimum_should_match": 1}}] if text else [],
        }
    }


def of_another_encoder(field: VectorField) -> Query:
    """Documents with a vector that another encoder than the field's has made."""
    made_by = _note(field, "fingerprint")
    return {
        "bool": {
            "filter": [has_vector(field), {"prefix": {made_by: "sha256:"}}],
            "must_not": [{"term": {made_by: field.fingerprint}}],
        }
    }


def of_a_client(field: VectorField) -> Query:
    """Documents with a vector that a client brought: no encoder is noted of it."""
    return {
        "bool": {
            "filter": [has_vector(field)],
            "must_not": [{"prefix": {_note(field, "fingerprint"): "sha256:"}}],
        }
    }


def to_embed(field: VectorField) -> Query:
    """Documents that are to get a vector of the field's encoder."""
    should = [lacks_vector(field), of_another_encoder(field)]
    return {"bool": {"should": should, "minimum_should_match": 1}}


def has_other_text(fields: Mapping[str, Any], field: VectorField, join: Join) -> bool:
    """Whether a document says that its vector was made of another text than it has.

    Raises UnusableDocument when an input is an object.
    """
    note = note_in(fields, field.name)
    if note is None:
        return False
    document = Document("", fields)
    text, _ = field_text(document, field, join)
    prompt = prompt_of(document, field.text)
    anyones = {**note, "fingerprint": None}
    read = field.chunk, prompt, field.text.modality
    return not is_current(anyones, text, field.fingerprint, *read)


def embedded(
    field: VectorField, text: str, value: Any, prompt: str | None = None
) -> dict[str, Any]:
    """The partial document that brings a stored one the vector of its text, and the note of it.

    Elasticsearch merges an object into the one that is there; in a list it takes its place.
    """
    value = [value] if isinstance(value, Mapping) else value
    note = note_of(text, field.fingerprint, field.chunk, prompt, field.text.modality)
    return with_vector({}, field, value, note)


def _note(field: VectorField, key: str) -> str:
    return f"{NOTES}.{field.name}.{key}"
