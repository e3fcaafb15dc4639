"""Linear combination of normalised scores."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from ..errors import RequestError
from ..types import Ranking
from .merging import Column, FusedHit, Part, absent_part, checked_weights, merge, resorted

Normalizer = Callable[[Sequence[float]], Sequence[float]]
"""Scores of one ranking, as many normalised scores."""


def linear_combination(
    rankings: Sequence[Ranking],
    *,
    weights: Sequence[float] | None = None,
    normalizer: str = "minmax",
) -> list[FusedHit]:
    """Sum over the rankings of weight * normalised score.

    With the defaults it is equal, score by score, to pyserini.fusion.normalize: the sum of min-max
    normalised scores, which ranks as their average does. A document missing from a ranking gets no
    more from it than the ranking's last: 0, which with minmax is what the last gets, and with
    zscore, whose 0 is an average document's, the last's own. Equal sums are ordered by id,
    ascending.

    Raises RequestError for a document twice in one ranking, a score that is not finite, weights
    that do not fit the rankings, or an unknown normalizer.
    """
    if normalizer not in NORMALIZERS:
        raise RequestError(f"no normalizer {normalizer!r}; known are {', '.join(NORMALIZERS)}")
    used = checked_weights(weights, rankings)
    columns = [
        _column(ranking, weight, NORMALIZERS[normalizer])
        for ranking, weight in zip(rankings, used, strict=True)
    ]
    absent = [
        _absent(column, weight, normalizer) for column, weight in zip(columns, used, strict=True)
    ]
    return merge(columns, absent)


def min_max(scores: Sequence[float]) -> Sequence[float]:
    """Scale scores to [0, 1]; they are all ones when all equal, as in pyserini.fusion."""
    if not scores:
        return []
    low = min(scores)
    span = max(scores) - low
    return [(score - low) / span for score in scores] if span else [1.0] * len(scores)


def l2_norm(scores: Sequence[float]) -> Sequence[float]:
    """Divide scores by their Euclidean length; leave them when it is 0."""
    length = math.sqrt(math.fsum(score * score for score in scores))
    return [score / length for score in scores] if length else scores


def z_score(scores: Sequence[float]) -> Sequence[float]:
    """Give distances from the mean in population standard deviations; zeros when all are equal.

    ZMUV of Montague and Aslam 2001, "Relevance Score Normalization for Metasearch", who say too
    that a document which is not retrieved needs an estimate: here it is the ranking's lowest.
    """
    if not scores or min(scores) == max(scores):  # a mean rounded in its last bit says otherwise
        return [0.0] * len(scores)
    mean = math.fsum(scores) / len(scores)
    apart = [score - mean for score in scores]
    deviation = math.sqrt(math.fsum(distance * distance for distance in apart) / len(scores))
    return [distance / deviation if deviation else 0.0 for distance in apart]


def unchanged(scores: Sequence[float]) -> Sequence[float]:
    """Leave the scores as they are."""
    return scores


NORMALIZERS: Mapping[str, Normalizer] = {
    "minmax": min_max,
    "l2_norm": l2_norm,
    "zscore": z_score,
    "none": unchanged,
}
"""Normalizers by the names that Elasticsearch's ``linear`` retriever gives them, and zscore."""


def _absent(column: Column, weight: float, normalizer: str) -> Part:
    if NORMALIZERS[normalizer] is not z_score or not column:
        return absent_part(weight)
    lowest = min(part.normalised or 0.0 for part in column.values())
    return Part(None, None, lowest, weight, weight * lowest)


def _column(ranking: Ranking, weight: float, normalize: Normalizer) -> Column:
    hits = resorted(ranking)
    normalised = normalize([score for _, score in hits])
    return {
        id_: Part(rank, score, scaled, weight, weight * scaled)
        for rank, ((id_, score), scaled) in enumerate(zip(hits, normalised, strict=True), start=1)
    }
