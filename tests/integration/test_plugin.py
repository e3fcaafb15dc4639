"""The plugin in a real node: processor, vector builder, dense query, endpoints, analyzer."""

from __future__ import annotations

import json
import random
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elasticsearch import ApiError, BadRequestError, Elasticsearch, NotFoundError

from conftest import serving
from densehook import node
from densehook.bundle import Bundle, write_manifest
from densehook.elastic.bulk import Write, send
from densehook.elastic.cluster import encoders_of, reload_encoders
from densehook.elastic.indices import create_index
from densehook.encode import Encoder
from densehook.hooks import Reading, index_request
from densehook.ingest import feed
from densehook.ingest import write as writing
from densehook.node.launching import numbers
from densehook.types import Document

ENCODER = "all-minilm-l6-v2"
HEADERS = {"accept": "application/json", "content-type": "application/json"}
TEXTS = {
    "1": "cats sleep most of the day",
    "2": "vaccines train the immune system",
    "3": "the stock market fell again",
    "4": "kittens are young cats",
}


@pytest.fixture
def pipeline(plugin_client: Elasticsearch) -> Iterator[Callable[..., str]]:
    """Makes a pipeline of one densehook processor; gone after the test."""

    def make(**options: Any) -> str:
        processor = {"input": "text", "output": "embedding", **options}
        plugin_client.ingest.put_pipeline(id="test", processors=[{"densehook": processor}])
        return "test"

    yield make
    plugin_client.options(ignore_status=404).ingest.delete_pipeline(id="test")


@pytest.fixture
def filled(plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder) -> str:
    """An index of two shards with four documents, embedded in the cluster."""
    create_index(
        plugin_client, plugin_index, minilm.manifest, inputs=["text"], shards=2, in_cluster=True
    )
    for id_, text in TEXTS.items():
        plugin_client.index(index=plugin_index, id=id_, document={"text": text})
    plugin_client.indices.refresh(index=plugin_index)
    return plugin_index


def simulated(client: Elasticsearch, pipeline: str, *sources: dict[str, Any]) -> list[Any]:
    docs = [{"_index": "nowhere", "_source": source} for source in sources]
    answer = client.ingest.simulate(id=pipeline, docs=docs)
    return [one["doc"]["_source"] if "doc" in one else one["error"] for one in answer["docs"]]


def ids_of(response: Any) -> list[str]:
    return [hit["_id"] for hit in response["hits"]["hits"]]


def reason_of(error: ApiError) -> str:
    return str(error.body["error"]["root_cause"][0]["reason"])


def encode(client: Elasticsearch, **body: Any) -> Any:
    return client.perform_request("POST", "/_densehook/_encode", headers=HEADERS, body=body).body


# -- the processor -------------------------------------------------------------------------------


def test_a_document_gets_the_vector_python_gives_it(
    plugin_client: Elasticsearch, pipeline: Callable[..., str], minilm: Encoder
) -> None:
    name = pipeline(encoder=ENCODER, input=["title", "body.text"], output="a.b.embedding")
    (source,) = simulated(plugin_client, name, {"title": "Cats", "body": {"text": "sleep a lot"}})
    expected = minilm.encode_documents(["Cats sleep a lot"])[0]
    np.testing.assert_allclose(source["a"]["b"]["embedding"], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        (["one", "two"], "one two"),
        (["one", ["two", "three"]], "one two three"),
        ([{"no": "text"}], None),
        (17, "17"),
        (True, "true"),
        ("", None),
    ],
)
def test_values_are_read_as_the_python_package_reads_them(
    plugin_client: Elasticsearch,
    pipeline: Callable[..., str],
    minilm: Encoder,
    text: object,
    same_as: str | None,
) -> None:
    (source,) = simulated(plugin_client, pipeline(), {"text": text})
    if same_as is None:
        assert "embedding" not in source
    else:
        expected = minilm.encode_documents([same_as])[0]
        np.testing.assert_allclose(source["embedding"], expected, atol=1e-5)


def test_a_missing_field_fails_its_document_alone_unless_it_may_be_missing(
    plugin_client: Elasticsearch, pipeline: Callable[..., str]
) -> None:
    missing, present = simulated(plugin_client, pipeline(), {"other": 1}, {"text": "a"})
    assert "field [text] not present" in missing["reason"]
    assert len(present["embedding"]) == 384
    (empty,) = simulated(plugin_client, pipeline(ignore_missing=True), {"other": 1})
    assert empty == {"other": 1}


def test_override_says_whether_a_vector_that_is_there_stays(
    plugin_client: Elasticsearch, pipeline: Callable[..., str]
) -> None:
    (kept,) = simulated(plugin_client, pipeline(override=False), {"text": "a", "embedding": [1]})
    assert kept["embedding"] == [1]
    (made,) = simulated(plugin_client, pipeline(), {"text": "a", "embedding": [1]})
    assert len(made["embedding"]) == 384


def test_a_vector_does_not_outlive_its_text(
    plugin_client: Elasticsearch, pipeline: Callable[..., str]
) -> None:
    (source,) = simulated(plugin_client, pipeline(), {"text": "", "embedding": [1]})
    assert "embedding" not in source


