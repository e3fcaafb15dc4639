"""The plugin with security on: who may do what, and whose request is whose."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import (
    ApiError,
    AuthenticationException,
    AuthorizationException,
    BadRequestError,
    Elasticsearch,
)

import densehook
from command_line import running_in, succeeded
from conftest import serving
from densehook import node
from densehook.bundle import Bundle
from densehook.elastic.cluster import encoders_of, reload_encoders
from densehook.elastic.indices import create_index
from densehook.encode import Encoder
from densehook.errors import ElasticError
from densehook.java import find_java
from densehook.node.releases import release_of
from java_plugins import made_plugin
from versions import DISTRIBUTION

VERSION = DISTRIBUTION
PASSWORD = "long enough"
HEADERS = {"accept": "application/json", "content-type": "application/json"}
ROLES = """
admin: {cluster: [all], indices: [{names: ["*"], privileges: [all]}]}
manager: {cluster: [manage]}
watcher: {cluster: [monitor]}
a_only: {indices: [{names: ["a-*"], privileges: [read, write, view_index_metadata]}]}
b_only: {indices: [{names: ["b-*"], privileges: [read, write, view_index_metadata]}]}
writes_a: {indices: [{names: ["a-*"], privileges: [write]}]}
owns_c: {indices: [{names: ["c-*"], privileges: [manage]}]}
adds_to_a: {indices: [{names: ["a-*"], privileges: [create_doc]}]}
indexes_a: {indices: [{names: ["a-*"], privileges: [index]}]}
no_vector:
  indices:
  - names: ["f-*"]
    privileges: [read, view_index_metadata]
    field_security:
      grant: ["*"]
      except: ["embedding", "weights", "tokens", "densehook", "densehook.*"]
no_text:
  indices:
  - names: ["f-*"]
    privileges: [read, view_index_metadata]
    field_security: {grant: ["*"], except: ["text"]}
own_only:
  indices:
  - names: ["f-*"]
    privileges: [read]
    query: '{"term": {"owner": "dan"}}'
"""
USERS = {"admin": "admin", "manager": "manager", "watcher": "watcher"}
USERS |= {"ann": "a_only", "bob": "b_only", "wim": "writes_a", "cem": "owns_c"}
USERS |= {"ada": "adds_to_a", "ida": "indexes_a"}
USERS |= {"noa": "no_vector", "tim": "no_text", "dan": "own_only"}


@pytest.fixture(scope="module")
def secured(minilm_bundle: Bundle) -> Iterator[node.NodeState]:
    """A node with security on, users of different rights, and the plugin."""
    archive = node.built_plugin(VERSION)
    assert archive is not None, "the plugin is not built; build it with: make plugin"
    home = Path(tempfile.mkdtemp(prefix="densehook-security-"))
    home.chmod(0o755)
    try:
        java = find_java(17)
        folder = release_of(VERSION).install(home, java, lambda step: None)
        plugins = [archive, made_plugin("SecurityAnalysisPlugin", VERSION, home, folder / "lib")]
        (folder / "config" / "roles.yml").write_text(ROLES)
        add_users(folder)
        settings = {
            "xpack.security.enabled": "true",
            "xpack.security.authc.api_key.enabled": "true",
        }
        started = node.start(
            VERSION, home, settings=settings, plugins=plugins, bundles=[minilm_bundle.path]
        )
        reload_encoders(user(started, "admin"))
        yield started
    finally:
        node.stop(home)
        shutil.rmtree(home, ignore_errors=True)


def add_users(folder: Path) -> None:
    """Writes the files that the distribution's own script writes, which takes seconds a user."""
    rounds, salt = 1000, os.urandom(32)
    key = hashlib.pbkdf2_hmac("sha512", PASSWORD.encode(), salt, rounds, 32)
    password = f"{{PBKDF2}}{rounds}${b64encode(salt).decode()}${b64encode(key).decode()}"
    (folder / "config" / "users").write_text("".join(f"{name}:{password}\n" for name in USERS))
    lines = (f"{role}:{name}\n" for name, role in USERS.items())
    (folder / "config" / "users_roles").write_text("".join(lines))


