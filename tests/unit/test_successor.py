"""What takes an index's place is as that is, but for the vectors; what cannot be is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from densehook.bundle import Bundle
from densehook.chunk import ChunkRule
from densehook.errors import RequestError
from densehook.hooks import (
    makes_like,
    pipelines_of,
    read_provenance,
    require_no_other_encoder,
    successor_request,
    template_after,
)
from densehook.migration import Gate, Verdict

OLD = {"type": "dense_vector", "dims": 4, "index_options": {"type": "int8_hnsw"}}
ENTRY = {"input": ["title"], "encoder": "old", "fingerprint": "sha256:old", "weights": {}}
MAPPING: Mapping[str, Any] = {
    "dynamic": "strict",
    "_routing": {"required": True},
    "_meta": {"team": "search", "densehook": {"fields": {"a.vector": ENTRY}, "bm25": "title"}},
    "properties": {
        "title": {"type": "text", "analyzer": "own"},
        "other": OLD,
        "a": {"properties": {"vector": OLD, "name": {"type": "keyword"}}},
        "densehook": {"type": "flattened"},
    },
}
SETTINGS = {
    "uuid": "u",
    "creation_date": "1",
    "provided_name": "old",
    "version": {"created": "8"},
    "blocks": {"write": "true"},
    "number_of_shards": "3",
    "analysis": {"analyzer": {"own": {"type": "standard"}}},
    "default_pipeline": "mine",
    "final_pipeline": "_none",
}


def made(bundle: Bundle, settings: Mapping[str, Any] = SETTINGS, **asked: Any) -> Any:
    old = read_provenance("old", MAPPING).vector_field()
    said = {"field": None, "inputs": (), "index_type": None, "chunk": None, "in_cluster": False}
    entry = {"mappings": MAPPING, "settings": {"index": settings}}
    return successor_request("old", entry, bundle.manifest, old=old, **{**said, **asked})


def test_all_but_the_vectors_is_as_it_was(tiny_bundle: Bundle) -> None:
    name, body = made(tiny_bundle)
    assert name == "a.vector"
    assert body["settings"] == {
        "number_of_shards": "3",
        "analysis": {"analyzer": {"own": {"type": "standard"}}},
    }
    mapping = body["mappings"]
    vector = mapping["properties"]["a"]["properties"].pop("vector")
    assert (vector["dims"], vector["index_options"]) == (32, {"type": "int8_hnsw"})
    assert mapping["properties"]["a"]["properties"] == {"name": {"type": "keyword"}}
    for key in ("dynamic", "_routing"):
        assert mapping[key] == MAPPING[key]
    assert mapping["properties"]["other"] == OLD
    assert mapping["_meta"]["team"] == "search"
    assert mapping["_meta"]["densehook"]["bm25"] == "title"
    assert mapping["_meta"]["densehook"]["fields"] == {
        "a.vector": {
            "input": ["title"],
            "encoder": tiny_bundle.manifest.name,
            "fingerprint": tiny_bundle.manifest.fingerprint,
        }
    }
    assert "vector" in MAPPING["properties"]["a"]["properties"]


def test_chunks_lie_at_a_path_of_their_own_and_the_cluster_may_make_them(
    tiny_bundle: Bundle,
) -> None:
    name, body = made(tiny_bundle, chunk=ChunkRule("sentence", 512), in_cluster=True)
    assert name == "passages.vector"
    assert body["settings"]["densehook"] == {"embed": True}
    assert body["mappings"]["properties"]["passages"]["type"] == "nested"
    stated = read_provenance("new", body["mappings"]).vector_field()
    assert stated.chunk == ChunkRule("sentence", tiny_bundle.manifest.max_tokens)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"inputs": ("titel",)}, "maps no field 'titel'; is 'title' meant"),
        ({"field": "other"}, "field 'other' of index 'old' is mapped already, as dense_vector"),
        ({"index_type": "quick"}, "index type 'quick' is unknown"),
        ({"settings": {**SETTINGS, "mode": "time_series"}}, "is of mode time_series"),
    ],
)
def test_what_cannot_be_is_refused(
    tiny_bundle: Bundle, asked: Mapping[str, Any], said: str
) -> None:
    with pytest.raises(RequestError, match=said):
        made(tiny_bundle, **asked)


def test_pipelines_are_told_and_one_of_another_encoder_is_refused() -> None:
    assert pipelines_of({"index": SETTINGS}) == {"default_pipeline": "mine"}
    body = {"processors": [{"set": {}}, {"densehook": {"encoder": "old", "output": "v"}}]}
    require_no_other_encoder("i", "mine", body, "v", "old")
    with pytest.raises(RequestError, match="pipeline 'mine' of index 'i' makes vectors by 'old'"):
        require_no_other_encoder("i", "mine", body, "v", "new")


@pytest.mark.parametrize(
    ("old", "new", "p", "passed"),
    [
        (0.5, 0.6, 0.001, True),
        (0.5, 0.5, 1.0, True),
        (0.5, 0.496, 0.5, True),
        (0.5, 0.496, 0.01, False),
        (0.5, 0.49, 0.9, False),
    ],
)
def test_a_little_may_be_lost_by_chance(old: float, new: float, p: float, passed: bool) -> None:
    assert Verdict(20, old, new, p, 0.005).passed == passed


def test_a_loss_that_cannot_be_is_refused() -> None:
    with pytest.raises(RequestError, match="a loss of at most -1 cannot be"):
        Gate(None, -1)  # type: ignore[arg-type]


@pytest.mark.parametrize("embed", [None, {"embed": "true"}])
@pytest.mark.parametrize("chunk", [None, ChunkRule()])
def test_a_template_takes_the_new_field_and_no_setting_that_the_cluster_has_not(
    tiny_bundle: Bundle, embed: Mapping[str, str] | None, chunk: ChunkRule | None
) -> None:
    old = read_provenance("old", MAPPING).vector_field()
    own = {"index": {"number_of_shards": "3", "densehook": {"embed": "true"}}}
    template = {
        "index_patterns": ["logs-*", "old"],
        "template": {"mappings": MAPPING, "settings": own},
    }
    assert makes_like(template, "old", old) and makes_like(template, "logs-1", old)
    assert not makes_like(template, "older", old)
    field, body = made(tiny_bundle, chunk=chunk)
    settings = {"index": {} if embed is None else {"densehook": embed}}
    new = read_provenance("new", body["mappings"]).vector_field(field)
    after = template_after(template, old, new, {"mappings": body["mappings"], "settings": settings})
    assert after["index_patterns"] == template["index_patterns"]
    assert after["template"]["mappings"] == body["mappings"]
    expected = {} if embed is None else {"densehook": embed}
    assert after["template"]["settings"] == {"index": {"number_of_shards": "3", **expected}}
    assert not makes_like(after, "old", old)
