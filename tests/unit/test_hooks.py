"""Requests say what Elasticsearch needs, and vectors of two encoders cannot meet in one field."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from densehook.bundle import Bundle, Dense, Manifest
from densehook.errors import EncoderMismatch, NoProvenance, RequestError, UnusableDocument
from densehook.hooks import (
    FIELDS,
    Reading,
    TextRule,
    bm25_request,
    index_request,
    passage_score,
    ranking_of,
    read_provenance,
    require_field_names,
    searched_together,
    text_of,
)
from densehook.hooks.kinds.dense import INDEX_TYPES
from densehook.types import Document, ScoredDoc

TITLE_AND_TEXT = TextRule.joining(["title", "text"])


@pytest.fixture
def manifest(tiny_bundle: Bundle) -> Manifest:
    return tiny_bundle.manifest


def mapping(manifest: Manifest, *inputs: str) -> dict[str, Any]:
    return index_request(manifest, Reading(inputs or ("title", "text")))["mappings"]


def test_indices_of_one_encoder_are_searched_as_one(manifest: Manifest) -> None:
    parts = [read_provenance(name, mapping(manifest)) for name in ("a", "b")]
    together = searched_together("both", parts)
    field = together.vector_field()
    field.require(manifest, "both")
    assert (together.index, together.covered, field.others) == ("both", ("a", "b"), ())
    with pytest.raises(RequestError, match="'both' stands for a, b; name one index"):
        together.require_one_index()
    assert searched_together("alias", parts[:1]) is parts[0]
    parts[0].require_one_index()


def test_indices_of_several_encoders_need_each_of_them(manifest: Manifest) -> None:
    other = dataclasses.replace(manifest, name="other", prompts={"query": "q: ", "document": ""})
    assert other.fingerprint != manifest.fingerprint
    parts = [read_provenance(name, mapping(each)) for name, each in (("a", manifest), ("b", other))]
    field = searched_together("both", parts).vector_field()
    assert [each.fingerprint for each in field.encoders] == [
        manifest.fingerprint,
        other.fingerprint,
    ]
    with pytest.raises(EncoderMismatch, match=r"several encoders \(other, tiny-bert\)"):
        field.require(manifest, "both")


def test_what_the_mapping_says_reads_back_as_provenance(manifest: Manifest) -> None:
    field = read_provenance("passages", mapping(manifest)).vector_field()
    assert field.name == "embedding"
    assert field.inputs == ("title", "text")
    assert field.encoder == manifest.name
    assert field.fingerprint == manifest.fingerprint
    assert field.mapping["dims"] == manifest.of(Dense).dims
    field.require(manifest, "passages")


def test_another_encoder_is_refused_with_both_names(manifest: Manifest) -> None:
    field = read_provenance("passages", mapping(manifest)).vector_field()
    part = dataclasses.replace(manifest.of(Dense), pooling="cls")
    other = dataclasses.replace(manifest, name="other-encoder", part=part)
    with pytest.raises(EncoderMismatch) as caught:
        field.require(other, "passages")
    for part in ("passages", "embedding", manifest.name, "other-encoder"):
        assert repr(part) in str(caught.value)
    for fingerprint in (manifest.fingerprint, other.fingerprint):
        assert fingerprint[:15] in str(caught.value)


def test_other_dims_are_refused_with_both_numbers(manifest: Manifest) -> None:
    field = read_provenance("passages", mapping(manifest)).vector_field()
    with pytest.raises(EncoderMismatch, match=r"has 32 dims, encoder 'tiny-bert' gives 64"):
        part = dataclasses.replace(manifest.of(Dense), dims=64)
        field.require(dataclasses.replace(manifest, part=part), "passages")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"_meta": {}},
        {"_meta": {"densehook": {"fields": 1}}},
        {"_meta": {"densehook": {"fields": {"embedding": {"encoder": "e", "input": "text"}}}}},
        {"_meta": {"densehook": {"fields": {"embedding": {"encoder": 1, "fingerprint": "f"}}}}},
    ],
)
def test_an_index_that_is_not_ours_says_how_to_make_one(content: dict[str, Any]) -> None:
    with pytest.raises(NoProvenance, match=r"'mine' does not say which encoder.*densehook create"):
        read_provenance("mine", content)


@pytest.mark.parametrize(
    ("stated", "inputs", "bm25_fields"),
    [
        ({"input": "title", "bm25": "title"}, ("title",), ("title",)),
        (
            {"input": ["title", "body"], "bm25": ["title", "body"]},
            ("title", "body"),
            ("title", "body"),
        ),
        ({"input": ["title"]}, ("title",), ()),
        ({}, (), ()),
    ],
)
def test_names_in_meta_may_be_one_or_several_or_left_out(
    stated: dict[str, Any], inputs: tuple[str, ...], bm25_fields: tuple[str, ...]
) -> None:
    bm25 = {"bm25": stated.pop("bm25")} if "bm25" in stated else {}
    entry = {"encoder": "e", "fingerprint": "sha256:0", **stated}
    meta = {"densehook": {"fields": {"embedding": entry, "not ours": {"input": "x"}}, **bm25}}
    provenance = read_provenance("p", {"_meta": meta})
    assert list(provenance.vector_fields) == ["embedding"]
    assert provenance.vector_field().inputs == inputs
    assert provenance.vector_field().mapping == {}
    assert provenance.bm25_fields == bm25_fields


@pytest.mark.parametrize("field", ["meta.vector", "a.b.c"])
def test_a_vector_field_may_lie_in_an_object(manifest: Manifest, field: str) -> None:
    content = index_request(manifest, Reading(["meta.text", "title"]), field=field)["mappings"]
    head, _, rest = field.partition(".")
    assert field not in content["properties"]
    assert rest.partition(".")[0] in content["properties"][head]["properties"]
    found = read_provenance("p", content).vector_field(field)
    assert (found.name, found.mapping["dims"]) == (field, manifest.of(Dense).dims)


@pytest.mark.parametrize(
    ("inputs", "field", "message"),
    [
        ((), "embedding", r"inputs \(none\) must be different text fields"),
        (("a", "a"), "embedding", "inputs a, a must be different"),
        (("embedding",), "embedding", "none of them the vector field 'embedding'"),
        (
            ("title", "title.en"),
            "embedding",
            "'title' cannot hold a value and the field 'title.en'",
        ),
        (
            ("title.en", "title"),
            "embedding",
            "'title' cannot hold a value and the field 'title.en'",
        ),
        (("text",), "text.vector", "'text' cannot hold a value and the field 'text.vector'"),
        (("vector.text",), "vector", "'vector' cannot hold a value and the field 'vector.text'"),
        (("densehook",), "embedding", "'densehook' has a name that densehook keeps for itself"),
        (("text",), "densehook.v", "'densehook.v' has a name that densehook keeps for itself"),
        (("densehook_text",), "embedding", "has a name that densehook keeps for itself"),
        (("a..b",), "embedding", r"'a\.\.b' is no name of a field"),
        (("text",), " ", "' ' is no name of a field"),
    ],
)
def test_names_that_no_index_can_have_together_are_refused(
    inputs: tuple[str, ...], field: str, message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        require_field_names(inputs, field)


def test_names_that_only_begin_alike_are_taken(manifest: Manifest) -> None:
    require_field_names(("title", "title_en", "meta.text", "densehooks"), "meta.vector")


def test_an_unknown_or_ambiguous_vector_field_lists_the_known(manifest: Manifest) -> None:
    content = mapping(manifest)
    provenance = read_provenance("p", content)
    with pytest.raises(RequestError, match="no vector field 'vector'; it has embedding"):
        provenance.vector_field("vector")
    fields = content["_meta"]["densehook"]["fields"]
    fields["second"] = fields["embedding"]
    content["properties"]["second"] = content["properties"]["embedding"]
    with pytest.raises(RequestError, match=r"several vector fields \(embedding, second\)"):
        read_provenance("p", content).vector_field()


@pytest.mark.parametrize("index_type", INDEX_TYPES)
def test_an_index_has_the_vector_field_its_encoder_needs(
    manifest: Manifest, index_type: str
) -> None:
    body = index_request(manifest, Reading(["body"]), index_type=index_type, shards=3, replicas=1)
    assert body["settings"]["number_of_shards"] == 3
    assert body["settings"]["number_of_replicas"] == 1
    assert body["mappings"]["properties"]["embedding"] == {
        "type": "dense_vector",
        "dims": manifest.of(Dense).dims,
        "index": True,
        "similarity": "dot_product",
        "index_options": {"type": index_type},
    }


def test_bm25_searches_one_field_with_anserinis_parameters(manifest: Manifest) -> None:
    body = index_request(manifest, Reading(["title", "meta.body"]))
    properties = body["mappings"]["properties"]
    (searched,) = read_provenance("p", body["mappings"]).bm25_fields
    assert properties["title"]["copy_to"] == searched
    assert properties["meta"]["properties"]["body"]["copy_to"] == searched
    assert properties[searched]["similarity"] == "densehook"
    assert body["settings"]["similarity"]["densehook"] == {"type": "BM25", "k1": 0.9, "b": 0.4}


def test_a_single_input_is_searched_itself(manifest: Manifest) -> None:
    assert read_provenance("p", mapping(manifest, "body")).bm25_fields == ("body",)


@pytest.mark.parametrize(
    ("fields", "text", "missing"),
    [
        ({"title": "A", "text": "b"}, "A b", []),
        ({"title": "", "text": "b"}, "b", ["title"]),
        ({"text": "b"}, "b", ["title"]),
        ({"title": None, "text": ["b", "c"]}, "b c", ["title"]),
        ({"title": 1984, "text": [1.5, True]}, "1984 1.5 true", []),
        ({"title": "\u00a0\ufeff", "text": ["b", "\t\u200b", "c"]}, "b c", ["title"]),
        ({"title": " A ", "text": ("b",)}, " A  b", []),
        ({}, "", ["title", "text"]),
        ({"title": "", "text": []}, "", ["title", "text"]),
        ({"title": " ", "text": "\n\u2028"}, "", ["title", "text"]),
    ],
)
def test_a_document_gives_the_text_of_its_fields_joined(
    manifest: Manifest, fields: dict[str, Any], text: str, missing: list[str]
) -> None:
    assert text_of(Document("1", fields), TITLE_AND_TEXT, manifest.join) == (text, missing)


def test_an_input_may_be_a_path(manifest: Manifest) -> None:
    nested = Document("1", {"a": {"b": {"c": "deep"}}})
    rule = TextRule.joining(["a.b.c"])
    assert text_of(nested, rule, manifest.join)[0] == "deep"
    dotted = Document("1", {"a.b.c": "flat"})
    assert text_of(dotted, rule, manifest.join)[0] == "flat"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"title": "T", "text": {"en": "t"}}, "input field 'text' is an object, not text"),
        ({"title": "T", "text": [["t"], {}]}, "input field 'text' is an object, not text"),
        ({"title": b"T", "text": "t"}, "input field 'title' is of type bytes, not text"),
    ],
)
def test_a_document_without_usable_input_is_refused(
    manifest: Manifest, fields: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UnusableDocument, match=reason):
        text_of(Document("1", fields), TITLE_AND_TEXT, manifest.join)


def test_several_fields_are_searched_as_the_nodes_short_form_does() -> None:
    query = bm25_request(["title", "body"], "x", 5)["query"]
    assert query == {
        "multi_match": {"query": "x", "fields": ["title", "body"], "type": "most_fields"}
    }


@pytest.mark.parametrize(
    ("size", "asked", "candidates"),
    [(10, None, 200), (1000, None, 2000), (9000, None, 10_000), (10, 50, 50), (100, 50, 100)],
)
def test_knn_never_looks_at_fewer_candidates_than_hits(
    size: int, asked: int | None, candidates: int
) -> None:
    knn = FIELDS["dense"].request("embedding", [0.1], size, asked)["knn"]
    assert (knn["k"], knn["num_candidates"]) == (size, candidates)


def test_a_response_gives_its_ranking_in_its_order() -> None:
    hits = [{"_id": "b", "_score": 2}, {"_id": "a", "_score": 2}, {"_id": "c", "_score": 1}]
    ranking = [ScoredDoc("b", 2.0), ScoredDoc("a", 2.0), ScoredDoc("c", 1.0)]
    assert ranking_of({"hits": {"hits": hits}}) == ranking
    assert bm25_request(["body"], "x", 5)["size"] == 5


@pytest.mark.parametrize(
    ("stated", "request_"),
    [
        (None, {"score": "max"}),
        ("first", {"score": "first"}),
        ("mean-3", {"score": "mean", "best": 3}),
        ({"score": "sum", "best": 2}, {"score": "sum", "best": 2}),
        ('{"sections": {"facts": 2}}', {"score": "max", "sections": {"facts": 2}}),
        ({"other": 0.5}, {"score": "max", "other": 0.5}),
    ],
)
def test_a_passage_score_becomes_the_node_s_object(stated: Any, request_: dict[str, Any]) -> None:
    scoring = passage_score(stated)
    assert scoring.request == request_
    assert scoring.is_of_best_chunk == (request_ == {"score": "max"})


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ("median", "score is 'median'; it is one of max, first, sum, mean"),
        ("mean-0", "best is 0; it is a whole number of at least 1"),
        ("mean-", "best is ''; it is a whole number"),
        ("first-2", "best is 2; it is for sum and mean, not for first"),
        (3, "passage_score is 3; write it like 'mean-3'"),
        ("{", "it is no JSON"),
        ({"by": "sum"}, "passage_score has no 'by'; known: score, best, sections, other"),
        ({"sections": {"facts": -1}}, "a weight is -1; it is a number of at least 0"),
        ({"other": float("nan")}, "a weight is nan"),
        ({"sections": ["facts"]}, r"sections is \['facts'\]; write them like"),
    ],
)
def test_a_passage_score_that_cannot_be_is_refused(stated: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        passage_score(stated)
