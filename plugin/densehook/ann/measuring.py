"""The study itself: copies of an index's vectors, each searched in every way it has."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..collections import Collection
from ..elastic.copies import Nearest, VectorCopy, copied, heap_used, index_options
from ..elastic.indices import shards_of
from ..elastic.remote import RemoteEncoder, remote_encoder
from ..errors import EvaluationError, RequestError
from ..evaluation import Progress, measure_queries
from ..evaluation.latency import CALLERS, measure_latency
from ..evaluation.measures import means
from ..evaluation.progress import silent
from ..evaluation.systems import without_queries_themselves
from ..hooks.kinds.dense import INDEX_TYPES, TYPE
from ..index import Index
from ..types import DocId, Ranking
from .memory import expected_memory
from .result import MEASURE, Built, Point, Study
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

_TIES = 100
"""Hits beyond the last that are asked for, in case they score as the last does."""


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
    if index.field.format.TYPE != TYPE:
        raise RequestError(
            f"field {index.field.name!r} of index {index.name!r} is a {index.field.format.TYPE},"
            f" whose search is exact; a study of kNN needs a {TYPE}"
        )
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
        options = index_options(field, kind)
        with copied(client, name, field, options, shards_of(client, name)) as copy:
            heap = [heap_used(client)]
            started = time.perf_counter()
            count = 0
            for count in copy.fill(name, field):
                self._progress(f"indexing {kind}", count, self.documents or None)
                heap.append(heap_used(client))
            if not count:
                raise EvaluationError(
                    f"no document of {name!r} has a vector in {field.name!r}; ingest first"
                )
            copy.merge()
            seconds = time.perf_counter() - started
            if kind == EXACT:
                self.documents = count
                self._truth = self._nearest(copy)
            points: list[Point] = []
            for way in ways:
                self._progress(f"searching {kind}", len(points), len(ways))
                points.append(self._point(copy, way))
                heap.append(heap_used(client))
            self._progress(f"searching {kind}", len(ways), len(ways))
            size = copy.size()
        memory = size.memory or expected_memory(field.mapping, options, count)
        most = max((used for used in heap if used is not None), default=None)
        self.built[kind] = Built(kind, seconds, size.disk, memory, most)
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
                    lambda vector: copy.search([vector], first),
                    self._vectors[: self._asked],
                    callers,
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
    own = index.field.own(encoder)
    vectors: list[Vector] = own.encode_queries(list(collection.queries.values())).tolist()
    return vectors
