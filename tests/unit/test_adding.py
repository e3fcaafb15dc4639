"""What gives an index a vector field keeps what its mapping says; what is asked of notes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from densehook.bundle import Bundle
from densehook.elastic.adding import require_index
from densehook.errors import RequestError
from densehook.hooks import (
    NOTES,
    Reading,
    TextRule,
    VectorField,
    addition_request,
    has_other_text,
    join_by_spaces,
    lacks_vector,
    note_of,
    read_provenance,
)
from densehook.hooks.adding import WITHOUT_TEXT

JAVA = Path(__file__).parents[2] / "plugin/elasticsearch/src/main/java/org/densehook/elasticsearch"
TEXTS = {"title": {"type": "text"}, "parts": {"properties": {"body": {"type": "text"}}}}
INPUTS = ("title", "parts.body")


def added(bundle: Bundle, mapping: Mapping[str, Any]) -> dict[str, Any]:
    return addition_request(
        "articles",
        mapping,
        bundle.manifest,
        Reading(INPUTS),
        field="parts.vector",
        index_type="flat",
    )


def test_a_field_is_added_at_its_path_with_the_notes_and_whose_vectors_it_has(
    tiny_bundle: Bundle,
) -> None:
    request = added(tiny_bundle, {"properties": TEXTS, "_meta": {"team": "search"}})
    vector = request["properties"]["parts"]["properties"]["vector"]
    assert (vector["type"], vector["index_options"]) == ("dense_vector", {"type": "flat"})
    assert request["properties"][NOTES]["type"] == "flattened"
    assert request["_meta"]["team"] == "search"
    stated = read_provenance("articles", {"properties": TEXTS, "_meta": request["_meta"]})
    assert stated.bm25_fields == INPUTS
    field = stated.vector_field("parts.vector")
    assert (field.inputs, field.fingerprint) == (INPUTS, tiny_bundle.manifest.fingerprint)


def test_what_densehook_has_stated_already_stays(tiny_bundle: Bundle) -> None:
    entry = {"input": ["title"], "encoder": "another", "fingerprint": "sha256:x"}
    meta = {"densehook": {"fields": {"embedding": entry}, "bm25": "title"}}
    request = added(
        tiny_bundle, {"properties": {**TEXTS, NOTES: {"type": "flattened"}}, "_meta": meta}
    )
    assert NOTES not in request["properties"]
    assert request["_meta"]["densehook"]["bm25"] == "title"
    fields = request["_meta"]["densehook"]["fields"]
    assert fields["embedding"] == entry
    assert set(fields) == {"embedding", "parts.vector"}


def test_an_index_of_a_data_stream_is_named_itself() -> None:
    # no node of the tests has data streams: the entry is as Elasticsearch's reference shows it
    entry = {"mappings": {"properties": TEXTS}, "settings": {}, "data_stream": "logs"}
    with pytest.raises(RequestError, match=r"'logs' is a data stream; .* as '\.ds-logs-000001'"):
        require_index("logs", ".ds-logs-000001", entry)
    require_index(".ds-logs-000001", ".ds-logs-000001", entry)


@pytest.mark.parametrize(
    ("mapped", "findable"),
    [
        ({"type": "binary"}, False),
        ({"type": "binary", "doc_values": True}, True),
        ({"type": "text"}, True),
        ({"type": "text", "index": False}, False),
        ({"type": "keyword", "index": False}, True),
        ({"type": "keyword", "index": False, "doc_values": False}, False),
        ({"type": "keyword", "ignore_above": 256}, False),
        ({"type": "binary"}, False),
        ({"type": "binary", "doc_values": True}, True),
        ({}, False),
    ],
)
def test_documents_are_left_out_by_a_query_only_where_it_tells_who_has_text(
    mapped: Mapping[str, Any], findable: bool
) -> None:
    entry = {"input": ["title"], "encoder": "e", "fingerprint": "sha256:x"}
    mapping = {
        "_meta": {"densehook": {"fields": {"embedding": entry}}},
        "properties": {"title": mapped} if mapped else {},
    }
    field = read_provenance("articles", mapping).vector_field()
    assert field.findable is findable
    assert bool(lacks_vector(field)["bool"]["filter"]) is findable


IGNORING = {"ignore_malformed": "true", "ignore_above": "9"}


@pytest.mark.parametrize(
    ("mapped", "settings", "findable"),
    [
        ({"type": "long"}, {"mapping": IGNORING}, False),
        ({"type": "long", "ignore_malformed": False}, {"mapping": IGNORING}, True),
        ({"type": "long"}, {"mapping": {"ignore_above": "9"}}, True),
        ({"type": "keyword"}, {"mapping": IGNORING}, False),
        ({"type": "keyword"}, {"mapping": {"ignore_malformed": "true"}}, True),
        ({"type": "text"}, {"mapping": IGNORING}, True),
        ({"type": "long"}, {"mode": "logsdb"}, False),
        ({"type": "long"}, {"mode": "logsdb", "mapping": {"ignore_malformed": "false"}}, True),
        ({"type": "keyword"}, {"mode": "logsdb"}, False),
        ({"type": "text"}, {"mode": "logsdb"}, True),
        ({"type": "keyword"}, {"mapping": {"total_fields": {"limit": "9"}}}, True),
    ],
)
def test_what_a_whole_index_leaves_out_is_left_out_of_a_field_that_says_nothing(
    mapped: Mapping[str, Any], settings: Mapping[str, Any], findable: bool
) -> None:
    entry = {"input": ["title"], "encoder": "e", "fingerprint": "sha256:x"}
    mapping = {
        "_meta": {"densehook": {"fields": {"embedding": entry}}},
        "properties": {"title": mapped},
    }
    found = read_provenance("articles", mapping, {"index": settings}).vector_field()
    assert found.findable is findable


def test_who_has_text_is_asked_where_documents_have_it() -> None:
    text = {"type": "text", "copy_to": "all"}
    raw = {"raw": {"type": "keyword", "ignore_above": 9}}
    properties: dict[str, Any] = {"all": {"type": "text"}, "title": {**text, "fields": raw}}
    entry = {"input": ["all", "title.raw"], "encoder": "e", "fingerprint": "sha256:x"}
    meta = {"densehook": {"fields": {"embedding": entry}}}

    def asked() -> Any:
        mapping = {"_meta": meta, "properties": properties}
        return lacks_vector(read_provenance("articles", mapping).vector_field())["bool"]["filter"]

    exists = [{"exists": {"field": name}} for name in ("all", "title")]
    assert asked() == [{"bool": {"should": exists, "minimum_should_match": 1}}]
    properties["notes"] = {"type": "nested", "properties": {"body": text}}
    assert asked() == []  # a query of documents does not see what nested objects have


def test_a_vector_is_of_another_text_when_its_note_says_so() -> None:
    field = VectorField("embedding", TextRule.joining(["title"]), "e", "sha256:x", {})

    def differs(fields: Mapping[str, Any]) -> bool:
        return has_other_text(fields, field, join_by_spaces)

    assert not differs({"title": "cats"})  # nobody says of what it was made
    for note in (note_of("cats", "sha256:x"), note_of("cats")):
        noted = {NOTES: {"embedding": note}}
        assert not differs({"title": "cats", **noted})
        assert differs({"title": "dogs", **noted})
        assert differs(noted)


def test_what_holds_no_text_here_holds_none_in_the_node() -> None:
    source = (JAVA / "vectors" / "TextlessTypes.java").read_text()
    (stated,) = re.findall(r"NAMES =\s+Set\.of\((.*?)\);", source, re.DOTALL)
    assert set(re.findall(r'"(\w+)"', stated)) == WITHOUT_TEXT
