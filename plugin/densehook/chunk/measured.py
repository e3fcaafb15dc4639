"""A text of which any part is measured by the tokens that the model reads of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

from ..errors import RequestError, UnusableDocument
from .breaks import stripped, words
from .rule import ChunkRule
from .text import LongText

Sizes = Callable[[Sequence[str]], Sequence[int]]
"""For each text how many tokens the model reads of it, those around it included."""

Span = tuple[int, int]
"""Where a part of a text begins and ends, by code points."""

AT_ONCE = 500_000
"""Code points that the tokenizer is given at once, and that a chunk has, at most: what is longer is
too long uncounted. So a text of any length takes bounded memory, and no chunk has more UTF-16 code
units than the node reads of a text."""

_TOGETHER = 1 << 16
"""Code points of parts that are counted in one call, and perhaps beyond the last chunk in vain."""


class MeasuredText:
    """A text and its prefix under a rule, with the encoder's own count of tokens."""

    def __init__(self, text: str, rule: ChunkRule, sizes: Sizes) -> None:
        """Raises UnusableDocument where what is around a chunk leaves its text no room."""
        prefix = text.prefix if isinstance(text, LongText) else ""
        self.text = text
        self.prefix = _shortened(prefix, rule.max_tokens // 2, sizes)
        self._sizes_of = sizes
        (self.around,) = self._sizes([""])
        """Tokens that the model reads beside those of the text."""
        try:
            self.room = rule.room_within(self.around)
        except RequestError as error:
            raise UnusableDocument(str(error)) from None
        self._most = rule.max_tokens

    def content(self, start: int, end: int) -> str:
        """What the encoder is given of a part."""
        return self.prefix + self.stripped(start, end)

    def stripped(self, start: int, end: int) -> str:
        """A part without the spaces at its ends."""
        return stripped(self.text[start:end])

    def tokens(self, start: int, end: int) -> int:
        """Those of a part by itself, without what is around it."""
        (size,) = self._sizes([self.stripped(start, end)])
        return size - self.around

    def fits(self, start: int, end: int) -> bool:
        """Whether a part is no more than a chunk holds."""
        part = self.stripped(start, end)
        return len(part) <= AT_ONCE and self._sizes([part])[0] <= self._most

    def counted(self, spans: Sequence[Span]) -> Iterator[tuple[Span, int | None]]:
        """Neighbouring parts with the tokens of each by itself, None for what no chunk holds.

        They are counted as they are asked for, some at once.
        """
        first = 0
        while first < len(spans):
            last = first + 1
            while last < len(spans) and spans[last][1] - spans[first][0] <= _TOGETHER:
                last += 1
            texts = [self.stripped(*span) for span in spans[first:last]]
            # of several none is so long
            sizes = self._sizes(texts) if len(texts[0]) <= AT_ONCE else [self._most + 1]
            for span, size in zip(spans[first:last], sizes, strict=True):
                yield span, size - self.around if size <= self._most else None
            first = last

    def _sizes(self, texts: Sequence[str]) -> Sequence[int]:
        return self._sizes_of([self.prefix + each for each in texts])


def _shortened(prefix: str, tokens: int, sizes: Sizes) -> str:
    """As many words of a prefix as have so many tokens at most."""
    ends = words(prefix[:AT_ONCE])

    def is_too_long(count: int) -> bool:
        return sizes([prefix[: ends[count - 1]]])[0] > tokens

    most = bisect_left(range(1, len(ends) + 1), True, key=is_too_long)
    return prefix[: ends[most - 1]] if most else ""
