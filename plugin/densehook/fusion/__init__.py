"""Pure fusion: the rankings of one query in, one ranking out, with an explanation of each score.

Nothing here may know of Elasticsearch, files or a numbers library; a new fusion is one module and
one entry in FUSIONS.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from ..types import Ranking
from .linear import NORMALIZERS, linear_combination
from .merging import FusedHit, Part
from .rrf import reciprocal_rank_fusion


class Fusion(Protocol):
    """What every fusion can be called with; each may take more, with defaults."""

    def __call__(
        self, rankings: Sequence[Ranking], *, weights: Sequence[float] | None = None
    ) -> list[FusedHit]:
        """Fuses the rankings of one query."""


FUSIONS: Mapping[str, Fusion] = {"rrf": reciprocal_rank_fusion, "linear": linear_combination}
"""Fusions by the name a user gives them."""

__all__ = [
    "FUSIONS",
    "NORMALIZERS",
    "FusedHit",
    "Fusion",
    "Part",
    "linear_combination",
    "reciprocal_rank_fusion",
]
