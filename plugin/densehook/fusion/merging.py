"""What every fusion shares: the parts of a fused score, and how they are summed and ordered."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import RequestError
from ..types import DocId, Ranking, ScoredDoc


class Part(NamedTuple):
    """What one ranking gave to a document; rank and score are None where it is not in it.

    ``normalised`` is then what stands for its score there, or None.
    """

    rank: int | None
    score: float | None
    normalised: float | None
    weight: float
    contribution: float


@dataclass(frozen=True, slots=True)
class FusedHit:
    """A document in a fused ranking: its score is the sum of its parts' contributions.

    ``parts`` has one entry for each input ranking, in the order they were given.
    """

    id: DocId
    score: float
    parts: tuple[Part, ...]


class Column(NamedTuple):
    """One ranking, best first, and what each of its documents is worth before its weight.

    ``absent`` is what one is worth that it does not hold; None where nothing stands for it, which
    adds 0. ``normalised`` says that the worths are scores.
    """

    hits: Sequence[ScoredDoc]
    worths: Sequence[float]
    absent: float | None = None
    normalised: bool = False


def within(ranking: Ranking, window: int, min_score: float | None = None) -> Ranking:
    """The part of a ranking that is fused: its first hits, without those below a score."""
    first = ranking[:window]
    return first if min_score is None else [hit for hit in first if hit.score >= min_score]


def resorted(ranking: Ranking) -> list[ScoredDoc]:
    """Sort hits by score, highest first; equal scores keep the order in which they arrived.

    This is TrecRun's ``resort``. A ranking that arrives best first is left as it is.
    Raises RequestError when a score is not finite or a document is there twice.
    """
    hits = sorted(ranking, key=_score, reverse=True)
    if not all(math.isfinite(score) for _, score in hits):
        raise RequestError("a ranking has a score that is not a finite number")
    if len({id_ for id_, _ in hits}) < len(hits):
        raise RequestError(f"a ranking holds document {_repeated(hits)!r} twice")
    return hits


def merge(columns: Sequence[Column], weights: Sequence[float] | None) -> list[FusedHit]:
    """Sum for each document in any column weight * worth; by sum descending, then id ascending.

    Every weight is 1 where none is given. Raises RequestError when they do not fit the columns.
    """
    used = _checked(weights, len(columns))
    pairs = [
        (_parts(column, weight), _absent(column, weight))
        for column, weight in zip(columns, used, strict=True)
    ]
    union = dict.fromkeys(id_ for parts, _ in pairs for id_ in parts)
    fused = [_fuse(id_, tuple(parts.get(id_, none) for parts, none in pairs)) for id_ in union]
    return sorted(fused, key=lambda hit: (-hit.score, hit.id))


def sums(columns: Sequence[Column], weights: Sequence[float] | None) -> list[ScoredDoc]:
    """As ``merge``, without what each column gave: several times as fast, for whole runs."""
    used = _checked(weights, len(columns))
    pairs = []
    for column, weight in zip(columns, used, strict=True):
        worths = zip(column.hits, column.worths, strict=True)
        given = {hit[0]: weight * worth for hit, worth in worths}
        pairs.append((given, 0.0 if column.absent is None else weight * column.absent))
    union = dict.fromkeys(id_ for given, _ in pairs for id_ in given)
    summed = [
        ScoredDoc(
            id_,
            compensated_sum(
                [given.get(id_, absent) for given, absent in pairs if absent or id_ in given]
            ),
        )
        for id_ in union
    ]
    return sorted(summed, key=lambda hit: (-hit.score, hit.id))


def _checked(weights: Sequence[float] | None, rankings: int) -> Sequence[float]:
    if weights is None:
        return [1.0] * rankings
    if len(weights) != rankings:
        raise RequestError(f"{len(weights)} weights for {rankings} rankings; give one for each")
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights):
        raise RequestError(f"weights are {list(weights)}; each must be a number of at least 0")
    return weights


def _parts(column: Column, weight: float) -> Mapping[DocId, Part]:
    numbered = enumerate(zip(column.hits, column.worths, strict=True), start=1)
    return {
        id_: Part(rank, score, worth if column.normalised else None, weight, weight * worth)
        for rank, ((id_, score), worth) in numbered
    }


def _absent(column: Column, weight: float) -> Part:
    """The part of a document that the ranking does not hold."""
    worth = column.absent
    return Part(None, None, worth, weight, 0.0 if worth is None else weight * worth)


def _fuse(id_: DocId, parts: tuple[Part, ...]) -> FusedHit:
    counted = [part.contribution for part in parts if part.rank or part.contribution]
    return FusedHit(id_, compensated_sum(counted), parts)


def compensated_sum(values: Iterable[float]) -> float:
    """Add up in the order given, with Kahan's compensation (1965, CACM 8(1), page 40).

    Pandas sums groups this way, and so pyserini.fusion: with three lists and more a plain sum can
    differ in the last bit, and that bit decides whether two documents are tied.
    """
    total = compensation = 0.0
    for value in values:
        corrected = value - compensation
        longer = total + corrected
        compensation = (longer - total) - corrected
        total = longer
    return total


def _score(hit: ScoredDoc) -> float:
    return hit[1]


def _repeated(hits: Sequence[ScoredDoc]) -> DocId:
    ids = [id_ for id_, _ in hits]
    return next(id_ for id_ in ids if ids.count(id_) > 1)
