"""What goes wrong around the plugin: a full queue, a killed node, an encoder on one node only."""

from __future__ import annotations

import os
import re
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from elastic_transport import ConnectionError as Unreachable
from elasticsearch import ApiError, BadRequestError, Elasticsearch, NotFoundError

from conftest import own_node
from densehook import node
from densehook.bundle import Bundle, write_manifest
from densehook.elastic.cluster import encoders_of, reload_encoders
from densehook.elastic.connect import connect
from densehook.elastic.indices import create_index
from densehook.encode import Encoder
from versions import DISTRIBUTION, VERSIONS

VERSION = DISTRIBUTION
HEADERS = {"accept": "application/json", "content-type": "application/json"}


# -- a full queue --------------------------------------------------------------------------------


@pytest.fixture
def small_queue(plugin_client: Elasticsearch) -> Iterator[None]:
    setting = "densehook.ingest.queue_tokens"
    plugin_client.cluster.put_settings(persistent={setting: 500})
    yield
    plugin_client.cluster.put_settings(persistent={setting: None})


@pytest.mark.parametrize("way", ["pipeline", "index setting"])
def test_64_bulks_against_a_small_queue_wait_and_none_is_turned_away(
    plugin_client: Elasticsearch,
    plugin_index: str,
    minilm: Encoder,
    small_queue: None,
    way: str,
) -> None:
    by_pipeline = way == "pipeline"
    create_index(
        plugin_client, plugin_index, minilm.manifest, inputs=["text"], in_cluster=by_pipeline
    )
    if not by_pipeline:
        setting = {"index.densehook.embed": True}
        plugin_client.indices.put_settings(index=plugin_index, settings=setting)
    before = encoder_of(plugin_client)["ingest"]

    def send(bulk: int) -> set[int]:
        operations = [
            line
            for i in range(12)
            for line in ({"index": {"_id": f"{bulk}-{i}"}}, {"text": f"word {i} " * 12})
        ]
        once = plugin_client.options(request_timeout=600, max_retries=0, retry_on_status=())
        answer = once.bulk(index=plugin_index, operations=operations)
        return {item["index"]["status"] for item in answer["items"]}

    with ThreadPoolExecutor(64) as senders:
        assert set().union(*senders.map(send, range(64))) == {201}
    plugin_client.indices.refresh(index=plugin_index)
    with_vector = {"exists": {"field": "embedding"}}
    assert plugin_client.count(index=plugin_index, query=with_vector)["count"] == 64 * 12
    after = encoder_of(plugin_client)["ingest"]
    assert after["rejected"] == before["rejected"]
    assert after["failed"] == before["failed"]


def encoder_of(client: Elasticsearch) -> dict[str, Any]:
    """What GET /_densehook says of the one encoder."""
    answer = client.perform_request("GET", "/_densehook", headers=HEADERS).body
    (only,) = answer["nodes"].values()
    return dict(only["encoders"]["all-minilm-l6-v2"])


# -- a query that waits too long, a text that is refused ------------------------------------------


WAITING = 160
"""Queries of the longest kind; a node takes seconds to encode them."""


