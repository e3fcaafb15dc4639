"""What a vector was made of, noted beside it; by that alone it is current or not.

A document keeps its notes in the reserved object ``densehook``, one for each vector field, under
the field's path as one key:

    {"embedding": [...], "densehook": {"embedding": {"text": "ec05…", "fingerprint": "sha256:…"}}}

``text`` is a hash of the document's text, as it was given to the encoder; ``fingerprint`` is the
encoder's, and missing where a client brought a vector of its own. The node writes and reads the
same, so that each knows what the other has made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ..bundle import is_blank, well_formed
from .paths import has_value, with_value, without

NOTES = "densehook"
"""The object of a document that holds its notes; no other field may have this name."""

NOTES_MAPPING: Mapping[str, Any] = {"type": "flattened", "doc_values": False}
"""Its mapping: searchable by key, and whatever an index has, plain Elasticsearch can open it."""

_TEXT_BYTES = 16

Note = Mapping[str, Any]


def text_hash(text: str) -> str:
    """Hash of a document's text: 32 hex digits of SHA-256 over its UTF-8."""
    return hashlib.sha256(well_formed(text).encode()).digest()[:_TEXT_BYTES].hex()


def note_of(text: str, fingerprint: str | None = None) -> dict[str, str]:
    """The note of a vector made of this text, by the encoder of that fingerprint or by a client."""
    made_by = {} if fingerprint is None else {"fingerprint": fingerprint}
    return {**made_by, "text": text_hash(text)}


def note_in(fields: Mapping[str, Any], vector_field: str) -> Note | None:
    """A document's note of one of its vectors; None where there is none that can be read."""
    notes = fields.get(NOTES)
    note = notes.get(vector_field) if isinstance(notes, Mapping) else None
    return note if isinstance(note, Mapping) else None


def note_fingerprint(note: Note | None) -> str | None:
    """The fingerprint of the encoder that a note names; None for a client's own vector."""
    return None if note is None else note.get("fingerprint")


def is_current(note: Note | None, text: str, fingerprint: str) -> bool:
    """Whether a vector with this note is that of the text, by the field's encoder or a client."""
    return (
        note is not None
        and not is_blank(text)
        and note.get("text") == text_hash(text)
        and note_fingerprint(note) in (None, fingerprint)
    )


def is_reusable(stored: Note | None, brought: Note | None, text: str, fingerprint: str) -> bool:
    """Whether the vector that an index has with a note may be written again for this text.

    The encoder would give its own again. One that a client brought belongs to a document that still
    says so in its note: it was read from an index that shows no vectors.
    """
    return is_current(stored, text, fingerprint) and (
        note_fingerprint(stored) == fingerprint or stored == brought
    )


def brings_vector(
    fields: Mapping[str, Any], vector_field: str, text: str, fingerprint: str
) -> bool:
    """Whether a document's vector is to be kept as it came.

    One without a note is the client's own. One with a note was read from an index: it is kept as
    long as the note fits the text, which may have been changed since.
    """
    if not has_value(fields, vector_field):
        return False
    note = note_in(fields, vector_field)
    return note is None or is_current(note, text, fingerprint)


def with_vector(
    fields: Mapping[str, Any], vector_field: str, vector: Any, note: Note
) -> dict[str, Any]:
    """A document with this vector and the note of it."""
    return _noted(with_value(fields, vector_field, vector), vector_field, note)


def with_own_vector(fields: Mapping[str, Any], vector_field: str, text: str) -> dict[str, Any]:
    """A document that brings its vector, with a note of the text it came with, if it has any."""
    if note_in(fields, vector_field) is not None or is_blank(text):
        return dict(fields)
    return _noted(fields, vector_field, note_of(text))


def without_vector(fields: Mapping[str, Any], vector_field: str) -> dict[str, Any]:
    """A document without a vector and without a note of one: it has no text."""
    return _noted(without(fields, vector_field), vector_field, None)


def _noted(fields: Mapping[str, Any], vector_field: str, note: Note | None) -> dict[str, Any]:
    notes = {**(fields.get(NOTES) or {})}
    notes.pop(vector_field, None)
    if note is not None:
        notes[vector_field] = note
    left = {key: value for key, value in fields.items() if key != NOTES}
    return {**left, NOTES: notes} if notes else left
