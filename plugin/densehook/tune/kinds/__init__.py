"""By what variants of an encoder are judged, as its kind is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from ...bundle import Bundle
from ...collections import Sample
from ...encode import Encoder
from ...errors import BundleError
from .found import Found
from .found_images import FoundImages
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
    def texts(self) -> Sequence[str]:
        """What it is judged by, of what it is usually given: its speed is of some of them."""

    @property
    def images(self) -> Sequence[str]:
        """The same of images; none where speed is of texts alone."""

    @property
    def steps(self) -> int:
        """How much there is to do for one variant."""

    @property
    def queries(self) -> int:
        """How many are asked."""

    def measured(self, encoder: Encoder, on_progress: OnProgress) -> Mapping[str, float]:
        """The measure, by each of the encoder's kinds; ``on_progress`` hears of steps done."""


QUALITIES: Mapping[str, Callable[[Sample], Quality]] = {
    "cross": Reranked,
    "image-text": FoundImages,
}
"""By kind, where it is not how well queries find documents."""


def quality_for(bundle: Bundle, sample: Sample) -> Quality:
    """What variants of the bundle are judged by."""
    return QUALITIES.get(bundle.manifest.kind, Found)(sample)


def require_tunable(bundle: Bundle) -> None:
    """Raises BundleError for a bundle whose variants nothing here can judge."""
    if bundle.queries is not None:
        raise BundleError(
            f"{bundle.path} is a pair of {bundle.manifest.name!r} and"
            f" {bundle.queries.manifest.name!r}; tune each of the two by itself, then pair them"
            " again"
        )
