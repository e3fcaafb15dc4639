"""How long answers take, as whoever asks sees it."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

CALLERS = (1, 4)
"""How many ask at a time, each for itself."""
_WARMING = 20
"""Answers that are not counted: caches fill, and code is compiled."""

Asked = TypeVar("Asked")


@dataclass(frozen=True)
class Latency:
    """Milliseconds of ``asked`` answers, while so many callers asked at a time.

    ``p50`` is the median; of a hundred answers one takes longer than ``p99``.
    """

    callers: int
    asked: int
    p50: float
    p99: float


def measure_latency(
    ask: Callable[[Asked], object], queries: Sequence[Asked], callers: int
) -> Latency:
    """Asks every query once, by so many callers, after some that are not counted.

    Raises what ``ask`` raises, the first time it does.
    """
    for query in queries[:_WARMING]:
        ask(query)
    numbers = itertools.count()
    seconds: list[float] = []
    failures: list[BaseException] = []

    def call() -> None:
        while not failures and (number := next(numbers)) < len(queries):
            started = time.perf_counter()
            try:
                ask(queries[number])
            except BaseException as error:  # to be raised where it is waited for
                failures.append(error)
            seconds.append(time.perf_counter() - started)

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return Latency(callers, len(seconds), *(_quantile(seconds, share) for share in (0.5, 0.99)))


def _quantile(seconds: Sequence[float], share: float) -> float:
    """In milliseconds, by nearest rank: a time that was seen, and no mean of two."""
    rank = max(1, math.ceil(share * len(seconds)))
    return 1000 * sorted(seconds)[rank - 1]
