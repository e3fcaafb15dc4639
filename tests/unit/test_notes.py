"""A vector is current when its note says so: the contract that Python and the node share."""

from __future__ import annotations

import hashlib
import json
import sys
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from densehook.bundle import is_blank, join_texts, well_formed
from densehook.chunk import Chunk, ChunkRule
from densehook.hooks import VectorField
from densehook.hooks.notes import (
    NOTES,
    Decision,
    Stored,
    Vector,
    decide,
    is_current,
    note_in,
    note_of,
    text_hash,
    with_note,
    with_vector,
    without_vector,
)
from densehook.hooks.paths import mapping_at, value_at, with_value, without

FINGERPRINT = "sha256:" + "ab" * 32
OTHER = "sha256:" + "cd" * 32


def field(name: str = "v", fingerprint: str = FINGERPRINT) -> VectorField:
    return VectorField(name, ("text",), "e", fingerprint, {})


CHUNKED = VectorField("p.v", ("text",), "e", FINGERPRINT, {}, chunk=ChunkRule("tokens", 20, 5))

any_text = st.text(st.characters(codec=None, categories=None), max_size=50)
paths = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(".".join)
documents: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    paths,
    st.recursive(
        st.none() | st.integers(0, 9),
        lambda inner: st.dictionaries(paths, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)


def test_the_hash_is_the_one_the_contract_states() -> None:
    # written down by hand, so that both languages can be held against it
    assert (
        text_hash("how do vaccines work")
        == (hashlib.sha256(b"how do vaccines work").hexdigest()[:32])
    )
    assert text_hash("") == "e3b0c44298fc1c149afbf4c8996fb924"
    assert text_hash("Zürich 😀") == "89b5866d12e4cecd81bb36ccd521300d"
    assert text_hash("a\ud800b") == text_hash("a\ufffdb")
    assert text_hash("\ud83d\ude00") == text_hash("😀")  # a pair is one character, as in Java


@given(any_text, any_text)
def test_a_note_fits_its_text_alone(text: str, other: str) -> None:
    note = note_of(text, FINGERPRINT)
    assert is_current(note, text, FINGERPRINT)
    assert is_current(note, other, FINGERPRINT) == (well_formed(text) == well_formed(other))
    assert not is_current(note, text, OTHER)
    assert is_current(note_of(text), text, OTHER)  # the client's own
    assert not is_current(None, text, FINGERPRINT)


@pytest.mark.parametrize(
    "note",
    ["x", {}, {"text": 1}, {"text": None}, {"fingerprint": OTHER}, {"text": "x", "fingerprint": 1}],
)
def test_a_note_that_cannot_be_read_is_none(note: object) -> None:
    assert note_in({NOTES: {"v": note}}, "v") is None
    assert note_in({NOTES: note}, "v") is None


NOTE_OF_X = note_of("x", FINGERPRINT)
OWN_OF_X = note_of("x")
A, B = [1.0, 0.0], [0.0, 1.0]


@pytest.mark.parametrize(
    ("vector", "note", "stored", "decision"),
    [
        # without a vector: made, unless the index has that of this text
        (None, None, None, Decision(Vector.MADE, NOTE_OF_X)),
        (None, None, Stored(A, NOTE_OF_X), Decision(Vector.TAKEN, NOTE_OF_X)),
        (None, NOTE_OF_X, Stored(A, NOTE_OF_X), Decision(Vector.TAKEN, NOTE_OF_X)),
        (None, NOTE_OF_X, Stored(None, NOTE_OF_X), Decision(Vector.MADE, NOTE_OF_X)),
        (None, None, Stored(A, None), Decision(Vector.MADE, NOTE_OF_X)),
        (None, None, Stored(A, note_of("y", FINGERPRINT)), Decision(Vector.MADE, NOTE_OF_X)),
        (None, None, Stored(A, note_of("x", OTHER)), Decision(Vector.MADE, NOTE_OF_X)),
        # a client's own is taken for the document that says so: it was read without its vector
        (None, None, Stored(A, OWN_OF_X), Decision(Vector.MADE, NOTE_OF_X)),
        (None, OWN_OF_X, Stored(A, OWN_OF_X), Decision(Vector.TAKEN, OWN_OF_X)),
        # without a note: a client's own
        (A, None, None, Decision(Vector.KEPT, OWN_OF_X)),
        (A, None, Stored(B, note_of("y", FINGERPRINT)), Decision(Vector.KEPT, OWN_OF_X)),
        # unless it is the one that is there, which has a note
        (A, None, Stored(A, NOTE_OF_X), Decision(Vector.KEPT, NOTE_OF_X)),
        (A, None, Stored(A, note_of("y", FINGERPRINT)), Decision(Vector.MADE, NOTE_OF_X)),
        ("P4AAAAAAAAA=", None, Stored(A, note_of("y")), Decision(Vector.MADE, NOTE_OF_X)),
        # with a note: kept while it fits
        (A, NOTE_OF_X, None, Decision(Vector.KEPT, NOTE_OF_X)),
        (A, OWN_OF_X, Stored(A, OWN_OF_X), Decision(Vector.KEPT, OWN_OF_X)),
        (A, note_of("y", FINGERPRINT), None, Decision(Vector.MADE, NOTE_OF_X)),
        (A, note_of("y"), Stored(A, note_of("y")), Decision(Vector.MADE, NOTE_OF_X)),
        (A, note_of("x", OTHER), None, Decision(Vector.MADE, NOTE_OF_X)),
        # and the note of the vector before says nothing of the one that took its place
        (B, note_of("y"), Stored(A, note_of("y")), Decision(Vector.KEPT, OWN_OF_X)),
        (A, {"text": 1}, None, Decision(Vector.KEPT, OWN_OF_X)),
    ],
)
def test_what_becomes_of_the_vector_of_x(
    vector: object, note: object, stored: Stored | None, decision: Decision
) -> None:
    fields = {"text": "x", **({} if vector is None else {"v": vector})}
    if note is not None:
        fields[NOTES] = {"v": note}
    assert decide(fields, field(), "x", stored) == decision


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({}, False),
        ({"v": A}, True),  # of something else than text
        ({"v": A, NOTES: {"v": note_of("x", FINGERPRINT)}}, False),
        ({"v": A, NOTES: {"v": note_of("x")}}, False),
        ({"v": A, NOTES: {"v": note_of("\u00a0")}}, True),
    ],
)
def test_a_text_that_is_gone_takes_its_vector_along(fields: dict[str, Any], kept: bool) -> None:
    expected = Decision(Vector.KEPT, note_of("\u00a0")) if kept else Decision(Vector.NONE, None)
    assert decide(fields, field(), "\u00a0") == expected