def test_a_client_is_greeted_with_the_version(
    plugin_node: node.NodeState, plugin_client: Elasticsearch
) -> None:
    assert plugin_client.info()["version"]["number"] == plugin_node.version


@pytest.mark.parametrize("seen", [False, True], ids=["unseen", "seen"])
def test_vectors_are_written_in_base64_where_the_server_takes_it_and_nobody_sees_it(
    plugin_node: node.NodeState,
    plugin_client: Elasticsearch,
    plugin_index: str,
    pipeline: Callable[..., str],
    minilm: Encoder,
    monkeypatch: pytest.MonkeyPatch,
    seen: bool,
) -> None:
    can_hide = numbers(plugin_node.version) >= (9, 2)
    reads_base64 = numbers(plugin_node.version) >= (9, 3)
    body = index_request(minilm.manifest, Reading(["text"]))
    if can_hide:
        body["settings"]["index.mapping.exclude_source_vectors"] = not seen
    plugin_client.indices.create(index=plugin_index, **body)
    sent: list[dict[str, Any]] = []

    def noting(client: Elasticsearch, index: str, writes: Sequence[Write], *more: Any) -> Any:
        sent.extend(json.loads(write.source) for write in writes)
        return send(client, index, writes, *more)

    monkeypatch.setattr(writing, "send", noting)
    feed(plugin_client, plugin_index, [Document("python", {"text": "cats"})], minilm)
    doc = {"_index": plugin_index, "_source": {"text": "cats"}}
    (made,) = plugin_client.ingest.simulate(id=pipeline(), docs=[doc])["docs"]
    plugin_client.index(
        index=plugin_index, id="pipeline", document={"text": "cats"}, pipeline=pipeline()
    )
    embed = {"index.densehook.embed": True}
    plugin_client.indices.put_settings(index=plugin_index, settings=embed)
    plugin_client.index(index=plugin_index, id="setting", document={"text": "cats"}, refresh=True)

    written = str if reads_base64 and not seen else list
    assert isinstance(sent[0]["embedding"], written)
    assert isinstance(made["doc"]["_source"]["embedding"], written)
    found = plugin_client.search(index=plugin_index, fields=["embedding"])["hits"]["hits"]
    assert {hit["_id"] for hit in found} == {"python", "pipeline", "setting"}
    for hit in found:
        vector = minilm.encode_documents(["cats"])[0]
        np.testing.assert_allclose(hit["fields"]["embedding"], vector, atol=1e-5)
        assert ("embedding" in hit["_source"]) == (seen or not can_hide)
        assert isinstance(hit["_source"].get("embedding", []), list)


def test_an_index_made_for_the_cluster_has_no_stale_vector_after_a_bulk_of_updates(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder
) -> None:
    create_index(plugin_client, plugin_index, minilm.manifest, inputs=["text"], in_cluster=True)
    before = lane(plugin_client, "ingest")["texts"]
    plugin_client.index(index=plugin_index, id="1", document={"text": "cats"})
    assert lane(plugin_client, "ingest")["texts"] == before + 1  # by the pipeline alone
    update = [{"update": {"_id": "1"}}, {"doc": {"text": "dogs"}}]
    assert not plugin_client.bulk(index=plugin_index, operations=update, refresh=True)["errors"]
    (hit,) = plugin_client.search(index=plugin_index, fields=["embedding"])["hits"]["hits"]
    expected = minilm.encode_documents(["dogs"])[0]
    np.testing.assert_allclose(hit["fields"]["embedding"], expected, atol=1e-5)


def test_on_failure_and_tag_are_the_processors_own(plugin_client: Elasticsearch) -> None:
    answer = plugin_client.ingest.simulate(
        pipeline={
            "processors": [
                {
                    "densehook": {
                        "tag": "embed",
                        "input": "text",
                        "output": "embedding",
                        "on_failure": [{"densehook": {"input": "spare", "output": "embedding"}}],
                    }
                }
            ]
        },
        docs=[{"_source": {"spare": "instead"}}],
        verbose=True,
    )
    first, second = answer["docs"][0]["processor_results"]
    assert first["tag"] == "embed"
    assert first["status"] == "error"
    assert len(second["doc"]["_source"]["embedding"]) == 384


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ({"output": "v"}, "[input]"),
        ({"input": [], "output": "v"}, "[input]"),
        ({"input": ["a", 3], "output": "v"}, "has [3]"),
        ({"input": {"a": 1}, "output": "v"}, "[input]"),
        ({"input": "a"}, "[output]"),
        ({"input": "a", "output": ""}, "must be a field"),
        ({"input": "a", "output": "a"}, "must be a field that is no input"),
        ({"input": "a", "output": "v", "override": "perhaps"}, "[override]"),
        ({"input": "a", "output": "v", "encoder": 3}, "[encoder]"),
        ({"input": "a", "output": "v", "modle": "x"}, "modle"),
    ],
)
def test_a_malformed_definition_is_refused_when_it_is_put(
    plugin_client: Elasticsearch, definition: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadRequestError) as refusal:
        plugin_client.ingest.put_pipeline(id="wrong", processors=[{"densehook": definition}])
    assert said in reason_of(refusal.value)


