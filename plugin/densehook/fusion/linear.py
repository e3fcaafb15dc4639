"""Linear combination of normalised scores."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import RequestError
from ..types import Ranking
from .merging import Column, FusedHit, merge, resorted
from .normalizers import NORMALIZERS


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
    zscore, whose 0 is an average document's, the last's own; each normalizer knows. Equal sums are
    ordered by id, ascending.

    Raises RequestError for a document twice in one ranking, a score that is not finite, weights
    that do not fit the rankings, or an unknown normalizer.
    """
    return merge([scaled_column(each, normalizer=normalizer) for each in rankings], weights)


def scaled_column(ranking: Ranking, *, normalizer: str = "minmax") -> Column:
    """A ranking whose documents are worth their normalised scores."""
    if normalizer not in NORMALIZERS:
        raise RequestError(f"no normalizer {normalizer!r}; known are {', '.join(NORMALIZERS)}")
    hits = resorted(ranking)
    scaled = NORMALIZERS[normalizer].scale([score for _, score in hits])
    return Column(hits, scaled, NORMALIZERS[normalizer].absent(scaled), normalised=True)
