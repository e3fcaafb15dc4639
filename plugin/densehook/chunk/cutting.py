"""Cutting a text by a rule: the one algorithm, of which the node's plugin has the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

from ..errors import UnusableDocument
from .breaks import graphemes, sentences, stripped, words
from .rule import ChunkRule

Sizes = Callable[[Sequence[str]], Sequence[int]]
"""For each text how many tokens the model reads of it, those around it included."""


class Chunk(NamedTuple):
    """A part of a text, by code points: ``text[start:end]``."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """What the encoder is given: the part without the spaces at its ends."""
        return stripped(text[self.start : self.end])


def cut(text: str, rule: ChunkRule, sizes: Sizes) -> list[Chunk]:
    """The chunks of a text, in its order; each character is in one at least, but for overlaps.

    A chunk is as many sentences as it takes, or words; a sentence that is too long by itself is cut
    between words, a word between graphemes. Raises UnusableDocument for a text of too many chunks.
    """
    chunks: list[Chunk] = []
    for chunk in _Cutter(text, rule, sizes).chunks():
        if len(chunks) == rule.max_chunks:
            raise UnusableDocument(
                f"its text of {len(text):,} characters has more than {rule.max_chunks} chunks; cut"
                " it into several documents, or raise max_chunks of the field's chunk"
            )
        chunks.append(chunk)
    return chunks


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
        self._sizes = sizes
        (self._around,) = sizes([""])
        """Tokens that the model reads beside those of the text."""

    def chunks(self) -> Iterator[Chunk]:
        pieces = self._pieces()
        # tokens before each piece: a sum is a difference
        before = list(accumulate((piece.tokens for piece in pieces), initial=0))
        start = covered = 0
        while covered < len(pieces):
            end = self._end(pieces, before, start)
            if end <= covered:  # what it repeats leaves no room for more
                start = covered
                continue
            yield Chunk(pieces[start].start, pieces[end - 1].end)
            covered = end
            start = self._next(before, start, end)

    def _pieces(self) -> list[_Piece]:
        """The sentences or words of the text, and parts of those that are too long."""
        if self._rule.by == "sentence":
            return list(self._apart(0, len(self._text), (sentences, words, graphemes)))
        return list(self._apart(0, len(self._text), (words, graphemes)))

    def _apart(
        self, start: int, end: int, ways: Sequence[Callable[[str], list[int]]]
    ) -> Iterator[_Piece]:
        way, *finer = ways
        borders = [start, *(start + each for each in way(self._text[start:end]))]
        spans = list(pairwise(borders))
        sizes = self._sizes([Chunk(*span).of(self._text) for span in spans])
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
        (size,) = self._sizes([Chunk(start, end).of(self._text)])
        return size <= self._rule.max_tokens

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