def test_a_missing_encoder_is_named_with_those_there_are(
    plugin_client: Elasticsearch, plugin_index: str, pipeline: Callable[..., str]
) -> None:
    (failed,) = simulated(plugin_client, pipeline(encoder="nobody"), {"text": "a"})
    assert failed["type"] == "resource_not_found_exception"  # as of Elasticsearch's own models
    assert "encoder [nobody] is not on node" in failed["reason"]
    assert ENCODER in failed["reason"]
    bulk = [{"index": {"_index": plugin_index}}, {"text": "a"}]
    (item,) = plugin_client.bulk(pipeline="test", operations=bulk)["items"]
    assert item["index"]["status"] == 404
    assert item["index"]["error"]["type"] == "resource_not_found_exception"
    with pytest.raises(NotFoundError, match=r"encoder \[nobody\] is not on node"):
        encode(plugin_client, texts=["a"], encoder="nobody")


def test_a_field_of_another_encoder_is_refused(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder, pipeline: Callable[..., str]
) -> None:
    body = index_request(minilm.manifest, Reading(["text"]))
    body["settings"].pop("analysis")
    body["mappings"]["properties"]["text"] = {"type": "text"}
    entry = body["mappings"]["_meta"]["densehook"]["fields"]["embedding"]
    entry.update(encoder="older", fingerprint="sha256:0ld")
    plugin_client.indices.create(index=plugin_index, **body)
    with pytest.raises(BadRequestError) as refusal:
        plugin_client.index(index=plugin_index, document={"text": "a"}, pipeline=pipeline())
    for said in ("older", "sha256:0ld", ENCODER, minilm.fingerprint):
        assert said in reason_of(refusal.value)
    for query in (
        {"dense": {"field": "embedding", "text": "a"}},
        {"bool": {"should": [{"dense": {"field": "embedding", "text": "a"}}]}},
    ):
        with pytest.raises(NotFoundError, match=r"resource_not_found.*\[older\] is not on node"):
            plugin_client.search(index=plugin_index, query=query)


@pytest.fixture
def template(plugin_client: Elasticsearch, plugin_index: str) -> Iterator[Callable[..., None]]:
    """Puts an index template whose vectors have a fingerprint; its _meta is a component's."""
    name = "densehook-test"

    def put(fingerprint: str, encoder: str = ENCODER) -> None:
        entry = {"encoder": encoder, "fingerprint": fingerprint}
        meta = {"densehook": {"fields": {"embedding": entry}}}
        vector = {"type": "dense_vector", "dims": 384}
        plugin_client.cluster.put_component_template(
            name=name, template={"mappings": {"_meta": meta}}
        )
        plugin_client.indices.put_index_template(
            name=name,
            index_patterns=[f"{plugin_index}*"],
            composed_of=[name],
            template={"mappings": {"_meta": {"ours": True}, "properties": {"embedding": vector}}},
        )

    yield put
    plugin_client.indices.delete_index_template(name=name)
    plugin_client.cluster.delete_component_template(name=name)


def test_a_template_of_another_encoder_is_refused_before_its_index_is_there(
    plugin_client: Elasticsearch,
    plugin_index: str,
    minilm: Encoder,
    pipeline: Callable[..., str],
    template: Callable[..., None],
) -> None:
    template("sha256:0ld", encoder="older")
    operations = [{"index": {}}, {"text": "cats"}]
    (item,) = plugin_client.bulk(index=plugin_index, operations=operations, pipeline=pipeline())[
        "items"
    ]
    assert item["index"]["status"] == 400
    for said in (plugin_index, "sha256:0ld", minilm.fingerprint):
        assert said in item["index"]["error"]["reason"]
    template(minilm.fingerprint)
    answer = plugin_client.bulk(
        index=plugin_index, operations=operations, pipeline=pipeline(), refresh=True
    )
    assert not answer["errors"]
    with_vector = {"exists": {"field": "embedding"}}
    assert plugin_client.count(index=plugin_index, query=with_vector)["count"] == 1


def test_documents_of_bulks_in_flight_run_together(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder
) -> None:
    create_index(plugin_client, plugin_index, minilm.manifest, inputs=["text"], in_cluster=True)
    before = lane(plugin_client, "ingest")
    operations = [
        line
        for i in range(200)
        for line in ({"index": {"_id": str(i)}}, {"text": "word " * (i % 40 + 1)})
    ]
    assert not plugin_client.bulk(index=plugin_index, operations=operations)["errors"]
    after = lane(plugin_client, "ingest")
    assert after["texts"] - before["texts"] == 200
    assert after["batches"] - before["batches"] <= 40
    assert after["padding_share"] <= 0.1


def test_the_size_of_a_model_is_reported(
    plugin_client: Elasticsearch, minilm_bundle: Bundle
) -> None:
    size = (minilm_bundle.path / "model.onnx").stat().st_size
    assert in_service(plugin_client)["model_bytes"] == size


def test_the_node_runs_the_onnxruntime_that_python_does(plugin_client: Elasticsearch) -> None:
    assert in_service(plugin_client)["onnxruntime"] == version("onnxruntime")


