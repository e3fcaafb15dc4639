"""What is sent to a cluster's encoder: as much at a time as a node takes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from densehook.bundle import Dense
from densehook.elastic import remote
from densehook.elastic.remote import RemoteEncoder
from densehook.images import MAX_BYTES


class Node:
    """Answers each image by its length."""

    def __init__(self) -> None:
        self.sent: list[list[str]] = []

    def perform_request(self, method: str, path: str, *, headers: Any, body: Any) -> Any:
        self.sent.append(body["images"])
        rows = [{"vector": [len(each)]} for each in body["images"]]
        return SimpleNamespace(body={"fingerprint": "sha256:1", "images": rows})


def encoder(node: Node) -> RemoteEncoder:
    part = Dense(dims=1, similarity="cosine", pooling="mean", normalise=True)
    manifest = SimpleNamespace(
        name="clip", fingerprint="sha256:1", part=part, require_modality=lambda modality: None
    )
    return RemoteEncoder(node, manifest)


def test_images_are_sent_as_many_at_a_time_as_have_few_enough_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remote, "_MOST_BYTES", 1000)
    node = Node()
    images = ["a" * size for size in (300, 300, 300, 300, 5000, 1, 990)]
    rows = encoder(node).encode_images(images)
    assert [[len(each) for each in some] for some in node.sent] == [
        [300, 300, 300],
        [300],
        [5000],
        [1, 990],
    ]
    np.testing.assert_array_equal(rows[:, 0], [len(each) for each in images])


def test_what_is_small_is_cut_by_its_number() -> None:
    node = Node()
    assert encoder(node).encode_images(["a"] * 2500).shape == (2500, 1)
    assert [len(some) for some in node.sent] == [1000, 1000, 500]
    assert encoder(node).encode_images([]).shape == (0, 1)


def test_a_request_has_fewer_bytes_than_a_node_takes_by_itself() -> None:
    """http.max_content_length, 100 MB: a full request and the image that goes beside it fit."""
    assert remote._MOST_BYTES <= 100 * 1024 * 1024 - MAX_BYTES * 4 // 3
