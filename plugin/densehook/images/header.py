"""What an image file says before its pixels: read by itself, so that nothing too large is decoded.

JPEG (ITU T.81, JFIF 1.02) and PNG (RFC 2083); the orientation is Exif's (CIPA DC-008).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ..errors import EncodeError
from .png import PIXELS, SIGNATURE, TRANSPARENCY, chunks

MAX_PIXELS = 50_000_000
MAX_BYTES = 20 * 1024 * 1024
MAX_SIDE = 16_384
"""Of the longer side, in pixels."""

_JPEG = b"\xff\xd8\xff"
_EXIF = b"Exif\0\0"
_GREY, _RGB = 0, 2
_FRAMES = (0xC0, 0xC1, 0xC2)
_SCAN, _END = 0xDA, 0xD9
_APP1 = 0xE1
_COLOURED = {0xE0: b"JFIF\0", _APP1: _EXIF, 0xEE: b"Adobe"}
"""Markers of segments by which decoders know that the channels are YCbCr, or not."""
_OTHER_FRAMES = frozenset({0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)})
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length."""
_ORIENTATION = 0x0112
_SHORT = 3

_DAMAGED = "its header is damaged; it must be a whole JPEG or PNG file"


@dataclass(frozen=True)
class Header:
    """An image before it is decoded.

    ``orientation`` is Exif's number, from 1, upright, to 8.
    """

    format: str
    width: int
    height: int
    orientation: int = 1

    def require_size(self) -> None:
        """Raises EncodeError for an image without pixels, or with too many to decode."""
        shown = f"the image has {self.width} x {self.height} pixels"
        if not self.width or not self.height:
            raise EncodeError(f"{shown}; it must have some")
        if self.width * self.height > MAX_PIXELS:
            raise EncodeError(f"{shown}, more than {MAX_PIXELS}; make it smaller")
        if max(self.width, self.height) > MAX_SIDE:
            raise EncodeError(f"{shown}, and a side may have {MAX_SIDE}; make it smaller")


def read_header(content: bytes) -> Header:
    """The header of an image file.

    Raises EncodeError for what is neither JPEG nor PNG, and for those that two decoders would not
    read alike: 16 bits a channel, one transparent colour, CMYK, JPEGs of rare sorts.
    """
    try:
        if content.startswith(SIGNATURE):
            return _of_png(content)
        if content.startswith(_JPEG):
            return _of_jpeg(content)
    except (struct.error, IndexError):
        raise EncodeError(_DAMAGED) from None
    raise EncodeError("it is no image that is read: neither JPEG nor PNG; convert it to one")


def _of_png(content: bytes) -> Header:
    width, height, depth, colour = struct.unpack_from(">IIBB", content, 16)
    if content[12:16] != b"IHDR":
        raise EncodeError(_DAMAGED)
    if depth == 16:
        raise EncodeError("it is a PNG of 16 bits a channel; save it with 8")
    orientation = 1
    for name, start, end in chunks(content):
        if name == PIXELS:
            break
        if name == TRANSPARENCY and colour in (_GREY, _RGB):
            raise EncodeError("it is a PNG with a transparent colour; save it with alpha, or none")
        if name == b"eXIf":
            orientation = _orientation(content[start:end])
    return Header("PNG", width, height, orientation)


def _of_jpeg(content: bytes) -> Header:
    segments = {marker: content[start:end] for marker, start, end in reversed(_segments(content))}
    if _OTHER_FRAMES & segments.keys():
        raise EncodeError("it is a JPEG that is neither baseline nor progressive; save it so")
    frame = next((segments[each] for each in _FRAMES if each in segments), b"")
    depth, height, width, channels = struct.unpack_from(">BHHB", frame)
    if depth != 8:
        raise EncodeError(f"it is a JPEG of {depth} bits a channel; save it with 8")
    if channels not in (1, 3):
        raise EncodeError(f"it is a JPEG of {channels} channels, as CMYK; save it as RGB")
    if channels == 3 and not any(
        segments.get(marker, b"").startswith(name) for marker, name in _COLOURED.items()
    ):
        raise EncodeError("it is a JPEG that is neither JFIF nor Exif nor Adobe's; save it as JFIF")
    exif = segments.get(_APP1, b"")
    turned = _orientation(exif.removeprefix(_EXIF)) if exif.startswith(_EXIF) else 1
    return Header("JPEG", width, height, turned)


def _segments(content: bytes) -> list[tuple[int, int, int]]:
    """Those before the pixels: marker, start and end."""
    found: list[tuple[int, int, int]] = []
    at = 2
    while True:
        if content[at] != 0xFF:
            raise EncodeError(_DAMAGED)
        while content[at] == 0xFF:
            at += 1
        marker = content[at]
        at += 1
        if marker in (_SCAN, _END):
            return found
        if marker in _ALONE:
            continue
        (length,) = struct.unpack_from(">H", content, at)
        found.append((marker, at + 2, at + length))
        at += length


def _orientation(tiff: bytes) -> int:
    """Of Exif's first directory; 1 where it says none, or nothing that can be."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, first)
        for entry in range(entries):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, first + 2 + 12 * entry)
            if tag == _ORIENTATION and kind == _SHORT and 1 <= value <= 8:
                return int(value)
    except struct.error:
        return 1
    return 1
