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

from densehook.bundle import is_blank, join_texts
from densehook.hooks.notes import (
    NOTES,
    brings_vector,
    is_current,
    is_reusable,
    note_in,
    note_of,
    text_hash,
    with_own_vector,
    with_vector,
    without_vector,
)
from densehook.hooks.paths import has_value, mapping_at, value_at, with_value, without

FINGERPRINT = "sha256:" + "ab" * 32
OTHER = "sha256:" + "cd" * 32

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
    same = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") == other.encode(
        "utf-16", "surrogatepass"
    ).decode("utf-16", "replace")
    assert is_current(note, text, FINGERPRINT) == (not is_blank(text))
    assert is_current(note, other, FINGERPRINT) == (same and not is_blank(other))
    assert not is_current(note, text, OTHER)
    assert is_current(note_of(text), text, OTHER) == (not is_blank(text))  # the client's own
    assert not is_current(None, text, FINGERPRINT)


@pytest.mark.parametrize(
    "note", [{}, {"text": 1}, {"text": None}, {"fingerprint": FINGERPRINT}, {"text": ["x"]}]
)
def test_a_note_that_is_none_fits_nothing(note: dict[str, Any]) -> None:
    assert not is_current(note, "x", FINGERPRINT)


def test_a_stored_vector_is_taken_where_the_encoder_would_give_it_again() -> None:
    ours, theirs = note_of("x", FINGERPRINT), note_of("x")
    assert is_reusable(ours, None, "x", FINGERPRINT)
    assert not is_reusable(ours, None, "y", FINGERPRINT)
    assert not is_reusable(ours, None, "x", OTHER)
    assert not is_reusable(
        theirs, None, "x", FINGERPRINT
    )  # another document may mean the encoder's
    assert is_reusable(theirs, theirs, "x", FINGERPRINT)  # the same one, shown without its vector
    assert not is_reusable(theirs, note_of("z"), "x", FINGERPRINT)
    assert not is_reusable(None, None, "x", FINGERPRINT)


@given(documents, paths)
def test_a_document_carries_its_vector_and_its_note(fields: dict[str, Any], path: str) -> None:
    before = json.dumps(fields)
    document = with_vector(fields, path, [1.0], note_of("x", FINGERPRINT))
    assert value_at(document, path) == [1.0]
    assert note_in(document, path) == note_of("x", FINGERPRINT)
    assert json.dumps(fields) == before  # what was given stays as it was
    assert brings_vector(document, path, "x", FINGERPRINT)
    assert not brings_vector(document, path, "y", FINGERPRINT)
    assert not brings_vector(document, path, "x", OTHER)
    bare = without_vector(document, path)
    assert not has_value(bare, path)
    assert NOTES not in bare
    assert bare == without(fields, path) or _equal_but_for_empty_objects(bare, fields, path)


def _equal_but_for_empty_objects(bare: dict[str, Any], fields: dict[str, Any], path: str) -> bool:
    """An object that was made for the vector may stay, with nothing in it."""
    return _pruned(bare) == _pruned(without(fields, path))


def _pruned(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _pruned(each) for key, each in value.items()}
    return {key: each for key, each in inner.items() if each != {}}


def test_a_clients_vector_is_noted_with_its_text_and_no_encoder() -> None:
    fields = {"text": "x", "embedding": [1.0]}
    assert brings_vector(fields, "embedding", "x", FINGERPRINT)
    noted = with_own_vector(fields, "embedding", "x")
    assert noted == {**fields, NOTES: {"embedding": {"text": text_hash("x")}}}
    assert brings_vector(noted, "embedding", "x", FINGERPRINT)
    assert with_own_vector(noted, "embedding", "x") == noted
    # got from an index, edited, put back: the vector of the earlier text is not kept
    assert not brings_vector(noted, "embedding", "y", FINGERPRINT)
    # a vector of something else than text
    assert with_own_vector(fields, "embedding", " ") == fields


def test_notes_of_other_fields_stay() -> None:
    fields = {"v": [1], NOTES: {"v": {"text": "0"}, "w": {"text": "1"}}}
    assert with_vector(fields, "v", [2], note_of("x"))[NOTES] == {
        "v": note_of("x"),
        "w": {"text": "1"},
    }
    assert without_vector(fields, "v") == {NOTES: {"w": {"text": "1"}}}


def test_a_path_is_found_however_it_is_spelled() -> None:
    for fields in ({"a": {"b": {"c": 1}}}, {"a.b.c": 1}, {"a": {"b.c": 1}}, {"a.b": {"c": 1}}):
        assert has_value(fields, "a.b.c")
        assert not has_value(without(fields, "a.b.c"), "a.b.c")
        assert value_at(with_value(fields, "a.b.c", 2), "a.b.c") == 2
    assert not has_value({"a": {"b": None}}, "a.b")
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
