"""A document's text is the same here and in the node: both are held to one file of cases.

JUnit reads it too (TextRuleTest).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from densehook.chunk import ChunkRule, LongText
from densehook.errors import NoProvenance, RequestError, UnusableDocument
from densehook.hooks import (
    TextRule,
    VectorField,
    field_text,
    prompt_of,
    read_provenance,
    text_of,
)
from densehook.hooks.prompts import DocumentPrompts
from densehook.hooks.template import TextTemplate
from densehook.types import Document

CASES = json.loads(
    (
        Path(__file__).parents[2]
        / "plugin/elasticsearch/src/test/resources/org/densehook/elasticsearch/vectors/texts.json"
    ).read_text()
)


def field_of(case: Mapping[str, Any]) -> VectorField:
    entry = {**case["entry"], "encoder": "e", "fingerprint": "sha256:e"}
    mapping = {
        "_meta": {"densehook": {"fields": {"v": entry}}},
        "properties": case.get("properties", {}),
    }
    return read_provenance("i", mapping).vector_field()


@pytest.mark.parametrize("case", CASES["texts"], ids=lambda case: case["name"])
def test_a_document_has_the_text_that_it_has_in_the_node(case: Mapping[str, Any]) -> None:
    rule = field_of(case).text
    assert list(rule.read) == case.get("paths", case["entry"]["input"])
    document = Document("1", case["document"])
    if case["text"] is None:
        with pytest.raises(UnusableDocument, match="input field 'n' is an object, not text"):
            text_of(document, rule)
    else:
        assert text_of(document, rule)[0] == case["text"]
        assert prompt_of(document, rule) == case.get("prompt")


def in_tuples(value: Any) -> Any:
    """The same with a tuple for each list."""
    if isinstance(value, Mapping):
        return {name: in_tuples(each) for name, each in value.items()}
    return tuple(map(in_tuples, value)) if isinstance(value, list) else value


@pytest.mark.parametrize("case", CASES["given"], ids=lambda case: case["name"])
@pytest.mark.parametrize("written", [lambda value: value, in_tuples], ids=["lists", "tuples"])
def test_what_is_given_has_the_items_that_it_has_in_the_node(
    written: Callable[[Any], Any], case: Mapping[str, Any]
) -> None:
    rule = TextRule.joining(case["input"])
    field = VectorField("p.v", rule, "e", "sha256:e", {}, chunk=ChunkRule("given"))
    text, _ = field_text(Document("1", written(case["document"])), field)
    parts = text.parts if isinstance(text, LongText) else ()
    ends = [part.start - 1 for part in parts[1:]] + [len(text)]
    items = [[part.name, text[part.start : end]] for part, end in zip(parts, ends, strict=False)]
    assert items == case["items"]


@pytest.mark.parametrize("case", CASES["texts"], ids=lambda case: case["name"])
def test_tuples_are_read_as_lists_are(case: Mapping[str, Any]) -> None:
    rule = field_of(case).text
    if case["text"] is not None:
        assert text_of(Document("1", in_tuples(case["document"])), rule)[0] == case["text"]


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: case["name"])
def test_what_cannot_be_is_refused_and_its_field_passed_over(case: Mapping[str, Any]) -> None:
    entry = case["entry"]
    with pytest.raises(RequestError, match=r"^(template|prompt)[ .]") as refused:
        if "template" in entry:
            TextTemplate.parse(entry["template"], entry["input"])
        DocumentPrompts.parse(entry.get("prompt"))
    assert "\n" not in str(refused.value)
    with pytest.raises(NoProvenance):
        field_of(case)


def test_the_inputs_that_gave_nothing_are_told_also_of_a_template() -> None:
    template = TextTemplate.parse("{title}: {body}", ["title", "body"])
    rule = TextRule(TextRule.joining(["title", "body"]).inputs, template)
    assert text_of(Document("1", {"body": "b"}), rule) == (": b", ["title"])
    assert text_of(Document("1", {}), rule) == ("", ["title", "body"])


def test_of_several_images_in_an_input_none_is_meant() -> None:
    rule = TextRule(TextRule.joining(["photo"]).inputs, modality="image")
    assert text_of(Document("1", {"photo": ["", "aGk=", None]}), rule) == ("aGk=", [])
    with pytest.raises(UnusableDocument, match="'photo' holds 2 images; give one"):
        text_of(Document("1", {"photo": ["aGk=", "aGk="]}), rule)