def test_a_search_leaves_the_queue_when_it_is_cancelled_or_its_time_is_over(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder
) -> None:
    create_index(plugin_client, plugin_index, minilm.manifest, inputs=["text"])
    before = encoder_of(plugin_client)["query"]
    once = plugin_client.options(max_retries=0, retry_on_status=(), request_timeout=600)

    def keep_busy() -> None:
        texts = [f"{number} {plugin_index} " + "word " * 300 for number in range(WAITING)]
        body = {"texts": texts, "role": "query"}
        once.perform_request("POST", "/_densehook/_encode", headers=HEADERS, body=body)

    def search(text: str, **more: Any) -> ApiError | None:
        knn = {
            "field": "embedding",
            "k": 1,
            "num_candidates": 1,
            "query_vector_builder": {"densehook": {"text": text}},
        }
        try:
            assert once.search(index=plugin_index, knn=knn, **more)["hits"]["hits"] == []
        except ApiError as error:
            return error
        return None

    def searching() -> list[str]:
        tasks = plugin_client.tasks.list(actions="*search", detailed=True, group_by="none")["tasks"]
        return [f"{t['node']}:{t['id']}" for t in tasks if plugin_index in t["description"]]

    with ThreadPoolExecutor(2) as callers:
        busy = callers.submit(keep_busy)
        wait_for(lambda: encoder_of(plugin_client)["query"]["queue_tokens"] > WAITING * 128)
        patient = callers.submit(search, "to be cancelled")
        wait_for(lambda: len(searching()) == 1)

        hasty = search("to be late", timeout="20ms")
        plugin_client.cluster.put_settings(persistent={"densehook.query.max_wait": "15ms"})
        try:
            late = search("to be later than any may be")
        finally:
            plugin_client.cluster.put_settings(persistent={"densehook.query.max_wait": None})
        for waited, error in ((r"\S+", hasty), ("15ms", late)):
            assert error is not None
            assert error.status_code == 429
            assert re.search(f"a query waited {waited} for its vector", str(error.body))

        assert not patient.done()
        plugin_client.tasks.cancel(task_id=searching()[0])
        cancelled = patient.result()
        assert encoder_of(plugin_client)["query"]["queue_tokens"] > 0  # it was not its turn yet
        assert cancelled is not None
        assert "the search was cancelled" in str(cancelled.body)
        assert searching() == []
        busy.result()
    after = encoder_of(plugin_client)["query"]
    assert after["texts"] - before["texts"] == WAITING  # none of the three was encoded
    assert after["timed_out"] - before["timed_out"] == 2
    assert after["cancelled"] - before["cancelled"] == 1
    assert search("to be late") is None  # now there is time


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_text_that_is_refused_is_counted_and_costs_its_bulk_nothing(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder
) -> None:
    create_index(plugin_client, plugin_index, minilm.manifest, inputs=["text"], in_cluster=True)
    before = encoder_of(plugin_client)["ingest"]["failed"]
    texts = ["fits", "is far too long " * 20, "fits too"]
    operations = [line for text in texts for line in ({"index": {}}, {"text": text})]
    plugin_client.cluster.put_settings(persistent={"densehook.text.max_length": 100})
    try:
        items = plugin_client.bulk(index=plugin_index, operations=operations)["items"]
    finally:
        plugin_client.cluster.put_settings(persistent={"densehook.text.max_length": None})
    assert [item["index"]["status"] for item in items] == [201, 400, 201]
    assert encoder_of(plugin_client)["ingest"]["failed"] == before + 1


def test_the_pools_of_the_plugin_are_shown_beside_elasticsearchs_own(
    plugin_client: Elasticsearch,
) -> None:
    pools = plugin_client.cat.thread_pool(
        thread_pool_patterns="densehook_*", format="json", h="name,size,max"
    )
    by_name = {pool["name"]: pool for pool in pools}
    names = {f"densehook_{name}" for name in ("document", "query", "read", "rerank")}
    assert set(by_name) == names
    assert by_name["densehook_document"]["size"] == by_name["densehook_query"]["size"] == "1"


# -- a killed node -------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_acknowledged_before_a_kill_is_there_with_its_vector(
    minilm_bundle: Bundle, minilm: Encoder, version: str
) -> None:
    with own_node(version, minilm_bundle) as started:
        client = connect(started.url)
        create_index(client, "killed", minilm.manifest, inputs=["text"], in_cluster=True)
        acknowledged: list[str] = []

        def send() -> None:
            eager = client.options(max_retries=0, request_timeout=60)
            for bulk in range(1000):
                ids = [f"{bulk}-{i}" for i in range(25)]
                operations = [
                    part
                    for id_ in ids
                    for part in ({"index": {"_id": id_}}, {"text": f"a text about {id_} " * 9})
                ]
                try:
                    answer = eager.bulk(index="killed", operations=operations)
                except (Unreachable, ApiError):
                    return
                acknowledged.extend(
                    item["index"]["_id"]
                    for item in answer["items"]
                    if item["index"]["status"] == 201
                )

        senders = [threading.Thread(target=send) for _ in range(2)]
        for sender in senders:
            sender.start()
        deadline = time.monotonic() + 60
        while len(acknowledged) < 100 and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(started.pid, signal.SIGKILL)  # in the middle of two bulks
        for sender in senders:
            sender.join()
        assert len(acknowledged) >= 100
        again = connect(node.start(version, started.home).url)
        again.cluster.health(index="killed", wait_for_status="yellow", timeout="60s")
        again.indices.refresh(index="killed")
        for start in range(0, len(acknowledged), 500):
            ids = acknowledged[start : start + 500]
            query = {
                "bool": {"filter": [{"ids": {"values": ids}}, {"exists": {"field": "embedding"}}]}
            }
            assert again.count(index="killed", query=query)["count"] == len(set(ids))


# -- an encoder on one of two nodes --------------------------------------------------------------


