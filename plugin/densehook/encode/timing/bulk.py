"""Bulk work: how much of it a second, and how much of that in vain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ...types import EncodeStats
from ..encoder import WINDOW, Encoder
from ..packing import pack
from ..tokenizer import Tokens

WARM_UP = 32
"""Texts, or queries, that are run before anything is timed."""

T = TypeVar("T")


@dataclass(frozen=True)
class BulkTimes:
    """Speed of a bundle on this machine; ``padding`` is the share of tokens run in vain.

    ``bulk`` has what was run within ``bulk_seconds``, tokenising included.
    """

    cpus: int
    load_seconds: float
    bulk: EncodeStats
    bulk_seconds: float
    padding: float

    @property
    def texts_per_second(self) -> float:
        """In bulk, texts or whatever was counted as such."""
        return self.bulk.texts / self.bulk_seconds

    @property
    def tokens_per_second(self) -> float:
        """In bulk, padding and truncated tokens not counted."""
        return self.bulk.tokens / self.bulk_seconds

    def said_of_bulk(self, what: str, unit: str, tokens: str = "tokens") -> list[tuple[str, str]]:
        """How fast it was opened, and so many of ``what`` were run; what was cut of them.

        ``tokens`` is what they have so many of.
        """
        return [
            ("load", f"{self.load_seconds:.2f} s"),
            (
                f"{self.bulk.texts:,} {what}",
                f"{self.texts_per_second:,.1f} {unit}/s, {self.tokens_per_second:,.0f} {tokens}/s,"
                f" {self.padding:.1%} padding",
            ),
            (
                "cut",
                f"{self.bulk.truncated_texts:,} {unit}, {self.bulk.lost_tokens:,} {tokens} lost",
            ),
        ]


def windows(items: Sequence[T]) -> list[Sequence[T]]:
    """The items in their order, as many together as are sorted by length together."""
    return [items[start : start + WINDOW] for start in range(0, len(items), WINDOW)]


def padding_of(encoder: Encoder, tokenised: Iterable[Sequence[Tokens]]) -> float:
    """The share of tokens that are run in vain, of what is tokenised window by window."""
    used = run = 0
    for window in tokenised:
        lengths = [len(each.ids) for each in window]
        used += sum(lengths)
        runs = pack(lengths, encoder.tokens_per_run, encoder.max_padding)
        run += sum(len(group) * lengths[group[0]] for group in runs)
    return 1 - used / run
