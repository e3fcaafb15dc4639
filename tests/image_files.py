"""Image files that decoders may read otherwise than each other, or that are larger than they say.

Small, and made here; org.densehook.image.ImageFileTest makes the same ones.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n"
_LONG = b"\0" * (3 << 20)
"""Of a text or profile: more than Pillow inflates of one, in 3 KB."""
_ROWS = bytes([0, *range(6), 0, *range(6, 12)])
"""Of a PNG of 2 x 2 pixels in RGB, no row filtered."""


def chunk(name: bytes, content: bytes, *, sound: bool = True) -> bytes:
    """A chunk of a PNG; one that is not sound has another check sum than its own."""
    body = name + content
    return (
        struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body) ^ (not sound))
    )


def png(
    before: bytes = b"",
    behind: bytes = b"",
    rows: bytes = _ROWS,
    *,
    interlaced: bool = False,
    sound: bool = True,
) -> bytes:
    """2 x 2 pixels in RGB, with chunks before and behind them."""
    head = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, interlaced)
    head = chunk(b"IHDR", head, sound=sound)
    return (
        PNG + head + before + chunk(b"IDAT", zlib.compress(rows, 9)) + behind + chunk(b"IEND", b"")
    )


def palette(before: bytes = b"", behind: bytes = b"") -> bytes:
    """The same pixels by a palette of four."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 3, 0, 0, 0))
    head += chunk(b"PLTE", bytes(range(12))) + before
    rows = zlib.compress(bytes([0, 0, 1, 0, 2, 3]))
    return PNG + head + chunk(b"IDAT", rows) + behind + chunk(b"IEND", b"")


_COMPRESSED = {
    "zTXt": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(_LONG, 9)),
    "iTXt": chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(_LONG, 9)),
    "iCCP": chunk(b"iCCP", b"profile\0\0" + zlib.compress(_LONG, 9)),
}

PIXELS = [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]
"""Of each of ``GOOD``."""

_PASSES = bytes([0, *range(3), 0, *range(3, 6), 0, *range(6, 12)])
"""The same rows interlaced: of the seven passes three have pixels."""

GOOD: dict[str, bytes] = {
    "interlaced": png(rows=_PASSES, interlaced=True),
    "30 MB behind its pixels": png(rows=_ROWS + b"\0" * 30_000_000),
    **{f"a large {name}": png(before=made) for name, made in _COMPRESSED.items()},
    **{f"a large {name} behind": png(behind=made) for name, made in _COMPRESSED.items()},
    **{f"a palette and a large {name}": palette(before=made) for name, made in _COMPRESSED.items()},
    "a text that cannot be inflated": png(before=chunk(b"zTXt", b"Comment\0\0no zlib")),
    "a damaged text": png(before=chunk(b"tEXt", b"Comment\0a", sound=False)),
    "transparency behind a palette's pixels": palette(behind=chunk(b"tRNS", b"\0\0\0\0")),
    "two palettes": palette(before=chunk(b"PLTE", bytes(12))),
    "an animation": palette(before=chunk(b"acTL", struct.pack(">II", 2, 0))),
    "a chunk that nobody knows": png(before=chunk(b"deNS", b"hook")),
}
"""Files that are images."""


def jpeg(width: int, height: int) -> bytes:
    """A file of a few pixels whose header says so many."""
    made = io.BytesIO()
    image: Any = Image.new("RGB", (16, 16), "red")
    image.save(made, "JPEG")
    content = bytearray(made.getvalue())
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(content)


BAD: list[tuple[bytes, str]] = [
    (jpeg(10_000, 10_000), "has 10000 x 10000 pixels, more than"),
    (jpeg(16_400, 3), "a side may have 16384"),
    (jpeg(0, 16), "it must have some"),
    (png(sound=False), "the image cannot be decoded"),
    (palette(behind=b"")[:60], "the image cannot be decoded"),
    (png(rows=_ROWS[:7]), "the image cannot be decoded"),
    (png(rows=_ROWS[:-1]), "the image cannot be decoded"),
    (png(rows=_PASSES[:-1], interlaced=True), "the image cannot be decoded"),
    (png()[:27], "the image cannot be decoded|its header is damaged"),
]
"""Files that are none, or too large, and why."""
