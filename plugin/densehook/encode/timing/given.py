"""What is measured with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...images import Image

Progress = Callable[[str], None]
"""Hears what is being done."""


@dataclass(frozen=True)
class Given:
    """Texts, at least one, and images, maybe none; ``load_seconds`` is how long opening took."""

    load_seconds: float
    texts: Sequence[str]
    images: Sequence[Image]
    progress: Progress
