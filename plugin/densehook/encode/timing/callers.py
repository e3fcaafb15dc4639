"""How long one answer takes, of callers who ask one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import numpy as np

CALLERS = 4
_QUERY_WORDS = 10


@dataclass(frozen=True)
class QueryTimes:
    """Queries of some callers at a time; percentiles in ms, from text to what it comes to."""

    callers: int
    per_second: float
    p50_ms: float
    p99_ms: float

    def said(self) -> str:
        """In words."""
        rate = f"{self.per_second:,.{0 if self.per_second >= 10 else 1}f}"
        return f"{rate}/s, p50 {self.p50_ms:.2f} ms, p99 {self.p99_ms:.2f} ms"


def made_queries(texts: Sequence[str], count: int) -> list[str]:
    """So many queries of the first words of texts, each another, or it is encoded once."""
    return [
        f"{number} {' '.join(text.split()[:_QUERY_WORDS])}"
        for number, text in enumerate(islice(cycle(texts), count))
    ]


def asked(
    ask: Callable[[str], Any], queries: Sequence[str], callers: int, warm_up: int
) -> QueryTimes:
    """How long ``ask`` takes for each query but the first ``warm_up``."""

    def answered(query: str) -> float:
        started = time.perf_counter()
        ask(query)
        return time.perf_counter() - started

    with ThreadPoolExecutor(callers) as threads:
        list(threads.map(answered, queries[:warm_up]))
        started = time.perf_counter()
        seconds = list(threads.map(answered, queries[warm_up:]))
        whole = time.perf_counter() - started
    p50, p99 = (1000 * float(np.quantile(seconds, share)) for share in (0.5, 0.99))
    return QueryTimes(callers, len(seconds) / whole, p50, p99)
