"""Normalizers: the scores of one ranking brought to a scale on which they add to another's.

A new one is one entry in NORMALIZERS.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Scores = Sequence[float]


def _no_value(scaled: Scores) -> float | None:
    return None


def _lowest(scaled: Scores) -> float | None:
    return min(scaled, default=None)


def _zero_or_lower(scaled: Scores) -> float | None:
    lowest = min(scaled, default=0.0)
    return lowest if lowest < 0 else None


@dataclass(frozen=True)
class Normalizer:
    """How the scores of one ranking are scaled, and what a document counts that it lacks.

    ``absent`` is given the scaled scores; None says that nothing stands for the document's, which
    then adds 0. It is never more than the last of the ranking has.
    """

    scale: Callable[[Scores], Scores]
    absent: Callable[[Scores], float | None] = _no_value


def min_max(scores: Scores) -> Scores:
    """Scale scores to [0, 1]; they are all ones when all equal, as in pyserini.fusion."""
    return _from(min(scores), scores) if scores else []


def theoretical_min_max(scores: Scores) -> Scores:
    """Divide scores by the highest: min-max from the lowest score there can be, which is 0.

    TM2C2 of Bruch, Gai and Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval":
    BM25 gives 0 to what has no word of the query, and Elasticsearch's scores of vectors are 0 or
    more. Where a score is below 0 that is not the bound, and it is as min_max.
    """
    return _from(min(0.0, min(scores)), scores) if scores else []


def l2_norm(scores: Scores) -> Scores:
    """Divide scores by their Euclidean length; leave them when it is 0."""
    length = math.sqrt(math.fsum(score * score for score in scores))
    return [score / length for score in scores] if length else scores


def z_score(scores: Scores) -> Scores:
    """Give distances from the mean in population standard deviations; zeros when all are equal.

    ZMUV of Montague and Aslam 2001, "Relevance Score Normalization for Metasearch", who say too
    that a document which is not retrieved needs an estimate: here it is the ranking's lowest.
    """
    if not scores or min(scores) == max(scores):  # a mean rounded in its last bit says otherwise
        return [0.0] * len(scores)
    mean, deviation = _spread(scores, len(scores))
    return [(score - mean) / deviation if deviation else 0.0 for score in scores]


def distribution_based(scores: Scores) -> Scores:
    """Scale scores so that the mean less three standard deviations is 0, and with three more 1.

    DBSF of Mazzeschi 2023, with what Qdrant does (lib/segment/src/common/score_fusion.rs): the
    deviation is the sample's, one score or equal ones are all 0.5, and nothing is clipped, so that
    scores far out keep their order; few ever are.
    """
    if not scores or min(scores) == max(scores):
        return [0.5] * len(scores)
    mean, deviation = _spread(scores, len(scores) - 1)
    low, high = mean - 3 * deviation, mean + 3 * deviation
    return [(score - low) / (high - low) if high > low else 0.5 for score in scores]


def unchanged(scores: Scores) -> Scores:
    """Leave the scores as they are."""
    return scores


NORMALIZERS: Mapping[str, Normalizer] = {
    "minmax": Normalizer(min_max),
    "l2_norm": Normalizer(l2_norm),
    "zscore": Normalizer(z_score, _lowest),
    "dbsf": Normalizer(distribution_based, _zero_or_lower),
    "tmm": Normalizer(theoretical_min_max),
    "none": Normalizer(unchanged),
}
"""Normalizers by the names that Elasticsearch's ``linear`` retriever gives them, and more."""


def _from(low: float, scores: Scores) -> Scores:
    """Scores scaled to [0, 1], 0 at ``low``; ones where nothing is above it."""
    span = max(scores) - low
    return [(score - low) / span for score in scores] if span else [1.0] * len(scores)


def _spread(scores: Scores, freedom: int) -> tuple[float, float]:
    """The mean, and the standard deviation with that many degrees of freedom."""
    mean = math.fsum(scores) / len(scores)
    squares = math.fsum((score - mean) * (score - mean) for score in scores)
    return mean, math.sqrt(squares / freedom)
