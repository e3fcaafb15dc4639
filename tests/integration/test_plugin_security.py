"""The plugin with security on: who may do what, and whose request is whose."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
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

from densehook import node
from densehook.bundle import Bundle
from densehook.elastic.cluster import encoders_of, reload_encoders
from densehook.elastic.indices import create_index
from densehook.encode import Encoder
from densehook.errors import ElasticError
from densehook.java import find_java
from java_plugins import made_plugin

VERSION = "8.19.21"
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
"""
USERS = {"admin": "admin", "manager": "manager", "watcher": "watcher"}
USERS |= {"ann": "a_only", "bob": "b_only", "wim": "writes_a", "cem": "owns_c"}


@pytest.fixture(scope="module")
def secured(minilm_bundle: Bundle) -> Iterator[node.NodeState]:
    """A node with security on, users of different rights, and the plugin."""
    archive = node.built_plugin(VERSION)
    assert archive is not None, "the plugin is not built; build it with: make plugin"
    home = Path(tempfile.mkdtemp(prefix="densehook-security-"))
    home.chmod(0o755)
    try:
        started = node.start(VERSION, home)  # which fetches it: users are made by its own script
        node.stop(home)
        lib = started.config.parent / "lib"
        plugins = [archive, made_plugin("SecurityAnalysisPlugin", VERSION, home, lib)]
        (started.config / "roles.yml").write_text(ROLES)
        for name, role in USERS.items():
            program = lib.parent / "bin" / "elasticsearch-users"
            subprocess.run(
                [program, "useradd", name, "-p", PASSWORD, "-r", role],
                env={**os.environ, "ES_JAVA_HOME": str(find_java(17))},
                check=True,
                capture_output=True,
            )
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


def test_endpoints_are_actions_with_privileges_of_their_own(secured: node.NodeState) -> None:
    def reload(client: Elasticsearch) -> None:
        client.perform_request("POST", "/_densehook/encoders/_reload", headers=HEADERS)

    def encode(client: Elasticsearch) -> None:
        body = {"texts": ["a"]}
        client.perform_request("POST", "/_densehook/_encode", headers=HEADERS, body=body)

    def get(client: Elasticsearch) -> None:
        client.perform_request("GET", "/_densehook", headers=HEADERS)

    allowed = {"ann": (), "watcher": (get, encode), "manager": (get, encode, reload)}
    for name, theirs in allowed.items():
        for call in (get, encode, reload):
            if call in theirs:
                call(user(secured, name))
            else:
                with pytest.raises(AuthorizationException, match=f"user \\[{name}\\]"):
                    call(user(secured, name))
    for call in (get, encode, reload):
        with pytest.raises((AuthenticationException, ApiError)) as refusal:
            call(Elasticsearch(secured.url))
        assert refusal.value.status_code == 401


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
