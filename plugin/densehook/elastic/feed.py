"""Feeding an index: read, encode, bulk-index; encoding goes on while Elasticsearch indexes.

Where the cluster makes the vectors, several bulks are in flight, so that it has much to pack from.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

from elasticsearch import Elasticsearch

from ..encode import Encoder, EncodeStats
from ..errors import ClusterUnreachable, ElasticError
from ..hooks import Provenance, Vector, VectorField
from ..types import Document
from .bulk import CONFLICT, Refusal, Write, send
from .connect import elastic_errors
from .documents import BadLine
from .indices import provenance_of, refresh, takes_base64
from .prefetch import prefetched
from .preparing import Failure, Preparer, Ready, Window, windows

WINDOW = 256
"""Documents looked up and encoded together."""
WINDOWS_AHEAD = 2
"""Windows that may wait for Elasticsearch; with WINDOW it bounds the memory of a feed."""

# few enough for an answer well within a minute on a slow CPU, many enough to pack well
_WINDOW_IN_CLUSTER = 64
_BULKS_IN_FLIGHT = 4
_BULK_TIMEOUT_S = 600
# how many windows may be written between a window's lookup and its own writing
_WRITTEN_MEANWHILE = WINDOWS_AHEAD + 2 + _BULKS_IN_FLIGHT

Answers = Iterable["Refusal | None"]


@dataclass
class FeedReport:
    """What a feed did.

    ``missing`` counts documents without a certain input field, ``without_text`` those that have
    none at all and so no vector. ``reused`` are vectors that the index had already, of the same
    text; ``brought`` are those that documents came with. ``unrefreshed`` says why the last
    documents cannot be found at once, where the index could not be refreshed.
    """

    indexed: int = 0
    failed: int = 0
    encoded: EncodeStats = field(default_factory=EncodeStats)
    missing: Counter[str] = field(default_factory=Counter)
    without_text: int = 0
    reused: int = 0
    brought: int = 0
    unrefreshed: str = ""


def feed(
    client: Elasticsearch,
    index: str,
    documents: Iterable[Document | BadLine],
    encoder: Encoder | None,
    *,
    vector_field: str | None = None,
    replace: bool = False,
    on_failure: Callable[[Failure], None] = lambda failure: None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> FeedReport:
    """Encodes documents and indexes them; what cannot be indexed is a Failure, not the end.

    Without an encoder the cluster encodes; the index must have been made for that.
    A document whose id is in the index already is such a failure unless ``replace``; then its
    vector is taken from there where it was made of the same text. One without text is indexed
    without a vector, one that brings a vector keeps it. Memory is bounded by a few windows,
    whatever the number of documents. ``on_progress`` hears of each document done, well or not.
    Raises EncoderMismatch before anything is written, IndexNotFound, ClusterUnreachable.
    """
    provenance = provenance_of(client, index)
    target = provenance.vector_field(vector_field)
    _require_way(provenance, target, encoder)
    run = _Feed(client, provenance.index, target, encoder, replace)
    report = run.report
    try:
        with elastic_errors(client), closing(run.outcomes(documents)) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome, Failure):
                    report.failed += 1
                    on_failure(outcome)
                on_progress(report.indexed + report.failed)
    except ClusterUnreachable as error:
        raise ClusterUnreachable(
            f"{error} {report.indexed:,} documents were indexed before that; run it again with"
            " --replace when the cluster is back"
        ) from error
    report.unrefreshed = refresh(client, provenance.index)
    return report


def _require_way(provenance: Provenance, target: VectorField, encoder: Encoder | None) -> None:
    """Raises ElasticError or EncoderMismatch unless it is known who makes the vectors, of what."""
    index = provenance.index
    if encoder is None:
        if not provenance.in_cluster:
            raise ElasticError(
                f"index {index!r} does not make its vectors in the cluster; give the encoder"
                f" {target.encoder!r}, or make an index with: densehook create --in-cluster"
            )
        return
    target.require(encoder.manifest, index)
    if not target.inputs:
        raise ElasticError(
            f"index {index!r} does not say what the vectors of {target.name!r} are made from; name"
            f" the text fields as input of {target.name!r} in its mapping's _meta.densehook"
        )


class _Feed:
    def __init__(
        self,
        client: Elasticsearch,
        index: str,
        target: VectorField,
        encoder: Encoder | None,
        replace: bool,
    ) -> None:
        base64 = encoder is not None and takes_base64(client, index)
        self.report = FeedReport()
        self._preparer = Preparer(client, index, target, encoder, base64=base64, replace=replace)
        self._in_cluster = encoder is None
        self._client = client.options(request_timeout=_BULK_TIMEOUT_S) if not encoder else client
        self._index = index
        self._written: deque[set[str]] = deque(maxlen=_WRITTEN_MEANWHILE)
        """Ids of the last windows."""

    def outcomes(
        self, documents: Iterable[Document | BadLine]
    ) -> Generator[Failure | str, None, None]:
        """One value a document: its id when it is indexed, or its failure."""
        size = _WINDOW_IN_CLUSTER if self._in_cluster else WINDOW
        prepared = map(self._preparer.prepare, windows(documents, size))
        # closed here, and not when the garbage collector comes by: the encoder's thread must stop
        with closing(prefetched(prepared, WINDOWS_AHEAD)) as coming:
            for window, answers in self._sent(coming):
                self.report.encoded += window.encoded
                yield from window.failures
                written: set[str] = set()
                self._written.append(written)
                for ready, refusal in zip(window.ready, answers, strict=True):
                    if refusal is None:
                        written.add(ready.write.id)
                        self._count(ready)
                        yield ready.write.id
                    else:
                        yield _failure(ready.document, refusal)

    def _count(self, ready: Ready) -> None:
        report = self.report
        report.indexed += 1
        report.missing.update(ready.missing)
        report.without_text += ready.vector is Vector.NONE
        report.reused += ready.vector is Vector.TAKEN
        report.brought += ready.vector is Vector.KEPT

    def _sent(self, prepared: Iterable[Window]) -> Iterator[tuple[Window, Answers]]:
        """Each window with the answers to its documents."""
        if not self._in_cluster:
            for window in prepared:
                yield window, send(self._client, self._index, self._writes(window))
            return
        in_flight: deque[tuple[Window, Future[Sequence[Refusal | None]]]] = deque()
        with ThreadPoolExecutor(_BULKS_IN_FLIGHT) as senders:
            for window in prepared:
                # of two documents with one id the second must stay the second
                while in_flight and (
                    len(in_flight) == _BULKS_IN_FLIGHT or _share_an_id(window, in_flight)
                ):
                    yield _answered(in_flight.popleft())
                writes = self._writes(window)
                in_flight.append((window, senders.submit(self._answers, writes)))
            while in_flight:
                yield _answered(in_flight.popleft())

    def _answers(self, writes: Sequence[Write]) -> Sequence[Refusal | None]:
        return list(send(self._client, self._index, writes))

    def _writes(self, window: Window) -> list[Write]:
        """What to send; a document that this feed wrote since the lookup is not absent any more."""
        lately = set[str]().union(*self._written)
        return [
            dataclasses.replace(
                each.write, absent=each.write.absent and each.write.id not in lately
            )
            for each in window.ready
        ]


def _share_an_id(
    window: Window, others: Iterable[tuple[Window, Future[Sequence[Refusal | None]]]]
) -> bool:
    ids = {each.write.id for each in window.ready}
    return any(each.write.id in ids for other, _ in others for each in other.ready)


def _answered(
    sent: tuple[Window, Future[Sequence[Refusal | None]]],
) -> tuple[Window, Answers]:
    window, answers = sent
    return window, answers.result()


def _failure(document: Document, refusal: Refusal) -> Failure:
    if refusal.status == CONFLICT:
        return Failure.conflict(document)
    error = refusal.error
    if not isinstance(error, dict):
        return Failure.of(document, error)
    cause = (error.get("caused_by") or {}).get("reason")
    reason = error.get("reason") or error.get("type") or "Elasticsearch gave no reason"
    return Failure.of(document, f"{reason} ({cause})" if cause else reason)
