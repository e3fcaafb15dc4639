"""A list of numbers is one text, however they are spelled; what is no list is refused in a line."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from densehook.errors import EncodeError, UnusableDocument
from densehook.hooks import Input, TextRule, text_of
from densehook.hooks.notes import text_hash
from densehook.number_lists import bits_of, number_lists, numbers_of, numbers_of_text
from densehook.number_lists import text_of_numbers as text
from densehook.types import Document

ROOT = Path(__file__).parent.parent.parent
CASES = json.loads(
    (ROOT / "plugin/elasticsearch/src/test/resources/org/densehook/encode/numbers.json").read_text()
)
"""What Java is held to as well."""
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["list"][:40])
def test_texts_and_refusals_are_those_of_the_cases(case: dict[str, str]) -> None:
    value = json.loads(case["list"])
    if "text" in case:
        assert text(value) == case["text"]
    else:
        with pytest.raises(EncodeError) as refused:
            text(value)
        assert str(refused.value) == case["reason"]


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(FLOATS, min_size=n, max_size=n))))
def test_a_text_has_every_number_of_its_list(steps: list[list[float]]) -> None:
    if not steps:
        assert text(steps) == ""
        return
    found = numbers_of_text(text(steps))
    assert found.channels == len(steps[0])
    flat = [number for step in steps for number in step]
    assert numbers_of(found.bits) == flat
    assert list(found.bits) == bits_of([number + 0.0 for number in flat])


@pytest.mark.parametrize(
    "other", ["", "hello", "1:", "0:P4AAAA==", "2:P4AAAA==", "x:P4AAAA==", "1:P4AA", "1:?"]
)
def test_any_other_text_is_none(other: str) -> None:
    with pytest.raises(EncodeError, match="is a text, and no list of numbers"):
        numbers_of_text(other)


def test_arrays_are_lists_and_a_bad_one_is_named_by_its_place() -> None:
    lists = number_lists([np.array([1, 2.5], np.float32), [1, 2.5]])
    assert text(lists[0]) == text(lists[1])
    for bad, reason in (("numbers", "a string"), ([], "no number"), ([1, None], "null")):
        with pytest.raises(EncodeError, match=f"list 1: .*{reason}"):
            number_lists([[1], bad])


def rule(*paths: str) -> TextRule:
    return TextRule((Input("samples", paths or ("samples",)),), modality="numbers")


def test_a_documents_numbers_are_its_text_and_hashed_as_numbers() -> None:
    document = Document("1", {"samples": [1, 2.5]})
    assert text_of(document, rule()) == (text([1.0, 2.5]), [])
    for empty in ({}, {"samples": None}, {"samples": []}):
        assert text_of(Document("1", empty), rule()) == ("", ["samples"])
    one = text([1, 2.5])
    assert text_hash(one, modality="numbers") != text_hash(one)
    assert text_hash(one, modality="numbers") == text_hash(text([1e0, 2.50]), modality="numbers")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"samples": "1, 2"}, "input field 'samples': it is a string, not a list"),
        ({"samples": {"a": 1}}, "it is an object, not a list"),
        ({"samples": [1, float("nan")]}, r"it has a number at \[1\] that no float"),
        ({"samples": [1], "others": [2]}, "has numbers of samples and others; give one list"),
    ],
)
def test_a_document_without_a_list_is_unusable(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnusableDocument, match=reason):
        text_of(Document("1", fields), rule("samples", "others"))


def test_numbers_are_big_endian_float32() -> None:
    (bits,) = numbers_of_text(text(0.1)).bits
    assert struct.pack(">I", bits) == np.array(0.1, ">f4").tobytes()
