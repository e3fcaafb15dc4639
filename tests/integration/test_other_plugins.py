"""A node that has other plugins too, which have taken names that ours would have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from elasticsearch import BadRequestError

from conftest import CrowdedNode
from densehook.elastic.indices import create_index


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
