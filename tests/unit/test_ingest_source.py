"""Prefetching changes when items are made, and nothing else; and how much is encoded together."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator

import pytest

from densehook.bundle import Bundle
from densehook.chunk import ChunkRule
from densehook.collections import BadLine
from densehook.hooks import TextRule, VectorField
from densehook.ingest.source import (
    Portion,
    characters_of,
    portion_of,
    portions,
    prefetched,
    windows,
)
from densehook.types import Document


def test_items_come_whole_and_in_order() -> None:
    assert list(prefetched(range(1000), 3)) == list(range(1000))


def test_no_more_items_wait_than_allowed() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for n in range(100):
            made.append(n)
            yield n

    ahead = prefetched(items(), 2)
    assert next(ahead) == 0
    time.sleep(0.3)
    assert len(made) <= 1 + 2 + 1  # taken, waiting, and the one in the producer's hand
    assert list(ahead) == list(range(1, 100))


def test_work_goes_on_while_the_consumer_is_busy() -> None:
    produced = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        produced.set()
        yield 2

    ahead = prefetched(items(), 1)
    next(ahead)
    assert produced.wait(2)  # without the consumer asking for more
    ahead.close()


def test_an_error_arrives_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("disk on fire")

    ahead = prefetched(items(), 4)
    assert next(ahead) == 1
    with pytest.raises(OSError, match="disk on fire"):
        next(ahead)


def test_a_consumer_that_leaves_stops_the_thread() -> None:
    before = threading.active_count()
    ahead = prefetched(iter(int, 1), 1)  # endless
    next(ahead)
    ahead.close()
    assert threading.active_count() == before


WHOLE = VectorField("v", TextRule.joining(["title", "text"]), "e", "sha256:x", {})
CHUNKED = dataclasses.replace(WHOLE, name="p.v", chunk=ChunkRule())
IMAGE = dataclasses.replace(WHOLE, text=dataclasses.replace(WHOLE.text, modality="image"))


def test_long_texts_are_few_in_a_portion_and_one_that_is_longer_is_alone() -> None:
    lengths = [3, 3, 3, 12, 1, 1, 1, 1, 1, 9, 9]
    portion = Portion(documents=4, characters=10)
    parts = list(portions(lengths, portion, lambda length: length))
    assert parts == [[3, 3, 3], [12], [1, 1, 1, 1], [1, 9], [9]]
    # of a document no more counts than the encoder reads
    read = dataclasses.replace(portion, read=2)
    assert [len(part) for part in portions(lengths, read, lambda length: length)] == [4, 4, 3]


def test_an_id_that_comes_again_begins_another_window() -> None:
    documents = [Document("a"), Document("b"), BadLine("f:1", "torn"), Document("a"), Document("c")]
    found = [len(window) for window in windows(documents, Portion(), WHOLE)]
    assert found == [3, 2]


def test_what_the_cluster_encodes_is_bounded_by_what_it_has_to_read(tiny_bundle: Bundle) -> None:
    manifest = dataclasses.replace(tiny_bundle.manifest, max_tokens=8192)
    usual = portion_of(WHOLE, None, in_cluster=True)
    long = portion_of(WHOLE, manifest, in_cluster=True)
    chunked = portion_of(CHUNKED, manifest, in_cluster=True)
    texts = [100_000] * 64
    counts = [
        len(next(portions(texts, each, lambda length: length))) for each in (usual, long, chunked)
    ]
    assert counts == [64, 4, 1]
    assert len(next(portions([2000] * 100, long, lambda length: length))) == 64
    # an image is read as one, however long it is
    assert portion_of(IMAGE, manifest, in_cluster=True) == Portion(64)
    here = [portion_of(each, manifest, in_cluster=False) for each in (WHOLE, CHUNKED)]
    assert [len(next(portions([2000] * 300, each, lambda length: length))) for each in here] == [
        256,
        200,
    ]


def test_the_characters_of_a_document_are_those_of_its_inputs() -> None:
    assert characters_of({"title": "ab", "text": ["cd", "e"], "more": "f" * 99}, WHOLE) == 7
    assert characters_of({"title": {"an": "object"}}, WHOLE) == 0
