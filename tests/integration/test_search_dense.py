"""The dense query on a node: its neighbours, its siblings, its names, what it does not wait for.

Vectors come with the documents and are random from a fixed seed; what a dense query finds is
compared with Elasticsearch's own knn query for the vector that the node makes of the text.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from elasticsearch import ApiError, BadRequestError, Elasticsearch
from elasticsearch.helpers import bulk

ENCODER = "all-minilm-l6-v2"
INDEX = "search-dense"
TEXT = "how do vaccines work"
DOCUMENTS = 200
HEADERS = {"accept": "application/json", "content-type": "application/json"}

Body = Mapping[str, Any]


@pytest.fixture(scope="module")
def filled(plugin_client: Elasticsearch) -> Iterator[Elasticsearch]:
    """200 documents in one shard: each tenth is rare, each half is even."""
    answer = plugin_client.perform_request("GET", "/_densehook", headers=HEADERS).body
    (node,) = answer["nodes"].values()
    encoder = node["encoders"][ENCODER]
    entry = {"encoder": ENCODER, "fingerprint": encoder["fingerprint"]}
    vector = {"type": "dense_vector", "dims": encoder["dims"], "similarity": "cosine"}
    part = {"type": "nested", "properties": {"vector": vector, "kind": {"type": "keyword"}}}
    plugin_client.indices.create(
        index=INDEX,
        settings={"number_of_shards": 1, "number_of_replicas": 0},
        mappings={
            "_meta": {"densehook": {"fields": {"embedding": entry, "parts.vector": entry}}},
            "properties": {
                "embedding": {**vector, "index_options": {"type": "hnsw"}},
                "quantized": {**vector, "index_options": {"type": "int8_hnsw"}},
                "kind": {"type": "keyword"},
                "number": {"type": "integer"},
                "parts": part,
            },
        },
    )
    random = np.random.default_rng(17).standard_normal((DOCUMENTS, encoder["dims"]))
    documents = (
        {
            "_index": INDEX,
            "_id": str(number),
            "embedding": vector,
            "kind": "rare" if number % 10 == 0 else "common",
            "number": number,
            "parts": [{"vector": vector, "kind": "even" if number % 2 == 0 else "odd"}],
        }
        for number, vector in enumerate(random.astype(np.float32).tolist())
    )
    bulk(plugin_client, documents, refresh=True)
    try:
        yield plugin_client
    finally:
        plugin_client.indices.delete(index=INDEX)


@pytest.fixture(scope="module")
def vector(filled: Elasticsearch) -> list[float]:
    """What the node makes of the text."""
    body = {"texts": [TEXT], "role": "query"}
    answer = filled.perform_request("POST", "/_densehook/_encode", headers=HEADERS, body=body)
    return answer.body["texts"][0]["vector"]


def dense(name: str = "dense", **stated: Any) -> dict[str, Any]:
    return {name: {"field": "embedding", "text": TEXT, **stated}}


def scores(client: Elasticsearch, query: Body, size: int = 50, **stated: Any) -> dict[str, Any]:
    hits = client.search(index=INDEX, query=query, size=size, **stated)["hits"]["hits"]
    return {hit["_id"]: pytest.approx(hit["_score"], rel=1e-6) for hit in hits}


RARE = {"term": {"kind": "rare"}}
LOW = {"range": {"number": {"lt": 100}}}


def knn(vector: list[float], k: int = 5, **stated: Any) -> dict[str, Any]:
    return {"knn": {"field": "embedding", "query_vector": vector, "k": k, **stated}}


@pytest.mark.parametrize("name", ["dense", "densehook_dense"])
def test_it_finds_what_knn_finds(filled: Elasticsearch, vector: list[float], name: str) -> None:
    assert scores(filled, dense(name, k=5)) == scores(filled, knn(vector))
    assert len(scores(filled, dense(name), size=7)) == 7


def test_what_it_is_told_reaches_the_knn_query(filled: Elasticsearch, vector: list[float]) -> None:
    stated: dict[str, Any] = {"num_candidates": 50, "boost": 2.5}
    assert scores(filled, dense(k=5, **stated)) == scores(filled, knn(vector, **stated))
    best = filled.search(index=INDEX, query=knn(vector), size=5)["hits"]["hits"]
    ids = [hit["_id"] for hit in best]
    least = best[1]["_score"] + best[4]["_score"] - 1  # a cosine between those of the two
    near = scores(filled, dense(k=5, similarity=least))
    assert set(ids[:2]) <= set(near) < set(ids)  # scores of few bits: how many, they decide
    rescored = {"oversample": 3.0}
    assert scores(filled, dense(k=5, rescore_vector=rescored)) == scores(
        filled, knn(vector, rescore_vector=rescored)
    )
    with pytest.raises(BadRequestError, match="oversample"):
        scores(filled, dense(k=5, rescore_vector={"oversample": 0.5}))


def test_siblings_filter_before_it_searches(filled: Elasticsearch, vector: list[float]) -> None:
    """Of 5 neighbours among all, few are rare; with the filter before, 5 of 5 are."""
    before = scores(filled, knn(vector, filter=[RARE, LOW]))
    assert len(before) == 5
    for clauses in (
        {"must": dense(k=5), "filter": [RARE, LOW]},
        {"must": [dense(k=5), {"bool": {"filter": RARE}}], "filter": LOW},
        {"filter": LOW, "must": {"bool": {"must": dense(k=5), "filter": RARE}}},
        {"must": dense(k=5), "filter": LOW, "must_not": {"term": {"kind": "common"}}},
    ):
        assert scores(filled, {"bool": clauses}) == before, clauses
    after = scores(filled, {"bool": {"must": dense(k=5, auto_filter=False), "filter": [RARE, LOW]}})
    unfiltered = scores(filled, knn(vector))
    assert set(after) == {id_ for id_ in unfiltered if int(id_) % 10 == 0 and int(id_) < 100}


def test_a_must_beside_it_filters_and_adds_its_score(
    filled: Elasticsearch, vector: list[float]
) -> None:
    constant = {"constant_score": {"filter": RARE, "boost": 3.0}}
    found = scores(filled, {"bool": {"must": [dense(k=5), constant]}})
    assert set(found) == set(scores(filled, knn(vector, filter=[RARE])))
    assert all(score.expected > 3 for score in found.values())


def test_in_retrievers_their_filters_are_siblings(
    filled: Elasticsearch, vector: list[float]
) -> None:
    before = set(scores(filled, knn(vector, filter=[RARE])))
    standard = {"standard": {"query": dense(k=5)}}
    for retriever in (
        {"standard": {"query": dense(k=5), "filter": RARE}},
        {"hybrid": {"retrievers": [standard], "filter": RARE}},
        {"hybrid": {"retrievers": [{"hybrid": {"retrievers": [standard]}}], "filter": RARE}},
    ):
        hits = filled.search(index=INDEX, retriever=retriever, size=50)["hits"]["hits"]
        assert {hit["_id"] for hit in hits} == before, retriever


def test_in_a_nested_object_filters_over_documents_come_before(
    filled: Elasticsearch, vector: list[float]
) -> None:
    inner = {"dense": {"field": "parts.vector", "text": TEXT, "k": 5}}
    nested = {"nested": {"path": "parts", "query": inner}}
    outside = scores(filled, {"bool": {"must": nested, "filter": RARE}})
    assert set(outside) == set(scores(filled, knn(vector, filter=[RARE])))
    even = {"bool": {"must": inner, "filter": {"term": {"parts.kind": "even"}}}}
    inside = scores(filled, {"nested": {"path": "parts", "query": even}})
    assert inside
    assert all(int(id_) % 2 == 0 for id_ in inside)


def test_without_a_size_it_has_ten_neighbours(filled: Elasticsearch) -> None:
    assert filled.count(index=INDEX, query=dense())["count"] == 10
    maximum = {"m": {"max": {"field": "number"}}}
    counted = filled.search(index=INDEX, size=0, query=dense(), aggs=maximum)
    assert counted["hits"]["total"]["value"] == 10
    aggs = {"f": {"filter": dense()}, "g": {"filters": {"filters": {"a": dense()}}}}
    buckets = filled.search(index=INDEX, size=0, aggs=aggs)["aggregations"]
    assert buckets["f"]["doc_count"] == 10
    assert buckets["g"]["buckets"]["a"]["doc_count"] == 10
    hidden = {"wrapper": {"query": _base64(dense())}}
    assert filled.count(index=INDEX, query=hidden)["count"] == 10
    retriever = {"hybrid": {"retrievers": [{"standard": {"query": dense()}}]}}
    fused = filled.search(index=INDEX, size=0, retriever=retriever, aggs=maximum)
    assert fused["hits"]["total"]["value"] == 100


def _base64(query: Body) -> str:
    return base64.b64encode(json.dumps(query).encode()).decode()


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u00a0", "\u200b\ufeff"])
def test_a_blank_text_is_refused(filled: Elasticsearch, text: str) -> None:
    builder = {"densehook": {"text": text}}
    for body in (
        {"query": {"dense": {"field": "embedding", "text": text}}},
        {"knn": {"field": "embedding", "k": 3, "query_vector_builder": builder}},
        {"retriever": {"hybrid": {"query": text, "fields": ["embedding"]}}},
    ):
        with pytest.raises(
            BadRequestError, match=r"is blank; give a text|must be a text to search for"
        ):
            filled.search(index=INDEX, **body)


def test_a_search_of_no_time_gets_no_vector(filled: Elasticsearch) -> None:
    """What cannot be there in the search's time is 429, each search of a request by its own."""
    query = {"dense": {"field": "embedding", "text": f"asked by nobody before {uuid4()}"}}
    with pytest.raises(ApiError) as refused:
        filled.search(index=INDEX, query=query, timeout="1nanos")
    assert refused.value.status_code == 429
    searches = [
        {"index": INDEX},
        {
            "query": {"dense": {"field": "embedding", "text": f"another such {uuid4()}"}},
            "timeout": "1nanos",
        },
        {"index": INDEX},
        {"query": {"dense": {"field": "embedding", "text": "a third"}}, "timeout": "10m"},
        {"index": INDEX},
        {"query": {"dense": {"field": "embedding", "text": "a fourth"}}},
    ]
    answer = filled.msearch(searches=searches, max_concurrent_searches=1)
    assert [item["status"] for item in answer["responses"]] == [429, 200, 200]