def user(state: node.NodeState, name: str) -> Elasticsearch:
    return Elasticsearch(state.url, basic_auth=(name, PASSWORD), request_timeout=120)


@pytest.fixture(scope="module")
def filled(secured: node.NodeState, minilm: Encoder) -> None:
    """An index for each of two users, embedded by a pipeline, and one that embeds by itself."""
    admin = user(secured, "admin")
    for name in ("a-papers", "b-papers"):
        create_index(admin, name, minilm.manifest, inputs=["text"], in_cluster=True)
    create_index(admin, "a-self", minilm.manifest, inputs=["title", "text"])
    admin.indices.put_settings(index="a-self", settings={"index.densehook.embed": True})


def operations(index: str, count: int, first: str) -> list[dict[str, Any]]:
    return [
        line
        for i in range(count)
        for line in ({"index": {"_index": index, "_id": f"{first}-{i}"}}, {"text": f"{first} {i}"})
    ]


def test_users_that_share_batches_keep_their_own_rights(
    secured: node.NodeState, filled: None
) -> None:
    def send(turn: int) -> tuple[str, Any]:
        name, own, other = (
            ("ann", "a-papers", "b-papers") if turn % 2 else ("bob", "b-papers", "a-papers")
        )
        body = operations(own, 10, f"{name}{turn}") + operations(other, 3, f"{name}{turn}")
        return name, user(secured, name).bulk(operations=body)

    admin = user(secured, "admin")
    before = lane(admin)["batches"]
    with ThreadPoolExecutor(8) as senders:
        answers = list(senders.map(send, range(40)))
    for name, answer in answers:
        assert answer.meta.headers["x-elastic-product"] == "Elasticsearch"
        statuses = [item["index"]["status"] for item in answer["items"]]
        assert statuses == [201] * 10 + [403] * 3, name
        assert f"user [{name}]" in answer["items"][-1]["index"]["error"]["reason"]
    assert lane(admin)["batches"] - before < 40 * 10  # they did share batches
    admin.indices.refresh(index="*-papers")
    for name, index in (("ann", "a-papers"), ("bob", "b-papers")):
        found = admin.search(index=index, query={"prefix": {"text": name}}, size=0)
        assert found["hits"]["total"]["value"] == 200
        assert admin.count(index=index, query={"exists": {"field": "embedding"}})["count"] == 200


def lane(client: Elasticsearch) -> Any:
    answer = client.perform_request("GET", "/_densehook", headers=HEADERS).body
    (only,) = answer["nodes"].values()
    return only["encoders"]["all-minilm-l6-v2"]["ingest"]


SEARCHES: tuple[dict[str, Any], ...] = (
    {"query": {"dense": {"field": "embedding", "text": "word"}}},
    {
        "knn": {
            "field": "embedding",
            "k": 3,
            "num_candidates": 10,
            "query_vector_builder": {"densehook": {"text": "word"}},
        }
    },
    {"retriever": {"hybrid": {"query": "word", "fields": ["text", "embedding"]}}},
)


@pytest.mark.parametrize("body", SEARCHES)
def test_a_user_without_cluster_rights_searches_what_is_theirs(
    secured: node.NodeState, filled: None, body: dict[str, Any]
) -> None:
    admin = user(secured, "admin")
    admin.index(index="a-papers", id="ann", document={"text": "a word"}, refresh=True)
    assert user(secured, "ann").search(index="a-papers", **body)["hits"]["hits"]
    with pytest.raises(AuthorizationException, match=r"user \[bob\]"):
        user(secured, "bob").search(index="a-papers", **body)


