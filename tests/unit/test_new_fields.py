"""The fields that an index gets for the kinds of an encoder."""

from __future__ import annotations

from typing import Any

import pytest

from densehook.bundle import Bundle
from densehook.chunk import ChunkRule
from densehook.errors import BundleError, RequestError
from densehook.hooks import Reading, index_request, new_fields, pipeline_request, read_provenance

ALL = ["dense", "sparse", "multi"]


def named(bundle: Bundle, kinds: Any, **more: Any) -> dict[str, tuple[str, str]]:
    """Kinds, with name and index type of their fields."""
    fields = new_fields(bundle.manifest, kinds, inputs=["body"], **more)
    return {each.manifest.kind: (each.name, each.index_type) for each in fields}


def test_fields_have_the_usual_names_in_the_encoder_s_order(m3_bundle: Bundle) -> None:
    usual = {
        "dense": ("embedding", "hnsw"),
        "sparse": ("weights", "inverted"),
        "multi": ("tokens", "int8"),
    }
    assert named(m3_bundle, ALL) == usual
    assert list(named(m3_bundle, reversed(ALL))) == ALL
    assert named(m3_bundle, None) == {"dense": usual["dense"]}
    assert named(m3_bundle, "sparse") == {"sparse": usual["sparse"]}


def test_names_and_ways_are_chosen(m3_bundle: Bundle) -> None:
    chosen = named(
        m3_bundle, {"dense": "", "sparse": "splade"}, field="vector", index_type="bbq_hnsw"
    )
    assert chosen == {"dense": ("vector", "bbq_hnsw"), "sparse": ("splade", "inverted")}
    assert named(m3_bundle, ALL, index_type=["int8-pool2", "flat"]) == {
        "dense": ("embedding", "flat"),
        "sparse": ("weights", "inverted"),
        "multi": ("tokens", "int8-pool2"),
    }
    rule = ChunkRule()
    assert named(m3_bundle, ["dense"], chunk=rule)["dense"][0] == "passages.vector"


@pytest.mark.parametrize(
    ("kinds", "more", "error", "message"),
    [
        ([], {}, RequestError, "no kind is named; encoder 'm3-0' gives dense, sparse, multi"),
        (["dense", "dense"], {}, RequestError, "kinds dense, dense must be different ones"),
        (["cross"], {}, BundleError, "is of kind dense and sparse and multi; this can be done"),
        ({"dense": "a", "sparse": "a"}, {}, RequestError, "field 'a' is to hold several kinds"),
        ({"dense": "a", "sparse": "a.b"}, {}, RequestError, "cannot hold a value and the field"),
        ({"dense": "body"}, {}, RequestError, "none of them the vector field 'body'"),
        (ALL, {"chunk": ChunkRule()}, RequestError, "leave the chunks out, or name one kind"),
        (ALL, {"index_type": "odd"}, RequestError, "index type 'odd' is unknown; known: hnsw"),
        (
            ALL,
            {"index_type": ["flat", "hnsw"]},
            RequestError,
            "flat, hnsw are both of kind 'dense'",
        ),
        (None, {"index_type": ["flat", "hnsw"]}, RequestError, "are both of kind 'dense'"),
    ],
)
def test_what_cannot_be_fields_of_one_index_is_said(
    m3_bundle: Bundle, kinds: Any, more: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        named(m3_bundle, kinds, **more)


def test_a_plain_encoder_has_one_kind(tiny_bundle: Bundle) -> None:
    assert named(tiny_bundle, ["dense"])["dense"][0] == "embedding"
    with pytest.raises(BundleError, match="this can be done with one of kind 'sparse' alone"):
        named(tiny_bundle, ["dense", "sparse"])


def test_the_mapping_and_the_pipeline_have_each_field(m3_bundle: Bundle) -> None:
    first, *others = new_fields(m3_bundle.manifest, ALL, inputs=["body"])
    body = index_request(
        first.manifest,
        Reading(["body"]),
        index_type=first.index_type,
        field=first.name,
        beside=dict(each.mapping() for each in others),
    )
    read = read_provenance("three", body["mappings"])
    assert [each.name for each in read.searched_fields()] == ["embedding", "weights", "tokens"]
    for each in read.vector_fields.values():
        each.require(m3_bundle.manifest, "three")
    with pytest.raises(RequestError, match="has several vector fields"):
        read.vector_field()
    processors = pipeline_request(m3_bundle.manifest, Reading(["body"]), list(read.vector_fields))[
        "processors"
    ]
    assert [each["densehook"]["output"] for each in processors] == [
        "embedding",
        "weights",
        "tokens",
    ]


def test_fields_of_other_texts_are_not_opened_together(m3_bundle: Bundle) -> None:
    first, *others = new_fields(m3_bundle.manifest, ALL, inputs=["body"])
    body = index_request(
        first.manifest,
        Reading(["body"]),
        field=first.name,
        beside=dict(each.mapping() for each in others),
    )
    entries = body["mappings"]["_meta"]["densehook"]["fields"]
    entries["weights"]["input"] = ["title"]
    with pytest.raises(RequestError, match=r"\(embedding, weights, tokens\); name one"):
        read_provenance("three", body["mappings"]).searched_fields()
