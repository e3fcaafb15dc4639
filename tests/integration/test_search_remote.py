"""Searches over two clusters: one has the plugin and the encoder, the other is plain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from elasticsearch import BadRequestError, Elasticsearch, NotFoundError

ENCODER = "all-minilm-l6-v2"
INDEX = "search-remote"
HEADERS = {"accept": "application/json", "content-type": "application/json"}
NEAR = {"near-cats": "young cats play", "near-bonds": "interest rates"}
FAR = {"far-dogs": "puppies chase cats", "far-lions": "lions are big cats"}


@pytest.fixture(scope="module")
def clusters(plugin_client: Elasticsearch, client: Elasticsearch) -> Iterator[Elasticsearch]:
    """A client of the one with the plugin, which knows the other as ``far``."""
    nodes = client.nodes.info(metric="transport")["nodes"]
    seeds = [node["transport"]["publish_address"] for node in nodes.values()]
    plugin_client.cluster.put_settings(persistent={"cluster.remote.far.seeds": seeds})
    answer = plugin_client.perform_request("GET", "/_densehook", headers=HEADERS).body
    (node,) = answer["nodes"].values()
    encoder = node["encoders"][ENCODER]
    entry = {"encoder": ENCODER, "fingerprint": encoder["fingerprint"]}
    vector = {"type": "dense_vector", "dims": encoder["dims"], "similarity": "cosine"}
    mappings = {
        "_meta": {"densehook": {"fields": {"embedding": entry}, "bm25": ["body"]}},
        "properties": {"body": {"type": "text"}, "embedding": vector},
    }
    for cluster, documents in ((plugin_client, NEAR), (client, FAR)):
        cluster.indices.create(index=INDEX, mappings=mappings)
        for id_, text in documents.items():
            encode = {"texts": [text]}
            made = plugin_client.perform_request(
                "POST", "/_densehook/_encode", headers=HEADERS, body=encode
            ).body["texts"][0]["vector"]
            document = {"body": text, "embedding": made}
            cluster.index(index=INDEX, id=id_, document=document, refresh=True)
    client.indices.create(index=f"{INDEX}-unstated", mappings={"properties": {"embedding": vector}})
    try:
        yield plugin_client
    finally:
        plugin_client.indices.delete(index=INDEX)
        client.indices.delete(index=[INDEX, f"{INDEX}-unstated"])
        plugin_client.cluster.put_settings(persistent={"cluster.remote.far.seeds": None})


KNN = {
    "field": "embedding",
    "k": 10,
    "num_candidates": 20,
    "query_vector_builder": {"densehook": {"text": "kittens"}},
}
LONG = [{"standard": {"query": {"match": {"body": "cats"}}}}, {"knn": KNN}]
SEARCHES: tuple[dict[str, Any], ...] = (
    {"query": {"dense": {"field": "embedding", "text": "kittens"}}},
    {"retriever": {"hybrid": {"query": "kittens"}}},
    {"retriever": {"hybrid": {"retrievers": LONG}}},
)


@pytest.mark.parametrize("body", SEARCHES, ids=["dense", "short hybrid", "long hybrid"])
def test_a_cluster_without_the_plugin_is_searched(
    clusters: Elasticsearch, body: dict[str, Any]
) -> None:
    for index, expected in ((f"far:{INDEX}", {*FAR}), (f"{INDEX},far:{INDEX}", {*NEAR, *FAR})):
        answer = clusters.search(index=index, **body)
        assert answer["_clusters"]["successful"] == answer["_clusters"]["total"]
        assert {hit["_id"] for hit in answer["hits"]["hits"]} == expected
    # the vector is the same wherever the documents are: their scores are those of a local search
    if "query" in body:
        scores = {hit["_id"]: hit["_score"] for hit in answer["hits"]["hits"]}
        local = clusters.search(index=INDEX, **body)["hits"]["hits"]
        assert {hit["_id"]: hit["_score"] for hit in local}.items() <= scores.items()


def test_what_a_remote_mapping_does_not_say_is_refused(clusters: Elasticsearch) -> None:
    with pytest.raises(BadRequestError, match=rf"no index of \[far:{INDEX}-unstated\] says"):
        clusters.search(index=f"far:{INDEX}-unstated", **SEARCHES[0])
    with pytest.raises(NotFoundError, match="no such index"):
        clusters.search(index="far:nothing", **SEARCHES[0])