@pytest.mark.parametrize("body", SEARCHES)
def test_an_api_key_without_cluster_rights_searches(
    secured: node.NodeState, filled: None, body: dict[str, Any]
) -> None:
    admin = user(secured, "admin")
    admin.index(index="a-papers", id="ann", document={"text": "a word"}, refresh=True)
    reads = {"reads": {"indices": [{"names": ["a-*"], "privileges": ["read"]}]}}
    made = admin.security.create_api_key(name="reader", role_descriptors=reads)
    with Elasticsearch(secured.url, api_key=made["encoded"]) as keyed:
        assert keyed.search(index="a-papers", **body)["hits"]["hits"]
        with pytest.raises(AuthorizationException):
            keyed.search(index="b-papers", **body)
        with pytest.raises(ElasticError, match="unauthorized for API key"):
            encoders_of(keyed)


def test_two_users_searching_at_once_see_their_own(secured: node.NodeState, filled: None) -> None:
    admin = user(secured, "admin")
    for name, index in (("ann", "a-papers"), ("bob", "b-papers")):
        admin.index(index=index, id=name, document={"text": f"for {name}"}, refresh=True)

    def search(turn: int) -> None:
        name, index = ("ann", "a-papers") if turn % 2 else ("bob", "b-papers")
        body = {"query": {"dense": {"field": "embedding", "text": f"question {turn // 4}"}}}
        hits = user(secured, name).search(index="*-papers", size=50, **body)["hits"]["hits"]
        assert hits
        assert {hit["_index"] for hit in hits} == {index}

    with ThreadPoolExecutor(8) as senders:
        list(senders.map(search, range(80)))


def test_an_index_that_embeds_by_itself_needs_no_more_than_its_writers_rights(
    secured: node.NodeState, filled: None
) -> None:
    writer = user(secured, "wim")
    writer.index(index="a-self", id="1", document={"title": "cats", "text": "sleep"})
    writer.update(index="a-self", id="1", doc={"text": "play"}, refresh=True)
    admin = user(secured, "admin")
    (vector,) = admin.perform_request(
        "POST", "/_densehook/_encode", headers=HEADERS, body={"texts": ["cats play"]}
    ).body["texts"]
    stored = admin.get(index="a-self", id="1")["_source"]
    assert stored["text"] == "play"
    assert stored["embedding"] == pytest.approx(vector["vector"], abs=1e-5)
    with pytest.raises(AuthorizationException):
        user(secured, "bob").update(index="a-self", id="1", doc={"text": "fight"})
    with pytest.raises(AuthorizationException):
        writer.get(index="a-self", id="1")


ENDPOINTS: dict[str, tuple[str, str, Any]] = {
    "get": ("GET", "/_densehook", None),
    "manifest": ("GET", "/_densehook/encoders/all-minilm-l6-v2", None),
    "encode": ("POST", "/_densehook/_encode", {"texts": ["a"]}),
    "reload": ("POST", "/_densehook/encoders/_reload", None),
}


def test_endpoints_are_actions_with_privileges_of_their_own(secured: node.NodeState) -> None:
    def call(client: Elasticsearch, endpoint: str) -> None:
        method, path, body = ENDPOINTS[endpoint]
        client.perform_request(method, path, headers=HEADERS, body=body)

    allowed = {"ann": (), "watcher": ("get", "manifest", "encode"), "manager": tuple(ENDPOINTS)}
    for name, theirs in allowed.items():
        for endpoint in ENDPOINTS:
            if endpoint in theirs:
                call(user(secured, name), endpoint)
            else:
                with pytest.raises(AuthorizationException, match=f"user \\[{name}\\]"):
                    call(user(secured, name), endpoint)
    for endpoint in ENDPOINTS:
        with pytest.raises((AuthenticationException, ApiError)) as refusal:
            call(Elasticsearch(secured.url), endpoint)
        assert refusal.value.status_code == 401


def test_a_refused_search_keeps_its_reason_for_who_may_not_see_the_plugin(
    secured: node.NodeState, filled: None
) -> None:
    index = densehook.Index.open(user(secured, "ann"), "a-papers")
    with pytest.raises(ElasticError, match=r"unknown query \[trem\]"):
        index.search("cats", filter={"trem": {"lang": "en"}})


