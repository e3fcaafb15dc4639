"""When a vector is current: the note beside it says what it was made of; every door reads it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from elasticsearch import BadRequestError, Elasticsearch

from embedding_index import (
    CLIENT_VECTOR,
    DIMS,
    ENCODER,
    INPUTS,
    Body,
    MakeIndex,
    assert_embeds,
    assert_found_by,
    embedding_indices,
    encoded,
    expected,
    fingerprint,
    same,
    stored,
)

OTHER_VECTOR = CLIENT_VECTOR[::-1]
PROCESSOR = {"encoder": ENCODER, "input": [*INPUTS], "output": "embedding", "ignore_missing": True}


@pytest.fixture
def make_index(plugin_client: Elasticsearch) -> Iterator[MakeIndex]:
    with embedding_indices(plugin_client) as make:
        yield make


@pytest.fixture
def index(make_index: MakeIndex) -> str:
    return make_index()


@pytest.fixture
def pipeline_index(plugin_client: Elasticsearch, make_index: MakeIndex) -> str:
    """Its vectors come from its pipeline; the setting is off."""
    plugin_client.ingest.put_pipeline(id="current", processors=[{"densehook": PROCESSOR}])
    return make_index(**{"default_pipeline": "current", "index.densehook.embed": False})


def source(client: Elasticsearch, index: str, id: str) -> dict[str, Any]:
    """The document as a client reads it: on 9.x without its vectors."""
    return dict(client.get(index=index, id=id)["_source"])


def note(client: Elasticsearch, index: str, id: str, field: str = "embedding") -> Any:
    return source(client, index, id).get("densehook", {}).get(field)


def made_of(client: Elasticsearch, text: str) -> Body:
    return {"fingerprint": fingerprint(client), "text": text_hash(text)}


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def bulk(client: Elasticsearch, index: str, *operations: Body) -> list[Body]:
    """The items of the answer, none of which failed."""
    answer = client.bulk(index=index, operations=operations)
    assert not answer["errors"], answer["items"]
    return [next(iter(item.values())) for item in answer["items"]]


def test_a_document_notes_what_its_vector_was_made_of(
    plugin_client: Elasticsearch, index: str
) -> None:
    client = plugin_client
    client.index(index=index, id="1", document={"title": "Cats", "body": "sleep \U0001f63a"})
    assert note(client, index, "1") == made_of(client, "Cats sleep \U0001f63a")
    query = {"term": {"densehook.embedding.fingerprint": fingerprint(client)}}
    client.indices.refresh(index=index)
    assert client.count(index=index, query=query)["count"] == 1


def test_an_unchanged_document_is_not_encoded_again(
    plugin_client: Elasticsearch, index: str
) -> None:
    client = plugin_client
    documents = [{"title": f"title {i}", "views": i} for i in range(20)]
    write = [line for i, d in enumerate(documents) for line in ({"index": {"_id": str(i)}}, d)]
    bulk(client, index, *write)
    before = encoded(client)
    bulk(client, index, *write)
    client.index(index=index, id="3", document={"title": "title 3", "views": 99})
    assert encoded(client) == before
    assert_embeds(client, index, "3", "title 3")
    client.indices.put_settings(index=index, settings={"index.densehook.reuse": False})
    before = encoded(client)
    bulk(client, index, *write)
    assert encoded(client) - before == 20


def test_a_document_that_is_read_changed_and_put_back_gets_a_new_vector(
    plugin_client: Elasticsearch, index: str
) -> None:
    client = plugin_client
    client.index(index=index, id="1", document={"title": "cats", "body": "sleep"})
    before = encoded(client)
    client.index(index=index, id="1", document=source(client, index, "1"))
    assert encoded(client) == before
    client.index(index=index, id="1", document={**source(client, index, "1"), "title": "dogs"})
    assert_embeds(client, index, "1", "dogs sleep")
    client.update(index=index, id="1", doc={**source(client, index, "1"), "title": "cows"})
    assert_embeds(client, index, "1", "cows sleep")
    changed = {**source(client, index, "1"), "body": "graze"}
    bulk(client, index, {"update": {"_id": "1"}}, {"doc": changed})
    assert_embeds(client, index, "1", "cows graze")


@pytest.mark.parametrize(
    "kept",
    [
        {"excludes": ["embedding"]},
        {"excludes": ["densehook"]},
        {"includes": ["title", "body", "views"]},
        {"includes": ["title", "body", "views", "embedding"]},
    ],
    ids=str,
)
def test_no_filter_of_the_source_costs_a_vector(
    plugin_client: Elasticsearch, make_index: MakeIndex, kept: Body
) -> None:
    client, index = plugin_client, make_index(mappings={"_source": kept})
    bulk(client, index, {"index": {"_id": "1"}}, {"title": "cats", "views": 1})
    bulk(client, index, {"update": {"_id": "1"}}, {"doc": {"views": 2}})
    assert_found_by(client, index, "1", "cats")
    client.update(index=index, id="1", doc={"views": 3})
    assert_found_by(client, index, "1", "cats")
    client.index(index=index, id="1", document={**source(client, index, "1"), "title": "dogs"})
    assert_found_by(client, index, "1", "dogs")
    bulk(client, index, {"update": {"_id": "1"}}, {"doc": {"title": "cows"}})
    assert_found_by(client, index, "1", "cows")


@pytest.mark.parametrize("in_bulk", [False, True], ids=["single", "bulk"])
def test_a_clients_own_vector_stays_until_its_text_changes(
    plugin_client: Elasticsearch, index: str, in_bulk: bool
) -> None:
    client = plugin_client

    def update(**doc: object) -> None:
        if in_bulk:
            bulk(client, index, {"update": {"_id": "1"}}, {"doc": doc})
        else:
            client.update(index=index, id="1", doc=doc)

    client.index(index=index, id="1", document={"title": "cats", "embedding": CLIENT_VECTOR})
    assert note(client, index, "1") == {"text": text_hash("cats")}
    update(views=1)
    client.index(index=index, id="1", document={**source(client, index, "1"), "views": 2})
    assert same(stored(client, index, "1"), CLIENT_VECTOR)
    update(title="dogs")
    assert_embeds(client, index, "1", "dogs")
    update(embedding=OTHER_VECTOR)  # of the text that is there
    assert same(stored(client, index, "1"), OTHER_VECTOR)
    assert note(client, index, "1") == {"text": text_hash("dogs")}
    update(title="cows", embedding=CLIENT_VECTOR)
    assert same(stored(client, index, "1"), CLIENT_VECTOR)
    assert note(client, index, "1") == {"text": text_hash("cows")}


def test_a_document_without_text_keeps_a_clients_vector_and_loses_the_encoders(
    plugin_client: Elasticsearch, index: str
) -> None:
    client = plugin_client
    bulk(
        client,
        index,
        {"index": {"_id": "picture"}},
        {"views": 1, "embedding": CLIENT_VECTOR},
        {"index": {"_id": "text"}},
        {"title": "cats"},
    )
    for blank in ("", " \t\n", "\u00a0\u2003", "\u200b\ufeff"):
        bulk(client, index, {"update": {"_id": "text"}}, {"doc": {"title": blank}})
        assert stored(client, index, "text") is None
        assert note(client, index, "text") == made_of(client, "")
        bulk(client, index, {"update": {"_id": "text"}}, {"doc": {"title": "cats"}})
        assert_embeds(client, index, "text", "cats")
    bulk(client, index, {"update": {"_id": "picture"}}, {"doc": {"views": 2}})
    assert same(stored(client, index, "picture"), CLIENT_VECTOR)
    bulk(client, index, {"update": {"_id": "picture"}}, {"doc": {"title": "cats"}})
    assert_embeds(client, index, "picture", "cats")


def test_a_document_older_than_the_setting_gets_its_vector_when_it_is_written(
    plugin_client: Elasticsearch, index: str
) -> None:
    client = plugin_client
    client.indices.put_settings(index=index, settings={"index.densehook.embed": False})
    for id in ("touched", "unchanged", "single"):
        client.index(index=index, id=id, document={"title": "cats"})
        assert stored(client, index, id) is None
    client.indices.put_settings(index=index, settings={"index.densehook.embed": True})
    items = bulk(
        client,
        index,
        {"update": {"_id": "touched"}},
        {"doc": {"views": 1}},
        {"update": {"_id": "unchanged"}},
        {"doc": {"title": "cats"}},
    )
    assert [item["result"] for item in items] == ["updated", "updated"]
    client.update(index=index, id="single", doc={"views": 1})
    for id in ("touched", "unchanged", "single"):
        assert_embeds(client, index, id, "cats")


def test_a_vector_that_another_encoder_made_is_made_anew(
    plugin_client: Elasticsearch, index: str
) -> None:
    client = plugin_client
    foreign = {"embedding": {"fingerprint": "sha256:0123", "text": text_hash("cats")}}
    document = {"title": "cats", "embedding": CLIENT_VECTOR, "densehook": foreign}
    client.index(index=index, id="1", document=document)  # as a reindex would
    assert_embeds(client, index, "1", "cats")
    assert note(client, index, "1") == made_of(client, "cats")


def test_a_mapping_that_takes_no_new_field_gets_the_reserved_object(
    plugin_client: Elasticsearch, make_index: MakeIndex
) -> None:
    index = make_index(mappings={"dynamic": "strict"})
    plugin_client.index(index=index, id="1", document={"title": "cats"})
    assert note(plugin_client, index, "1") == made_of(plugin_client, "cats")
    mapping = plugin_client.indices.get_mapping(index=index)[index]["mappings"]
    assert mapping["properties"]["densehook"]["type"] == "flattened"
    with pytest.raises(BadRequestError, match="strict"):
        plugin_client.index(index=index, id="2", document={"title": "cats", "other": 1})


def test_each_of_several_vector_fields_is_looked_after(
    plugin_client: Elasticsearch, plugin_index: str
) -> None:
    client, index = plugin_client, plugin_index
    entry = {"encoder": ENCODER, "fingerprint": fingerprint(client)}
    fields = {"of.title": {"input": "title", **entry}, "of.body": {"input": "body", **entry}}
    vector = {"type": "dense_vector", "dims": DIMS}
    client.indices.create(
        index=index,
        settings={"index.densehook.embed": True},
        mappings={
            "_meta": {"densehook": {"fields": fields}},
            "properties": {
                "of": {"properties": {"title": vector, "body": vector}},
                "title": {"type": "text"},
                "body": {"type": "text"},
            },
        },
    )
    bulk(client, index, {"index": {"_id": "1"}}, {"title": "cats", "body": "sleep"})
    assert note(client, index, "1", "of.title") == made_of(client, "cats")
    before = encoded(client)
    bulk(client, index, {"update": {"_id": "1"}}, {"doc": {"body": "play"}})
    assert encoded(client) - before == 1
    assert same(stored(client, index, "1", "of.title"), expected(client, "cats"))
    assert same(stored(client, index, "1", "of.body"), expected(client, "play"))
    assert note(client, index, "1", "of.title") == made_of(client, "cats")
    assert note(client, index, "1", "of.body") == made_of(client, "play")


def test_a_pipeline_notes_and_reuses_as_the_setting_does(
    plugin_client: Elasticsearch, pipeline_index: str
) -> None:
    client, index = plugin_client, pipeline_index
    client.index(index=index, id="1", document={"title": "cats", "body": "sleep"})
    assert_embeds(client, index, "1", "cats sleep")
    assert note(client, index, "1") == made_of(client, "cats sleep")
    before = encoded(client)
    client.index(index=index, id="1", document={"title": "cats", "body": "sleep"})
    assert encoded(client) == before
    assert_embeds(client, index, "1", "cats sleep")


def test_updates_behind_a_pipeline_are_embedded_when_they_are_merged(
    plugin_client: Elasticsearch, pipeline_index: str
) -> None:
    client, index = plugin_client, pipeline_index
    bulk(
        client,
        index,
        {"index": {"_id": "there"}},
        {"title": "cats", "body": "sleep"},
        {"update": {"_id": "there"}},
        {"doc": {"title": "dogs"}, "doc_as_upsert": True},
        {"update": {"_id": "new"}},
        {"doc": {"title": "birds"}, "doc_as_upsert": True},
        {"update": {"_id": "either"}},
        {"doc": {"title": "cows"}, "upsert": {"title": "lions", "body": "hunt"}},
    )
    assert_embeds(client, index, "there", "dogs sleep")
    assert_embeds(client, index, "new", "birds")
    assert_embeds(client, index, "either", "lions hunt")
    bulk(client, index, {"update": {"_id": "there"}}, {"doc": {"body": "bark"}})  # no pipeline
    assert_embeds(client, index, "there", "dogs bark")
    client.update(index=index, id="there", doc={"title": "seals"})
    assert_embeds(client, index, "there", "seals bark")


def test_an_upsert_through_a_pipeline_needs_no_word_in_the_mapping(
    plugin_client: Elasticsearch, plugin_index: str
) -> None:
    client, index = plugin_client, plugin_index
    client.ingest.put_pipeline(id="current", processors=[{"densehook": PROCESSOR}])
    vector = {"type": "dense_vector", "dims": DIMS, "similarity": "dot_product"}
    properties = {"embedding": vector, **{name: {"type": "text"} for name in INPUTS}}
    client.indices.create(
        index=index,
        settings={"default_pipeline": "current"},
        mappings={"dynamic": "strict", "properties": properties},
    )
    for doc in ({"title": "cats"}, {"body": "sleep"}):
        bulk(client, index, {"update": {"_id": "1"}}, {"doc": doc, "doc_as_upsert": True})
    assert_embeds(client, index, "1", "cats sleep")
    assert "densehook" not in source(client, index, "1")


def test_a_pipeline_of_other_inputs_than_the_mapping_says_is_refused(
    plugin_client: Elasticsearch, index: str
) -> None:
    processor = {**PROCESSOR, "input": ["body"]}
    plugin_client.ingest.put_pipeline(id="other", processors=[{"densehook": processor}])
    with pytest.raises(BadRequestError, match="make them say the same"):
        plugin_client.index(index=index, id="1", pipeline="other", document={"body": "sleep"})
    plugin_client.ingest.delete_pipeline(id="other")
