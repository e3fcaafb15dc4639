"""The study itself: each way's recall, quality, time and size, and which of them to take."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from ..collections import Collection
from ..elastic.copies import Nearest, VectorCopy, copied, heap_used, index_options
from ..elastic.indices import shards_of
from ..elastic.remote import RemoteEncoder, remote_encoder
from ..errors import EvaluationError, RequestError
from ..evaluation import Progress, measure_queries
from ..evaluation.latency import CALLERS, Latency, measure_latency
from ..evaluation.measures import means
from ..evaluation.progress import silent
from ..evaluation.systems import without_queries_themselves
from ..hooks.kinds.dense import INDEX_TYPES
from ..index import Index
from ..types import DocId, Ranking
from .memory import expected_memory
from .ways import (
    CANDIDATES,
    EXACT,
    FIRST,
    LAST,
    OVERSAMPLES,
    Way,
    check_candidates,
    check_kinds,
    check_oversamples,
    ways_of,
)

if TYPE_CHECKING:
    from ..encode import Encoder

Vector = list[float]

MEASURE = "nDCG@10"
TOLERANCE = 0.005
"""Of MEASURE, which a recommended way may lose to the exact search."""
LEAST_RECALL = 0.95
_ALIKE = 1.1
"""Times that differ by less are of machines, not of ways."""
_TIES = 100
"""Hits beyond the last that are asked for, in case they score as the last does."""


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


def measure_ann(
    collection: Collection,
    index: Index,
    *,
    kinds: Iterable[str] = INDEX_TYPES,
    candidates: Iterable[int] = CANDIDATES,
    oversamples: Iterable[float] = OVERSAMPLES,
    asked: int = 100,
    progress: Progress = silent,
) -> Study:
    """Copies the index's vectors into an index of each kind, and searches these in every way.

    The queries' vectors are made before, so that the times are of the search alone, each of
    ``asked`` queries. A kind that the server or the vectors do not allow is skipped, and why is
    said. Raises RequestError for a kind, a number of candidates or an oversample that cannot be,
    and for an index that no encoder is at hand for; ElasticError, EvaluationError.
    """
    tried = check_kinds(kinds)
    numbers, factors = check_candidates(candidates), check_oversamples(oversamples)
    lab = _Lab(collection, index, _query_vectors(collection, index), asked, progress)
    skipped: dict[str, str] = {}
    for kind in tried:
        try:
            lab.measure(kind, ways_of(kind, numbers, factors))
        except RequestError as error:
            if kind == EXACT:
                raise
            skipped[kind] = str(error)
    return Study(
        collection.name,
        index.field.name,
        lab.documents,
        int(index.field.mapping["dims"]),
        len(collection.queries),
        lab.built,
        lab.points,
        skipped,
    )


class _Lab:
    """What was measured so far; the exact search must be the first."""

    def __init__(
        self,
        collection: Collection,
        index: Index,
        vectors: Sequence[Vector],
        asked: int,
        progress: Progress,
    ) -> None:
        self.built: dict[str, Built] = {}
        self.points: list[Point] = []
        self.documents = 0
        self._collection = collection
        self._index = index
        self._vectors = vectors
        self._asked = asked
        self._progress = progress
        self._truth: Mapping[int, Sequence[frozenset[DocId]]] = {}

    def measure(self, kind: str, ways: Sequence[Way]) -> None:
        """Makes the index, searches it in these ways, and takes it away. Raises ElasticError."""
        client, name, field = self._index.client, self._index.name, self._index.field
        points: list[Point] = []
        options = index_options(field, kind)
        with copied(client, name, field, options, shards_of(client, name)) as copy:
            heap = heap_used(client) or 0
            started = time.perf_counter()
            filled = 0
            for filled in copy.fill(name, field):
                self._progress(f"indexing {kind}", filled, self.documents or None)
                heap = max(heap, heap_used(client) or 0)
            if not filled:
                raise EvaluationError(
                    f"no document of {name!r} has a vector in {field.name!r}; ingest first"
                )
            self._progress(f"indexing {kind}", filled, filled)
            copy.merge()
            seconds = time.perf_counter() - started
            if kind == EXACT:
                self.documents = filled
                self._truth = self._nearest(copy)
            for number, way in enumerate(ways):
                self._progress(f"searching {kind}", number, len(ways))
                points.append(self._point(copy, way))
                heap = max(heap, heap_used(client) or 0)
            self._progress(f"searching {kind}", len(ways), len(ways))
            size = copy.size()
        memory = size.memory or expected_memory(field.mapping, options, filled)
        self.built[kind] = Built(kind, seconds, size.disk, memory, heap or None)
        self.points += points

    def _nearest(self, exact: VectorCopy) -> dict[int, list[frozenset[DocId]]]:
        """For each query the nearest FIRST and LAST, and with them what is as near as the last."""
        depth = min(self.documents, LAST + _TIES)
        found = exact.search(self._vectors, Nearest(depth, depth))
        return {k: [_as_near(ranking, k) for ranking in found] for k in (FIRST, LAST)}

    def _point(self, copy: VectorCopy, way: Way) -> Point:
        first = self._asked_for(way, FIRST)
        found = copy.search(self._vectors, first)
        run = dict(zip(self._collection.queries, found, strict=True))
        if any(hit.id == query for query, ranking in run.items() for hit in ranking):
            # queries that are documents find themselves, which does not count
            deeper = copy.search(self._vectors, self._asked_for(way, FIRST + 1))
            run = dict(zip(self._collection.queries, deeper, strict=True))
        values = measure_queries(
            without_queries_themselves(run, self._collection, FIRST),
            self._collection.qrels,
            [MEASURE],
        )
        deep = None
        if way.num_candidates is None or way.num_candidates >= LAST:
            deep = self._recall(copy.search(self._vectors, self._asked_for(way, LAST)), LAST)
        return Point(
            way,
            self._recall(found, FIRST),
            deep,
            means(values, [MEASURE])[MEASURE],
            [
                measure_latency(
                    lambda vector: copy.ask(vector, first), self._vectors[: self._asked], callers
                )
                for callers in CALLERS
            ],
        )

    def _asked_for(self, way: Way, k: int) -> Nearest:
        k = min(k, self.documents)
        return Nearest(k, max(k, way.num_candidates or k), way.oversample)

    def _recall(self, found: Sequence[Ranking], k: int) -> float:
        """The mean share of the nearest ``k`` that is found."""
        wanted = min(k, self.documents)
        shares = [
            len({hit.id for hit in ranking[:k]} & nearest) / wanted
            for ranking, nearest in zip(found, self._truth[k], strict=True)
        ]
        return sum(shares) / len(shares)


def _as_near(ranking: Ranking, k: int) -> frozenset[DocId]:
    """The first ``k``, and what scores as the last of them: each is as right as the other."""
    if not ranking:
        return frozenset()
    least = ranking[:k][-1].score
    return frozenset(hit.id for hit in ranking if hit.score >= least)


def _query_vectors(collection: Collection, index: Index) -> list[Vector]:
    """By the encoder here, or by the cluster's. Raises RequestError where neither is."""
    encoder: Encoder | RemoteEncoder | None = index.encoder
    if encoder is None and not index.cluster_encodes:
        raise RequestError(
            f"the queries need the encoder {index.field.encoder!r}, which the cluster has not in"
            " service; give its bundle"
        )
    if encoder is None:
        encoder = remote_encoder(index.client, index.field.encoder)
        index.field.require(encoder.manifest, index.name)
    vectors: list[Vector] = encoder.encode_queries(list(collection.queries.values())).tolist()
    return vectors