def in_service(client: Elasticsearch) -> dict[str, Any]:
    answer = client.perform_request("GET", "/_densehook", headers=HEADERS).body
    (only,) = answer["nodes"].values()
    return dict(only["encoders"][ENCODER])


def lane(client: Elasticsearch, name: str) -> dict[str, Any]:
    return dict(in_service(client)[name])


# -- query vectors ------------------------------------------------------------------------------


def built(text: str, **more: Any) -> dict[str, Any]:
    return {
        "field": "embedding",
        "k": 2,
        "num_candidates": 10,
        "query_vector_builder": {"densehook": {"text": text, **more}},
    }


@pytest.mark.parametrize(
    "body",
    [
        {"knn": built("young felines")},
        {"knn": [built("young felines", encoder=ENCODER), built("kitten naps")]},
        {"query": {"knn": built("young felines")}},
        {"query": {"bool": {"must": [{"knn": built("young felines")}]}}},
        {"retriever": {"knn": built("young felines")}},
        {"query": {"dense": {"field": "embedding", "text": "young felines", "k": 2}}},
        {
            "query": {
                "bool": {"should": [{"dense": {"field": "embedding", "text": "young felines"}}]}
            },
            "size": 2,
        },
        {
            "query": {
                "function_score": {
                    "query": {"dense": {"field": "embedding", "text": "young felines", "k": 2}}
                }
            }
        },
        {
            "query": {"match_all": {}},
            "post_filter": {"dense": {"field": "embedding", "text": "young felines", "k": 2}},
        },
        {"retriever": {"standard": {"query": {"dense": {"field": "embedding", "text": "cats"}}}}},
    ],
)
def test_a_text_is_searched_wherever_a_vector_can_be(
    plugin_client: Elasticsearch, filled: str, body: dict[str, Any]
) -> None:
    found = plugin_client.search(index=filled, **{"size": 2, **body})
    assert set(ids_of(found)) & {"1", "4"}


def test_dense_is_the_knn_query_of_the_texts_vector(
    plugin_client: Elasticsearch, filled: str, minilm: Encoder
) -> None:
    text = "how do vaccines work"
    vector = minilm.encode_queries([text])[0].tolist()
    dense = {"field": "embedding", "text": text, "k": 3, "num_candidates": 20, "boost": 2.0}
    knn = {"field": "embedding", "query_vector": vector, "k": 3, "num_candidates": 20, "boost": 2}
    one = plugin_client.search(index=filled, query={"dense": dense})["hits"]["hits"]
    other = plugin_client.search(index=filled, query={"knn": knn})["hits"]["hits"]
    assert [hit["_id"] for hit in one] == [hit["_id"] for hit in other]
    for a, b in zip(one, other, strict=True):
        assert a["_score"] == pytest.approx(b["_score"], abs=1e-5)


def test_an_index_that_does_not_say_whose_its_vectors_are_is_not_searched_along(
    plugin_client: Elasticsearch, plugin_index: str, filled: str
) -> None:
    other = f"{plugin_index}-other"
    vector = {"type": "dense_vector", "dims": 384}
    plugin_client.indices.create(index=other, mappings={"properties": {"embedding": vector}})
    dense = {"dense": {"field": "embedding", "text": "cats"}}
    try:
        with pytest.raises(BadRequestError) as refusal:
            plugin_client.search(index=f"{filled},{other}", query=dense)
        assert f"no mapping of [{other}] says which encoder made" in reason_of(refusal.value)
    finally:
        plugin_client.indices.delete(index=other)


def test_dense_of_no_index_finds_nothing_as_every_query_does(
    plugin_client: Elasticsearch, filled: str
) -> None:
    dense = {"dense": {"field": "embedding", "text": "cats", "boost": 2, "_name": "named"}}
    either = {"bool": {"should": [dense, {"match_all": {}}]}}
    for query in (dense, either):
        assert ids_of(plugin_client.search(index="no-such-*", query=query)) == []


def test_dense_filters_before_it_searches(plugin_client: Elasticsearch, filled: str) -> None:
    dense = {
        "field": "embedding",
        "text": "cats",
        "k": 1,
        "filter": {"match": {"text": "market"}},
    }
    assert ids_of(plugin_client.search(index=filled, query={"dense": dense})) == ["3"]
    dense["filter"] = [{"match": {"text": "market"}}, {"match": {"text": "vaccines"}}]
    assert ids_of(plugin_client.search(index=filled, query={"dense": dense})) == []


