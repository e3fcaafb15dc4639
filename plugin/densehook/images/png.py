"""PNG files by their chunks (RFC 2083), and without those that say nothing of their pixels.

What decoders do of the others differs: one inflates texts and colour profiles, and refuses an image
where those are large, another passes them over. What is never given to one cannot tell them apart.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..errors import EncodeError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PIXELS = b"IDAT"
TRANSPARENCY = b"tRNS"

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""By colour type."""
_WHOLE = ((0, 0, 1, 1),)
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""Of each pass the first column and row, and how many it goes on by."""
_INFLATED = 1 << 20
"""Bytes at a time."""

_BEFORE_PIXELS = (b"IHDR", b"PLTE", TRANSPARENCY)
_END = b"IEND"


class Chunk(NamedTuple):
    """Its data is from ``start`` to ``end``; its length and name stand before, its CRC behind."""

    name: bytes
    start: int
    end: int


def chunks(content: bytes) -> Iterator[Chunk]:
    """All of a file, in their order; the last one may end behind the file."""
    at = len(SIGNATURE)
    while name := content[at + 4 : at + 8]:
        (length,) = struct.unpack_from(">I", content, at)
        yield Chunk(name, at + 8, at + 8 + length)
        at += length + 12


def pixels_alone(content: bytes) -> bytes:
    """The file with what decoders need: header, palette and transparency, the pixels, the end.

    Of those before the pixels the first of each name. Raises EncodeError for fewer pixels than the
    header says, which not every decoder refuses.
    """
    kept: dict[bytes, list[bytes]] = {}
    for name, start, end in chunks(content):
        if name in _BEFORE_PIXELS and not kept.keys() & {name, PIXELS}:
            kept[name] = [content[start - 8 : end + 4]]
        elif name == PIXELS:
            kept.setdefault(PIXELS, []).append(content[start - 8 : end + 4])
        elif name == _END:
            kept[_END] = [content[start - 8 : end + 4]]
            break
    _require_rows(content, kept.get(PIXELS, []))
    return b"".join([SIGNATURE, *(each for those in kept.values() for each in those)])


def _require_rows(content: bytes, parts: Iterable[bytes]) -> None:
    inflating = zlib.decompressobj()
    missing = _size(content)
    for part in parts:
        compressed = part[8:-4]
        while compressed and missing > 0 and not inflating.eof:
            try:
                missing -= len(inflating.decompress(compressed, _INFLATED))
            except zlib.error:
                raise EncodeError("the image cannot be decoded: it is damaged") from None
            compressed = inflating.unconsumed_tail
    if missing > 0:
        raise EncodeError("the image cannot be decoded: it ends too soon")


def _size(content: bytes) -> int:
    """Of the pixels as they are compressed; 0 where that is not known."""
    width, height, depth, colour, *_, interlaced = struct.unpack(
        ">IIBBBBB", content[16:29].ljust(13, b"\0")
    )
    bits = depth * _CHANNELS.get(colour, 0)
    size = 0
    for left, top, across, down in _ADAM7 if interlaced else _WHOLE:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if bits and columns > 0:
            size += max(0, rows) * (1 + -(-columns * bits // 8))
    return size
