"""Image-text: one vector for a text or an image, of two towers in one space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from ..stated import Stated
from .dense import Dense

IMAGE_INPUT = "pixels"
IMAGE_OUTPUT = "embedding"
PATCHES = "patches"
"""What the vectors of an image's patches are called, where that graph gives them."""


@dataclass(frozen=True, kw_only=True)
class ImageText(Dense):
    """A vector as ``Dense`` gives one; that of an image is made by a graph of its own.

    That graph, ``image.onnx``, takes an image's pixels, uint8 [height, width, 3], RGB, upright, and
    gives float32 [1, dims]: what the model wants resized, cut and scaled is inside.
    ``image_tokens`` is how many tokens an image is to the model, by which its work is counted.
    """

    KEYS: ClassVar[tuple[str, ...]] = (*Dense.KEYS, "image_tokens")

    image_tokens: int

    @property
    def summary(self) -> str:
        """As ``Part.summary``."""
        return f"{self.dims} dims of text and images"

    @classmethod
    def read(cls, stated: Stated) -> Self:
        """As ``Part.read``."""
        plain = Dense.read(stated)
        return cls(
            dims=plain.dims,
            similarity=plain.similarity,
            pooling=plain.pooling,
            normalise=plain.normalise,
            image_tokens=stated.number("image_tokens", 1),
        )
