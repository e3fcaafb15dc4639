"""Dense: one vector for a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from ...errors import BundleError
from ..stated import Stated, is_real, shown

POOLINGS = ("mean", "cls", "last", "max", "mean_sqrt_len", "weightedmean")
UNSTATED_POOLING = "graph"
"""Where a graph that others exported gives the vector itself, and nobody says how."""
SIMILARITIES = ("cosine", "dot_product", "max_inner_product")

PRECISION_BOUNDS = {"fp32": 0.99999, "fp16": 0.9999, "int8": 0.95, "int4": 0.85}
"""The lowest cosine to the golden vectors that each precision may show."""


def split_pooling(pooling: str) -> list[str]:
    """The poolings, of ``POOLINGS``, whose results stand side by side: ``cls+mean`` is two."""
    return pooling.split("+")


@dataclass(frozen=True, kw_only=True)
class Dense:
    """A vector: float32 [dims], compared by ``similarity``, of length 1 where it is normalised."""

    KEYS: ClassVar[tuple[str, ...]] = ("dims", "similarity", "pooling", "normalise")
    OUTPUT_KEY: ClassVar[str] = "vector"

    dims: int
    similarity: str
    pooling: str
    normalise: bool

    @property
    def summary(self) -> str:
        """As ``Part.summary``."""
        return f"{self.dims} dims"

    @property
    def space(self) -> tuple[int | str, ...]:
        """As ``Part.space``: as many numbers, compared alike."""
        return self.dims, self.similarity

    def reads_plainly(self, max_tokens: int) -> bool:
        """As ``Part.reads_plainly``."""
        return True

    @classmethod
    def read(cls, stated: Stated) -> Self:
        """As ``Part.read``."""
        return cls(
            dims=stated.number("dims", 1),
            similarity=stated.one_of("similarity", SIMILARITIES),
            pooling=_pooling(stated.text("pooling")),
            normalise=stated.truth("normalise"),
        )

    def read_output(self, golden: Stated) -> Sequence[float]:
        """As ``Part.read_output``: a vector of ``dims`` numbers."""
        vector = golden.list_of(self.OUTPUT_KEY, is_real, "finite numbers")
        if len(vector) != self.dims:
            raise BundleError(
                f"{golden.where} has a vector of {len(vector)} numbers; it must have {self.dims}"
            )
        return vector

    def written_output(self, output: Sequence[float]) -> list[float]:
        """As ``Part.written_output``, with the nine digits that identify a float32."""
        return [float(f"{number:.9g}") for number in output]


def _pooling(stated: str) -> str:
    if stated != UNSTATED_POOLING and any(each not in POOLINGS for each in split_pooling(stated)):
        raise BundleError(
            f"encoder.json: pooling is {shown(stated)}; known: {', '.join(POOLINGS)}, and several"
            " side by side, as cls+mean"
        )
    return stated
