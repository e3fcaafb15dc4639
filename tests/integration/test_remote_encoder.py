"""An encoder that only the cluster has does what one in this process does."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elasticsearch import AsyncElasticsearch, Elasticsearch

import densehook
from command_line import running_in, succeeded
from densehook.elastic import remote
from densehook.elastic.remote import RemoteEncoder
from densehook.encode import Encoder
from densehook.errors import (
    ElasticError,
    EncodeError,
    EncoderMismatch,
    NotInService,
    RequestError,
)
from densehook.node import NodeState

NAME = "all-minilm-l6-v2"
TEXTS = ["how do vaccines work", "Young cats play all night.", "äöü 猫"]
ROWS = [
    {"_id": "cats", "text": "Young cats play all night."},
    {"_id": "shots", "text": "Vaccines train the immune system."},
]


@pytest.fixture(scope="module")
def there(plugin_client: Elasticsearch) -> RemoteEncoder:
    return densehook.load(NAME, es=plugin_client)


def test_it_is_the_same_encoder_and_gives_the_same_vectors(
    there: RemoteEncoder, minilm: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert there.manifest == minilm.manifest
    assert (there.fingerprint, there.dims) == (minilm.fingerprint, minilm.dims)
    monkeypatch.setattr(remote, "_MOST_TEXTS", 2)  # so that there are two requests
    for name in ("encode_queries", "encode_documents"):
        found, expected = getattr(there, name)(TEXTS), getattr(minilm, name)(TEXTS)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=1e-5)
        np.testing.assert_allclose(getattr(there, name)(TEXTS[0]), expected[0], atol=1e-5)
        assert getattr(there, name)([]).shape == (0, minilm.dims)


def test_an_index_needs_no_bundle_here(
    plugin_client: Elasticsearch, plugin_index: str, there: RemoteEncoder
) -> None:
    index = densehook.Index.create(plugin_client, plugin_index, there, inputs=["text"])
    assert repr(index).endswith("encoded in the cluster>")
    assert index.ingest(ROWS).indexed == len(ROWS)
    for opened in (index, densehook.Index.open(plugin_client, plugin_index, there)):
        assert opened.search("how do vaccines work")[0].id == "shots"
        assert opened.search("kittens", mode="dense")[0].id == "cats"


def test_an_index_filled_from_here_is_searched_by_it_in_one_request(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder, there: RemoteEncoder
) -> None:
    made = densehook.Index.create(
        plugin_client, plugin_index, minilm, inputs=["text"], in_cluster=False
    )
    made.ingest(ROWS)
    for encoder in (there, None):  # which the cluster is asked for
        index = densehook.Index.open(plugin_client, plugin_index, encoder)
        assert len(index.asking.searches(["kittens"], densehook.Asked(), [None])[0]) == 1
        assert index.search("kittens", mode="dense")[0].id == "cats"
        assert index.search("kittens")[0].id == "cats"
        assert index.searcher().search({"q": "kittens"}, "dense", 2)["q"][0].id == "cats"
        with pytest.raises(RequestError, match=f"{NAME}"):
            index.ingest(ROWS, replace=True)


def test_a_command_needs_no_bundle_here(
    plugin_client: Elasticsearch, plugin_node: NodeState, plugin_index: str, tmp_path: Path
) -> None:
    run = running_in(tmp_path, DENSEHOOK_ES_URL=plugin_node.url, DENSEHOOK_MODELS=str(tmp_path))
    create = ("create", plugin_index, "--encoder", NAME, "--input", "text")
    without = run(*create, "--not-in-cluster")
    assert f"error: no bundle '{NAME}'" in without.stderr
    nowhere = run("create", plugin_index, "--encoder", "gone")
    assert "no bundle 'gone'" in nowhere.stderr
    assert f"nor does the cluster give it: {plugin_node.url} refused: 404" in nowhere.stderr
    made = succeeded(run(*create))
    assert f"by {NAME} sha256:3c009362" in made
    assert f"in the cluster, by the ingest pipeline densehook-{plugin_index}" in made
    assert densehook.Index.open(plugin_client, plugin_index).provenance.in_cluster


def test_a_command_searches_by_the_clusters_encoder_and_does_not_ingest_by_it(
    plugin_client: Elasticsearch,
    plugin_node: NodeState,
    plugin_index: str,
    minilm: Encoder,
    tmp_path: Path,
) -> None:
    densehook.Index.create(
        plugin_client, plugin_index, minilm, inputs=["text"], in_cluster=False
    ).ingest(ROWS)
    run = running_in(tmp_path, DENSEHOOK_ES_URL=plugin_node.url, DENSEHOOK_MODELS=str(tmp_path))
    assert "Young cats" in succeeded(run("search", plugin_index, "kittens", "--mode", "dense"))
    (tmp_path / "rows.jsonl").write_text('{"id": "1", "text": "a dog"}')
    refused = run("ingest", plugin_index, "rows.jsonl")
    assert f"was made with the encoder '{NAME}'; no bundle '{NAME}'" in refused.stderr


def test_a_text_that_is_cut_is_told(there: RemoteEncoder, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        there.encode_documents(["cat " * 300, "cat"])
    assert "1 of 2 texts are over 256 tokens: 46 tokens were not encoded" in caplog.text


def test_what_cannot_be_is_one_line(there: RemoteEncoder, plugin_client: Elasticsearch) -> None:
    with pytest.raises(ElasticError, match=rf"404 encoder \[gone/x\] is not on .* has \[{NAME}\]"):
        densehook.load("gone/x", es=plugin_client)
    with pytest.raises(EncodeError, match="text 1 is of type int, not a string"):
        there.encode_queries(["a", 1])  # type: ignore[list-item]
    other = RemoteEncoder(plugin_client, replace(there.manifest, joiner="\n"))
    with pytest.raises(EncoderMismatch, match=r"in the cluster is sha256:\w+ now, it was .* again"):
        other.encode_queries("a")
    with pytest.raises(RequestError, match="AsyncElasticsearch"):
        densehook.load(NAME, es=AsyncElasticsearch("http://127.0.0.1:9"))  # type: ignore[call-overload]


def test_a_cluster_without_the_plugin_says_so(
    client: Elasticsearch, node_url: str, index: str, tiny: Encoder
) -> None:
    with pytest.raises(NotInService, match=r"no densehook plugin; .* or load a bundle that is"):
        densehook.load(NAME, es=client)
    with pytest.raises(NotInService, match="the cluster has no densehook plugin; install it"):
        densehook.Index.create(client, index, tiny, inputs=["text"], in_cluster=True)
    body: dict[str, Any] = {"index.default_pipeline": f"densehook-{index}"}
    made = densehook.Index.create(client, index, tiny, inputs=["text"])  # which encodes here
    client.indices.put_settings(index=index, settings=body)
    left = densehook.Index.open(client, made.name)  # by a plugin that is gone
    for mode in ("dense", "hybrid"):
        with pytest.raises(NotInService, match=r"no densehook plugin; .* give the bundle"):
            left.search("kittens", mode=mode)

    async def awaited(url: str) -> None:
        async with AsyncElasticsearch(url) as es:
            opened = await densehook.AsyncIndex.open(es, made.name)
            with pytest.raises(NotInService, match=r"no densehook plugin; .* give the bundle"):
                await opened.search("kittens")

    asyncio.run(awaited(node_url))
