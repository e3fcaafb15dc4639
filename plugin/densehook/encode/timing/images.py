"""Images: one after the other, each with all CPUs, beside the texts that find them."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from ...bundle import Bundle
from ...images import Image
from ..encoder import Encoder
from . import texts
from .given import Given

MADE = 24
_WIDTH, _HEIGHT = 640, 480
_WARM_UP = 2
_SEED = 0


@dataclass(frozen=True)
class Times(texts.Times):
    """Of texts, and of ``images``, from a file's bytes to a vector."""

    images: int
    images_seconds: float

    def said(self) -> list[tuple[str, str]]:
        """As ``Times.said`` of the package."""
        per_second = self.images / self.images_seconds
        took = f"{per_second:,.1f} images/s, {1000 / per_second:.1f} ms each"
        return [*super().said(), (f"{self.images:,} images", took)]


def timed(bundle: Bundle, encoder: Encoder, given: Given) -> Times:
    """Encodes texts as other encoders do, then the images, or some that are made up."""
    of_texts = texts.timed(bundle, encoder, given)
    given.progress("Encoding images")
    images = given.images or made_images()
    encoder.encode_images(images[:_WARM_UP])
    started = time.perf_counter()
    encoder.encode_images(images)
    seconds = time.perf_counter() - started
    known = {each.name: getattr(of_texts, each.name) for each in fields(of_texts)}
    return Times(**known, images=len(images), images_seconds=seconds)


def made_images() -> Sequence[Image]:
    """JPEG files of 640 x 480 pixels, in which colours run into each other as in photographs."""
    from PIL import Image as Pillow

    made: list[Image] = []
    random = np.random.default_rng(_SEED)
    for _ in range(MADE):
        coarse = random.integers(0, 256, (_HEIGHT // 40, _WIDTH // 40, 3), dtype=np.uint8)
        file = io.BytesIO()
        picture = Pillow.fromarray(coarse).resize((_WIDTH, _HEIGHT), Pillow.Resampling.BICUBIC)
        picture.save(file, "JPEG", quality=90)
        made.append(file.getvalue())
    return made
