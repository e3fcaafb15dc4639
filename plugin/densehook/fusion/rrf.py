"""Reciprocal rank fusion."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import RequestError
from ..types import Ranking
from .merging import Column, FusedHit, merge, resorted


def reciprocal_rank_fusion(
    rankings: Sequence[Ranking],
    *,
    rank_constant: float = 60,
    weights: Sequence[float] | None = None,
) -> list[FusedHit]:
    """Sum over the rankings of weight * 1 / (rank_constant + rank); ranks count from 1.

    Cormack, Clarke and Büttcher 2009, "Reciprocal Rank Fusion Outperforms Condorcet and Individual
    Rank Learning Methods", where every weight is 1 and the constant 60; with these weights it is
    equal, score by score, to pyserini.fusion.reciprocal_rank_fusion of resorted runs. Ranks follow
    the scores; equal scores keep the order in which they arrived. A document missing from a ranking
    gets nothing from it; equal sums are ordered by id, ascending.

    Raises RequestError for a document twice in one ranking, a score that is not finite, weights
    that do not fit the rankings, or a negative constant.
    """
    return merge([ranked_column(each, rank_constant=rank_constant) for each in rankings], weights)


def ranked_column(ranking: Ranking, *, rank_constant: float = 60) -> Column:
    """A ranking whose documents are worth their reciprocal ranks."""
    if not rank_constant >= 0:
        raise RequestError(f"rank_constant is {rank_constant}; it must be at least 0")
    hits = resorted(ranking)
    return Column(hits, [1 / (rank_constant + rank) for rank in range(1, len(hits) + 1)])
