"""The ways to index and search vectors that are tried."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import RequestError
from ..hooks.kinds.dense import INDEX_TYPES, MAX_CANDIDATES

EXACT = "flat"
"""Compares every vector, whole: what the others are measured against."""
FIRST = 10
"""Hits that a reader sees."""
LAST = 100
"""Hits that a fusion or a reranker sees."""
CANDIDATES = (20, 50, 100, 200, 500)
OVERSAMPLES = (0.0, 3.0)
"""Without comparing again by whole vectors, and with three times the hits compared again."""

_WHOLE = ("flat", "hnsw")
"""Kinds that keep whole vectors only, and so have nothing to compare again."""


@dataclass(frozen=True)
class Way:
    """How one index is searched; ``num_candidates`` is None where every vector is a candidate."""

    kind: str
    num_candidates: int | None = None
    oversample: float | None = None

    def __str__(self) -> str:
        told = self.kind
        if self.num_candidates is not None:
            told += f", {self.num_candidates} candidates"
        if self.oversample is not None:
            again = f"oversample {self.oversample:g}" if self.oversample else "not rescored"
            told += f", {again}"
        return told


def ways_of(kind: str, candidates: Sequence[int], oversamples: Sequence[float]) -> list[Way]:
    """The ways to search an index of a kind, from the quickest to the most thorough."""
    if kind == EXACT:
        return [Way(kind)]
    if kind in _WHOLE:
        return [Way(kind, each) for each in candidates]
    return [Way(kind, each, again) for again in oversamples for each in candidates]


def check_kinds(kinds: Iterable[str]) -> list[str]:
    """Give the kinds without repetition, the exact one first, which is always needed.

    Raises RequestError for one that is unknown.
    """
    wanted = list(dict.fromkeys(kinds))
    for kind in wanted:
        if kind not in INDEX_TYPES:
            raise RequestError(f"no index type {kind!r}; known are {', '.join(INDEX_TYPES)}")
    return [EXACT, *(kind for kind in wanted if kind != EXACT)]


def check_candidates(candidates: Iterable[int]) -> list[int]:
    """Give the numbers, ascending; RequestError for one that Elasticsearch would refuse."""
    wanted = sorted(set(candidates))
    for each in wanted:
        if not FIRST <= each <= MAX_CANDIDATES:
            raise RequestError(
                f"{each} candidates cannot be; give numbers from {FIRST} to {MAX_CANDIDATES:,}"
            )
    return wanted


def check_oversamples(oversamples: Iterable[float]) -> list[float]:
    """Give the factors, ascending; RequestError for one that Elasticsearch would refuse."""
    wanted = sorted(set(oversamples))
    for each in wanted:
        if each != 0 and not 1 <= each < 10:
            raise RequestError(f"oversample {each:g} cannot be; give 0, or from 1 to below 10")
    return wanted
