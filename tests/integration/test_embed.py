"""Embedding with no pipeline: what a node does to documents of an index with index.densehook.embed.

The vectors to compare with are the same node's, of the stored text, through POST
/_densehook/_encode; how many texts were encoded is what GET /_densehook counts.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator

import pytest
from elastic_transport import HttpHeaders
from elasticsearch import BadRequestError, ConflictError, Elasticsearch, NotFoundError
from elasticsearch.helpers import bulk

from densehook.encode import Encoder
from embedding_index import (
    CLIENT_VECTOR,
    DIMS,
    ENCODER,
    INPUTS,
    Body,
    MakeIndex,
    assert_embeds,
    embedding_indices,
    encoded,
    expected,
    fingerprint,
    same,
    stored,
)


@pytest.fixture
def make_index(plugin_client: Elasticsearch) -> Iterator[MakeIndex]:
    with embedding_indices(plugin_client) as make:
        yield make


@pytest.fixture
def index(make_index: MakeIndex) -> str:
    return make_index()


PROCESSOR = {
    "encoder": ENCODER,
    "input": [*INPUTS],
    "output": "embedding",
    "ignore_missing": True,
}


def send(client: Elasticsearch, method: str, path: str, content_type: str, raw: bytes) -> Body:
    """A request whose body the client neither makes nor checks."""
    headers = HttpHeaders(
        {"content-type": f"application/{content_type}", "accept": "application/json"}
    )
    node = client.transport.node_pool.get()
    answer = node.perform_request(method, path, headers=headers, body=raw)
    return {"status": answer.meta.status, **json.loads(answer.body)}


def test_every_way_to_write_a_document_gives_it_the_vector_of_its_text(
    plugin_client: Elasticsearch, index: str
) -> None:
    client, document = plugin_client, {"title": "aspirin", "body": "thins the blood"}
    before = encoded(client)
    client.index(index=index, id="put", document=document)
    client.create(index=index, id="create", document=document)
    auto = client.index(index=index, document=document)["_id"]
    operations: list[Body] = [
        {"index": {"_id": "bulk-index"}},
        document,
        {"create": {"_id": "bulk-create"}},
        document,
    ]
    assert not client.bulk(index=index, operations=operations)["errors"]
    assert encoded(client) - before == 5
    for id in ("put", "create", auto, "bulk-index", "bulk-create"):
        assert_embeds(client, index, id, "aspirin thins the blood")


def test_a_large_bulk_is_encoded_once_each(plugin_client: Elasticsearch, index: str) -> None:
    before = encoded(plugin_client)
    actions = ({"_index": index, "_id": str(i), "body": f"number {i}"} for i in range(100))
    assert bulk(plugin_client, actions)[0] == 100
    assert encoded(plugin_client) - before == 100
    assert_embeds(plugin_client, index, "57", "number 57")


def test_the_source_is_what_was_sent_and_the_vector(
    plugin_client: Elasticsearch, index: str
) -> None:
    document = {"body": 'a "quoted" ü \U0001f600', "n": 12345678901234567890, "x": {"y": [1.5]}}
    plugin_client.index(index=index, id="1", document=document)
    source = plugin_client.get(index=index, id="1")["_source"]
    source.pop("embedding", None)
    assert source.pop("densehook")["embedding"].keys() == {"fingerprint", "text"}
    assert source == document


@pytest.mark.parametrize("type", ["smile", "cbor", "yaml"])
def test_other_content_types_are_embedded(
    plugin_client: Elasticsearch, index: str, type: str
) -> None:
    if type == "yaml":
        raw = b"---\nbody: hello\n"
    elif type == "cbor":
        raw = b"\xa1\x64body\x65hello"
    else:
        raw = b":)\n\x01\xfa\x83body\x44hello\xfb"
    assert send(plugin_client, "PUT", f"/{index}/_doc/1", type, raw)["status"] == 201
    assert_embeds(plugin_client, index, "1", "hello")


def test_lists_numbers_and_booleans_are_text_as_in_the_python_hook(
    plugin_client: Elasticsearch, index: str
) -> None:
    document = {"title": ["a", ["b", None, ""], 7], "body": True}
    plugin_client.index(index=index, id="1", document=document)
    assert_embeds(plugin_client, index, "1", "a b 7 true")


def test_no_text_gives_no_vector_and_is_no_failure(
    plugin_client: Elasticsearch, index: str
) -> None:
    before = encoded(plugin_client)
    documents: list[Body] = [{}, {"title": ""}, {"title": None, "body": []}, {"other": 1}]
    for id, document in enumerate(documents):
        plugin_client.index(index=index, id=str(id), document=document)
        assert stored(plugin_client, index, str(id)) is None
    assert encoded(plugin_client) == before


@pytest.mark.parametrize(
    "document",
    [{"text": {"en": "hello"}}, {"text.en": "hello"}, {"text": {"en": "hello"}, "out": {"n": 1}}],
)
def test_inputs_and_vectors_lie_at_paths(
    plugin_client: Elasticsearch, make_index: MakeIndex, document: Body
) -> None:
    vector = {"type": "dense_vector", "dims": DIMS, "similarity": "dot_product"}
    index = make_index(
        field="out.vector",
        inputs=["text.en"],
        properties={"out": {"properties": {"vector": vector}}},
    )
    plugin_client.index(index=index, id="1", document=document)
    assert same(stored(plugin_client, index, "1", "out.vector"), expected(plugin_client, "hello"))
    plugin_client.update(index=index, id="1", doc={"text": {"en": "bye"}})
    if "text" in document:
        assert same(stored(plugin_client, index, "1", "out.vector"), expected(plugin_client, "bye"))


def test_an_alias_follows_its_index(plugin_client: Elasticsearch, index: str) -> None:
    plugin_client.indices.put_alias(index=index, name=f"{index}-alias")
    plugin_client.index(index=f"{index}-alias", id="1", document={"body": "first"})
    assert_embeds(plugin_client, index, "1", "first")
    plugin_client.update(index=f"{index}-alias", id="1", doc={"body": "second"})
    assert_embeds(plugin_client, index, "1", "second")


def test_an_index_without_the_setting_is_left_alone(
    plugin_client: Elasticsearch, make_index: MakeIndex
) -> None:
    index = make_index(**{"index.densehook.embed": False})
    plugin_client.index(index=index, id="1", document={"body": "hello"})
    assert stored(plugin_client, index, "1") is None
    plugin_client.indices.put_settings(index=index, settings={"index.densehook.embed": True})
    plugin_client.index(index=index, id="1", document={"body": "hello"})
    assert_embeds(plugin_client, index, "1", "hello")


@pytest.mark.parametrize("lacking", ["_meta", "input", "encoder", "fingerprint"])
def test_an_index_whose_template_does_not_say_what_to_embed_takes_no_document(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder, lacking: str
) -> None:
    entry = {"input": ["body"], "encoder": ENCODER, "fingerprint": minilm.fingerprint}
    entry.pop(lacking, None)
    meta = {} if lacking == "_meta" else {"densehook": {"fields": {"embedding": entry}}}
    plugin_client.indices.put_index_template(
        name=plugin_index,
        index_patterns=[plugin_index],
        template={
            "settings": {"index.densehook.embed": True},
            "mappings": {
                "_meta": meta,
                "properties": {"embedding": {"type": "dense_vector", "dims": 384}},
            },
        },
    )
    try:
        with pytest.raises(BadRequestError, match=r"and no field of its mapping's _meta\.dense"):
            plugin_client.index(index=plugin_index, id="1", document={"body": "hello"})
        assert plugin_client.options(ignore_status=404).delete(index=plugin_index, id="1")
    finally:
        plugin_client.indices.delete_index_template(name=plugin_index)


def test_a_client_vector_is_kept(plugin_client: Elasticsearch, index: str) -> None:
    before = encoded(plugin_client)
    document = {"body": "hello", "embedding": CLIENT_VECTOR}
    plugin_client.index(index=index, id="1", document=document)
    assert same(stored(plugin_client, index, "1"), CLIENT_VECTOR)
    doc = {"body": "bye", "embedding": CLIENT_VECTOR[::-1]}
    plugin_client.update(index=index, id="1", doc=doc)
    assert same(stored(plugin_client, index, "1"), CLIENT_VECTOR[::-1])
    assert encoded(plugin_client) == before


def test_a_vector_a_pipeline_made_is_not_made_again(
    plugin_client: Elasticsearch, index: str
) -> None:
    processor = PROCESSOR
    plugin_client.ingest.put_pipeline(id="embed-test", processors=[{"densehook": processor}])
    before = encoded(plugin_client)
    document = {"body": "hello"}
    plugin_client.index(index=index, id="1", pipeline="embed-test", document=document)
    assert encoded(plugin_client) - before == 1
    assert_embeds(plugin_client, index, "1", "hello")


def test_an_update_through_a_pipeline_that_embeds_is_encoded_once(
    plugin_client: Elasticsearch, make_index: MakeIndex
) -> None:
    processor = PROCESSOR
    plugin_client.ingest.put_pipeline(id="embed-test", processors=[{"densehook": processor}])
    index = make_index(default_pipeline="embed-test")
    plugin_client.index(index=index, id="1", document={"body": "hello"})
    before = encoded(plugin_client)
    plugin_client.update(index=index, id="1", doc={"body": "bye"})
    operations: list[Body] = [{"update": {"_id": "1"}}, {"doc": {"title": "good"}}]
    assert not plugin_client.bulk(index=index, operations=operations)["errors"]
    assert encoded(plugin_client) - before == 2
    assert_embeds(plugin_client, index, "1", "good bye")


def test_a_document_that_cannot_be_encoded_fails_alone(
    plugin_client: Elasticsearch, index: str
) -> None:
    operations: list[Body] = [
        {"index": {"_id": "good"}},
        {"body": "hello"},
        {"index": {"_id": "object"}},
        {"body": {"en": "hello"}},
        {"index": {"_id": "long"}},
        {"body": "x" * 2_000_000},
        {"index": {"_id": "fine"}},
        {"body": "bye"},
    ]
    items = plugin_client.bulk(index=index, operations=operations)["items"]
    assert [item["index"]["status"] for item in items] == [201, 400, 400, 201]
    assert items[1]["index"]["error"]["reason"] == "input field [body] is an object, not text"
    assert "characters" in items[2]["index"]["error"]["reason"]
    assert_embeds(plugin_client, index, "fine", "bye")


def test_malformed_json_fails_as_it_does_without_the_setting(
    plugin_client: Elasticsearch, make_index: MakeIndex
) -> None:
    reasons = []
    for embed in (True, False):
        index = make_index(**{"index.densehook.embed": embed})
        raw = b'{"index": {"_id": "1"}}\n{"body": "a", \n{"index": {"_id": "2"}}\n{"body": "b"}\n'
        items = send(plugin_client, "POST", f"/{index}/_bulk", "x-ndjson", raw)["items"]
        assert [item["index"]["status"] for item in items] == [400, 201]
        reasons.append(items[0]["index"]["error"]["reason"])
    assert reasons[0] == reasons[1]


def test_a_field_of_another_encoder_is_refused_naming_both(
    plugin_client: Elasticsearch, make_index: MakeIndex
) -> None:
    with pytest.raises(BadRequestError) as caught:
        make_index(fingerprint="sha256:0123456789")
    message = str(caught.value)
    assert "sha256:0123456789" in message
    assert fingerprint(plugin_client) in message


BULK_OR_NOT = pytest.mark.parametrize("in_bulk", [False, True], ids=["single", "bulk"])


def update(client: Elasticsearch, index: str, id: str, body: Body, *, in_bulk: bool) -> Body:
    """One update, alone or in a bulk beside another document; its item of the answer."""
    if not in_bulk:
        return dict(client.update(index=index, id=id, **body))
    params = {name: value for name, value in body.items() if name == "retry_on_conflict"}
    fields = {name: value for name, value in body.items() if name != "retry_on_conflict"}
    operations: list[Body] = [
        {"update": {"_id": id, **params}},
        fields,
        {"index": {"_id": "beside"}},
        {"body": "beside"},
    ]
    items = client.bulk(index=index, operations=operations)["items"]
    assert items[1]["index"]["status"] in (200, 201)
    assert items[0]["update"]["_id"] == id
    return dict(items[0]["update"])


@BULK_OR_NOT
def test_a_partial_update_of_an_input_makes_a_new_vector(
    plugin_client: Elasticsearch, index: str, in_bulk: bool
) -> None:
    client = plugin_client
    client.index(index=index, id="1", document={"title": "aspirin", "body": "thins the blood"})
    update(client, index, "1", {"doc": {"title": "ibuprofen"}}, in_bulk=in_bulk)
    assert_embeds(client, index, "1", "ibuprofen thins the blood")
    update(client, index, "1", {"doc": {"title": "tea", "body": "is hot"}}, in_bulk=in_bulk)
    assert_embeds(client, index, "1", "tea is hot")
    update(client, index, "1", {"doc": {"title": None}}, in_bulk=in_bulk)
    assert_embeds(client, index, "1", "is hot")
    update(client, index, "1", {"doc": {"body": ""}}, in_bulk=in_bulk)
    assert stored(client, index, "1") is None


@BULK_OR_NOT
def test_an_update_that_changes_no_input_encodes_nothing(
    plugin_client: Elasticsearch, index: str, in_bulk: bool
) -> None:
    client = plugin_client
    client.index(index=index, id="1", document={"title": "aspirin", "body": "thins the blood"})
    client.index(index=index, id="beside", document={"body": "beside"})
    before = encoded(client)
    update(client, index, "1", {"doc": {"views": 1}}, in_bulk=in_bulk)
    assert encoded(client) == before
    answer = update(client, index, "1", {"doc": {"title": "aspirin"}}, in_bulk=in_bulk)
    assert answer["result"] == "noop"
    assert encoded(client) == before
    assert_embeds(client, index, "1", "aspirin thins the blood")


@BULK_OR_NOT
def test_the_answer_of_an_update_holds_no_stale_vector(
    plugin_client: Elasticsearch, index: str, in_bulk: bool
) -> None:
    plugin_client.index(index=index, id="1", document={"title": "aspirin"})
    body = {"doc": {"title": "tea"}, "_source" if in_bulk else "source": True}
    answer = update(plugin_client, index, "1", body, in_bulk=in_bulk)
    assert answer["get"]["_source"] == {"title": "tea"}


@BULK_OR_NOT
def test_an_upsert_gets_a_vector_whether_it_creates_or_updates(
    plugin_client: Elasticsearch, index: str, in_bulk: bool
) -> None:
    client = plugin_client
    before = encoded(client)
    as_upsert = {"doc": {"title": "aspirin"}, "doc_as_upsert": True}
    either = {"doc": {"body": "is a drug"}, "upsert": {"title": "tea", "body": "is hot"}}
    uncounted = {"doc": {"views": 1}, "upsert": {"title": "milk"}}
    assert update(client, index, "1", as_upsert, in_bulk=in_bulk)["result"] == "created"
    assert update(client, index, "1", either, in_bulk=in_bulk)["result"] == "updated"
    assert update(client, index, "2", either, in_bulk=in_bulk)["result"] == "created"
    assert update(client, index, "3", uncounted, in_bulk=in_bulk)["result"] == "created"
    assert encoded(client) - before == 4 + (1 if in_bulk else 0)  # what lies beside does not change
    assert_embeds(client, index, "1", "aspirin is a drug")
    assert_embeds(client, index, "2", "tea is hot")
    assert_embeds(client, index, "3", "milk")


@BULK_OR_NOT
def test_a_client_vector_in_an_upsert_is_kept(
    plugin_client: Elasticsearch, index: str, in_bulk: bool
) -> None:
    upsert = {"title": "tea", "embedding": CLIENT_VECTOR}
    body = {"doc": {"title": "milk"}, "upsert": upsert}
    update(plugin_client, index, "1", body, in_bulk=in_bulk)
    assert same(stored(plugin_client, index, "1"), CLIENT_VECTOR)
    update(plugin_client, index, "1", body, in_bulk=in_bulk)
    assert_embeds(plugin_client, index, "1", "milk")


def test_an_update_of_a_missing_document_is_still_a_404(
    plugin_client: Elasticsearch, index: str
) -> None:
    with pytest.raises(NotFoundError):
        plugin_client.update(index=index, id="none", doc={"title": "tea"})
    operations = [{"update": {"_id": "none"}}, {"doc": {"title": "tea"}}]
    items = plugin_client.bulk(index=index, operations=operations)["items"]
    assert items[0]["update"]["status"] == 404
    assert items[0]["update"]["error"]["type"] == "document_missing_exception"


def test_routing_is_kept_in_updates(plugin_client: Elasticsearch, make_index: MakeIndex) -> None:
    index = make_index(number_of_shards=3)
    plugin_client.index(index=index, id="1", routing="r", document={"title": "tea"})
    plugin_client.update(index=index, id="1", routing="r", doc={"body": "is hot"})
    assert_embeds(plugin_client, index, "1", "tea is hot")
    operations = [{"update": {"_id": "1", "routing": "r"}}, {"doc": {"title": "milk"}}]
    assert not plugin_client.bulk(index=index, operations=operations)["errors"]
    assert_embeds(plugin_client, index, "1", "milk is hot")
    hits = plugin_client.search(index=index, query={"ids": {"values": ["1"]}})["hits"]["hits"]
    assert hits[0]["_routing"] == "r"


def test_the_items_of_one_document_in_a_bulk_keep_their_order(
    plugin_client: Elasticsearch, index: str
) -> None:
    operations: list[Body] = [
        {"index": {"_id": "1"}},
        {"title": "tea", "body": "is hot"},
        {"update": {"_id": "1"}},
        {"doc": {"title": "milk"}},
        {"index": {"_id": "2"}},
        {"title": "another"},
        {"update": {"_id": "1"}},
        {"doc": {"body": "is white"}},
        {"update": {"_id": "2"}},
        {"doc": {"title": "changed"}},
        {"delete": {"_id": "2"}},
        {"update": {"_id": "1"}},
        {"doc": {"views": 1}},
    ]
    items = plugin_client.bulk(index=index, operations=operations)["items"]
    results = [next(iter(item.values())) for item in items]
    assert [item["status"] for item in results] == [201, 200, 201, 200, 200, 200, 200]
    assert [next(iter(item)) for item in items] == [
        "index",
        "update",
        "index",
        "update",
        "update",
        "delete",
        "update",
    ]
    assert_embeds(plugin_client, index, "1", "milk is white")
    assert plugin_client.get(index=index, id="1")["_source"]["views"] == 1
    assert not plugin_client.exists(index=index, id="2")


def test_a_large_bulk_of_updates_encodes_what_has_changed(
    plugin_client: Elasticsearch, make_index: MakeIndex
) -> None:
    index, client = make_index(number_of_shards=2), plugin_client
    actions = [{"_index": index, "_id": str(i), "title": f"old {i}"} for i in range(300)]
    bulk(client, actions)
    before = encoded(client)
    for title in ("old", "new"):  # the first changes nothing
        updates = (
            {"_op_type": "update", "_index": index, "_id": str(i), "doc": {"title": f"{title} {i}"}}
            for i in range(300)
        )
        assert bulk(client, updates)[0] == 300
    assert encoded(client) - before == 300
    assert_embeds(client, index, "299", "new 299")


@pytest.mark.parametrize("refresh", [True, "wait_for"])
def test_a_bulk_of_updates_refreshes_as_it_is_told(
    plugin_client: Elasticsearch, make_index: MakeIndex, refresh: bool | str
) -> None:
    index = make_index(refresh_interval="200ms" if refresh == "wait_for" else "-1")
    actions = [{"_index": index, "_id": str(i), "title": "old"} for i in range(20)]
    bulk(plugin_client, actions, refresh=True)
    operations: list[Body] = [
        line for i in range(20) for line in ({"update": {"_id": str(i)}}, {"doc": {"title": "new"}})
    ]
    answer = plugin_client.bulk(index=index, operations=operations, refresh=refresh)
    assert not answer["errors"]
    assert plugin_client.count(index=index, query={"match": {"title": "new"}})["count"] == 20


@BULK_OR_NOT
def test_updates_at_the_same_time_never_leave_a_stale_vector(
    plugin_client: Elasticsearch, index: str, in_bulk: bool
) -> None:
    client = plugin_client
    client.index(index=index, id="1", document={"title": "t", "body": "b"})
    failures: list[BaseException] = []

    def write(field: str) -> None:
        try:
            for i in range(15):
                body = {"doc": {field: f"{field} {i}"}, "retry_on_conflict": 100}
                answer = update(client, index, "1", body, in_bulk=in_bulk)
                assert "error" not in answer, answer
        except BaseException as e:  # shown by the test itself
            failures.append(e)

    threads = [threading.Thread(target=write, args=(field,)) for field in INPUTS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert_embeds(client, index, "1", "title 14 body 14")


@BULK_OR_NOT
def test_updates_without_retries_conflict_or_are_right(
    plugin_client: Elasticsearch, index: str, in_bulk: bool
) -> None:
    client = plugin_client
    client.index(index=index, id="1", document={"title": "t", "body": "b"})

    def write(field: str) -> None:
        for i in range(10):
            with contextlib.suppress(ConflictError):
                update(client, index, "1", {"doc": {field: f"{field} {i}"}}, in_bulk=in_bulk)

    threads = [threading.Thread(target=write, args=(field,)) for field in INPUTS * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    source = client.get(index=index, id="1")["_source"]
    assert_embeds(client, index, "1", f"{source['title']} {source['body']}")


def test_an_optimistic_update_with_a_sequence_number_still_works(
    plugin_client: Elasticsearch, index: str
) -> None:
    client = plugin_client
    first = client.index(index=index, id="1", document={"title": "tea"})
    guard = {"if_seq_no": first["_seq_no"], "if_primary_term": first["_primary_term"]}
    client.update(index=index, id="1", doc={"title": "milk"}, **guard)
    with pytest.raises(ConflictError):
        client.update(index=index, id="1", doc={"title": "wine"}, **guard)
    assert_embeds(client, index, "1", "milk")


@pytest.mark.parametrize(
    "body",
    [
        '{"a":' * 900 + "1" + "}" * 900,
        json.dumps({f"field{i}": "value" for i in range(10_000)}),
        json.dumps({"other": "x" * 10_000_000}),
    ],
    ids=["deep", "wide", "long"],
)
def test_documents_of_bad_shape_do_not_harm_the_node(
    plugin_client: Elasticsearch, make_index: MakeIndex, body: str
) -> None:
    index = make_index()
    raw = ('{"body": "hello", ' + body[1:]).encode()
    assert send(plugin_client, "PUT", f"/{index}/_doc/1", "json", raw)["status"] == 201
    assert_embeds(plugin_client, index, "1", "hello")


def test_a_bulk_flows_through_however_little_may_wait(
    plugin_client: Elasticsearch, index: str
) -> None:
    client, setting = plugin_client, "densehook.ingest.queue_tokens"
    client.cluster.put_settings(persistent={setting: 500})
    try:
        operations = [
            line
            for i in range(50)
            for line in ({"index": {"_id": i}}, {"body": f"{i} " + "word " * 100})
        ]
        assert not client.bulk(index=index, operations=operations)["errors"]
    finally:
        client.cluster.put_settings(persistent={setting: None})
    client.indices.refresh(index=index)
    assert client.count(index=index, query={"exists": {"field": "embedding"}})["count"] == 50
