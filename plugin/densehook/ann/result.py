"""What a study of approximate search gives: each way's recall, quality, time and size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..evaluation.latency import Latency
from .ways import Way

MEASURE = "nDCG@10"
TOLERANCE = 0.005
"""Of MEASURE, which a recommended way may lose to the exact search."""
LEAST_RECALL = 0.95
_ALIKE = 1.1
"""Times that differ by less are of machines, not of ways."""


@dataclass(frozen=True)
class Built:
    """An index of one kind: seconds to fill and merge it, and what it takes, in bytes.

    ``memory`` is what searches read all the time, outside the heap, as Elasticsearch says, or by
    the rule of its manual where it does not (before 9.1); ``heap`` the most that was seen of all
    nodes' heaps meanwhile, garbage included, None where one may not know.
    """

    kind: str
    seconds: float
    disk: int
    memory: int
    heap: int | None


@dataclass(frozen=True)
class Point:
    """What one way gives: of the exact search's first hits the share it finds, and how soon.

    ``recall_100`` is None where fewer candidates are looked at. ``latencies`` are of searches for
    ten hits, the queries' vectors at hand, by one caller and by several.
    """

    way: Way
    recall_10: float
    recall_100: float | None
    quality: float
    latencies: Sequence[Latency]

    @property
    def alone(self) -> Latency:
        """The time of one caller's searches."""
        return self.latencies[0]


@dataclass(frozen=True)
class Study:
    """What was measured; ``points`` hold the exact search first.

    ``quality`` of a point is the mean of ``measure``; ``skipped`` says why a kind could not be.
    """

    collection: str
    vector_field: str
    documents: int
    dims: int
    queries: int
    built: Mapping[str, Built]
    points: Sequence[Point]
    skipped: Mapping[str, str] = field(default_factory=dict)
    measure: str = MEASURE

    @property
    def exact(self) -> Point:
        """The exact search."""
        return self.points[0]

    @property
    def frontier(self) -> list[Point]:
        """Those that no other beats in both recall and time; the quickest first."""
        best, front = -1.0, []
        for point in sorted(self.points, key=lambda p: (p.alone.p50, -p.recall_10)):
            if point.recall_10 > best:
                best = point.recall_10
                front.append(point)
        return front

    @property
    def recommended(self) -> Point:
        """The way to take: the smallest in memory of the quickest that lose next to nothing.

        It finds at least LEAST_RECALL of the exact search's first ten hits, and its MEASURE is at
        most TOLERANCE lower. Where none is, the exact search.
        """
        good = [
            point
            for point in self.points
            if point.recall_10 >= LEAST_RECALL and point.quality >= self.exact.quality - TOLERANCE
        ]
        quickest = min(point.alone.p50 for point in good)
        alike = [point for point in good if point.alone.p50 <= _ALIKE * quickest]
        return min(alike, key=lambda point: (self.built[point.way.kind].memory, -point.recall_10))

    def as_json(self) -> dict[str, Any]:
        """Give what ann.json holds."""
        return {
            "collection": self.collection,
            "field": self.vector_field,
            "documents": self.documents,
            "dims": self.dims,
            "queries": self.queries,
            "measure": self.measure,
            "recommended": asdict(self.recommended.way),
            "indices": [asdict(each) for each in self.built.values()],
            "points": [asdict(each) for each in self.points],
            "skipped": dict(self.skipped),
        }
