"""Image-text: texts as dense encoders give them; images by the cosine of each vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...bundle import PRECISION_BOUNDS, Manifest
from ...encode import Encoder, Vectors, cosines
from ...errors import GateError
from . import dense
from .compared import Compared

IMAGE_BOUND = 0.9999
"""The lowest cosine of an image's vector: resizing is rounded to whole numbers on the way."""

NEAREST = "lowest_cosine"


@dataclass(frozen=True)
class Parity:
    """How vectors of texts, and of images, compare to those expected."""

    texts: dense.Parity
    images: int = 0
    lowest_image_cosine: float = 1.0

    @property
    def batch_dependent(self) -> bool:
        """As that of texts; an image runs by itself."""
        return self.texts.batch_dependent

    def as_json(self) -> dict[str, Any]:
        """The measured values by name."""
        return {
            **self.texts.as_json(),
            "lowest_cosine": min(self.texts.lowest_cosine, self.lowest_image_cosine),
            "lowest_text_cosine": self.texts.lowest_cosine,
            "images": self.images,
            "lowest_image_cosine": self.lowest_image_cosine,
        }


def said(measured: Mapping[str, Any]) -> str:
    """As ``Gate.said``."""
    texts = {**measured, "lowest_cosine": measured["lowest_text_cosine"]}
    return (
        f"{dense.said(texts)}; {measured['images']} images: lowest cosine"
        f" {measured['lowest_image_cosine']:.7f}"
    )


def judged(manifest: Manifest, compared: Compared, whose: str) -> Parity:
    """As of dense encoders, of the texts."""
    return Parity(dense.judged(manifest, compared, whose))


def judged_images(
    parity: Parity, encoder: Encoder, files: Sequence[bytes], expected: Vectors, whose: str
) -> Parity:
    """The same with images: raises GateError where one's vector is too far from that expected."""
    similar = cosines(encoder.encode_images(files), expected)
    lowest = float(similar.min())
    bound = min(IMAGE_BOUND, PRECISION_BOUNDS[encoder.manifest.precision])
    if not lowest >= bound:  # NaN must fail too
        raise GateError(
            f"the graph of images is not {whose} equal: cosine {lowest:.6f} for image"
            f" {int(np.argmin(similar))}, the bound is {bound}; no bundle was written"
        )
    return replace(parity, images=len(files), lowest_image_cosine=lowest)
