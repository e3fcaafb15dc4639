"""An index whose documents a node embeds, and what is asked of it in tests."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from elasticsearch import Elasticsearch

ENCODER = "all-minilm-l6-v2"
DIMS = 384
INPUTS = ("title", "body")
CLIENT_VECTOR = [1.0, *[0.0] * (DIMS - 1)]

Body = Mapping[str, Any]
MakeIndex = Callable[..., str]


@contextmanager
def embedding_indices(client: Elasticsearch) -> Iterator[MakeIndex]:
    """Gives a function that makes indices whose documents the node embeds; deletes them after."""
    made: list[str] = []

    def make(
        *,
        field: str = "embedding",
        inputs: Sequence[str] = INPUTS,
        properties: Body | None = None,
        mappings: Body | None = None,
        **settings: Any,
    ) -> str:
        index = f"embed-{uuid.uuid4().hex[:8]}"
        vector = {"type": "dense_vector", "dims": DIMS, "similarity": "dot_product"}
        text = {"type": "text"}
        entry = {
            "input": list(inputs),
            "encoder": ENCODER,
            "fingerprint": settings.pop("fingerprint", None) or fingerprint(client),
        }
        client.indices.create(
            index=index,
            settings={
                "number_of_shards": 1,
                "number_of_replicas": 0,
                "index.densehook.embed": True,
                **settings,
            },
            mappings={
                "_meta": {"densehook": {"fields": {field: entry}, "bm25": inputs[0]}},
                "dynamic": False,
                "properties": properties or {field: vector, **dict.fromkeys(INPUTS, text)},
                **(mappings or {}),
            },
        )
        made.append(index)
        return index

    try:
        yield make
    finally:
        for index in made:
            client.indices.delete(index=index, ignore_unavailable=True)


def status(client: Elasticsearch) -> list[Body]:
    """What each node says of the encoder."""
    nodes = client.perform_request("GET", "/_densehook").body["nodes"]
    return [node["encoders"][ENCODER] for node in nodes.values()]


def fingerprint(client: Elasticsearch) -> str:
    return str(status(client)[0]["fingerprint"])


def encoded(client: Elasticsearch) -> int:
    """How many documents the nodes have encoded until now."""
    return sum(int(node["ingest"]["texts"]) for node in status(client))


def expected(client: Elasticsearch, text: str) -> np.ndarray:
    response = client.perform_request(
        "POST",
        "/_densehook/_encode",
        headers={"content-type": "application/json", "accept": "application/json"},
        body={"encoder": ENCODER, "texts": [text], "role": "document"},
    )
    return np.array(response.body["texts"][0]["vector"])


def stored(client: Elasticsearch, index: str, id: str, field: str = "embedding") -> Any:
    """The stored vector, or None."""
    client.indices.refresh(index=index)
    hits = client.search(
        index=index, query={"ids": {"values": [id]}}, fields=[{"field": field}], source=False
    )["hits"]["hits"]
    assert len(hits) == 1, f"no document {id}"
    values = hits[0].get("fields", {}).get(field)
    return None if values is None else np.array(values).ravel()


def same(one: np.ndarray | None, other: np.ndarray | Sequence[float]) -> bool:
    return one is not None and bool(np.abs(one - np.array(other)).max() < 1e-5)


def assert_embeds(client: Elasticsearch, index: str, id: str, text: str) -> None:
    assert same(stored(client, index, id), expected(client, text)), f"not the vector of {text!r}"


def assert_found_by(client: Elasticsearch, index: str, id: str, text: str) -> None:
    """As assert_embeds, for an index whose source does not show vectors."""
    client.indices.refresh(index=index)
    knn = {
        "field": "embedding",
        "query_vector": expected(client, text).tolist(),
        "k": 1,
        "num_candidates": 10,
        "filter": {"ids": {"values": [id]}},
    }
    hits = client.search(index=index, knn=knn)["hits"]["hits"]
    assert hits, f"document {id} has no vector"
    # the field may be quantised, so that even its own vector scores a little less than 1
    assert hits[0]["_score"] > 0.99, f"not the vector of {text!r}"
