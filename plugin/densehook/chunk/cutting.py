"""Cutting a text by a rule: the one algorithm, of which the node's plugin has the same."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

from ..errors import UnusableDocument
from .breaks import graphemes, sentences, stripped, words
from .rule import ChunkRule
from .text import LongText, Part

Sizes = Callable[[Sequence[str]], Sequence[int]]
"""For each text how many tokens the model reads of it, those around it included."""


class Chunk(NamedTuple):
    """A part of a text, by code points: ``text[start:end]``.

    ``content`` is what the encoder is given: that without the spaces at its ends, behind what is
    put before each chunk. ``name`` is that of the section or the number of the item it is of.
    """

    start: int
    end: int
    content: str
    name: str | int | None = None


class Cut(NamedTuple):
    """The chunks of a text, and whether it has more, which were left out."""

    chunks: list[Chunk]
    is_short: bool


def cut(text: str, rule: ChunkRule, sizes: Sizes) -> Cut:
    """The chunks of a text, in its order; each character is in one at least, but for overlaps.

    A chunk is as many sentences as it takes, or words; a sentence that is too long by itself is cut
    between words, a word between graphemes. Raises UnusableDocument for a text of too many chunks.
    """
    chunks: list[Chunk] = []
    for chunk in _Cutter(text, rule, sizes).chunks():
        if len(chunks) == rule.max_chunks:
            if rule.beyond == "cut":
                return Cut(chunks, True)
            raise UnusableDocument(
                f"its text of {len(text):,} characters has more than {rule.max_chunks} chunks; cut"
                " it into several documents, raise max_chunks of the field's chunk, or let what is"
                ' beyond it be left out (beyond: "cut")'
            )
        chunks.append(chunk)
    return Cut(chunks, False)


@dataclass(frozen=True)
class _Piece:
    """What is not cut: where it begins and ends, and its tokens by itself."""

    start: int
    end: int
    tokens: int


class _Cutter:
    """Cuts one text."""

    def __init__(self, text: str, rule: ChunkRule, sizes: Sizes) -> None:
        self._text = text
        self._rule = rule
        self._parts = text.parts if isinstance(text, LongText) else ()
        prefix = text.prefix if isinstance(text, LongText) else ""
        self._prefix = _shortened(prefix, rule.max_tokens // 2, sizes)
        self._sizes_of = sizes
        (self._around,) = self._sizes([""])
        """Tokens that the model reads beside those of the text."""

    def chunks(self) -> Iterator[Chunk]:
        parts = self._parts or (Part(0, ""),)
        ends = [*(part.start for part in parts[1:]), len(self._text)]
        for part, end in zip(parts, ends, strict=True):
            name = part.name if self._parts else None
            for chunk in self._chunks(part.start, end):
                yield chunk._replace(name=name)

    def _chunks(self, start: int, end: int) -> Iterator[Chunk]:
        """The chunks of what no chunk goes beyond."""
        pieces = self._pieces(start, end)
        # tokens before each piece: a sum is a difference
        before = list(accumulate((piece.tokens for piece in pieces), initial=0))
        first = covered = 0
        while covered < len(pieces):
            last = self._end(pieces, before, first)
            if last <= covered:  # what it repeats leaves no room for more
                first = covered
                continue
            span = pieces[first].start, pieces[last - 1].end
            yield Chunk(*span, self._prefix + self._stripped(*span))
            covered = last
            first = self._next(before, first, last)

    def _pieces(self, start: int, end: int) -> list[_Piece]:
        """The sentences or words of a part, and parts of those that are too long."""
        ways = (words, graphemes) if self._rule.by == "tokens" else (sentences, words, graphemes)
        return list(self._apart(start, end, ways))

    def _apart(
        self, start: int, end: int, ways: Sequence[Callable[[str], list[int]]]
    ) -> Iterator[_Piece]:
        way, *finer = ways
        borders = [start, *(start + each for each in way(self._text[start:end]))]
        spans = list(pairwise(borders))
        sizes = self._sizes([self._stripped(*span) for span in spans])
        for (first, last), size in zip(spans, sizes, strict=True):
            if size > self._rule.max_tokens and finer:
                yield from self._apart(first, last, finer)
            else:
                yield _Piece(first, last, size - self._around)

    def _end(self, pieces: Sequence[_Piece], before: Sequence[int], start: int) -> int:
        """Behind the last piece of the chunk that begins with a piece: one piece at least."""
        room = self._rule.max_tokens - self._around
        end = start + 1
        while end < len(pieces) and before[end + 1] - before[start] <= room:
            end += 1
        # what pieces have by themselves is nearly what they have together
        while end > start + 1 and not self._fits(pieces[start].start, pieces[end - 1].end):
            end -= 1
        return end

    def _fits(self, start: int, end: int) -> bool:
        (size,) = self._sizes([self._stripped(start, end)])
        return size <= self._rule.max_tokens

    def _sizes(self, texts: Sequence[str]) -> Sequence[int]:
        return self._sizes_of([self._prefix + each for each in texts])

    def _stripped(self, start: int, end: int) -> str:
        return stripped(self._text[start:end])

    def _next(self, before: Sequence[int], start: int, end: int) -> int:
        """The piece with which the next chunk begins: it repeats some where there is room."""
        if end == len(before) - 1:
            return end
        room = self._rule.max_tokens - self._around
        following = end
        while (
            following - 1 > start
            and before[end] - before[following - 1] <= self._rule.overlap
            and before[end + 1] - before[following - 1] <= room
        ):
            following -= 1
        return following


def _shortened(prefix: str, tokens: int, sizes: Sizes) -> str:
    """As many words of a prefix as have so many tokens at most."""
    ends = words(prefix)

    def is_too_long(count: int) -> bool:
        return sizes([prefix[: ends[count - 1]]])[0] > tokens

    most = bisect_left(range(1, len(ends) + 1), True, key=is_too_long)
    return prefix[: ends[most - 1]] if most else ""
