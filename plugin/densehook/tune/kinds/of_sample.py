"""What most kinds have in common: the sample's documents are judged, by all of its queries."""

from __future__ import annotations

from collections.abc import Sequence

from ...collections import Sample


class OfSample:
    """The part of a ``Quality`` that a sample of texts says itself."""

    def __init__(self, sample: Sample) -> None:
        self._sample = sample

    @property
    def texts(self) -> Sequence[str]:
        """As ``Quality.texts``: the documents."""
        return self._sample.documents

    @property
    def images(self) -> Sequence[str]:
        """As ``Quality.images``: none."""
        return ()

    @property
    def steps(self) -> int:
        """As ``Quality.steps``: documents."""
        return len(self._sample.documents)

    @property
    def queries(self) -> int:
        """As ``Quality.queries``: all of them."""
        return len(self._sample.queries)