def test_dense_works_in_every_api_that_takes_a_query(
    plugin_client: Elasticsearch, filled: str
) -> None:
    query = {"dense": {"field": "embedding", "text": "young felines", "k": 1}}
    assert plugin_client.count(index=filled, query=query)["count"] >= 1
    assert plugin_client.indices.validate_query(index=filled, query=query)["valid"]
    assert plugin_client.explain(index=filled, id="4", query=query)["matched"]
    searches = [{}, {"query": query}, {}, {"query": query, "size": 1}]
    answer = plugin_client.msearch(index=filled, searches=searches)
    assert [ids_of(one)[:1] for one in answer["responses"]] == [["4"], ["4"]]
    aggregations = {"near": {"filter": query}}
    found = plugin_client.search(index=filled, size=0, aggregations=aggregations)
    assert found["aggregations"]["near"]["doc_count"] >= 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"text": "a"}, "field"),
        ({"field": "embedding"}, "text"),
        ({"field": "other", "text": "a"}, "says which encoder made field [other]"),
        ({"field": "embedding", "text": "a", "k": 0}, "[k] of [dense] is [0]"),
        ({"field": "embedding", "text": "a", "k": 9, "num_candidates": 3}, "at least [k]"),
        ({"field": "embedding", "text": "a", "modle": 1}, "modle"),
        ({"field": "embedding", "text": ["a"]}, "text"),
    ],
)
def test_a_malformed_dense_query_is_refused(
    plugin_client: Elasticsearch, filled: str, query: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadRequestError) as refusal:
        plugin_client.search(index=filled, query={"dense": query})
    assert said in json.dumps(refusal.value.body)


def test_a_builder_that_names_no_encoder_of_the_node_is_refused(
    plugin_client: Elasticsearch, filled: str
) -> None:
    with pytest.raises(NotFoundError, match=r"resource_not_found.*\[nobody\] is not on node"):
        plugin_client.search(index=filled, knn=built("a", encoder="nobody"))


def test_nested_vectors_are_searched_by_text(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder
) -> None:
    vectors = minilm.encode_documents(["a cat", "the stock market", "a dog"]).tolist()
    plugin_client.indices.create(
        index=plugin_index,
        mappings={
            "_meta": {
                "densehook": {
                    "fields": {
                        "parts.vector": {
                            "input": [],
                            "encoder": ENCODER,
                            "fingerprint": minilm.fingerprint,
                        }
                    }
                }
            },
            "properties": {
                "parts": {
                    "type": "nested",
                    "properties": {
                        "vector": {"type": "dense_vector", "dims": 384, "similarity": "cosine"}
                    },
                }
            },
        },
    )
    plugin_client.index(
        index=plugin_index, id="1", document={"parts": [{"vector": v} for v in vectors[:2]]}
    )
    plugin_client.index(
        index=plugin_index, id="2", document={"parts": [{"vector": vectors[2]}]}, refresh=True
    )
    knn = {**built("kitten"), "field": "parts.vector", "inner_hits": {"size": 1}}
    first = plugin_client.search(index=plugin_index, knn=knn)["hits"]["hits"][0]
    assert first["_id"] == "1"
    assert first["inner_hits"]["parts"]["hits"]["hits"][0]["_nested"]["offset"] == 0
    nested = {
        "nested": {
            "path": "parts",
            "query": {"dense": {"field": "parts.vector", "text": "kitten", "k": 2}},
        }
    }
    assert ids_of(plugin_client.search(index=plugin_index, query=nested))[0] == "1"


def test_a_repeated_query_is_encoded_once(plugin_client: Elasticsearch, filled: str) -> None:
    before = lane(plugin_client, "query")
    for _ in range(3):
        plugin_client.search(index=filled, knn=built("asked again and again"))
    after = lane(plugin_client, "query")
    assert after["texts"] - before["texts"] == 1
    assert after["served_without_encoding"] - before["served_without_encoding"] == 2


@pytest.mark.parametrize("way", ["clauses", "searches"])
def test_texts_of_one_request_that_come_while_another_runs_run_together(
    plugin_client: Elasticsearch, filled: str, way: str
) -> None:
    texts = [f"{way} about animals, number {n}" for n in range(10, 42)]
    before = lane(plugin_client, "query")
    if way == "clauses":
        assert plugin_client.search(index=filled, knn=[built(text) for text in texts])
    else:
        searches = [part for text in texts for part in ({}, {"knn": built(text)})]
        assert plugin_client.msearch(
            index=filled, searches=searches, max_concurrent_searches=len(texts)
        )
    after = lane(plugin_client, "query")
    assert after["texts"] - before["texts"] == len(texts)
    assert after["batches"] - before["batches"] < len(texts) / 2


# -- endpoints, bundles -------------------------------------------------------------------------


def test_the_encode_endpoint_says_what_the_model_reads(
    plugin_client: Elasticsearch, minilm: Encoder
) -> None:
    answer = encode(plugin_client, texts=["one", "word " * 1000], role="document")
    assert answer["encoder"] == ENCODER
    assert answer["texts"][1]["lost_tokens"] == 1000 - (minilm.manifest.max_tokens - 2)
    for wrong in ({}, {"texts": "a", "role": "x"}, {"texts": ["a"] * 1001}, {"texts": [], "b": 1}):
        with pytest.raises(BadRequestError):
            encode(plugin_client, **wrong)
    assert encode(plugin_client, texts=[])["texts"] == []


def bundles_of(plugin_node: node.NodeState) -> Path:
    return plugin_node.config / "densehook"


@pytest.fixture
def second(plugin_node: node.NodeState, plugin_client: Elasticsearch) -> Iterator[Path]:
    """Where a second bundle may be put; gone from the node after the test."""
    name = "tiny-bert"
    folder = bundles_of(plugin_node) / name
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
    reload_encoders(plugin_client)


