"""Prefetching changes when items are made, and nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from densehook.ingest.source import prefetched


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
