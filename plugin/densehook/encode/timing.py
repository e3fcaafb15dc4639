"""What an encoder does here and now: texts a second in bulk, and how long a query takes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ..bundle import Bundle
from ..errors import EncodeError
from ..machine import usable_cpus
from ..types import EncodeStats
from .encoder import WINDOW, Encoder
from .engine import Engine
from .opening import load
from .packing import pack

CALLERS = 4
_QUERIES = 300
_QUERY_WORDS = 10
_WARM_UP = 32


@dataclass(frozen=True)
class QueryTimes:
    """Queries of some callers at a time; percentiles in ms, from text to vector."""

    callers: int
    per_second: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Times:
    """Speed of a bundle on this machine; ``padding`` is the share of tokens run in vain."""

    cpus: int
    load_seconds: float
    bulk: EncodeStats
    bulk_seconds: float
    padding: float
    queries: Sequence[QueryTimes]

    @property
    def texts_per_second(self) -> float:
        """In bulk."""
        return self.bulk.texts / self.bulk_seconds

    @property
    def tokens_per_second(self) -> float:
        """In bulk, padding and truncated tokens not counted."""
        return self.bulk.tokens / self.bulk_seconds


def timed(
    bundle: Bundle, texts: Sequence[str], progress: Callable[[str], None] = lambda step: None
) -> Times:
    """Encodes all texts once as documents, then queries made of their first words.

    ``load_seconds`` is with its sums and its self-test. Raises EncodeError when there are no texts,
    or as Encoder does.
    """
    if not texts:
        raise EncodeError("there are no texts to encode; give some, one on a line")
    progress("Loading")
    started = time.perf_counter()
    encoder = load(bundle.path)
    load_seconds = time.perf_counter() - started
    encoder.encode_counted(texts[:_WARM_UP], "document")
    progress("Encoding documents")
    started = time.perf_counter()
    stats = encoder.encode_counted(texts, "document").stats
    bulk_seconds = time.perf_counter() - started
    progress("Encoding queries")
    with Engine(bundle, cached_queries=0) as engine:
        queries = [_queries(engine, texts, callers) for callers in (1, CALLERS)]
    return Times(
        usable_cpus(), load_seconds, stats, bulk_seconds, _padding(encoder, texts), queries
    )


def _queries(engine: Engine, texts: Sequence[str], callers: int) -> QueryTimes:
    numbers = range(_WARM_UP + _QUERIES)
    questions = [
        f"{number} {' '.join(text.split()[:_QUERY_WORDS])}"  # each another, or it is encoded once
        for number, text in zip(numbers, itertools.cycle(texts))
    ]

    def ask(question: str) -> float:
        started = time.perf_counter()
        engine.encode_query(question)
        return time.perf_counter() - started

    with ThreadPoolExecutor(callers) as threads:
        list(threads.map(ask, questions[:_WARM_UP]))
        started = time.perf_counter()
        seconds = list(threads.map(ask, questions[_WARM_UP:]))
        whole = time.perf_counter() - started
    p50, p99 = (1000 * float(np.quantile(seconds, share)) for share in (0.5, 0.99))
    return QueryTimes(callers, len(seconds) / whole, p50, p99)


def _padding(encoder: Encoder, texts: Sequence[str]) -> float:
    used = run = 0
    for start in range(0, len(texts), WINDOW):
        tokens = encoder.tokenize(texts[start : start + WINDOW], "document")
        lengths = [len(text.ids) for text in tokens]
        used += sum(lengths)
        runs = pack(lengths, encoder.tokens_per_run, encoder.max_padding)
        run += sum(len(group) * lengths[group[0]] for group in runs)
    return 1 - used / run