def test_with_the_encoder_on_one_node_only_each_says_what_it_has(
    two_nodes: tuple[Elasticsearch, Elasticsearch], minilm: Encoder
) -> None:
    one, two = two_nodes
    for client in two_nodes:
        assert [(e.node, e.name) for e in encoders_of(client) or []] == [
            ("one", minilm.manifest.name)
        ]
    with pytest.raises(NotFoundError, match=r"node \[two\] has no encoder in service"):
        two.perform_request("POST", "/_densehook/_encode", headers=HEADERS, body={"texts": ["a"]})
    create_index(
        one, "both", minilm.manifest, inputs=["text"], shards=4, replicas=1, in_cluster=True
    )
    texts = ["cats sleep", "vaccines train the immune system", "markets fell", "kittens play"]
    before = texts_encoded(one)
    operations = [
        part
        for i, text in enumerate(texts)
        for part in ({"index": {"_id": str(i)}}, {"text": text})
    ]
    # a node that does no ingest passes the bulk on to one that does
    assert not two.bulk(index="both", operations=operations, refresh=True)["errors"]
    assert texts_encoded(one) - before == len(texts)  # replicas were not encoded again
    one.cluster.health(index="both", wait_for_status="green", timeout="60s")

    hybrid = {"hybrid": {"query": "young cats", "fields": ["text", "embedding"]}}
    found = one.search(index="both", retriever=hybrid, explain=True)["hits"]["hits"]
    assert {hit["_id"] for hit in found[:2]} == {"0", "3"}
    assert "contribution" in str(found[0]["_explanation"])
    dense = {"dense": {"field": "embedding", "text": "young cats"}}
    assert one.search(index="both", query=dense)["hits"]["hits"]
    for body in ({"query": dense}, {"retriever": hybrid}):
        with pytest.raises(NotFoundError, match="resource_not_found_exception") as refusal:
            two.search(index="both", **body)
        assert "is not on node [two]" in str(refusal.value.body)


def test_an_index_that_embeds_by_itself_says_which_node_lacks_the_encoder(
    two_nodes: tuple[Elasticsearch, Elasticsearch], minilm: Encoder
) -> None:
    one, two = two_nodes
    create_index(one, "self", minilm.manifest, inputs=["text"], shards=2, replicas=1)
    one.indices.put_settings(index="self", settings={"index.densehook.embed": True})
    one.index(index="self", id="1", document={"text": "cats sleep"}, refresh=True)
    assert one.count(index="self", query={"exists": {"field": "embedding"}})["count"] == 1
    with pytest.raises(NotFoundError, match=r"is not on node \[two\]"):
        two.index(index="self", id="2", document={"text": "cats sleep"})
    assert not one.exists(index="self", id="2")


def texts_encoded(client: Elasticsearch) -> int:
    answer = client.perform_request("GET", "/_densehook", headers=HEADERS).body
    encoders = [e for n in answer["nodes"].values() for e in n["encoders"].values()]
    return sum(int(encoder["ingest"]["texts"]) for encoder in encoders)


# -- an encoder that is still loading ------------------------------------------------------------


def test_an_encoder_that_is_still_loading_says_so(
    plugin_node: node.NodeState, plugin_client: Elasticsearch, minilm_bundle: Bundle
) -> None:
    name = "second-minilm"
    folder = plugin_node.config / "densehook" / name
    shutil.copytree(minilm_bundle.path, folder)
    manifest = replace(minilm_bundle.manifest, name=name)
    write_manifest(folder, manifest, list(manifest.files))
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    reload = threading.Thread(target=reload_encoders, args=[plugin_client])
    seen = []
    unnamed = []
    try:
        reload.start()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                body = {"texts": ["a"], "encoder": name}
                plugin_client.options(max_retries=0, retry_on_status=()).perform_request(
                    "POST", "/_densehook/_encode", headers=HEADERS, body=body
                )
                break
            except ApiError as error:
                seen.append((error.status_code, str(error.body)))
                if error.status_code == 429:
                    unnamed.append(encodes_without_a_name(plugin_client))
    finally:
        reload.join()
        shutil.rmtree(folder)
        reload_encoders(plugin_client)
    # one that is loading is not in the way of the one in service; at the end both are there
    assert unnamed[:-1]
    assert all(unnamed[:-1])
    loading = [text for status, text in seen if status == 429]
    assert loading
    assert all("is still loading on node [densehook]" in text for text in loading)
    assert all("is not on node [densehook]" in text for status, text in seen if status == 404)


def encodes_without_a_name(client: Elasticsearch) -> bool:
    body = {"texts": ["a"]}
    try:
        client.perform_request("POST", "/_densehook/_encode", headers=HEADERS, body=body)
    except BadRequestError:
        return False
    return True
