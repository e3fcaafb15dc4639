"""Feeding an index: the road from documents to their outcome."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from ..collections import BadLine, Documents
from ..elastic.bulk import Refusal, require_available
from ..elastic.connect import elastic_errors
from ..elastic.counting import counted_between, ingest_counts
from ..elastic.indices import provenance_of, refresh, takes_base64
from ..elastic.patience import Patience
from ..errors import (
    ClusterUnavailable,
    ClusterUnreachable,
    CollectionError,
    NotElasticsearch,
    RequestError,
)
from ..hooks import Provenance, VectorField
from ..types import Document
from .checkpoint import Checkpoint
from .encode import Preparer, Window
from .outcome import Failure, FeedReport
from .pace import Pace, paced
from .source import WINDOW as WINDOW
from .source import prefetched
from .write import BULKS_IN_FLIGHT, Writer

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ..encode import Encoder

WINDOWS_AHEAD = 2
"""Windows that may wait for Elasticsearch; with WINDOW it bounds the memory of a feed."""

_IN_FLIGHT = WINDOW * (WINDOWS_AHEAD + 2 + BULKS_IN_FLIGHT)
"""Documents, at most, that a feed has sent and not come to note when it is ended."""


def feed(
    client: Elasticsearch,
    index: str,
    documents: Iterable[Document | BadLine],
    encoder: Encoder | None,
    *,
    vector_field: str | None = None,
    replace: bool = False,
    patience: Patience | None = None,
    on_failure: Callable[[Failure], None] = lambda failure: None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> FeedReport:
    """Encodes documents and indexes them; what cannot be indexed is a Failure, not the end.

    Without an encoder the cluster encodes; the index must have been made for that.
    A document whose id is in the index already is such a failure unless ``replace``; then its
    vector is taken from there where it was made of the same text. One without text is indexed
    without a vector, one that brings a vector keeps it. Memory is bounded by a few windows,
    whatever the number of documents. ``on_progress`` hears of each document done, well or not.
    A cluster that is busy or gone is waited for with ``patience``, five minutes by default; then
    the documents in flight are failures that may go in later, and the feed ends.
    Raises EncoderMismatch, and CollectionError for a table without any input column, before
    anything is written; IndexNotFound, ClusterUnreachable, ClusterUnavailable, and CollectionError
    for a source that cannot be read to its end.
    """
    provenance = provenance_of(client, index)
    return feed_field(
        client,
        provenance,
        provenance.vector_field(vector_field),
        documents,
        encoder,
        replace=replace,
        patience=patience,
        on_failure=on_failure,
        on_progress=on_progress,
    )


def feed_field(
    client: Elasticsearch,
    provenance: Provenance,
    target: VectorField,
    documents: Iterable[Document | BadLine],
    encoder: Encoder | None,
    *,
    replace: bool = False,
    checkpoint: Checkpoint | None = None,
    patience: Patience | None = None,
    pace: Pace | None = None,
    on_failure: Callable[[Failure], None] = lambda failure: None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> FeedReport:
    """As ``feed``, where it is known already what the index says of its field.

    Where one run of the encoder gives several kinds, other fields of the same text are filled by it
    as well. With a ``checkpoint`` the items it says are done are passed over, and it is kept up to
    date; the documents must come in the order in which they came before. What is in flight when all
    patience is over is left to the feed that goes on, and is no failure.
    """
    beside: Sequence[VectorField] = ()
    if encoder is not None:
        beside = target.beside(provenance.vector_fields.values(), encoder.manifest)
    for each in (target, *beside):
        require_way(provenance, each, encoder)
    if isinstance(documents, Documents) and target.inputs:
        documents.require_any([*target.text.paths, target.name])
    patience = patience or Patience()
    report = FeedReport()
    before = None if encoder is not None else ingest_counts(client, target.encoder)
    doubtful = _IN_FLIGHT if checkpoint is not None and checkpoint.resumed else 0
    with _saying_how_far(report, checkpoint), elastic_errors(client):
        base64 = encoder is not None and takes_base64(client, provenance.index)
        preparer = Preparer(
            client,
            provenance.index,
            target,
            encoder,
            patience,
            base64=base64,
            replace=replace,
            repeatable=checkpoint is not None,
            doubtful=doubtful,
            beside=beside,
        )
        writer = Writer(
            client, provenance.index, patience, ahead=WINDOWS_AHEAD, in_cluster=encoder is None
        )
        left = islice(documents, checkpoint.done if checkpoint is not None else 0, None)
        waited_for = paced(left, pace or Pace(None))
        with closing(_outcomes(waited_for, preparer, writer, report, checkpoint)) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome, Failure):
                    on_failure(outcome)
                on_progress(report.indexed + report.failed)
        if checkpoint is not None:
            checkpoint.finish()
    if encoder is None:
        report.in_cluster = counted_between(before, ingest_counts(client, target.encoder))
    report.unrefreshed = refresh(client, provenance.index)
    return report


@contextmanager
def _saying_how_far(report: FeedReport, checkpoint: Checkpoint | None) -> Iterator[None]:
    """An error that ends a feed says what was done before it, and how it goes on."""
    again, anew = "run it again with --replace", "run it again with --replace"
    if checkpoint is not None:
        again, anew = "run it again", "begin anew, with --replace and another checkpoint"
    try:
        yield
    except CollectionError as error:
        if not report.indexed:
            raise
        raise CollectionError(
            f"{error}; {report.indexed:,} documents were indexed before that: mend the source and"
            f" {anew}"
        ) from error
    except (ClusterUnavailable, ClusterUnreachable, NotElasticsearch) as error:
        said = str(error) if str(error).endswith("?") else f"{error};"
        raise type(error)(
            f"{said} {report.indexed:,} documents were indexed before that; {again} when the"
            " cluster is back"
        ) from error


def _outcomes(
    documents: Iterable[Document | BadLine],
    preparer: Preparer,
    writer: Writer,
    report: FeedReport,
    checkpoint: Checkpoint | None,
) -> Generator[Failure | str, None, None]:
    """One value a document, counted in the report: its id when it is indexed, or its failure."""
    prepared = map(preparer.prepare, preparer.windows(documents))
    # closed here, and not when the garbage collector comes by: the encoder's thread must stop, and
    # before what is in flight is waited for, it must be known that nobody has patience any more
    with (
        closing(prefetched(prepared, WINDOWS_AHEAD)) as coming,
        closing(writer.answers_while_available(coming)) as answered,
        closing(writer.patience),
    ):
        for window, answers in answered:
            indexed, failed = report.indexed, report.failed
            if checkpoint is not None:
                require_available(answers)
            yield from _outcomes_of(window, answers, report)
            if checkpoint is not None:
                checkpoint.advance(report.indexed - indexed, report.failed - failed)


def _outcomes_of(
    window: Window, answers: Sequence[Refusal | None], report: FeedReport
) -> Iterator[Failure | str]:
    report.encoded += window.encoded
    for there in window.there:
        report.count(there.vector, there.missing)
        yield there.document.id
    for failure in window.failures:
        report.fail(failure)
        yield failure
    for ready, refusal in zip(window.ready, answers, strict=True):
        if refusal is None:
            report.count(ready.vector, ready.missing)
            yield ready.write.id
        else:
            failure = Failure.refused(ready.document, refusal)
            report.fail(failure)
            yield failure


def require_way(provenance: Provenance, target: VectorField, encoder: Encoder | None) -> None:
    """Raises RequestError or EncoderMismatch unless it is known who makes the vectors, of what."""
    index = provenance.index
    if encoder is None:
        if not provenance.in_cluster:
            raise RequestError(
                f"index {index!r} does not make its vectors in the cluster; give the encoder"
                f" {target.encoder!r}, or make an index with: densehook create --in-cluster"
            )
        return
    target.require(encoder.manifest, index)
    if not target.inputs:
        raise RequestError(
            f"index {index!r} does not say what the vectors of {target.name!r} are made from; name"
            f" the text fields as input of {target.name!r} in its mapping's _meta.densehook"
        )
