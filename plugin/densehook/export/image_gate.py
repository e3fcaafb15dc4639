"""The gate of encoders of images: what fifty of them come to, and where it is told their patches.

Texts have been judged by then, as those of other encoders are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from ..bundle import GoldenText
from ..encode import Encoder, Vectors
from .gate import gate_variant
from .images import file_of
from .kinds import Parity, ParityOfHeads
from .kinds import image_text as kind
from .kinds.multi import judged_patches

IMAGES_COMPARED = 50


class Expected(NamedTuple):
    """What images come to: float32 [images, dims], and by head of each [patches, dims]."""

    vectors: Vectors
    patches: Mapping[str, Any]


def compared_images() -> list[bytes]:
    """Files of many sizes, modes and turns."""
    return [file_of(number) for number in range(IMAGES_COMPARED)]


def gate_images(
    texts: Parity, encoder: Encoder, files: Sequence[bytes], expected: Expected, whose: str
) -> Parity:
    """What was measured of texts, with what there is to say of the images.

    Raises GateError where one is too far from what is expected.
    """
    own = kind.judged_images(cast(kind.Parity, texts), encoder, files, expected.vectors, whose)
    also = {
        head: judged_patches(encoder.of_kind(head), files, patches, whose)
        for head, patches in expected.patches.items()
    }
    return ParityOfHeads(own, also) if also else own


def gate_variant_of_images(
    variant: Encoder, plain: Encoder, golden: Sequence[GoldenText]
) -> Parity:
    """As ``gate_variant``, of texts and of images."""
    texts = gate_variant(variant, plain, golden)
    files = compared_images()
    heads = list(plain.manifest.image_heads)
    vectors, *patches = (each.vectors for each in plain.encode_each_image_of_kinds(files, heads))
    expected = Expected(vectors, dict(zip(heads[1:], patches, strict=True)))
    return gate_images(texts, variant, files, expected, "the plain bundle's")
