"""Latencies are of every query, counted once, by as many callers as are said."""

from __future__ import annotations

import threading
import time

import pytest

from densehook.evaluation.latency import measure_latency


def test_every_query_is_asked_once_after_the_warming() -> None:
    asked: list[int] = []
    measured = measure_latency(asked.append, range(50), callers=4)
    assert sorted(asked[20:]) == list(range(50))
    assert asked[:20] == list(range(20))
    assert (measured.callers, measured.asked) == (4, 50)


def test_so_many_ask_at_a_time() -> None:
    together = threading.Barrier(3, timeout=10)
    warm = threading.Event()

    def ask(number: int) -> None:
        if warm.is_set():
            together.wait()  # breaks where fewer than three ask
        elif number == 19:
            warm.set()

    assert measure_latency(ask, range(21), callers=3).asked == 21


def test_quantiles_are_times_that_were_seen() -> None:
    slow = {40}
    warmed: set[int] = set(range(20))

    def ask(number: int) -> None:
        if number in warmed:
            warmed.discard(number)
        elif number in slow:
            time.sleep(0.2)

    measured = measure_latency(ask, range(60), callers=1)
    assert measured.p50 < 100
    assert measured.p99 >= 200  # of sixty, the slowest


def test_a_failing_search_ends_the_measurement() -> None:
    def ask(number: int) -> None:
        if number == 30:
            raise ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        measure_latency(ask, range(60), callers=2)
