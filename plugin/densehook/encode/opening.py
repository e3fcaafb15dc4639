"""From a bundle to its encoder, of the class that its kind has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..bundle import Bundle, bundle_folder, read_bundle
from .cross_encoder import CrossEncoder
from .encoder import Encoder
from .image_text import ImageTextEncoder
from .selftest import self_test

ENCODERS: Mapping[str, type[Encoder]] = {
    "cross": CrossEncoder,
    "image-text": ImageTextEncoder,
}
"""By kind, where it is another class than ``Encoder``."""


def encoder_of(bundle: Bundle, *args: Any, **options: Any) -> Encoder:
    """The bundle at work; else as ``Encoder``."""
    return ENCODERS.get(bundle.manifest.kind, Encoder)(bundle, *args, **options)


def load(path: Path | str, threads: int | None = None, provider: str | None = None) -> Encoder:
    """Opens a bundle, by its folder or name, runs its self-test and gives its encoder.

    ``provider`` is ``cpu``, ``cuda`` or ``openvino``; by default the one the bundle was tuned for,
    else ``cpu``. Raises BundleError for a damaged bundle, SelfTestError for one that does not
    reproduce its golden token ids and vectors, ProviderError for a provider that is not there.
    """
    bundle = read_bundle(bundle_folder(path))
    encoder = encoder_of(bundle, threads, provider=provider)
    self_test(encoder, bundle)
    return encoder
