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
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..bundle import is_blank, well_formed
from ..chunk import ChunkRule
from .paths import with_value, without
from .text_rule import Modality
from .vector_field import VectorField

NOTES = "densehook"
"""The object of a document that holds its notes; no other field may have this name."""

NOTES_MAPPING: Mapping[str, Any] = {"type": "flattened", "doc_values": False}
"""Its mapping: searchable by key, and whatever an index has, plain Elasticsearch can open it."""

_TEXT_BYTES = 16

Note = Mapping[str, Any]


def text_hash(
    text: str,
    chunk: ChunkRule | None = None,
    prompt: str | None = None,
    modality: Modality = "text",
) -> str:
    """Hash of a document's text: 32 hex digits of SHA-256 over its UTF-8.

    A text that is cut another way, or that another prompt than the encoder's goes before, is
    another text; and so is what is read as an image.
    """
    own = text if chunk is None else chunk.hashed(text)
    before = [] if modality == "text" else [str(modality)]
    before += [] if prompt is None else [prompt]
    text = "\n".join([*before, own]) if text else own
    return hashlib.sha256(well_formed(text).encode()).digest()[:_TEXT_BYTES].hex()


def note_of(
    text: str,
    fingerprint: str | None = None,
    chunk: ChunkRule | None = None,
    prompt: str | None = None,
    modality: Modality = "text",
) -> dict[str, str]:
    """The note of a vector made of this text, by the encoder of that fingerprint or by a client."""
    made_by = {} if fingerprint is None else {"fingerprint": fingerprint}
    return {**made_by, "text": text_hash(text, chunk, prompt, modality)}


def note_in(fields: Mapping[str, Any], vector_field: str) -> Note | None:
    """A document's note of one of its vectors; None where there is none that can be read."""
    notes = fields.get(NOTES)
    note = notes.get(vector_field) if isinstance(notes, Mapping) else None
    if not isinstance(note, Mapping) or not isinstance(note.get("text"), str):
        return None
    return note if isinstance(note.get("fingerprint"), str | None) else None


def is_current(
    note: Note | None,
    text: str,
    fingerprint: str,
    chunk: ChunkRule | None = None,
    prompt: str | None = None,
    modality: Modality = "text",
) -> bool:
    """Whether a vector with this note is that of the text, by the field's encoder or a client."""
    return (
        note is not None
        and note.get("text") == text_hash(text, chunk, prompt, modality)
        and note.get("fingerprint") in (None, fingerprint)
    )


@dataclass(frozen=True)
class Stored:
    """What a document has for a field and the note of it; None for what the index has not.

    ``value`` is a vector, or the objects of a field of chunks.
    """

    value: Any = None
    note: Note | None = None


class Vector(Enum):
    """What becomes of a document's vector."""

    KEPT = "the one it brings is current, or the client's own"
    TAKEN = "the stored document has that of this text"
    MADE = "its text is encoded"
    NONE = "it has no text"


@dataclass(frozen=True)
class Decision:
    """What becomes of a document's vector, and what the document is to say of it."""

    vector: Vector
    note: Note | None


def decide(
    fields: Mapping[str, Any],
    field: VectorField,
    text: str,
    stored: Stored | None = None,
    prompt: str | None = None,
) -> Decision:
    """Whether a document's vector is current: the one place that decides, as in the node.

    ``text`` is the document's, ``stored`` what the document has that it replaces, where that is
    known. ``prompt`` goes before the text, where it is not the encoder's own.
    """
    brought = note_in(fields, field.name)
    value = field.value_in(fields)
    read = field.chunk, prompt, field.text.modality
    if value is not None:
        note = _note_of(field, value, brought, stored)
        if note is None:  # a client's own, which belongs to the text that it comes with
            return Decision(Vector.KEPT, note_of(text, None, *read))
        if is_current(note, text, field.fingerprint, *read):
            return Decision(Vector.KEPT, note)
    if is_blank(text):
        return Decision(Vector.NONE, None)
    made = note_of(text, field.fingerprint, *read)
    if value is None and stored is not None and _is_there_for(stored, brought, made):
        return Decision(Vector.TAKEN, stored.note)
    return Decision(Vector.MADE, made)


def _note_of(
    field: VectorField, value: Any, brought: Note | None, stored: Stored | None
) -> Note | None:
    """The note of the vector that a document brings; None when a client has just made it."""
    if stored is None or stored.value is None:
        return brought
    now, before = field.vectors_of(value), field.vectors_of(stored.value)
    travelled = len(now) == len(before) and all(map(field.format.are_one, now, before))
    if brought is None and travelled:  # the document was read, changed and sent back without it
        return stored.note
    # the vector was replaced, and the note of the one before came along
    left_over = not travelled and brought == stored.note
    return None if left_over else brought


def _is_there_for(stored: Stored, brought: Note | None, made: Note) -> bool:
    """Whether the index has the vector of a document that brings none.

    The encoder would give its own again, which is then noted as ``made``. One that a client brought
    belongs to a document that still says so in its note: it was read from an index that shows no
    vectors.
    """
    note = stored.note
    return (
        note is not None
        and stored.value is not None
        and note.get("text") == made["text"]
        and (note == brought or note.get("fingerprint") is not None)
        and note.get("fingerprint") in (None, made["fingerprint"])
    )


def with_vector(
    fields: Mapping[str, Any], field: VectorField, value: Any, note: Note | None
) -> dict[str, Any]:
    """A document with this vector, or these chunks, and the note of it."""
    return _noted(with_value(fields, field.path, value), field.name, note)


def with_note(fields: Mapping[str, Any], field: VectorField, note: Note | None) -> dict[str, Any]:
    """A document with another note of the vector it has."""
    return _noted(fields, field.name, note)


def without_vector(fields: Mapping[str, Any], field: VectorField) -> dict[str, Any]:
    """A document without a vector and without a note of one: it has no text."""
    return _noted(without(fields, field.path), field.name, None)


def _noted(fields: Mapping[str, Any], vector_field: str, note: Note | None) -> dict[str, Any]:
    notes = {**(fields.get(NOTES) or {})}
    notes.pop(vector_field, None)
    if note is not None:
        notes[vector_field] = note
    left = {key: value for key, value in fields.items() if key != NOTES}
    return {**left, NOTES: notes} if notes else left
