"""What encoding gives: vectors, what was cut, and what could not be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import EncodeError
from ..types import EncodeStats
from .session import Vector, Vectors
from .tokenizer import Tokens


@dataclass(frozen=True)
class Encoded:
    """Vectors of some texts, float32 [n, dims], in their order."""

    vectors: Vectors
    stats: EncodeStats


@dataclass(frozen=True)
class Scored:
    """Scores of pairs, float32 [n], in their order."""

    scores: Vector
    stats: EncodeStats


@dataclass(frozen=True)
class EncodedEach:
    """Vectors of the texts that could be encoded, and why others could not, by position.

    The vector of a text that failed is all zeros.
    """

    vectors: Vectors
    stats: EncodeStats
    failures: Mapping[int, EncodeError]


@dataclass(frozen=True)
class WindowsEach:
    """Vectors of the windows that could be encoded, float32 [chunks, dims] of each, by position.

    ``failures`` say why others could not.
    """

    vectors: Mapping[int, Vectors]
    stats: EncodeStats
    failures: Mapping[int, EncodeError]


def placed(error: EncodeError, position: int) -> EncodeError:
    """The error of a run, as that of the one text that was in it."""
    return EncodeError(f"text {position}: {error}", position)


def stats_of(tokens: Sequence[Tokens]) -> EncodeStats:
    """What truncation cut from texts, and what is left of them."""
    return EncodeStats(
        len(tokens),
        sum(len(text.ids) for text in tokens),
        sum(text.lost > 0 for text in tokens),
        sum(text.lost for text in tokens),
    )