@given(documents, paths)
def test_a_document_carries_its_vector_and_its_note(fields: dict[str, Any], path: str) -> None:
    before = json.dumps(fields)
    document = with_vector(fields, field(path), [1.0], note_of("x", FINGERPRINT))
    assert value_at(document, path) == [1.0]
    assert note_in(document, path) == note_of("x", FINGERPRINT)
    assert json.dumps(fields) == before  # what was given stays as it was
    assert decide(document, field(path), "x").vector is Vector.KEPT
    assert decide(document, field(path), "y").vector is Vector.MADE
    assert decide(document, field(path, OTHER), "x").vector is Vector.MADE
    bare = without_vector(document, field(path))
    assert value_at(bare, path) is None
    assert NOTES not in bare
    # an object that was made for the vector may stay, with nothing in it
    assert _pruned(bare) == _pruned(without(fields, path))


def _pruned(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _pruned(each) for key, each in value.items()}
    return {key: each for key, each in inner.items() if each != {}}


def chunks(*vectors: list[float]) -> list[dict[str, Any]]:
    return [{"start": n, "end": n + 1, "v": vector} for n, vector in enumerate(vectors)]


NOTE_OF_CHUNKS = note_of("x", FINGERPRINT, CHUNKED.chunk)


@pytest.mark.parametrize(
    ("brought", "note", "stored", "decision"),
    [
        (None, None, None, Decision(Vector.MADE, NOTE_OF_CHUNKS)),
        (None, None, Stored(chunks(A, B), NOTE_OF_CHUNKS), Decision(Vector.TAKEN, NOTE_OF_CHUNKS)),
        # cut by another rule it was another text, and a whole one's hash is none of chunks
        (None, None, Stored(chunks(A), NOTE_OF_X), Decision(Vector.MADE, NOTE_OF_CHUNKS)),
        (chunks(A, B), NOTE_OF_CHUNKS, None, Decision(Vector.KEPT, NOTE_OF_CHUNKS)),
        (chunks(A, B), NOTE_OF_X, None, Decision(Vector.MADE, NOTE_OF_CHUNKS)),
        (chunks(A), None, None, Decision(Vector.KEPT, note_of("x", None, CHUNKED.chunk))),
        (
            chunks(A, B),
            None,
            Stored(chunks(A, B), NOTE_OF_CHUNKS),
            Decision(Vector.KEPT, NOTE_OF_CHUNKS),
        ),
        # objects without vectors or places are no chunks
        ([{"start": 0, "end": 1}], None, None, Decision(Vector.MADE, NOTE_OF_CHUNKS)),
        ([{"v": A}], None, None, Decision(Vector.MADE, NOTE_OF_CHUNKS)),
        ("none", None, None, Decision(Vector.MADE, NOTE_OF_CHUNKS)),
    ],
)
def test_what_becomes_of_the_chunks_of_x(
    brought: object, note: object, stored: Stored | None, decision: Decision
) -> None:
    fields = {"text": "x", **({} if brought is None else {"p": brought})}
    if note is not None:
        fields[NOTES] = {"p.v": note}
    assert decide(fields, CHUNKED, "x", stored) == decision