def put(bundle: Bundle, folder: Path) -> None:
    shutil.copytree(bundle.path, folder)
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)


def named(client: Elasticsearch, name: str) -> Any:
    return {encoder.name: encoder for encoder in encoders_of(client) or []}.get(name)


def test_a_bundle_comes_into_service_and_goes(
    plugin_client: Elasticsearch, tiny_bundle: Bundle, second: Path
) -> None:
    put(tiny_bundle, second)
    assert named(plugin_client, "tiny-bert") is None
    reload_encoders(plugin_client)
    loaded = named(plugin_client, "tiny-bert")
    assert (loaded.state, loaded.fingerprint) == ("ready", tiny_bundle.manifest.fingerprint)
    with pytest.raises(BadRequestError, match="several encoders"):
        encode(plugin_client, texts=["a"])
    shutil.rmtree(second)  # under the running node
    assert len(encode(plugin_client, texts=["a"], encoder="tiny-bert")["texts"]) == 1
    reload_encoders(plugin_client)
    with pytest.raises(NotFoundError, match=r"tiny-bert\] is not on node"):
        encode(plugin_client, texts=["a"], encoder="tiny-bert")


def test_an_encoder_that_gives_something_else_is_not_in_the_way_of_who_names_none(
    plugin_node: node.NodeState, pair_bundle: Callable[[str], Bundle], sparse_bundle: Bundle
) -> None:
    with serving(plugin_node, pair_bundle("bert")) as client:
        assert len(encode(client, texts=["a"])["texts"]) == 1
        client.index(index="pets", id="1", document={"body": "cats"}, refresh=True)
        every = {"standard": {"query": {"match_all": {}}}}
        rerank = {"retriever": every, "text": "cats", "field": "body"}
        found = client.search(index="pets", retriever={"rerank": rerank}, explain=True)
        assert "tiny-bert-pairs" in json.dumps(found["hits"]["hits"][0]["_explanation"])
    with serving(plugin_node, sparse_bundle) as client:
        builder = {"densehook": {"text": "cats"}}
        mapping = {"type": "dense_vector", "dims": 384}
        client.indices.create(index="pets", mappings={"properties": {"vector": mapping}})
        knn = {"field": "vector", "k": 1, "query_vector_builder": builder}
        assert client.search(index="pets", knn=knn)["hits"]["hits"] == []
        with pytest.raises(BadRequestError, match="several encoders"):
            encode(client, texts=["a"])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda folder: (folder / "model.onnx").write_bytes(b"no graph"), "model.onnx was changed"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer.json is missing"),
        (lambda folder: (folder / "encoder.json").write_text("{"), "not JSON"),
        (lambda folder: (folder / "encoder.json").unlink(), "no encoder.json"),
        (lambda folder: spoil_golden(folder), "the self-test fails: cosine"),
        (lambda folder: spoil_model(folder), "cannot be run"),
    ],
)
def test_a_bundle_that_is_not_right_is_refused_and_the_node_goes_on(
    plugin_client: Elasticsearch,
    tiny_bundle: Bundle,
    second: Path,
    damage: Callable[[Path], object],
    reason: str,
) -> None:
    put(tiny_bundle, second)
    damage(second)
    reload_encoders(plugin_client)
    refused = named(plugin_client, "tiny-bert")
    assert refused.state == "failed"
    assert reason in refused.reason
    with pytest.raises(ApiError) as refusal:
        encode(plugin_client, texts=["a"], encoder="tiny-bert")
    assert refusal.value.status_code == 503
    assert reason in reason_of(refusal.value)
    assert len(encode(plugin_client, texts=["a"], encoder=ENCODER)["texts"]) == 1


def rewrite(folder: Path, name: str, content: bytes) -> None:
    """Writes a file and a manifest that fits it: only running the bundle can tell."""
    from densehook.bundle import Manifest

    (folder / name).write_bytes(content)
    manifest = Manifest.loads((folder / "encoder.json").read_text())
    write_manifest(folder, manifest, list(manifest.files))


def spoil_golden(folder: Path) -> None:
    golden = json.loads((folder / "golden.json").read_text())
    golden[0]["vector"] = [-x for x in golden[0]["vector"]]
    rewrite(folder, "golden.json", json.dumps(golden).encode())


def spoil_model(folder: Path) -> None:
    rewrite(folder, "model.onnx", b"no graph at all")


def test_a_newer_bundle_that_is_refused_leaves_the_older_in_service(
    plugin_client: Elasticsearch, tiny_bundle: Bundle, second: Path
) -> None:
    put(tiny_bundle, second)
    reload_encoders(plugin_client)
    spoil_golden(second)
    reload_encoders(plugin_client)
    still = named(plugin_client, "tiny-bert")
    assert still.state == "ready"
    assert "the self-test fails" in still.reason
    assert len(encode(plugin_client, texts=["a"], encoder="tiny-bert")["texts"]) == 1


def touch(bundle: Path) -> None:
    """Makes it another bundle to a node, of the same fingerprint: it is loaded again."""
    manifest = bundle / "encoder.json"
    manifest.write_text(manifest.read_text() + "\n")


