"""The images an export is judged by, made here: sizes, modes, turns and what shines through."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIZES = ((64, 48), (33, 97), (224, 224), (300, 200), (17, 17), (150, 400), (640, 480), (9, 31))
"""Width and height."""
MODES = ("RGB", "L", "RGBA", "P", "LA", "1")
_GOLDEN = 4

Values = NDArray[np.float64]


def _shaded(across: Values, down: Values) -> Values:
    return np.stack([across, down, 1 - across * down], axis=-1)


def _waved(across: Values, down: Values) -> Values:
    waves = [np.sin(9 * across + 3 * k) * np.cos(7 * down - k) for k in range(3)]
    return np.stack(waves, axis=-1) / 2 + 0.5


def _checked(across: Values, down: Values) -> Values:
    squares = (np.floor(6 * across) + np.floor(6 * down)) % 2
    return np.stack([squares, 1 - squares, across], axis=-1)


def _ringed(across: Values, down: Values) -> Values:
    far = np.hypot(across - 0.4, down - 0.6)
    return np.stack([far < 0.2, (far > 0.3) & (far < 0.45), far], axis=-1).astype(np.float64)


_PATTERNS: Sequence[Callable[[Values, Values], Values]] = (_shaded, _waved, _checked, _ringed)


def pattern(number: int) -> Any:
    """An RGB image of Pillow's, one of endlessly many; the same for a number everywhere."""
    width, height = SIZES[number % len(SIZES)]
    down, across = np.mgrid[0:height, 0:width]
    made = _PATTERNS[number % len(_PATTERNS)]
    values = made((across + number) / (width + number), down / height)
    return Image.fromarray((values * 255).round().astype(np.uint8))


def file_of(number: int) -> bytes:
    """An image file, of a mode and with a turn of its own: PNG, and JPEG where the mode allows."""
    image = pattern(number)
    mode = MODES[number % len(MODES)]
    if mode in ("RGBA", "LA"):
        image.putalpha(image.convert("L").point(lambda value: 255 - value))
    image = image.convert(mode, dither=Image.Dither.NONE)
    exif = Image.Exif()
    exif[0x0112] = 1 + number % 8
    made = io.BytesIO()
    if mode in ("RGB", "L") and number % 4 < 2:
        image.save(made, "JPEG", quality=92, exif=exif, progressive=number % 3 == 0)
    else:
        image.save(made, "PNG", exif=exif)
    return made.getvalue()


def golden_images() -> Mapping[str, Any]:
    """Small ones of the self-test: PNG in base64, with what Pillow has of it."""
    found = {}
    for number in range(_GOLDEN):
        image = pattern(number)
        made = io.BytesIO()
        image.save(made, "PNG")
        found[b64encode(made.getvalue()).decode()] = image
    return found
