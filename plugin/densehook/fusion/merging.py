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


Column = Mapping[DocId, Part]
"""One input ranking as its parts by document."""


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


def checked_weights(
    weights: Sequence[float] | None, rankings: Sequence[Ranking]
) -> Sequence[float]:
    """Give the weights, 1.0 each where there are none; RequestError when they do not fit."""
    if weights is None:
        return [1.0] * len(rankings)
    if len(weights) != len(rankings):
        raise RequestError(
            f"{len(weights)} weights for {len(rankings)} rankings; give one for each"
        )
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights):
        raise RequestError(f"weights are {list(weights)}; each must be a number of at least 0")
    return weights


def absent_part(weight: float) -> Part:
    """Give the part of a document that a ranking does not hold and gives nothing to."""
    return Part(None, None, None, weight, 0.0)


def merge(columns: Sequence[Column], absent: Sequence[Part]) -> list[FusedHit]:
    """Sum the parts of each document in any column; by score descending, then id ascending.

    ``absent`` is, for each column, the part of a document that is not in it.
    """
    pairs = list(zip(columns, absent, strict=True))
    union = dict.fromkeys(id_ for column in columns for id_ in column)
    fused = [_fuse(id_, tuple(column.get(id_, none) for column, none in pairs)) for id_ in union]
    return sorted(fused, key=lambda hit: (-hit.score, hit.id))


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
