"""Pairs: in bulk, packed with those of like length, and a search's candidates put in order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import cast

from ...bundle import Bundle
from ...machine import usable_cpus
from ..cross_encoder import CrossEncoder
from ..encoder import Encoder
from .bulk import WARM_UP, BulkTimes, padding_of, windows
from .callers import CALLERS, QueryTimes, asked, made_queries
from .given import Given

CANDIDATES = 50
_RERANKINGS = 20
_WARM_UP = 2


@dataclass(frozen=True)
class Times(BulkTimes):
    """Of pairs in bulk, and of rerankings of so many ``candidates`` of a query."""

    candidates: int
    rerankings: Sequence[QueryTimes]

    def said(self) -> list[tuple[str, str]]:
        """As ``Times.said`` of the package."""
        return [
            *self.said_of_bulk("pairs", "pairs"),
            *(
                (f"rerankings of {self.candidates}, {each.callers} at a time", each.said())
                for each in self.rerankings
            ),
        ]


def timed(bundle: Bundle, encoder: Encoder, given: Given) -> Times:
    """Scores each text for a query made of another's first words; then puts some in order."""
    crossing = cast(CrossEncoder, encoder)
    queries = made_queries(given.texts, len(given.texts))
    pairs = list(zip([*queries[1:], queries[0]], given.texts, strict=True))
    crossing.score_counted(pairs[:WARM_UP])
    given.progress("Scoring pairs")
    started = time.perf_counter()
    stats = crossing.score_counted(pairs).stats
    bulk_seconds = time.perf_counter() - started
    padding = padding_of(encoder, map(crossing.tokenize_pairs, windows(pairs)))
    given.progress("Reranking")
    candidates = list(islice(cycle(given.texts), CANDIDATES))

    def rerank(query: str) -> None:
        crossing.score_counted([(query, text) for text in candidates])

    of_queries = made_queries(given.texts, _WARM_UP + _RERANKINGS)
    rerankings = [asked(rerank, of_queries, callers, _WARM_UP) for callers in (1, CALLERS)]
    return Times(
        usable_cpus(), given.load_seconds, stats, bulk_seconds, padding, CANDIDATES, rerankings
    )
