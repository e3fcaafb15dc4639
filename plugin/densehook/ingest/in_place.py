"""Vectors for documents that an index has: made where they lie, while it serves.

Which documents are to get one is told by a query on their notes, so that a run that was ended goes
on by being run again, and one that has nothing to do writes nothing. Each is an update of its own,
which puts a vector and its note into the document and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from ..elastic.adding import let_cluster_embed
from ..elastic.bulk import CONFLICT, Refusal
from ..elastic.connect import elastic_errors
from ..elastic.counting import counted_between, ingest_counts
from ..elastic.coverage import Coverage, coverage_of
from ..elastic.indices import refresh
from ..elastic.paging import pages
from ..elastic.patience import Patience
from ..errors import ClusterUnavailable, ClusterUnreachable, NotElasticsearch
from ..hooks import Provenance, VectorField, has_note, to_embed
from ..types import EncodeStats
from .feed import require_way
from .outcome import KEPT, Failure
from .pace import Pace
from .source import prefetched
from .updates import Change, Page, Updates
from .write import Writer

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ..encode import Encoder

_SWEEPS = 10
"""Times that an index is gone through, at most, for what was written to it meanwhile."""
_GONE = 404


@dataclass
class EmbedReport:
    """What was done, and what the index holds now.

    ``written`` documents have a vector now, or the note that their text is blank; ``failed`` ones
    could not get one, and the first KEPT of their ``failures`` are here. ``changed`` counts updates
    that gave way to somebody else's. ``encoded`` is what was encoded here; where the cluster
    encodes, ``in_cluster`` is what its nodes counted meanwhile, other clients' texts among it, and
    None where they do not tell. ``coverage`` is the index afterwards, ``unrefreshed`` why it may be
    that of before.
    """

    written: int = 0
    failed: int = 0
    changed: int = 0
    encoded: EncodeStats = field(default_factory=EncodeStats)
    in_cluster: EncodeStats | None = None
    coverage: Coverage = field(default_factory=lambda: Coverage(0, 0, 0, 0, 0))
    unrefreshed: str = ""
    failures: list[Failure] = field(default_factory=list)


def embed_field(
    client: Elasticsearch,
    provenance: Provenance,
    target: VectorField,
    encoder: Encoder | None,
    *,
    texts: bool = False,
    requests_per_second: float | None = None,
    on_failure: Callable[[Failure], None] = lambda failure: None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> EmbedReport:
    """Gives an index's documents the vectors that they lack, and new ones for another encoder's.

    Without an encoder the cluster makes them, to which ids alone are sent, several bulks at a time;
    else the inputs are read and encoded here, and an update gives way to whoever has written the
    document meanwhile, which is read again. A client's own vector and a document without text stay
    as they are. With ``texts`` every document is read, and one whose text is not that of its vector
    gets another. At most ``requests_per_second`` documents are written a second. ``on_progress``
    hears how many of how many are done. Memory is bounded by a few pages and the ids of failures. A
    cluster that is busy or gone, or a shard of it, is waited for; what it had not answered for at
    the end of all patience is no failure, but left to the run that goes on. Raises RequestError,
    EncoderMismatch, IndexNotFound, ClusterUnreachable, ClusterUnavailable, ElasticError.
    """
    pace = Pace(requests_per_second)
    require_way(provenance, target, encoder)
    index = provenance.index
    if encoder is None:
        let_cluster_embed(client, index)
    report = EmbedReport()
    before = None if encoder is not None else ingest_counts(client, target.encoder)
    with _saying_how_far(report), elastic_errors(client):
        updates = Updates(client, index, target, encoder)
        run = _Run(client, index, updates, pace, report, on_failure, on_progress)
        run.mend()
        if texts:
            run.mend_other_texts()
    if encoder is None:
        report.in_cluster = counted_between(before, ingest_counts(client, target.encoder))
    return report


@contextmanager
def _saying_how_far(report: EmbedReport) -> Iterator[None]:
    """An error that ends a run says what was done before it, and how it goes on."""
    try:
        yield
    except (ClusterUnavailable, ClusterUnreachable, NotElasticsearch) as error:
        said = str(error) if str(error).endswith("?") else f"{error};"
        raise type(error)(
            f"{said} {report.written:,} documents were written before that; run it again when the"
            " cluster is back"
        ) from error


class _Run:
    """Goes through the index until nothing is left, or nothing more can be done."""

    def __init__(
        self,
        client: Elasticsearch,
        index: str,
        updates: Updates,
        pace: Pace,
        report: EmbedReport,
        on_failure: Callable[[Failure], None],
        on_progress: Callable[[int, int], None],
    ) -> None:
        self._client = client
        self._index = index
        self._updates = updates
        self._pace = pace
        self._report = report
        self._on_failure = on_failure
        self._on_progress = on_progress
        self._failed: set[str] = set()
        self._total = 0

    def mend(self) -> None:
        """Sweeps over documents that are to get a vector, and again over what changed meanwhile."""
        left = self._counted()
        self._total = left
        for _ in range(_SWEEPS):
            if left <= len(self._failed) or self._report.unrefreshed:
                return
            changed, earlier = self._report.changed, left
            self._sweep(to_embed(self._updates.target), texts=False)
            left = self._counted()
            if left >= earlier and self._report.changed == changed:
                return

    def mend_other_texts(self) -> None:
        """Sweeps over all that say of which text their vector is, until none changes meanwhile."""
        for _ in range(_SWEEPS):
            changed = self._report.changed
            self._sweep(has_note(self._updates.target), texts=True)
            self._counted()
            if self._report.changed == changed or self._report.unrefreshed:
                return

    def _counted(self) -> int:
        """How many documents are to get a vector, of all that are written by now."""
        # asked once: while a shard is away it takes a minute, and then counting waits for that
        once = self._client.options(max_retries=0)
        self._report.unrefreshed = refresh(once, self._index)
        target = self._updates.target
        self._report.coverage = coverage_of(self._client, self._index, target, Patience())
        return self._report.coverage.to_embed

    def _sweep(self, query: Mapping[str, Any], *, texts: bool) -> None:
        updates, patience = self._updates, Patience()
        size = self._pace.page(updates.portion.documents)
        found = pages(self._client, self._index, query, updates.fields(texts), size, patience)
        wanted = chain.from_iterable(self._wanted(hits, texts) for hits in found)
        made = map(updates.page, updates.parts(wanted, replace(updates.portion, documents=size)))
        in_cluster = updates.encoder is None
        writer = Writer(self._client, self._index, patience, ahead=1, in_cluster=in_cluster)
        # closed here, and not when the garbage collector comes by: the encoder's thread must stop,
        # and the cluster be told that nobody reads on, while there is a client to tell it
        with (
            closing(found),
            closing(prefetched(made, 1)) as coming,
            closing(writer.answers_while_available(self._paced(coming))) as answered,
            closing(patience),
        ):
            for page, answers in answered:
                self._answered(page, answers)

    def _wanted(
        self, hits: Sequence[Mapping[str, Any]], texts: bool
    ) -> Sequence[Mapping[str, Any]]:
        left = [hit for hit in hits if hit["_id"] not in self._failed]
        return self._updates.of_other_text(left) if texts else left

    def _paced(self, pages: Iterable[Page]) -> Iterator[Page]:
        for page in pages:
            self._pace.wait(len(page.writes))
            yield page

    def _answered(self, page: Page, answers: Sequence[Refusal | None]) -> None:
        self._report.encoded += page.encoded
        answer = iter(answers)
        for change in page.changes:
            if change.write is not None:
                self._count(change, next(answer))
            if change.failure is not None:
                self._fail(change.failure)
        done = self._report.written + self._report.failed
        self._on_progress(done, max(self._total, done))

    def _count(self, change: Change, refusal: Refusal | None) -> None:
        if refusal is None:
            self._report.written += 1
        elif refusal.over:
            return  # nothing is known of it: whoever goes on looks again
        elif refusal.status in (CONFLICT, _GONE):  # somebody wrote it anew, or deleted it
            self._report.changed += 1
        else:
            change.failure = Failure.refused(change.document, refusal)

    def _fail(self, failure: Failure) -> None:
        # of the document a part alone was here: none is to be fed again as it is
        failure = replace(failure, document=None)
        self._failed.add(failure.id)
        self._report.failed += 1
        if len(self._report.failures) < KEPT:
            self._report.failures.append(failure)
        self._on_failure(failure)
