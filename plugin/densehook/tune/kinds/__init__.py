"""By what variants of an encoder are judged, as its kind is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from ...bundle import Bundle
from ...collections import Sample
from ...encode import Encoder
from ...errors import BundleError
from .found import Found
from .reranked import Reranked

__all__ = ["QUALITIES", "Quality", "quality_for", "require_tunable"]

OnProgress = Callable[[int], None]


class Quality(Protocol):
    """What is asked of every variant, and how good its answers are."""

    way: str
    """In words, behind the measure's name: ``exact search``."""
    unit: str
    """What an encoder's speed is counted in."""

    @property
    def steps(self) -> int:
        """How much there is to do for one variant."""

    @property
    def queries(self) -> int:
        """How many are asked."""

    def measured(self, encoder: Encoder, on_progress: OnProgress) -> Mapping[str, float]:
        """The measure, by each of the encoder's kinds; ``on_progress`` hears of steps done."""


QUALITIES: Mapping[str, Callable[[Sample], Quality]] = {"cross": Reranked}
"""By kind, where it is not how well queries find documents."""

UNTUNED: Mapping[str, str] = {
    "image-text": "is judged by the images that its texts find, and collections hold texts alone"
}
"""Why no variants are made of some kinds."""


def quality_for(bundle: Bundle, sample: Sample) -> Quality:
    """What variants of the bundle are judged by."""
    return QUALITIES.get(bundle.manifest.kind, Found)(sample)


def require_tunable(bundle: Bundle) -> None:
    """Raises BundleError for a bundle whose variants nothing here can judge."""
    manifest = bundle.manifest
    if (reason := UNTUNED.get(manifest.kind)) is not None:
        raise BundleError(
            f"encoder {manifest.name!r} of kind {manifest.kind!r} {reason}; use it as it is"
        )
    if bundle.queries is not None:
        raise BundleError(
            f"{bundle.path} is a pair of {manifest.name!r} and {bundle.queries.manifest.name!r};"
            " tune each of the two by itself, then pair them again"
        )
