"""A document's text is the same here and in the node: both are held to one file of cases.

JUnit reads it too (TextRuleTest).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from densehook.errors import NoProvenance, RequestError, UnusableDocument
from densehook.hooks import (
    TextRule,
    VectorField,
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