def test_a_newer_bundle_that_was_refused_is_loaded_when_it_is_repaired(
    plugin_client: Elasticsearch, tiny_bundle: Bundle, second: Path
) -> None:
    put(tiny_bundle, second)
    reload_encoders(plugin_client)
    touch(second)
    (second / "golden.json").write_text("half a copy")
    reload_encoders(plugin_client)
    assert "golden.json was changed" in named(plugin_client, "tiny-bert").reason
    (second / "golden.json").write_bytes((tiny_bundle.path / "golden.json").read_bytes())
    reload_encoders(plugin_client)  # the manifest is the one that was refused
    repaired = named(plugin_client, "tiny-bert")
    assert (repaired.state, repaired.reason) == ("ready", None)


@pytest.mark.parametrize("way", ["pipeline", "index setting"])
def test_a_bundle_that_is_loaded_again_costs_the_bulks_in_flight_no_document(
    plugin_client: Elasticsearch, plugin_index: str, tiny_bundle: Bundle, second: Path, way: str
) -> None:
    put(tiny_bundle, second)
    reload_encoders(plugin_client)
    by_pipeline = way == "pipeline"
    create_index(
        plugin_client, plugin_index, tiny_bundle.manifest, inputs=["text"], in_cluster=by_pipeline
    )
    embed = {"index.densehook.embed": not by_pipeline}
    plugin_client.indices.put_settings(index=plugin_index, settings=embed)
    stopped = threading.Event()

    def send(sender: int) -> int:
        sent = 0
        while not stopped.is_set():
            operations = [
                line
                for i in range(sent, sent + 50)
                for line in ({"index": {"_id": f"{sender}-{i}"}}, {"text": f"word {i}"})
            ]
            answer = plugin_client.bulk(index=plugin_index, operations=operations)
            assert not answer["errors"], answer["items"]
            sent += 50
        return sent

    with ThreadPoolExecutor(4) as senders:
        counts = [senders.submit(send, number) for number in range(4)]
        try:
            for _ in range(20):
                touch(second)
                reload_encoders(plugin_client)
        finally:
            stopped.set()
        total = sum(count.result() for count in counts)
    plugin_client.indices.refresh(index=plugin_index)
    with_vector = {"exists": {"field": "embedding"}}
    assert plugin_client.count(index=plugin_index, query=with_vector)["count"] == total


def test_one_text_the_model_cannot_run_fails_alone(
    plugin_client: Elasticsearch, tiny_bundle: Bundle, second: Path
) -> None:
    put(tiny_bundle, second)
    tokenizer = json.loads((second / "tokenizer.json").read_text())
    token = {"id": 999_999, "content": "☠", "special": False}
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    tokenizer["added_tokens"].append({**token, **flags})  # an id the model has no row for
    rewrite(second, "tokenizer.json", json.dumps(tokenizer).encode())
    reload_encoders(plugin_client)
    assert named(plugin_client, "tiny-bert").state == "ready"
    processor = {"encoder": "tiny-bert", "input": "text", "output": "embedding"}
    docs = [{"_source": {"text": "☠" if i == 13 else "the same words"}} for i in range(32)]
    answer = plugin_client.ingest.simulate(
        pipeline={"processors": [{"densehook": processor}]}, docs=docs
    )["docs"]
    assert [i for i, one in enumerate(answer) if "error" in one] == [13]
    assert "tiny-bert" in answer[13]["error"]["reason"]
    for texts, status in (["☠"], 500), (["x" * 1_000_001], 400):  # the encoder's fault, the text's
        with pytest.raises(ApiError) as failure:
            encode(plugin_client, texts=texts, encoder="tiny-bert")
        assert failure.value.status_code == status


# -- analysis ------------------------------------------------------------------------------------


def test_the_analyzer_is_lucenes_and_its_parts_make_it(
    plugin_client: Elasticsearch, plugin_index: str
) -> None:
    parts = [
        "densehook_english_possessive",
        "densehook_lowercase",
        "densehook_english_stop",
        "densehook_porter_stem",
    ]
    text = "The Cats' whiskers, John's running vaccines: IF it is NOT so, generously."
    whole = plugin_client.indices.analyze(analyzer="densehook_english", text=text)["tokens"]
    made = plugin_client.indices.analyze(tokenizer="standard", filter=parts, text=text)["tokens"]
    assert whole == made
    tokens = [token["token"] for token in whole]
    assert tokens == ["cat", "whisker", "john", "run", "vaccin", "so", "gener"]


# -- what must not take the node down ------------------------------------------------------------


def test_a_text_of_10_mb_fails_alone_and_the_node_goes_on(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder
) -> None:
    create_index(plugin_client, plugin_index, minilm.manifest, inputs=["text"], in_cluster=True)
    operations = [
        {"index": {"_id": "large"}},
        {"text": "word " * 2_000_000},
        {"index": {"_id": "small"}},
        {"text": "word"},
    ]
    large, small = plugin_client.bulk(index=plugin_index, operations=operations)["items"]
    assert large["index"]["status"] == 400
    assert "densehook.text.max_length" in large["index"]["error"]["reason"]
    assert small["index"]["status"] == 201


