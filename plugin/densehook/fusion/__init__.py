"""Pure fusion: the rankings of one query in, one ranking out, with an explanation of each score.

Nothing here may know of Elasticsearch, files or a numbers library; a new fusion is one module and
one entry in FUSIONS, a new normalizer one entry in NORMALIZERS.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..types import Ranking, ScoredDoc
from .learned import FEATURES, LEARNED, Factor, LearnedWeights, Seen
from .linear import linear_combination, scaled_column
from .merging import Column, FusedHit, Part, compensated_sum, merge, sums, within
from .normalizers import NORMALIZERS, Normalizer
from .reranked import reranked_ranking, reranked_run
from .rrf import ranked_column, reciprocal_rank_fusion


@dataclass(frozen=True)
class Fusion:
    """A fusion: the sum over the rankings of weight * what a document is worth in each.

    ``column`` gives that worth of one ranking; it may take more by name, with defaults.
    """

    column: Callable[..., Column]

    def __call__(
        self,
        rankings: Sequence[Ranking],
        *,
        weights: Sequence[float] | None = None,
        **options: Any,
    ) -> list[FusedHit]:
        """Fuses the rankings of one query; the options are the column's."""
        return merge([self.column(each, **options) for each in rankings], weights)

    def ranking(
        self,
        rankings: Sequence[Ranking],
        *,
        weights: Sequence[float] | None = None,
        **options: Any,
    ) -> list[ScoredDoc]:
        """The same documents and scores, without what each ranking gave to them."""
        return sums([self.column(each, **options) for each in rankings], weights)


FUSIONS: Mapping[str, Fusion] = {"rrf": Fusion(ranked_column), "linear": Fusion(scaled_column)}
"""Fusions by the name a user gives them."""

__all__ = [
    "FEATURES",
    "FUSIONS",
    "LEARNED",
    "NORMALIZERS",
    "Column",
    "Factor",
    "FusedHit",
    "Fusion",
    "LearnedWeights",
    "Normalizer",
    "Part",
    "Seen",
    "compensated_sum",
    "linear_combination",
    "merge",
    "reciprocal_rank_fusion",
    "reranked_ranking",
    "reranked_run",
    "within",
]
