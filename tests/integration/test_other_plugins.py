"""A node that has other plugins too: names they have taken, and failure stores of data streams."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import pytest
from elasticsearch import BadRequestError, Elasticsearch

from conftest import CrowdedNode
from densehook.bundle import write_manifest
from densehook.elastic.cluster import encoders_of, reload_encoders
from densehook.elastic.indices import create_index

# -- names that another plugin has taken ---------------------------------------------------------


def test_a_node_that_does_not_start_for_a_name_says_which_and_what_to_set(
    crowded_node: CrowdedNode,
) -> None:
    said = crowded_node.refusal
    assert "NamedXContent [org.elasticsearch.index.query.QueryBuilder][dense]" in said
    assert "is already registered" in said
    assert "SetDensehookSearchPlainNamesToFalse" in said


@pytest.fixture
def filled(crowded_node: CrowdedNode) -> Iterator[str]:
    index = "other-names"
    client, manifest = crowded_node.client, crowded_node.encoder.manifest
    create_index(client, index, manifest, inputs=["text"], in_cluster=True)
    for id_, text in enumerate(("cats sleep", "markets fell")):
        client.index(index=index, id=str(id_), document={"text": text}, refresh=True)
    yield index
    client.indices.delete(index=index)
    client.ingest.delete_pipeline(id=f"densehook-{index}")


def test_what_has_lost_its_plain_names_is_there_by_its_own(
    crowded_node: CrowdedNode, filled: str
) -> None:
    client = crowded_node.client
    dense = {"field": "embedding", "text": "cats sleep", "k": 1}
    (first,) = client.search(index=filled, query={"densehook_dense": dense})["hits"]["hits"]
    assert (first["_id"], first["_score"]) == ("0", pytest.approx(1, abs=1e-4))
    hybrid = {"query": "cats", "fields": ["text", "embedding"]}
    found = client.search(index=filled, retriever={"densehook_hybrid": hybrid})["hits"]["hits"]
    assert {hit["_id"] for hit in found} == {"0", "1"}
    inner = [{"standard": {"query": {"densehook_dense": dense}}}]
    nested = {"densehook_hybrid": {"retrievers": inner}}
    (only,) = client.search(index=filled, retriever=nested)["hits"]["hits"]
    assert only["_id"] == "0"


def test_the_plain_names_mean_what_the_other_plugin_says(
    crowded_node: CrowdedNode, filled: str
) -> None:
    client = crowded_node.client
    for body in (
        {"query": {"dense": {}}},
        {"retriever": {"hybrid": {"query": {"match_all": {}}}}},
    ):
        assert client.search(index=filled, **body)["hits"]["total"]["value"] == 2
    with pytest.raises(BadRequestError, match=r"\[standard\]"):
        client.search(index=filled, retriever={"hybrid": {"query": "cats", "fields": ["text"]}})


# -- failure stores ------------------------------------------------------------------------------


class LoadingEncoder:
    """A bundle whose manifest the node waits for: in its place is a pipe nobody has written to."""

    def __init__(self, crowded: CrowdedNode, name: str) -> None:
        self.name = name
        self._client = crowded.client
        self._manifest = replace(crowded.bundle.manifest, name=name)
        self._folder = crowded.state.config / "densehook" / name
        shutil.copytree(crowded.bundle.path, self._folder)
        self._pipe = self._folder / "encoder.json"
        self._pipe.unlink()
        os.mkfifo(self._pipe)
        readable(self._folder)
        self._reload = threading.Thread(target=reload_encoders, args=[crowded.client])
        self._reload.start()
        within_seconds(lambda: self.name in [each.name for each in encoders_of(self._client) or []])

    def arrives(self) -> None:
        """Lets the node read the manifest; returns when the encoder is in service."""
        if not self._pipe.is_fifo():
            return
        with self._opened() as pipe:
            self._pipe.unlink()
            write_manifest(self._folder, self._manifest, list(self._manifest.files))
            readable(self._folder)
            pipe.write(self._pipe.read_text())
        self._reload.join()

    def _opened(self) -> TextIO:
        opened: list[int] = []

        def node_reads() -> bool:
            with contextlib.suppress(OSError):
                opened.append(os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK))
            return bool(opened)

        within_seconds(node_reads)
        return os.fdopen(opened[0], "w")

    def remove(self) -> None:
        self.arrives()
        shutil.rmtree(self._folder)
        reload_encoders(self._client)


def within_seconds(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def readable(folder: Path) -> None:
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)


@pytest.fixture
def loading(crowded_node: CrowdedNode) -> Iterator[LoadingEncoder]:
    encoder = LoadingEncoder(crowded_node, "slow")
    yield encoder
    encoder.remove()


def test_what_an_encoder_turns_away_for_now_is_a_429_and_not_in_the_failure_store(
    crowded_node: CrowdedNode, loading: LoadingEncoder
) -> None:
    client, stream = crowded_node.client, "passages-of-a-stream"
    processor = {"encoder": loading.name, "input": "text", "output": "embedding"}
    client.ingest.put_pipeline(id=stream, processors=[{"densehook": processor}])
    client.indices.put_index_template(
        name=stream,
        index_patterns=[stream],
        data_stream={},
        template={
            "settings": {"number_of_replicas": 0, "index.default_pipeline": stream},
            "mappings": {"properties": {"embedding": {"type": "dense_vector", "dims": 32}}},
            "data_stream_options": {"failure_store": {"enabled": True}},
        },
    )
    item = written(client, stream, "turned away")
    assert item["status"] == 429, item
    assert item["error"]["type"] == "es_rejected_execution_exception"
    assert f"encoder [{loading.name}] is still loading" in item["error"]["reason"]
    assert "failure_store" not in item or item["failure_store"] != "used"

    loading.arrives()
    assert written(client, stream, "turned away") == {"status": 201}  # sent again, as 429 asks
    client.indices.refresh(index=stream)
    assert client.count(index=stream, query={"exists": {"field": "embedding"}})["count"] == 1
    # what fails for good is kept there: the store is a real one
    assert written(client, stream, None) == {"status": 201, "failure_store": "used"}
    client.indices.refresh(index=f"{stream}::failures")
    (kept,) = client.search(index=f"{stream}::failures")["hits"]["hits"]
    assert "text" in kept["_source"]["error"]["message"]
    assert kept["_source"]["document"]["source"]["body"] == "kept"


def written(client: Elasticsearch, stream: str, text: str | None) -> dict[str, Any]:
    """What became of one document, without the client's sending it again."""
    document = {"@timestamp": "2026-01-01T00:00:00Z", "body": "kept"}
    document |= {} if text is None else {"text": text}
    once = client.options(max_retries=0, retry_on_status=())
    answer = once.bulk(index=stream, operations=[{"create": {}}, document])
    (item,) = answer["items"]
    return {
        name: value
        for name, value in item["create"].items()
        if name in ("status", "error", "failure_store")
    }
