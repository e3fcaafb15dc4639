"""Late chunking: chunks are encoded with what is around them, as many together as are read at once.

The vector of a chunk is pooled of its own tokens, each of which has seen the others of its window
(Günther et al. 2024, https://arxiv.org/abs/2409.04701).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .breaks import stripped
from .cutting import Chunk
from .measured import Sizes


class Window(NamedTuple):
    """Chunks that are read together.

    ``content`` is what the encoder is given; ``spans`` are by code points of it where each chunk
    begins and ends.
    """

    content: str
    spans: Sequence[tuple[int, int]]


def windows(text: str, chunks: Sequence[Chunk], most: int, sizes: Sizes) -> list[Window]:
    """The chunks of a text, in windows of at most so many tokens, where a chunk has no more."""
    (around,) = sizes([""])
    tokens = [size - around for size in sizes([chunk.content for chunk in chunks])]
    found = []
    first = 0
    while first < len(chunks):
        last = first + 1
        total = around + tokens[first]
        while last < len(chunks) and total + tokens[last] <= most:
            total += tokens[last]
            last += 1
        # what chunks have by themselves is nearly what they have together
        while last > first + 1 and sizes([_content(text, chunks[first:last])])[0] > most:
            last -= 1
        found.append(_window(text, chunks[first:last]))
        first = last
    return found


def _window(text: str, chunks: Sequence[Chunk]) -> Window:
    content = _content(text, chunks)
    start = text.index(content, chunks[0].start)
    spans = [
        (max(0, chunk.start - start), min(chunk.end - start, len(content))) for chunk in chunks
    ]
    return Window(content, spans)


def _content(text: str, chunks: Sequence[Chunk]) -> str:
    return stripped(text[chunks[0].start : chunks[-1].end])
