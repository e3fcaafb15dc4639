"""What an encoder does here and now, measured as encoders of its kind are used."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from ...bundle import Bundle, ImageText
from ...errors import EncodeError
from ...images import Image
from ..encoder import Encoder
from ..opening import load
from . import heads, numbers, pairs, texts
from . import images as of_images
from .callers import QueryTimes
from .given import Given, Progress

__all__ = ["TIMINGS", "QueryTimes", "Times", "timed"]


class Times(Protocol):
    """What was measured; a frozen dataclass, whose fields are keys of the printed JSON."""

    @property
    def cpus(self) -> int:
        """How many the process may use."""

    def said(self) -> list[tuple[str, str]]:
        """What was measured and, in words, what came out: a row each."""


Timing = Callable[[Bundle, Encoder, Given], Times]
"""Measures a bundle that has been opened."""

TIMINGS: Mapping[str, Timing] = {
    "cross": pairs.timed,
    "image-text": of_images.timed,
    "numbers": numbers.timed,
}
"""By kind, where it is used otherwise than for texts alone."""


def timed(
    bundle: Bundle,
    given_texts: Sequence[str],
    images: Sequence[Image] = (),
    progress: Progress = lambda step: None,
) -> Times:
    """Opens the bundle, with its sums and its self-test, and has it do what its kind is for.

    ``given_texts`` are lists of numbers, as their texts, for an encoder of those. ``images`` are
    for encoders that read some, which otherwise get some that are made up. Raises
    EncodeError when there are no texts, BundleError for images where none are read, or as the
    encoder does.
    """
    if not given_texts:
        raise EncodeError("there are no texts to encode; give some, one on a line")
    if images:
        bundle.manifest.of(ImageText)
    progress("Loading")
    started = time.perf_counter()
    encoder = load(bundle.path)
    given = Given(time.perf_counter() - started, given_texts, images, progress)
    return _timing(bundle)(bundle, encoder, given)


def _timing(bundle: Bundle) -> Timing:
    manifest = bundle.manifest
    return TIMINGS.get(manifest.kind, heads.timed if manifest.also else texts.timed)
