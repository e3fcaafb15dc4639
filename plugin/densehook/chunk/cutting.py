"""Cutting a text by a rule: the one algorithm, of which the node's plugin has the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..errors import UnusableDocument
from .breaks import sentences, words
from .measured import MeasuredText, Sizes
from .pieces import Pieces, Ways
from .rule import ChunkRule
from .text import LongText, Part


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
    between words, a word between graphemes. What is behind the last chunk is hardly looked at.
    Raises UnusableDocument for a text of too many chunks, and where a prompt leaves it no room.
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


class _Cutter:
    """Cuts one text."""

    def __init__(self, text: str, rule: ChunkRule, sizes: Sizes) -> None:
        self._text = MeasuredText(text, rule, sizes)
        self._parts = text.parts if isinstance(text, LongText) else ()
        self._overlap = rule.overlap
        self._ways: Ways = (words,) if rule.by == "tokens" else (sentences, words)

    def chunks(self) -> Iterator[Chunk]:
        parts = self._parts or (Part(0, ""),)
        ends = [*(part.start for part in parts[1:]), len(self._text.text)]
        for part, end in zip(parts, ends, strict=True):
            name = part.name if self._parts else None
            for start, behind in self._spans(part.start, end):
                yield Chunk(start, behind, self._text.content(start, behind), name)

    def _spans(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The chunks of what no chunk goes beyond."""
        pieces = Pieces(self._text, start, end, self._ways)
        covered = start
        while pieces.has(0):
            last = self._end(pieces)
            span = pieces[0].start, pieces[last - 1].end
            if span[1] <= covered:  # what it repeats leaves no room for more
                pieces.begin_at(covered)
                continue
            yield span
            covered = span[1]
            pieces.drop(self._next(pieces, last))

    def _end(self, pieces: Pieces) -> int:
        """Behind the last piece of the chunk that begins with the first one: one at least."""
        end = tokens = 0
        while pieces.has(end):
            piece = pieces[end]
            if piece.is_long:
                if tokens >= self._text.room or not pieces.split(end):
                    break
                if pieces[end].end < piece.end:
                    return end + 1
            elif end and tokens + piece.tokens > self._text.room:
                break
            tokens += pieces[end].tokens
            end += 1
        # what pieces have by themselves is nearly what they have together
        while end > 1 and not self._text.fits(pieces[0].start, pieces[end - 1].end):
            end -= 1
        return end

    def _next(self, pieces: Pieces, end: int) -> int:
        """The piece with which the next chunk begins: it repeats some where there is room."""
        if not pieces.has(end):
            return end
        most = min(self._overlap, self._text.room - pieces[end].tokens)
        first, tokens = end, 0
        while first > 1 and tokens + pieces[first - 1].tokens <= most:
            first -= 1
            tokens += pieces[first].tokens
        is_cut = first == end and most > 0 and pieces[end - 1].is_part
        return end - 1 if is_cut and pieces.shorten(end - 1, most) else first
