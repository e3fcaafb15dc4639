"""What is no image, or too large, is refused before it is decoded; the rest is RGB and upright."""

from __future__ import annotations

import io
import struct
import time
import zlib
from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

import image_files
from densehook.errors import EncodeError
from densehook.export.images import file_of, pattern
from densehook.images import as_base64, content_of, pixels_of, read_header


def file(image: Any, format: str = "PNG", **options: Any) -> bytes:
    made = io.BytesIO()
    image.save(made, format, **options)
    return made.getvalue()


def bomb(width: int, height: int, depth: int = 8) -> bytes:
    """A whole PNG of so many black pixels, whose file is a thousandth of them."""
    rows = zlib.compress(b"\0" * min(height * (1 + 3 * width), 10_000_000), 9)
    head = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", rows), (b"IEND", b"")]
    return image_files.PNG + b"".join(image_files.chunk(*part) for part in parts)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("a cat", "it is no image in base64"),
        ("", "it is no image in base64"),
        ("data:image/png,abc", "it is no image in base64"),
        ("aGVsbG8= aGVsbG8=", "it is no image in base64"),
        (b64encode(b"hello, no image").decode(), "neither JPEG nor PNG"),
        (b"GIF89a and so on", "neither JPEG nor PNG"),
        (file(pattern(0), "WEBP"), "neither JPEG nor PNG"),
        (bomb(10_000, 10_000), "has 10000 x 10000 pixels, more than 50000000; make it smaller"),
        (bomb(20_000, 2), "a side may have 16384"),
        (bomb(0, 2), "it must have some"),
        (bomb(2, 2, depth=16), "16 bits a channel"),
        (file(pattern(0))[:40], "damaged|decoded"),
        (file(pattern(2))[:-60], "cannot be decoded"),
        (file(pattern(0), "JPEG", quality=95)[:-60], "cannot be decoded"),
        (file(pattern(0).convert("CMYK"), "JPEG"), "4 channels, as CMYK; save it as RGB"),
        (file(pattern(0), transparency=(1, 2, 3)), "transparent colour"),
        (b"\0" * (21 << 20), "has 22020096 bytes, more than 20971520"),
        ("A" * (28 << 20), "bytes, more than 20971520"),
        (Path("no-such.png"), "cannot be read: No such file"),
        (7, "it is of type int"),
        *image_files.BAD,
    ],
    ids=lambda value: str(value)[:24] if isinstance(value, str) else type(value).__name__,
)
def test_what_is_no_image_or_too_large_is_refused_in_one_line(given: Any, reason: str) -> None:
    with pytest.raises(EncodeError, match=reason) as refused:
        pixels_of(given)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", image_files.GOOD)
def test_what_says_nothing_of_the_pixels_is_not_read(name: str) -> None:
    content = image_files.GOOD[name]
    assert len(content) < 50_000
    started = time.monotonic()
    assert pixels_of(content).tolist() == image_files.PIXELS
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_exif_turns_an_image_as_pillow_does(orientation: int, format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = file(pattern(3), format, exif=exif)
    assert read_header(turned).orientation == orientation
    with Image.open(io.BytesIO(turned)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(pixels_of(turned), expected)


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P"])
def test_modes_without_alpha_are_pillows_rgb(mode: str) -> None:
    image = pattern(1).convert(mode)
    expected = np.asarray(image.convert("RGB"))
    assert np.array_equal(pixels_of(file(image)), expected)
    assert np.array_equal(pixels_of(image), expected)


def test_transparent_pixels_are_mixed_with_white() -> None:
    image = Image.fromarray(
        np.array([[[9, 9, 9, 0], [0, 0, 0, 128], [1, 2, 3, 255]]], dtype=np.uint8)
    )
    expected = [[[255] * 3, [127] * 3, [1, 2, 3]]]
    assert pixels_of(file(image)).tolist() == expected
    assert pixels_of(file(image.convert("LA")))[0, :2].tolist() == expected[0][:2]


def test_an_image_is_given_in_many_ways(tmp_path: Path) -> None:
    content = file(pattern(2))
    path = tmp_path / "image.png"
    path.write_bytes(content)
    base64 = as_base64(path)
    lines = "\r\n".join(base64[at : at + 76] for at in range(0, len(base64), 76))
    expected = pixels_of(content)
    for given in (path, base64, base64.rstrip("="), lines, f"data:image/png;base64,{base64}"):
        assert np.array_equal(pixels_of(given), expected)
    assert content_of(f"DATA:;BASE64,{base64}") == content


def test_generated_images_are_of_many_sorts() -> None:
    headers = [read_header(file_of(number)) for number in range(50)]
    assert {each.orientation for each in headers} == set(range(1, 9))
    assert {each.format for each in headers} == {"PNG", "JPEG"}
