"""Numbers: one vector for a list of numbers, as a time series or features of a sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ...errors import BundleError
from ..stated import Stated
from .dense import Dense

NUMBERS_INPUT = "numbers"


@dataclass(frozen=True, kw_only=True)
class Numbers(Dense):
    """A vector as ``Dense`` gives one, of a list that has ``channels`` numbers a step.

    The graph takes them as ``numbers``, float32 [batch, numbers], step by step, where a text has
    its token ids; each number is a token, the bits of its float32 its id, and there is no
    tokenizer. So ``max_tokens`` is how many numbers of a list are read. With ``fixed_length`` a
    list has just so many.
    """

    KEYS: ClassVar[tuple[str, ...]] = (*Dense.KEYS, "channels", "fixed_length")

    channels: int
    fixed_length: bool

    @property
    def summary(self) -> str:
        """As ``Part.summary``."""
        return f"{self.dims} dims of numbers"

    @property
    def space(self) -> tuple[int | str, ...]:
        """As ``Part.space``: also of lists of one kind."""
        return self.dims, self.similarity, self.channels

    @classmethod
    def read(cls, stated: Stated) -> Self:
        """As ``Part.read``."""
        plain = Dense.read(stated)
        channels, most = stated.number("channels", 1), stated.number("max_tokens", 1)
        if most % channels:
            raise BundleError(
                f"encoder.json: max_tokens is {most}; it must be whole steps of {channels} channels"
            )
        return cls(
            dims=plain.dims,
            similarity=plain.similarity,
            pooling=plain.pooling,
            normalise=plain.normalise,
            channels=channels,
            fixed_length=stated.truth("fixed_length"),
        )
