"""The mapping's ``_meta.densehook``: kept when another _meta is put, refused when it is wrong."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from elastic_transport import HttpHeaders
from elasticsearch import ApiError, Elasticsearch

from densehook.bundle import Dense
from densehook.elastic.indices import create_index
from densehook.encode import Encoder

Body = Mapping[str, Any]
ENCODER = "all-minilm-l6-v2"
VECTOR = {"type": "dense_vector", "dims": 384, "similarity": "dot_product"}
EMBED = {"index.densehook.embed": True}


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    warning: str

    @property
    def reason(self) -> str:
        return str(self.body["error"]["reason"])


def send(
    client: Elasticsearch,
    method: str,
    path: str,
    body: Any = None,
    content_type: str = "application/json",
    accept: str = "application/json",
) -> Answer:
    """A request whose body the client neither makes nor checks."""
    raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    headers = HttpHeaders({"accept": accept})
    if raw is not None:
        headers["content-type"] = content_type
    answer = client.transport.node_pool.get().perform_request(
        method, path, headers=headers, body=raw, request_timeout=120
    )
    return Answer(
        answer.meta.status, json.loads(answer.body or b"{}"), answer.meta.headers.get("warning", "")
    )


@pytest.fixture
def entry(minilm: Encoder) -> dict[str, Any]:
    return {"input": ["title"], "encoder": ENCODER, "fingerprint": minilm.fingerprint}


@pytest.fixture
def make(plugin_client: Elasticsearch) -> Iterator[Callable[..., str]]:
    """Makes indices whose mapping states a densehook, and deletes them."""
    made: list[str] = []

    def create(densehook: Any, properties: Body | None = None, **settings: Any) -> str:
        name = f"mapped-{uuid.uuid4().hex[:8]}"
        made.append(name)
        answer = send(plugin_client, "PUT", f"/{name}", request(densehook, properties, settings))
        assert answer.status == 200, answer.body
        return name

    yield create
    for name in made:
        plugin_client.indices.delete(index=name, ignore_unavailable=True)


def request(densehook: Any, properties: Body | None, settings: Body) -> dict[str, Any]:
    return {
        "settings": {"number_of_shards": 1, "number_of_replicas": 0, **settings},
        "mappings": {
            "_meta": {"densehook": densehook},
            "properties": properties or {"embedding": VECTOR, "title": {"type": "text"}},
        },
    }


def refused(client: Elasticsearch, densehook: Any, properties: Body | None, **settings: Any) -> str:
    """Why an index cannot be made; it is not there afterwards."""
    name = f"refused-{uuid.uuid4().hex[:8]}"
    answer = send(client, "PUT", f"/{name}", request(densehook, properties, settings))
    assert answer.status == 400, answer.body
    assert answer.body["error"]["type"] == "illegal_argument_exception"
    assert not client.indices.exists(index=name)
    assert "\n" not in answer.reason
    assert answer.reason.startswith(f"index [{name}]"), answer.reason
    return answer.reason


def meta(client: Elasticsearch, index: str) -> dict[str, Any]:
    """The _meta of every index behind a name, which must be the same."""
    metas = [found["mappings"].get("_meta", {}) for found in mappings(client, index).values()]
    assert all(one == metas[0] for one in metas)
    return dict(metas[0])


def mappings(client: Elasticsearch, index: str) -> dict[str, Any]:
    return dict(client.indices.get_mapping(index=index).body)


# -- it is kept ----------------------------------------------------------------------------------


def test_another_meta_does_not_wipe_it_out_and_the_answer_says_so(
    plugin_client: Elasticsearch, make: Callable[..., str], entry: Body
) -> None:
    stated = {"fields": {"embedding": entry}, "bm25": "title"}
    index = make(stated, **EMBED)
    for body in (
        {"_meta": {"managed_by": "kibana"}, "properties": {"tag": {"type": "keyword"}}},
        {"_meta": {}},
    ):
        answer = send(plugin_client, "PUT", f"/{index}/_mapping", body)
        assert answer.status == 200
        assert f"index [{index}] keeps [densehook]" in answer.warning
        assert "to take it away, put it as null" in answer.warning
        assert meta(plugin_client, index) == {**body["_meta"], "densehook": stated}
    plugin_client.index(index=index, id="1", document={"title": "cats"}, refresh=True)
    exists = {"exists": {"field": "embedding"}}
    assert plugin_client.count(index=index, query=exists)["count"] == 1


def test_a_mapping_without_meta_is_put_as_ever(
    plugin_client: Elasticsearch, make: Callable[..., str], entry: Body
) -> None:
    stated = {"fields": {"embedding": entry}}
    index = make(stated)
    for body in ({"properties": {"tag": {"type": "keyword"}}}, {"dynamic": False}, {}):
        answer = send(plugin_client, "PUT", f"/{index}/_mapping", body)
        assert (answer.status, answer.warning) == (200, "")
        assert meta(plugin_client, index) == {"densehook": stated}


def test_null_takes_it_away_deliberately_unless_the_index_embeds_by_it(
    plugin_client: Elasticsearch, make: Callable[..., str], entry: Body
) -> None:
    stated = {"fields": {"embedding": entry}}
    index = make(stated, **EMBED)
    take = {"_meta": {"densehook": None, "owner": "us"}}
    answer = send(plugin_client, "PUT", f"/{index}/_mapping", take)
    assert answer.status == 400
    assert "has [index.densehook.embed], and no field of its mapping's _meta" in answer.reason
    assert meta(plugin_client, index) == {"densehook": stated}
    off = {"index.densehook.embed": False}
    plugin_client.indices.put_settings(index=index, settings=off)
    answer = send(plugin_client, "PUT", f"/{index}/_mapping", take)
    assert (answer.status, answer.warning) == (200, "")
    assert meta(plugin_client, index) == {"owner": "us"}


def test_what_is_stated_of_one_field_leaves_the_others(
    plugin_client: Elasticsearch, make: Callable[..., str], entry: Body
) -> None:
    properties = {"one": VECTOR, "two": VECTOR, "title": {"type": "text"}}
    index = make({"fields": {"one": entry, "two": entry}, "bm25": "title"}, properties)
    searched = {key: entry[key] for key in ("encoder", "fingerprint")}
    partly = {"_meta": {"densehook": {"fields": {"one": searched}}}}
    answer = send(plugin_client, "PUT", f"/{index}/_mapping", partly)
    assert answer.status == 200
    assert "keeps [densehook.bm25, densehook.fields.two]" in answer.warning
    expected = {"fields": {"one": searched, "two": entry}, "bm25": "title"}
    assert meta(plugin_client, index) == {"densehook": expected}
    without = {"_meta": {"densehook": {"fields": {"two": None}, "bm25": None}}}
    answer = send(plugin_client, "PUT", f"/{index}/_mapping", without)
    assert answer.status == 200
    assert meta(plugin_client, index) == {"densehook": {"fields": {"one": searched}}}


def test_several_indices_keep_what_they_have_in_common_and_are_named_where_they_differ(
    plugin_client: Elasticsearch, make: Callable[..., str], entry: Body
) -> None:
    stated = {"fields": {"embedding": entry}}
    first, second = make(stated), make(stated)
    other = make({"fields": {"embedding": entry}, "bm25": "title"})
    alias = f"alias-{uuid.uuid4().hex[:8]}"
    for index in (first, second):
        plugin_client.indices.put_alias(index=index, name=alias)
    body = {"_meta": {"owner": "us"}}
    for target in (f"{first},{second}", alias, f"{alias}*"):
        answer = send(plugin_client, "PUT", f"/{target}/_mapping", body)
        assert answer.status == 200
        assert meta(plugin_client, alias) == {"owner": "us", "densehook": stated}
        for index in (first, second):
            assert f"index [{index}] keeps [densehook]" in answer.warning
    answer = send(plugin_client, "PUT", f"/{first},{second},{other}/_mapping", body)
    assert answer.status == 400
    assert "do not state the same [densehook]" in answer.reason
    for index in (first, second, other):
        assert index in answer.reason
    # what says nothing of _meta concerns all of them
    plain = {"properties": {"tag": {"type": "keyword"}}}
    assert send(plugin_client, "PUT", f"/{first},{other}/_mapping", plain).status == 200


def test_new_fields_that_documents_bring_never_bring_an_older_meta_back(
    plugin_client: Elasticsearch, make: Callable[..., str], entry: Body
) -> None:
    """A shard sends its own _meta with a new field, and Elasticsearch takes it for the newer."""
    index = make({"fields": {"embedding": entry}})
    done = threading.Event()
    failures: list[Exception] = []

    def write(writer: int) -> None:
        number = 0
        while not done.is_set() and number < 100:
            document = {f"seen-{writer}-{number}": 1}
            try:
                plugin_client.index(index=index, document=document)
            except ApiError as error:
                failures.append(error)
            number += 1

    writers = [threading.Thread(target=write, args=[number]) for number in range(4)]
    for writer in writers:
        writer.start()
    try:
        for turn in range(40):
            densehook = {"fields": {"embedding": entry}, "bm25": f"bm25-{turn}"}
            body = {"_meta": {"turn": turn, "densehook": densehook}}
            assert send(plugin_client, "PUT", f"/{index}/_mapping", body).status == 200
    finally:
        done.set()
        for writer in writers:
            writer.join()
    assert not failures
    assert meta(plugin_client, index) == {"turn": 39, "densehook": densehook}


def test_mappings_that_are_put_at_one_time_keep_what_each_other_state(
    plugin_client: Elasticsearch, make: Callable[..., str], entry: Body
) -> None:
    fields = [f"v{number}" for number in range(6)]
    for timeout in ("30s", "0s"):  # the second is answered before the master itself has applied it
        index = make({}, {"title": {"type": "text"}, **dict.fromkeys(fields, VECTOR)})
        at_once = threading.Barrier(2 * len(fields))
        statuses: list[int] = []

        def put(
            body: Body,
            path: str = f"/{index}/_mapping?timeout={timeout}",
            at_once: threading.Barrier = at_once,
            statuses: list[int] = statuses,
        ) -> None:
            at_once.wait()
            statuses.append(send(plugin_client, "PUT", path, body).status)

        bodies = [{"_meta": {"densehook": {"fields": {field: entry}}}} for field in fields]
        bodies += [{"_meta": {"owner": field}} for field in fields]
        callers = [threading.Thread(target=put, args=[body]) for body in bodies]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        assert statuses == [200] * len(bodies)
        plugin_client.cluster.health(wait_for_events="languid")  # until it has applied the last
        assert meta(plugin_client, index)["densehook"]["fields"].keys() == set(fields)


# -- odd clients ---------------------------------------------------------------------------------


def yaml(body: Body) -> bytes:
    return b"---\n" + json.dumps(body).encode()


def cbor(value: Body | str) -> bytes:
    """Of small objects and short texts."""
    if isinstance(value, str):
        return bytes([0x60 + len(value)]) + value.encode()
    return bytes([0xA0 + len(value)]) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


def smile(body: Body) -> bytes:
    """Of small objects and short texts."""

    def written(value: Body | str) -> bytes:
        if isinstance(value, str):
            return bytes([0x40 + len(value) - 1]) + value.encode()
        fields = (bytes([0x80 + len(k) - 1]) + k.encode() + written(v) for k, v in value.items())
        return b"\xfa" + b"".join(fields) + b"\xfb"

    return b":)\n\x00" + written(body)


@pytest.mark.parametrize("dump", [yaml, cbor, smile])
def test_every_content_type_is_read(
    plugin_client: Elasticsearch,
    make: Callable[..., str],
    entry: Body,
    dump: Callable[[Body], bytes],
) -> None:
    stated = {"fields": {"embedding": entry}}
    index = make(stated)
    content_type = f"application/{dump.__name__}"
    other = dump({"_meta": {"owner": "us"}})
    answer = send(plugin_client, "PUT", f"/{index}/_mapping", other, content_type)
    assert answer.status == 200, answer.body
    assert "keeps [densehook]" in answer.warning
    assert meta(plugin_client, index) == {"owner": "us", "densehook": stated}
    wrong = {"_meta": {"densehook": {"feilds": {}}}}
    for path, body in ((f"/{index}/_mapping", wrong), ("/never", {"mappings": wrong})):
        answer = send(plugin_client, "PUT", path, dump(body), content_type)
        assert answer.status == 400
        assert "unknown key [feilds]" in answer.reason
    assert meta(plugin_client, index) == {"owner": "us", "densehook": stated}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"a"', b"null", b'{"_doc": {}}'])
def test_what_is_no_mapping_gets_elasticsearchs_own_answer(
    plugin_client: Elasticsearch, make: Callable[..., str], entry: Body, body: bytes
) -> None:
    stated = {"fields": {"embedding": entry}}
    index = make(stated)
    plain = make({})
    answer = send(plugin_client, "PUT", f"/{index}/_mapping", body)
    without = send(plugin_client, "PUT", f"/{plain}/_mapping", body)
    assert (answer.status, answer.body) == (without.status, without.body)
    assert meta(plugin_client, index) == {"densehook": stated}


@pytest.mark.parametrize("value", [None, "x", 3, [], ["densehook"]])
def test_a_meta_that_is_no_object_gets_elasticsearchs_own_answer(
    plugin_client: Elasticsearch, make: Callable[..., str], entry: Body, value: Any
) -> None:
    stated = {"fields": {"embedding": entry}}
    index = make(stated)
    answer = send(plugin_client, "PUT", f"/{index}/_mapping", {"_meta": value})
    assert answer.status == (200 if value is None else 400), answer.body
    assert meta(plugin_client, index) == {"densehook": stated}


def test_typed_bodies_of_older_clients_are_guarded_too(
    plugin_client: Elasticsearch, make: Callable[..., str], entry: Body
) -> None:
    stated = {"fields": {"embedding": entry}}
    index = make(stated)
    typed = {"_doc": {"_meta": {"owner": "us"}}}
    answer = send(plugin_client, "PUT", f"/{index}/_mapping?include_type_name=true", typed)
    assert answer.status == 400  # Elasticsearch knows no such parameter
    older = "application/vnd.elasticsearch+json;compatible-with=7"
    answer = send(
        plugin_client,
        "PUT",
        f"/{index}/_mapping/_doc?include_type_name=true",
        typed,
        older,
        older,
    )
    if answer.status == 200:  # 9.x has no such compatibility
        assert "keeps [densehook]" in answer.warning
        assert meta(plugin_client, index) == {"owner": "us", "densehook": stated}
    else:
        assert meta(plugin_client, index) == {"densehook": stated}


def test_a_missing_index_is_elasticsearchs_to_tell(plugin_client: Elasticsearch) -> None:
    for path, body in (
        ("/nowhere/_mapping", {"_meta": {"densehook": {"feilds": {}}}}),
        ("/nowhere/_settings", EMBED),
    ):
        answer = send(plugin_client, "PUT", path, body)
        assert (answer.status, answer.body["error"]["type"]) == (404, "index_not_found_exception")


def test_an_index_that_exists_is_elasticsearchs_to_tell(
    plugin_client: Elasticsearch, make: Callable[..., str]
) -> None:
    index = make({})
    answer = send(plugin_client, "PUT", f"/{index}", request({"feilds": {}}, None, {}))
    assert answer.body["error"]["type"] == "resource_already_exists_exception"


# -- it is refused -------------------------------------------------------------------------------


TEXT = {"type": "text", "fields": {"en": {"type": "text"}}}


@pytest.mark.parametrize(
    ("changed", "properties", "said"),
    [
        ({"inputs": "title"}, {}, "it has an unknown key [inputs]; known are"),
        ({"encoder": None}, {}, "[_meta.densehook.fields.embedding.encoder] is missing"),
        ({"fingerprint": 3}, {}, ".fingerprint]: it is [3]; it must be the fingerprint"),
        ({"input": {"a": 1}}, {}, ".input]: it is [{a=1}]; it must be a text field or a list"),
        ({"input": ["title", "title"]}, {}, "it has [title] twice"),
        ({"input": "embedding"}, {}, "[embedding] is the vector field itself"),
        ({"input": "densehook"}, {}, "[densehook] holds the notes, not text"),
        ({"template": "{body}"}, {}, "]: template names [body], which is no input; inputs are"),
        ({"input": "at"}, {"at": {"type": "geo_point"}}, "[at] is mapped as [geo_point]"),
        ({"input": "o"}, {"o": {"properties": {}}}, "[o] is mapped as [object]"),
        ({"input": "other"}, {"other": VECTOR}, "[other] is mapped as [dense_vector]"),
        ({}, {"embedding": None}, "the mapping has no field [embedding]; map it as binary"),
        ({}, {"embedding": {"type": "keyword"}}, "[embedding] is mapped as [keyword]"),
        ({}, {"embedding": {**VECTOR, "dims": 300}}, "has [dims] [300], vectors of encoder"),
        (
            {},
            {"embedding": {"type": "dense_vector", "dims": 384, "element_type": "byte"}},
            "has [element_type] [byte], encoders give float",
        ),
        ({}, {"densehook": {"type": "keyword"}}, "cannot hold the notes of the vectors"),
        ({"fingerprint": "sha256:00"}, {}, "it is [sha256:00], but encoder [all-minilm-l6-v2] is"),
    ],
)
def test_a_wrong_entry_is_refused_when_the_index_is_made_and_when_its_mapping_is_put(
    plugin_client: Elasticsearch,
    make: Callable[..., str],
    entry: Body,
    changed: Body,
    properties: Body,
    said: str,
) -> None:
    wrong = {key: value for key, value in {**entry, **changed}.items() if value is not None}
    stated = {"fields": {"embedding": wrong}}
    together = {"embedding": VECTOR, "title": TEXT, **properties}
    mapped = {name: field for name, field in together.items() if field is not None}
    for settings in ({}, EMBED):
        assert said in refused(plugin_client, stated, mapped, **settings)
    index = make({}, {"own": {"type": "long"}})
    body = {"_meta": {"densehook": stated}, "properties": mapped}
    answer = send(plugin_client, "PUT", f"/{index}/_mapping", body)
    assert answer.status == 400
    assert said in answer.reason
    assert list(mappings(plugin_client, index)[index]["mappings"]["properties"]) == ["own"]


@pytest.mark.parametrize(
    "properties",
    [
        {"parts": {"properties": {"vector": {**VECTOR, "dims": 3}}}},
        {"parts": {"type": "nested", "properties": {"vector": {**VECTOR, "dims": 3}}}},
        {"parts.vector": {**VECTOR, "dims": 3}},
        {"parts": {"type": "object", "subobjects": False, "properties": {"vector": TEXT}}},
        {"parts": {"properties": {"other": VECTOR}}},
    ],
)
def test_a_vector_below_an_object_is_checked_too(
    plugin_client: Elasticsearch, make: Callable[..., str], entry: Body, properties: Body
) -> None:
    stated = {"fields": {"parts.vector": entry}}
    assert "[parts.vector]" in refused(plugin_client, stated, properties)
    for right in (
        {"parts": {"type": "nested", "properties": {"vector": VECTOR}}},
        {"parts.vector": VECTOR},
        {"parts": {"type": "object", "subobjects": False, "properties": {"vector": VECTOR}}},
    ):
        make(stated, right)


@pytest.mark.parametrize(
    "densehook",
    [
        {"bm25": "title"},
        {"bm25": ["title", "not yet mapped"]},
        {"fields": {}},
        {},
    ],
)
def test_what_states_no_vector_passes(make: Callable[..., str], densehook: Body) -> None:
    make(densehook)


def test_what_python_writes_passes_without_a_warning(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder
) -> None:
    for inputs, in_cluster in ((["title"], False), (["title", "body"], True)):
        create_index(
            plugin_client, plugin_index, minilm.manifest, inputs=inputs, in_cluster=in_cluster
        )
        stated = mappings(plugin_client, plugin_index)[plugin_index]["mappings"]
        answer = send(plugin_client, "PUT", f"/{plugin_index}/_mapping", stated)
        assert (answer.status, answer.warning) == (200, "")
        plugin_client.indices.delete(index=plugin_index)


def test_a_fingerprint_nobody_has_is_refused_where_the_node_embeds_and_told_elsewhere(
    plugin_client: Elasticsearch, make: Callable[..., str], entry: Body
) -> None:
    elsewhere = {**entry, "encoder": "of-python", "fingerprint": "sha256:1234"}
    stated = {"fields": {"embedding": elsewhere}}
    said = "no node has an encoder [of-python] in service"
    assert said in refused(plugin_client, stated, None, **EMBED)
    name = make(stated)
    answer = send(plugin_client, "PUT", f"/{name}-told", request(stated, None, {}))
    plugin_client.indices.delete(index=f"{name}-told")
    assert said in answer.warning
    # what is so already is neither told again nor in the way of anything else
    body: dict[str, Any] = {"properties": {"tag": {"type": "keyword"}}}
    answer = send(plugin_client, "PUT", f"/{name}/_mapping", body)
    assert (answer.status, answer.warning) == (200, "")
    answer = send(plugin_client, "PUT", f"/{name}/_settings", EMBED)
    assert answer.status == 400
    assert said in answer.reason


def test_an_encoder_that_is_changed_under_vectors_is_told(
    plugin_client: Elasticsearch, make: Callable[..., str], entry: Body, minilm: Encoder
) -> None:
    older = {**entry, "encoder": "older", "fingerprint": "sha256:1234"}
    index = make({"fields": {"embedding": older}})
    body = {"_meta": {"densehook": {"fields": {"embedding": entry}}}}
    answer = send(plugin_client, "PUT", f"/{index}/_mapping", body)
    assert answer.status == 200
    assert "holds already are of encoder [older] (sha256:1234)" in answer.warning
    assert minilm.fingerprint in answer.warning


def test_a_field_that_is_changed_later_must_still_fit(
    plugin_client: Elasticsearch, make: Callable[..., str], entry: Body
) -> None:
    index = make({"fields": {"embedding": {**entry, "input": ["later", "title"]}}}, **EMBED)
    for wrong, said in (
        ({"later": {"properties": {"en": {"type": "text"}}}}, "[later] is mapped as [object]"),
        ({"later.en": {"type": "text"}}, "[later] is an object; name the text fields in it"),
        ({"later": VECTOR}, "[later] is mapped as [dense_vector]"),
        ({"densehook": {"type": "long"}}, "cannot hold the notes"),
    ):
        answer = send(plugin_client, "PUT", f"/{index}/_mapping", {"properties": wrong})
        assert answer.status == 400
        assert said in answer.reason
    right = {"later": {"type": "keyword"}, "densehook": {"type": "flattened", "doc_values": False}}
    assert send(plugin_client, "PUT", f"/{index}/_mapping", {"properties": right}).status == 200


def test_an_index_that_does_not_say_what_to_embed_cannot_be_told_to(
    plugin_client: Elasticsearch, make: Callable[..., str], entry: Body
) -> None:
    searched = {key: entry[key] for key in ("encoder", "fingerprint")}
    for densehook in ({}, {"fields": {"embedding": searched}}):
        said = refused(plugin_client, densehook, None, **EMBED)
        assert "has [index.densehook.embed], and no field of its mapping's _meta" in said
        for setting in (
            EMBED,
            {"densehook.embed": "true"},
            {"index": {"densehook": {"embed": True}}},
        ):
            index = make(densehook)
            answer = send(plugin_client, "PUT", f"/{index}/_settings", setting)
            assert answer.status == 400
            assert f"index [{index}] has [index.densehook.embed], and no field" in answer.reason
    index = make({"fields": {"embedding": entry}})
    assert send(plugin_client, "PUT", f"/{index}/_settings", EMBED).status == 200
    other = {"index.refresh_interval": "5s"}
    assert send(plugin_client, "PUT", f"/{make({})}/_settings", other).status == 200


def test_the_next_index_of_a_rollover_is_judged(
    plugin_client: Elasticsearch, plugin_index: str, entry: Body
) -> None:
    first = f"{plugin_index}-000001"
    alias = f"{plugin_index}-alias"
    body = request({}, None, {})
    assert send(plugin_client, "PUT", f"/{first}", {**body, "aliases": {alias: {}}}).status == 200
    wrong = {
        "mappings": request({"fields": {"embedding": {**entry, "encoder": 5}}}, None, {})[
            "mappings"
        ]
    }
    answer = send(plugin_client, "POST", f"/{alias}/_rollover", wrong)
    assert answer.status == 400
    assert ".encoder]: it is [5]" in answer.reason
    right = {"mappings": request({"fields": {"embedding": entry}}, None, {})["mappings"]}
    assert send(plugin_client, "POST", f"/{alias}/_rollover", right).status == 200
    plugin_client.indices.delete(index=f"{first},{plugin_index}-000002")


# -- templates -----------------------------------------------------------------------------------


TEMPLATES = {
    "component template": ("_component_template", lambda template: {"template": template}),
    "index template": (
        "_index_template",
        lambda template: {"index_patterns": ["guarded-*"], "priority": 500, "template": template},
    ),
    "template": ("_template", lambda template: {"index_patterns": ["guarded-*"], **template}),
}


@pytest.mark.parametrize("kind", TEMPLATES)
def test_what_can_be_judged_in_a_template_alone_is(
    plugin_client: Elasticsearch, entry: Body, kind: str
) -> None:
    endpoint, wrapped = TEMPLATES[kind]
    path = f"/{endpoint}/guarded"

    def put(densehook: Any, properties: Body, **settings: Any) -> Answer:
        body = {
            "settings": settings,
            "mappings": {"_meta": {"densehook": densehook}, "properties": properties},
        }
        return send(plugin_client, "PUT", path, wrapped(body))

    try:
        for changed, properties, said in (
            ({"inputs": "title"}, {}, "unknown key [inputs]"),
            ({"fingerprint": "sha256:00"}, {}, "but encoder [all-minilm-l6-v2] is in service"),
            ({}, {"embedding": {**VECTOR, "dims": 3}}, "has [dims] [3]"),
            ({}, {"embedding": {"type": "keyword"}}, "[embedding] is mapped as [keyword]"),
        ):
            answer = put({"fields": {"embedding": {**entry, **changed}}}, properties)
            assert answer.status == 400
            assert answer.reason.startswith(f"{kind} [guarded]: [_meta.densehook")
            assert said in answer.reason
        nobody = {"embedding": {**entry, "encoder": "nobody"}}
        assert put({"fields": nobody}, {}, **EMBED).status == 400
        assert "[nobody]" in put({"fields": nobody}, {}).warning
        # what others may complete
        for densehook in ({"fields": {"embedding": {"input": ["title"]}}}, {"bm25": "title"}):
            answer = put(densehook, {}, **EMBED)
            assert answer.status == 200, answer.body
    finally:
        send(plugin_client, "DELETE", path)


@pytest.mark.parametrize("kind", ["index template", "template"])
def test_an_index_is_judged_with_what_its_template_brings(
    plugin_client: Elasticsearch, entry: Body, kind: str
) -> None:
    endpoint, wrapped = TEMPLATES[kind]
    path = f"/{endpoint}/guarded"
    template = {"settings": EMBED, "mappings": {"properties": {"embedding": VECTOR}}}
    assert send(plugin_client, "PUT", path, wrapped(template)).status == 200
    try:
        own = {"mappings": {"_meta": {"densehook": {"fields": {"embedding": entry}}}}}
        assert send(plugin_client, "PUT", "/guarded-right", own).status == 200
        for name, changed, said in (
            ("guarded-nobody", {"encoder": "nobody"}, "no node has an encoder [nobody]"),
            ("guarded-mute", {"input": []}, "has [index.densehook.embed], and no field"),
        ):
            wrong = {"fields": {"embedding": {**entry, **changed}}}
            body = {"mappings": {"_meta": {"densehook": wrong}}}
            answer = send(plugin_client, "PUT", f"/{name}", body)
            assert answer.status == 400
            assert said in answer.reason
        # what the template alone says, documents are told
        answer = send(plugin_client, "PUT", "/guarded-by-document/_doc/1", {"title": "cats"})
        assert answer.status == 400
        assert "has [index.densehook.embed], and no field" in answer.reason
    finally:
        send(plugin_client, "DELETE", path)
        for name in ("guarded-right", "guarded-by-document"):
            plugin_client.indices.delete(index=name, ignore_unavailable=True)


# -- a cluster -----------------------------------------------------------------------------------


def test_a_master_without_the_encoder_asks_the_nodes_and_its_warnings_reach_the_client(
    two_nodes: tuple[Elasticsearch, Elasticsearch], minilm: Encoder
) -> None:
    (master,) = two_nodes[1].cat.master(format="json")
    assert master["node"] == "two"
    manifest = minilm.manifest
    part = manifest.of(Dense)
    entry = {"input": "t", "encoder": manifest.name, "fingerprint": manifest.fingerprint}
    vector = {"type": "dense_vector", "dims": part.dims, "similarity": part.similarity}
    properties = {"embedding": vector}
    for number, client in enumerate(two_nodes):
        stated = {"fields": {"embedding": entry}}
        body = request(stated, properties, EMBED)
        answer = send(client, "PUT", f"/asked-{number}", body)
        assert (answer.status, answer.warning) == (200, "")
        other = {"_meta": {"owner": "us"}}
        answer = send(client, "PUT", f"/asked-{number}/_mapping", other)
        assert "keeps [densehook]" in answer.warning
        assert meta(client, f"asked-{number}") == {"owner": "us", "densehook": stated}
        gone = {"_meta": {"densehook": None}}
        off = {"index.densehook.embed": False}
        assert send(client, "PUT", f"/asked-{number}/_settings", off).status == 200
        assert send(client, "PUT", f"/asked-{number}/_mapping", gone).status == 200
        assert meta(client, f"asked-{number}") == {}
        wrong = {"fields": {"embedding": {**entry, "fingerprint": "sha256:00"}}}
        said = refused(client, wrong, properties, **EMBED)
        assert manifest.fingerprint in said
        more = {"embedding": {**vector, "dims": part.dims + 1}}
        said = refused(client, stated, more)
        assert f"have [{part.dims}]" in said
        client.indices.delete(index=f"asked-{number}")