def test_10_000_fields_and_deep_nesting_leave_the_node_alive(
    plugin_client: Elasticsearch, pipeline: Callable[..., str]
) -> None:
    wide = {f"f{i}": "word" for i in range(10_000)}
    (source,) = simulated(plugin_client, pipeline(input=list(wide)), wide)
    assert len(source["embedding"]) == 384
    deep: Any = "word"
    for _ in range(900):
        deep = {"a": deep}
    (source,) = simulated(plugin_client, pipeline(input="a" + ".a" * 899), {**deep})
    assert len(source["embedding"]) == 384
    nested: Any = "word"
    for _ in range(900):
        nested = [nested]
    (source,) = simulated(plugin_client, pipeline(), {"text": nested})
    assert len(source["embedding"]) == 384


def test_1000_random_bodies_get_no_answer_of_the_500s(
    plugin_client: Elasticsearch, filled: str
) -> None:
    embed = {"index.densehook.embed": True}
    plugin_client.indices.put_settings(index=filled, settings=embed)
    chance = random.Random(7)
    bad = []
    for _ in range(1000):
        path, body = random_request(chance, filled)
        try:
            answer = (
                plugin_client.options(max_retries=0)
                .perform_request("POST", path, headers=HEADERS, body=body)
                .body
            )
        except ApiError as error:
            if error.status_code >= 500:
                bad.append((path, body, error.body))
            continue
        for fault in (str(one["error"]) for one in answer.get("docs", []) if "error" in one):
            if "null_pointer" in fault or "class_cast" in fault:  # it has no status of its own
                bad.append((path, body, fault))
    assert not bad, bad[0]
    assert plugin_client.cluster.health()["number_of_nodes"] == 1
    assert len(encode(plugin_client, texts=["a"])["texts"]) == 1


def random_request(chance: random.Random, index: str) -> tuple[str, dict[str, Any]]:
    kind = chance.choice(["search", "search", "encode", "simulate", "document", "update"])
    if kind == "search":
        return f"/{index}/_search", {"size": 1, **random_search(chance)}
    if kind == "encode":
        return "/_densehook/_encode", random_object(chance, ENCODE)
    if kind == "document":
        return f"/{index}/_doc", random_object(chance, SOURCE)
    if kind == "update":
        return f"/{index}/_update/1", {"doc": random_object(chance, SOURCE)}
    docs = [{"_index": index, "_source": random_object(chance, SOURCE)} for _ in range(2)]
    processor = {"densehook": random_object(chance, PROCESSOR)}
    pipeline = {"pipeline": {"processors": [processor]}, "docs": docs}
    return "/_ingest/pipeline/_simulate", pipeline


def random_search(chance: random.Random) -> dict[str, Any]:
    kind = chance.choice(["dense", "knn", "hybrid"])
    if kind == "dense":
        return {"query": {"dense": random_object(chance, DENSE)}}
    if kind == "knn":
        return {"knn": random_object(chance, {**KNN})}
    return {"retriever": {"hybrid": random_object(chance, HYBRID)}}


VALUES: tuple[Any, ...] = (
    *(None, "", "cats", "embedding", "text", "rrf", "linear", "minmax", -1, 0, 1, 3, 10, 10_001),
    *(2**31, 1e300, 0.5, True, [], {}, [[]], ["text", "embedding"], {"match_all": {}}),
    *({"term": {"text": "cats"}}, [{"match_all": {}}], {"x": {"y": "z"}}),
    [{"standard": {"query": {"match": {"text": "cats"}}}}],
    [{"retriever": {"standard": {"query": {"match_all": {}}}}, "weight": 2}],
)
ENCODE = {"encoder": ENCODER, "texts": ["cats", "dogs"], "role": "query"}
SOURCE = {"text": "cats", "embedding": [0.5] * 384, "other": {"text": ["cats"]}}
PROCESSOR = {
    "input": ["text", "other.text"],
    "output": "embedding",
    "encoder": ENCODER,
    "ignore_missing": True,
    "override": False,
}
DENSE = {
    "field": "embedding",
    "text": "cats",
    "k": 3,
    "num_candidates": 9,
    "filter": {},
    "boost": 1,
}
KNN = {
    "field": "embedding",
    "k": 2,
    "num_candidates": 5,
    "query_vector_builder": {"densehook": {"text": "cats"}},
    "filter": [],
}
HYBRID = {
    "fusion": "rrf",
    "rank_constant": 60,
    "rank_window_size": 20,
    "retrievers": [
        {"standard": {"query": {"match": {"text": "cats"}}}},
        {"knn": {"field": "embedding", "k": 2, "num_candidates": 5, **{}}},
    ],
    "query": "cats",
    "fields": ["text", "embedding"],
    "filter": [],
    "min_score": 0,
}


def random_object(chance: random.Random, usual: dict[str, Any]) -> dict[str, Any]:
    made = {}
    for name, value in usual.items():
        if chance.random() < 0.6:
            made[name] = value if chance.random() < 0.6 else chance.choice(VALUES)
    if chance.random() < 0.1:
        made[chance.choice(["x", "boost", "_name", "vector"])] = chance.choice(VALUES)
    return made