def test_the_local_nodes_greeting_is_denied_as_elasticsearch_denies_it(
    secured: node.NodeState,
) -> None:
    assert user(secured, "watcher").info()["version"]["number"] == VERSION
    with pytest.raises(AuthorizationException, match=r"user \[ann\]"):
        user(secured, "ann").info()
    with pytest.raises(AuthenticationException):
        Elasticsearch(secured.url).info()


def test_a_mapping_is_judged_only_for_whoever_may_put_it(
    secured: node.NodeState, filled: None, minilm: Encoder
) -> None:
    def densehook(encoder: str) -> dict[str, Any]:
        entry = {"input": "text", "encoder": encoder, "fingerprint": minilm.fingerprint}
        return {"_meta": {"densehook": {"fields": {"embedding": entry}}}}

    vector = {"type": "dense_vector", "dims": 384}
    name = minilm.manifest.name
    for client, index in ((user(secured, "bob"), "a-papers"), (user(secured, "cem"), "a-papers")):
        with pytest.raises(AuthorizationException):
            client.indices.put_mapping(index=index, meta=densehook("nobody")["_meta"])
        with pytest.raises(AuthorizationException):
            client.indices.put_settings(index=index, settings={"index.densehook.embed": True})
    cem = user(secured, "cem")
    settings = {"index.densehook.embed": True, "number_of_replicas": 0}
    for encoder, right in (("nobody", False), (name, True)):
        mappings = {**densehook(encoder), "properties": {"embedding": vector}}
        if right:
            cem.indices.create(index="c-own", settings=settings, mappings=mappings)
        else:  # the nodes are asked although cem may not see their encoders
            with pytest.raises(BadRequestError, match=rf"no node has.*there are \[{name}\]"):
                cem.indices.create(index="c-own", settings=settings, mappings=mappings)
    with pytest.raises(AuthorizationException):
        cem.perform_request("GET", "/_densehook", headers=HEADERS)
    cem.indices.put_mapping(index="c-own", meta={"owner": "cem"})
    kept = cem.indices.get_mapping(index="c-own")["c-own"]["mappings"]["_meta"]
    assert kept == {"owner": "cem", **densehook(name)["_meta"]}


# -- who writes and does not read ----------------------------------------------------------------


@pytest.mark.parametrize("index", ["a-papers", "a-self"])
def test_who_may_only_add_documents_gets_their_vectors_made(
    secured: node.NodeState, filled: None, index: str
) -> None:
    admin, texts = user(secured, "admin"), [f"{index} {n}" for n in range(3)]
    for name, verb in (("ada", "create"), ("ida", "index")):
        bulk = [
            line
            for n, text in enumerate(texts)
            for line in ({verb: {"_id": f"{name}-{n}"}}, {"text": text, "title": ""})
        ]
        writer = user(secured, name)
        assert statuses(writer.bulk(index=index, operations=bulk)) == [201] * 3
        # again: who may only add is told, who may index has the vector made of the new text
        again = [
            {**line, "text": f"{line['text']} again"} if "text" in line else line for line in bulk
        ]
        answer = writer.bulk(index=index, operations=again)
        assert statuses(answer) == ([409] * 3 if name == "ada" else [200] * 3)
        writer.index(index=index, document={"text": "one more"}, op_type="create")
        with pytest.raises(AuthorizationException):
            writer.get(index=index, id=f"{name}-0")
        for n, text in enumerate(texts):
            stored = admin.get(index=index, id=f"{name}-{n}")["_source"]
            assert stored["text"] == (text if name == "ada" else f"{text} again")
            assert stored["embedding"] == pytest.approx(vector_of(admin, stored["text"]), abs=1e-5)


def statuses(answer: Any) -> list[int]:
    return [result["status"] for item in answer["items"] for result in item.values()]


