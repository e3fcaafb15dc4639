"""The pieces that chunks are made of, as they are asked for: sentences, words, parts of words."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .breaks import graphemes, stripped
from .measured import AT_ONCE, MeasuredText

Ways = Sequence[Callable[[str], list[int]]]
"""How a text is taken apart: what is too long by one is taken apart by the next."""


@dataclass(frozen=True)
class Piece:
    """Where it begins and ends, and its tokens by itself.

    One that ``is_long`` is a word of more than a chunk holds, or what is left of it, whose tokens
    are not counted; one that ``is_part`` is as much of such a word as a chunk had room for.
    """

    start: int
    end: int
    tokens: int = 0
    is_long: bool = False
    is_part: bool = False


class Pieces:
    """The pieces of a part of a text that are ahead: the next chunk begins with the first one."""

    def __init__(self, text: MeasuredText, start: int, end: int, ways: Ways) -> None:
        self._text = text
        self._ahead: list[Piece] = []
        self._more = self._apart(start, end, ways)

    def __getitem__(self, place: int) -> Piece:
        return self._ahead[place]

    def has(self, place: int) -> bool:
        """Whether there are as many that there is one at this place."""
        while len(self._ahead) <= place:
            piece = next(self._more, None)
            if piece is None:
                return False
            self._ahead.append(piece)
        return True

    def drop(self, count: int) -> None:
        """Takes the first ones away."""
        del self._ahead[:count]

    def begin_at(self, start: int) -> None:
        """Takes those away that begin before."""
        while self._ahead[0].start < start:
            self.drop(1)

    def split(self, place: int) -> bool:
        """Cuts a long word where the chunk of the pieces up to it is full; whether it is cut.

        It is not where not even its first character fits behind others. With nothing before it the
        chunk has that one anyway, for no character is cut.
        """
        word = self._ahead[place]
        border = self._border(self._ahead[0].start, word)
        if border == word.start:
            return False
        tokens = self._text.tokens(word.start, border)
        self._ahead[place] = Piece(word.start, border, tokens, is_part=True)
        if border < word.end:
            self._ahead.insert(place + 1, Piece(border, word.end, is_long=True))
        return True

    def shorten(self, place: int, most: int) -> bool:
        """Leaves of a part of a word its last characters, of so many tokens at most.

        Whether it has fewer than before, and any.
        """
        part = self._ahead[place]
        inner = [part.start + each for each in self._graphemes(part.start, part.end)][:-1]
        first = bisect_left(
            inner, True, key=lambda border: self._text.tokens(border, part.end) <= most
        )
        if first == len(inner):
            return False
        tokens = self._text.tokens(inner[first], part.end)
        self._ahead[place] = Piece(inner[first], part.end, tokens, is_part=True)
        return True

    def _border(self, start: int, word: Piece) -> int:
        """The last border of a word up to which a chunk from ``start`` fits.

        It is looked for in steps that double, then halve, so that the tokenizer is asked as often
        as the length of a chunk has binary digits, and is not given much more than a chunk.
        """
        width = self._text.room
        while width < min(word.end - word.start, AT_ONCE) and self._text.fits(
            start, word.start + width
        ):
            width *= 2
        borders = self._borders(word, width)
        fitting = bisect_left(borders, True, key=lambda border: not self._text.fits(start, border))
        if fitting == 0:
            return borders[0] if start == word.start else word.start
        border = borders[fitting - 1]
        # the spaces behind a word are of no chunk's content
        rest = self._text.text[border : border + 1]
        return border if stripped(rest) else word.end

    def _borders(self, word: Piece, width: int) -> list[int]:
        """Where characters of a word end, up to about so many code points of it: one at least."""
        end = min(word.start + width, word.end)
        borders = [word.start + each for each in self._graphemes(word.start, end)]
        if end == word.end:
            return borders
        if len(borders) == 1 and width < AT_ONCE:
            return self._borders(word, 2 * width)
        return borders[:-1] or borders  # the last may be within a character

    def _graphemes(self, start: int, end: int) -> list[int]:
        return graphemes(self._text.text[start:end])

    def _apart(self, start: int, end: int, ways: Ways, *, is_long: bool = False) -> Iterator[Piece]:
        """The pieces of a part, which is known to be too long or not."""
        way, *finer = ways
        spans = list(pairwise([start, *(start + each for each in way(self._text.text[start:end]))]))
        known = is_long and len(spans) == 1
        for span, tokens in [(spans[0], None)] if known else self._text.counted(spans):
            if tokens is not None:
                yield Piece(*span, tokens)
            elif finer:
                yield from self._apart(*span, finer, is_long=True)
            else:
                yield Piece(*span, is_long=True)
