"""The ways in which an image is given: a file's bytes, its path, base64, a data URL."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EncodeError
from .header import MAX_BYTES

if TYPE_CHECKING:
    from PIL.Image import Image as Pillow

    Image = str | bytes | Path | Pillow
    """A string is base64 or a data URL; a path is a ``Path``."""
else:
    Image = object

_DATA_URL = re.compile(r"data:[^,]*?(;base64)?,", re.IGNORECASE)
_NO_IMAGE = "it is no image in base64, by itself or in a data URL (data:image/png;base64,…)"


def content_of(given: str) -> bytes:
    """The file that a string holds, as base64, which may be in lines, or as a data URL of it.

    Raises EncodeError for another string, or a file of more than ``MAX_BYTES``.
    """
    url = _DATA_URL.match(given)
    if url is not None and url[1] is None:
        raise EncodeError(_NO_IMAGE)
    base64 = (given if url is None else given[url.end() :]).strip()
    require_bytes(len(base64) // 4 * 3)
    plain = base64.replace("\r", "").replace("\n", "")
    try:
        content = b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not content:
        raise EncodeError(_NO_IMAGE)
    return content


def as_base64(given: str | bytes | Path) -> str:
    """An image as documents and requests hold it; a string is one already.

    Raises EncodeError for a file that cannot be read.
    """
    if isinstance(given, str):
        return given
    return b64encode(file_content(given)).decode()


def file_content(given: bytes | Path) -> bytes:
    """The bytes of an image file. Raises EncodeError for one that cannot be read."""
    if isinstance(given, bytes):
        return given
    try:
        return given.read_bytes()
    except OSError as error:
        raise EncodeError(f"{given} cannot be read: {error.strerror or error}") from None


def require_bytes(size: int) -> None:
    """Raises EncodeError for a file of more than ``MAX_BYTES``."""
    if size > MAX_BYTES:
        raise EncodeError(
            f"the image has {size} bytes, more than {MAX_BYTES}; make it smaller, or compress it"
        )