def vector_of(admin: Elasticsearch, text: str) -> Any:
    body = {"texts": [text]}
    answer = admin.perform_request("POST", "/_densehook/_encode", headers=HEADERS, body=body).body
    return answer["texts"][0]["vector"]


def api_key(secured: node.NodeState, *privileges: str) -> str:
    rights = {"rights": {"indices": [{"names": ["a-*"], "privileges": [*privileges]}]}}
    made = user(secured, "admin").security.create_api_key(name="a key", role_descriptors=rights)
    return str(made["encoded"])


def test_the_command_line_feeds_with_rights_to_add_and_says_which_are_missing(
    secured: node.NodeState, filled: None, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("".join(f'{{"_id": "fed-{n}", "text": "fed {n}"}}\n' for n in range(5)))
    ingest = ("ingest", "a-papers", corpus, "--url", secured.url)

    def run(*privileges: str) -> subprocess.CompletedProcess[str]:
        key = api_key(secured, *privileges)
        return running_in(tmp_path)(*ingest, DENSEHOOK_ES_API_KEY=key)

    refused = run("create_doc")
    assert refused.returncode == 1
    assert "view_index_metadata" in refused.stderr
    assert "Traceback" not in refused.stderr
    done = run("create_doc", "view_index_metadata")
    assert "indexed 5 documents into a-papers, 0 failed" in succeeded(done)
    assert "the index could not be refreshed" in done.stderr
    stored = user(secured, "admin").get(index="a-papers", id="fed-3")["_source"]
    assert stored["embedding"] == pytest.approx(
        vector_of(user(secured, "admin"), "fed 3"), abs=1e-5
    )


def test_the_command_line_searches_without_cluster_rights_and_says_which_it_needs(
    secured: node.NodeState, filled: None, tmp_path: Path
) -> None:
    admin = user(secured, "admin")
    admin.index(index="a-papers", id="ann", document={"text": "a word"}, refresh=True)

    def run(*privileges: str) -> subprocess.CompletedProcess[str]:
        key = api_key(secured, *privileges)
        search = ("search", "a-papers", "word", "--url", secured.url)
        return running_in(tmp_path)(*search, DENSEHOOK_ES_API_KEY=key)

    assert "a word" in succeeded(run("read", "view_index_metadata"))
    refused = run("read")
    assert refused.returncode == 1
    assert "view_index_metadata" in refused.stderr
    assert "Traceback" not in refused.stderr


# -- fields and documents that are hidden --------------------------------------------------------


@pytest.fixture(scope="module")
def hidden(secured: node.NodeState, minilm: Encoder) -> None:
    """An index that users see a part of; that takes a licence, here one for a trial."""
    admin = user(secured, "admin")
    admin.license.post_start_trial(acknowledge=True)
    create_index(admin, "f-papers", minilm.manifest, inputs=["text"], in_cluster=True)
    admin.indices.put_mapping(index="f-papers", properties={"owner": {"type": "keyword"}})
    for id_, (owner, text) in enumerate(
        (("dan", "cats sleep"), ("eve", "young cats play"), ("dan", "markets fell"))
    ):
        document = {"text": text, "owner": owner}
        admin.index(index="f-papers", id=str(id_), document=document, refresh=True)


@pytest.fixture(scope="module")
def three(
    secured: node.NodeState, hidden: None, m3_bundle: Bundle, pair_bundle: Callable[[str], Bundle]
) -> Iterator[None]:
    """An index of vectors, weights of tokens and token vectors, of which users see a part."""
    admin = user(secured, "admin")
    kinds = ["dense", "sparse", "multi"]
    texts = ("cats sleep", "young cats play", "markets fell", "cats are sold")
    with serving(secured, m3_bundle, pair_bundle("bert"), client=admin):
        create_index(
            admin, "f-three", m3_bundle.manifest, inputs=["text"], kinds=kinds, in_cluster=True
        )
        admin.indices.put_mapping(index="f-three", properties={"owner": {"type": "keyword"}})
        for n, text in enumerate(texts):
            document = {"text": text, "owner": "eve" if n == 1 else "dan"}
            admin.index(index="f-three", id=str(n), document=document, refresh=True)
        yield


def searches_of_kinds(
    weights: str = "weights", tokens: str = "tokens", text: str = "text"
) -> dict[str, dict[str, Any]]:
    """Ways of searching by weights and by token vectors, and of ranking by what a text says."""
    every = {"standard": {"query": {"match_all": {}}}}
    by_tokens = {"field": tokens, "text": "cats"}
    pairs = {"encoder": "tiny-bert-pairs", "text": "cats", "field": text}
    return {
        "sparse": {"query": {"sparse": {"field": weights, "text": "cats"}}},
        "sparse in hybrid": {"retriever": {"hybrid": {"query": "cats", "fields": [text, weights]}}},
        "maxsim": {"query": {"maxsim": by_tokens}},
        "maxsim of a window": {"retriever": {"maxsim": {"retriever": every, **by_tokens}}},
        "rerank": {"retriever": {"rerank": {"retriever": every, **pairs}}},
    }


def searches(vector: str = "embedding", text: str = "text") -> dict[str, dict[str, Any]]:
    """Every way of searching these two fields."""
    dense = {"dense": {"field": vector, "text": "cats"}}
    match = {"match": {text: "cats"}}
    knn = {
        "field": vector,
        "k": 2,
        "num_candidates": 10,
        "query_vector_builder": {"densehook": {"text": "cats", "encoder": "all-minilm-l6-v2"}},
    }
    long = {"hybrid": {"retrievers": [{"standard": {"query": match}}, {"knn": knn}]}}
    return {
        "dense": {"query": dense},
        "dense in a bool": {"query": {"bool": {"should": [dense, match]}}},
        "builder": {"knn": knn},
        "long hybrid": {"retriever": long},
        "short hybrid": {"retriever": {"hybrid": {"query": "cats", "fields": [text, vector]}}},
        "a vector alone": {"retriever": {"hybrid": {"query": "cats", "fields": [vector]}}},
        "a text alone": {"retriever": {"hybrid": {"query": "cats", "fields": [text]}}},
        "boosted": {"retriever": {"hybrid": {"query": "cats", "fields": [f"{text}^2", vector]}}},
    }


def answered(client: Elasticsearch, body: dict[str, Any], index: str = "f-papers") -> Any:
    """Ids and scores by rank, or what the refusal says."""
    try:
        hits = client.search(index=index, **body)["hits"]["hits"]
    except BadRequestError as refusal:
        return refusal.body["error"]["root_cause"][0]["reason"]
    return [(hit["_id"], hit["_score"]) for hit in hits]


def parts_of(explanation: dict[str, Any]) -> list[dict[str, Any]]:
    """What each list of a fusion says of a hit."""
    while not explanation["description"].startswith("fused rank"):
        (explanation, *_) = explanation["details"]
    return list(explanation["details"])


@pytest.mark.parametrize(
    ("name", "kind", "field", "seen"),
    [
        ("noa", "vector", "embedding", ["owner", "text"]),
        ("tim", "text", "text", ["densehook", "embedding", "owner"]),
    ],
)
def test_a_field_the_caller_may_not_see_answers_as_if_it_were_not_mapped(
    secured: node.NodeState, hidden: None, name: str, kind: str, field: str, seen: list[str]
) -> None:
    admin, caller = user(secured, "admin"), user(secured, name)
    asked, unmapped = searches(), searches(**{kind: "nowhere"})
    for way, body in asked.items():
        expected = json.dumps(answered(admin, unmapped[way]))
        answer = json.dumps(answered(caller, body))
        assert answer.replace(f"[{field}]", "[nowhere]") == expected.replace(
            f"[{field}]", "[nowhere]"
        ), way
        concerned = body != unmapped[way]
        assert (answer != json.dumps(answered(admin, body))) == concerned, way
    for hit in caller.search(index="f-papers", explain=True, **asked["long hybrid"])["hits"][
        "hits"
    ]:
        lists = [part["description"] for part in parts_of(hit["_explanation"])]
        hidden_list, other = lists if kind == "text" else reversed(lists)
        assert "did not return this document" in hidden_list
        assert "rank [" in other
    mapping = caller.indices.get_mapping(index="f-papers")["f-papers"]["mappings"]
    assert sorted(mapping["properties"]) == seen


def test_a_short_form_that_names_no_fields_searches_those_the_caller_sees(
    secured: node.NodeState, hidden: None
) -> None:
    implied = {"hybrid": {"query": "cats"}}
    lexical = {"standard": {"query": {"match": {"text": "cats"}}}}
    found = {
        name: user(secured, name).search(index="f-papers", retriever=implied, explain=True)
        for name in ("admin", "noa", "tim")
    }
    ids = {name: [hit["_id"] for hit in found[name]["hits"]["hits"]] for name in found}
    assert sorted(ids["admin"]) == sorted(ids["tim"]) == ["0", "1", "2"]
    by_text = user(secured, "admin").search(index="f-papers", retriever=lexical)["hits"]["hits"]
    assert ids["noa"] == [hit["_id"] for hit in by_text]
    for name, hits in found.items():
        said = json.dumps([hit["_explanation"] for hit in hits["hits"]["hits"]])
        assert ("[embedding]" in said) == (name != "noa")
        assert ("[text]" in said) == (name != "tim")
    both = {"fields": ["embedding", "text"], "query": {"match": {"text": "cats"}}}
    for hit in user(secured, "noa").search(index="f-papers", **both)["hits"]["hits"]:
        assert set(hit["_source"]) == {"owner", "text"}
        assert set(hit["fields"]) == {"text"}


def test_documents_the_caller_may_not_see_are_in_no_answer(
    secured: node.NodeState, hidden: None
) -> None:
    caller = user(secured, "dan")
    for way, body in searches().items():
        answer = caller.search(index="f-papers", **body)["hits"]
        ids = {hit["_id"] for hit in answer["hits"]}
        assert ids == ({"0"} if way == "a text alone" else {"0", "2"}), way
        assert answer["total"]["value"] == len(ids), way
    owners = {"owners": {"terms": {"field": "owner"}}}
    counted = caller.search(index="f-papers", **searches()["dense"], aggregations=owners)
    assert [b["key"] for b in counted["aggregations"]["owners"]["buckets"]] == ["dan"]


@pytest.mark.parametrize(
    ("name", "hides", "ways"),
    [
        ("noa", {"weights", "tokens"}, {"sparse", "sparse in hybrid", "maxsim"}),
        ("tim", {"text"}, {"sparse in hybrid", "rerank"}),
    ],
)
def test_no_kind_of_search_reads_a_field_that_the_caller_may_not_see(
    secured: node.NodeState, three: None, name: str, hides: set[str], ways: set[str]
) -> None:
    admin, caller = user(secured, "admin"), user(secured, name)
    asked = searches_of_kinds()
    unmapped = searches_of_kinds(**dict.fromkeys(hides, "nowhere"))
    told = {
        way: [
            json.dumps(answered(client, body[way], "f-three"))
            for client, body in ((caller, asked), (admin, unmapped), (admin, asked))
        ]
        for way in asked
    }
    for way, (seen, expected, whole) in told.items():
        for field in hides:
            seen = seen.replace(f"[{field}]", "[nowhere]")
        assert seen == expected, way
        assert (seen == whole) == (asked[way] == unmapped[way]), way
    assert ways <= {way for way in asked if asked[way] != unmapped[way]}


def test_no_kind_of_search_answers_with_documents_that_the_caller_may_not_see(
    secured: node.NodeState, three: None
) -> None:
    caller = user(secured, "dan")
    for way, body in searches_of_kinds().items():
        answer = caller.search(index="f-three", **body)["hits"]
        ids = {hit["_id"] for hit in answer["hits"]}
        assert ids and ids <= {"0", "2", "3"}, way
