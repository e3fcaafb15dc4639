"""Image files to pixels: upright, RGB, transparent ones on white."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import EncodeError, MissingExtra
from .given import Image, content_of, file_content, require_bytes
from .header import Header, read_header
from .png import pixels_alone

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

_READ: Mapping[str, Callable[[bytes], bytes]] = {"PNG": pixels_alone}
"""By format what of a file is given to Pillow, where that is not all."""

_TURNS: Mapping[int, Callable[[Any], Any]] = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels[::-1].swapaxes(0, 1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: pixels[:, ::-1].swapaxes(0, 1),
}
"""By Exif's orientation what makes an image upright."""


def pixels_of(given: Image) -> Pixels:
    """An image -> uint8 [height, width, 3], RGB, upright, on white where it is transparent.

    Raises EncodeError for what is no image, or one that is too large: that is known before it is
    decoded. Raises MissingExtra without Pillow.
    """
    try:
        import PIL
        import PIL.Image as Pillow
    except ImportError as error:
        raise MissingExtra("pillow", "images") from error
    if isinstance(given, Pillow.Image):
        header = Header("", *given.size, _orientation(given))
        header.require_size()
        return _upright(_rgb(given), header)
    if not isinstance(given, str | bytes | Path):
        raise EncodeError(
            f"it is of type {type(given).__name__}; give an image's bytes, its path, or base64"
        )
    content = content_of(given) if isinstance(given, str) else file_content(given)
    require_bytes(len(content))
    header = read_header(content)
    header.require_size()
    read = _READ.get(header.format, bytes)(content)
    try:
        with Pillow.open(io.BytesIO(read), formats=[header.format]) as image:
            return _upright(_rgb(image), header)
    except PIL.UnidentifiedImageError:
        raise EncodeError("the image cannot be decoded: it is damaged") from None
    except Exception as error:  # Pillow raises what its decoders do
        reason = str(error).strip().partition("\n")[0]
        raise EncodeError(f"the image cannot be decoded: {reason}") from None


def _orientation(image: Any) -> int:
    stated = image.getexif().get(0x0112, 1)
    return stated if stated in _TURNS else 1


def _rgb(image: Any) -> Pixels:
    """Pixels of any mode that has 8 bits, those that are transparent mixed with white."""
    import numpy as np

    if image.mode in ("RGB", "L", "1"):
        return np.asarray(image.convert("RGB"))
    if image.mode not in ("RGBA", "LA", "P", "PA"):
        raise EncodeError(f"its mode is {image.mode}; convert it to RGB")
    values = np.asarray(image.convert("RGBA")).astype(np.uint32)
    colour, alpha = values[..., :3], values[..., 3:]
    return ((colour * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def _upright(pixels: Pixels, header: Header) -> Pixels:
    import numpy as np

    turned: Pixels = np.ascontiguousarray(_TURNS[header.orientation](pixels))
    return turned
