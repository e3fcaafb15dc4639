"""The encoder of texts and images in one space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from ..bundle import Bundle, ImageText
from ..bundle.kinds.image_text import IMAGE_OUTPUT
from ..errors import EncodeError
from ..images import Image, pixels_of
from ..machine import usable_cpus
from ..types import EncodeStats
from .encoded import Encoded, EncodedEach
from .encoder import Encoder
from .kinds import OUTPUTS
from .running import require_finite
from .session import ImageSession, Vectors


class ImageTextEncoder(Encoder):
    """A bundle of kind image-text at work: two graphs, whose vectors can be compared.

    encoder = densehook.load("clip-vit-base-patch32")
    images = encoder.encode_images([Path("cat.jpg"), Path("dog.png")])
    encoder.similarity(encoder.encode_queries(["a cat"]), images)

    Where it gives vectors of an image's parts too, they are those of kind multi:

    local = encoder.of_kind("multi").encode_images([Path("cat.jpg")])  # of each [patches, dims]
    """

    def __init__(
        self, bundle: Bundle, threads: int | None = None, *args: Any, **options: Any
    ) -> None:
        super().__init__(bundle, threads, *args, **options)
        self._images = ImageSession(
            bundle.image_model,
            threads or usable_cpus(),
            spinning=bool(options.get("spinning", True)),
        )

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        """Images -> float32 [n, dims], in their order.

        An image is a file's bytes, its ``Path``, base64, a data URL, or one of Pillow's. Raises
        EncodeError, with the place, for one that is none, is too large or cannot be decoded.
        """
        return self.encode_images_counted(images).vectors

    def encode_images_counted(
        self,
        images: Sequence[Image],
        around_run: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> Encoded:
        """The same with their count; each runs within what ``around_run`` gives."""
        if isinstance(images, str | bytes):
            raise EncodeError("images must be a list of images, not one; put it in a list")
        encoded = self.encode_each_image(images, around_run)
        if encoded.failures:
            raise encoded.failures[min(encoded.failures)]
        return Encoded(encoded.vectors, encoded.stats)

    def encode_each_image(
        self,
        images: Sequence[Image],
        around_run: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> EncodedEach:
        """The same; an image that cannot be encoded is all zeros, its reason beside."""
        return self.encode_each_image_of_kinds(images, [self.manifest.kind], around_run)[0]

    def encode_each_image_of_kinds(
        self,
        images: Sequence[Image],
        kinds: Sequence[str],
        around_run: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> list[EncodedEach]:
        """As ``encode_each_of_kinds``, of images."""
        whole = self.manifest.whole or self.manifest
        heads = [self.manifest.of_kind(kind) for kind in kinds]
        outputs = [IMAGE_OUTPUT if head is whole else head.output for head in heads]
        vectors = [OUTPUTS[head.kind].blank(head, len(images)) for head in heads]
        failures: dict[int, EncodeError] = {}
        for place, image in enumerate(images):
            try:
                with around_run():
                    given = self._images.run_each(pixels_of(image), outputs)
                own = [
                    OUTPUTS[head.kind].decoded(head, output)[0]
                    for head, output in zip(heads, given, strict=True)
                ]
                require_finite(own)
                for rows, row in zip(vectors, own, strict=True):
                    rows[place] = row
            except EncodeError as error:
                failures[place] = EncodeError(f"image {place}: {error}", place)
        made = len(images) - len(failures)
        stats = EncodeStats(made, made * whole.of(ImageText).image_tokens)
        return [EncodedEach(np.asarray(rows), stats, failures) for rows in vectors]