def test_chunks_are_put_where_their_vectors_lie() -> None:
    value = CHUNKED.value_of([Chunk(0, 3, "one"), Chunk(3, 5, "two")], [A, B])
    document = with_vector({"text": "x"}, CHUNKED, value, NOTE_OF_CHUNKS)
    assert document["p"] == [{"start": 0, "end": 3, "v": A}, {"start": 3, "end": 5, "v": B}]
    assert document[NOTES] == {"p.v": NOTE_OF_CHUNKS}
    assert CHUNKED.vectors_of(CHUNKED.value_in(document)) == [A, B]
    assert without_vector(document, CHUNKED) == {"text": "x"}


def test_notes_of_other_fields_stay() -> None:
    fields = {"v": [1], NOTES: {"v": {"text": "0"}, "w": {"text": "1"}}}
    assert with_vector(fields, field(), [2], note_of("x"))[NOTES] == {
        "v": note_of("x"),
        "w": {"text": "1"},
    }
    assert without_vector(fields, field()) == {NOTES: {"w": {"text": "1"}}}
    assert with_note(fields, field(), None) == {"v": [1], NOTES: {"w": {"text": "1"}}}


def test_a_path_is_found_however_it_is_spelled() -> None:
    for fields in ({"a": {"b": {"c": 1}}}, {"a.b.c": 1}, {"a": {"b.c": 1}}, {"a.b": {"c": 1}}):
        assert value_at(fields, "a.b.c") == 1
        assert value_at(without(fields, "a.b.c"), "a.b.c") is None
        assert value_at(with_value(fields, "a.b.c", 2), "a.b.c") == 2
    assert value_at({"a": {"b": None}}, "a.b") is None
    assert value_at({"a.b": None, "a": {"b": 2}}, "a.b") == 2
    assert with_value({"a": {"x": 1}}, "a.b", 2) == {"a": {"x": 1, "b": 2}}
    assert with_value({"a": "text"}, "a.b", 2) == {"a": "text", "a.b": 2}


def test_the_mapping_of_a_path_is_found_below_objects() -> None:
    vector = {"type": "dense_vector", "dims": 3}
    for properties in (
        {"a": {"properties": {"b": vector}}},
        {"a.b": vector},
        {"a": {"type": "nested", "properties": {"b": vector}}},
    ):
        assert mapping_at(properties, "a.b") == vector
    assert mapping_at({"a": vector}, "a.b") == {}


@given(any_text)
def test_blank_is_what_shows_nothing(text: str) -> None:
    visible = [c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Zs", "Zl", "Zp")]
    assert is_blank(text) == (not visible)
    assert not is_blank(text + "x")


def test_every_kind_of_white_space_is_blank() -> None:
    blank = [chr(c) for c in range(sys.maxunicode + 1) if chr(c).isspace()]
    assert all(
        map(is_blank, [*blank, "", "\u00a0", "\ufeff", "\u200b", "\u2060", "\x00", "\U000e0001"])
    )
    assert not any(map(is_blank, ["\ud800", "\ufffd", ".", "\u0301", "\ue000"]))


@given(st.lists(any_text), st.sampled_from([" ", "\n", ""]))
def test_blank_texts_are_left_out_of_a_join(texts: list[str], joiner: str) -> None:
    assert join_texts(texts, joiner) == joiner.join(t for t in texts if t and not is_blank(t))
