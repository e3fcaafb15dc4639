"""Texts: as documents in bulk, and as queries, one by one and several at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ...bundle import Bundle
from ...machine import usable_cpus
from ..encoder import Encoder
from ..engine import Engine
from .bulk import WARM_UP, BulkTimes, padding_of, windows
from .callers import CALLERS, QueryTimes, asked, made_queries
from .given import Given

_QUERIES = 300

QueriesOf = Callable[[Sequence[str], int], Sequence[str]]
"""Makes so many queries of texts, each another."""


@dataclass(frozen=True)
class Times(BulkTimes):
    """Of documents in bulk, and of queries."""

    queries: Sequence[QueryTimes]

    def said(self) -> list[tuple[str, str]]:
        """As ``Times.said`` of the package."""
        return [
            *self.said_of_bulk("documents", "texts"),
            *((f"queries, {each.callers} at a time", each.said()) for each in self.queries),
        ]


def timed(bundle: Bundle, encoder: Encoder, given: Given, made: QueriesOf = made_queries) -> Times:
    """Encodes all texts once as documents, then queries ``made`` of them: of their first words."""
    encoder.encode_counted(given.texts[:WARM_UP], "document")
    given.progress("Encoding documents")
    started = time.perf_counter()
    stats = encoder.encode_counted(given.texts, "document").stats
    bulk_seconds = time.perf_counter() - started
    padding = padding_of(
        encoder, (encoder.tokenize(each, "document") for each in windows(given.texts))
    )
    given.progress("Encoding queries")
    with Engine(bundle, cached_queries=0) as engine:
        queries = timed_queries(engine.encode_query, given.texts, made)
    return Times(usable_cpus(), given.load_seconds, stats, bulk_seconds, padding, queries)


def timed_queries(
    ask: Callable[[str], Any], texts: Sequence[str], made: QueriesOf = made_queries
) -> list[QueryTimes]:
    """Of one caller, and of several at a time."""
    queries = made(texts, WARM_UP + _QUERIES)
    return [asked(ask, queries, callers, WARM_UP) for callers in (1, CALLERS)]
