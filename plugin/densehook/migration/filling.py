"""A new index filled from files: where its documents came from, and not from what is stored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..elastic.checkpoints import forget_checkpoints
from ..elastic.indices import count_in
from ..elastic.moments import checkpoints_of
from ..elastic.patience import Patience
from ..elastic.succession import set_pipelines
from ..errors import RequestError
from ..hooks import VectorField, without_vector
from ..index import Index
from ..ingest import FeedReport, feed_field
from ..ingest.pace import Pace
from ..types import IN_INDEX, Document, EncodeStats
from .outcome import FromFiles, Way
from .state import Kept, State

if TYPE_CHECKING:
    from ..collections import Documents
    from ..ingest import Checkpoint


def require_filled(state: State) -> None:
    """Raises RequestError where the new index has part of what files have, and none are given."""
    if state.files and not state.filled:
        raise RequestError(
            f"index {state.new!r} is being filled from files; give them (--from), or end it with"
            " --abort"
        )


def fill(
    after: Index,
    old: VectorField | None,
    documents: Documents,
    state: State,
    kept: Kept,
    way: Way,
) -> FromFiles:
    """Feeds the new index with documents that are to be those of the old one.

    One that was ended goes on; one whose files had failures, or are others now, begins anew. What
    is written to the old index from the moment in which the first of them began is left to
    following it, and so is what the files lack or have too much. Vectors that documents bring for
    the ``old`` field or the new one are left out, as of those that are copied. Raises RequestError
    where the index was filled otherwise.
    """
    _require_these(documents, state)
    if state.filled:
        return FromFiles(state.indexed, 0, None, EncodeStats())
    # without an encoder of its own it leaves the vectors to the cluster
    fed = Index.open(after.client, after.name, field=after.field.name)
    fed = fed if after.provenance.in_cluster or after.encoder is None else after
    if not state.marks:
        state.marks |= checkpoints_of(after.client, state.old, Patience(way.patience))
    if state.files != documents.state:
        forget_checkpoints(after.client, after.name)
        state.files = documents.state
        kept.write(state)
    checkpoint = _checkpoint(fed, documents, way)
    own = [after.field] if old is None else [after.field, old]
    set_pipelines(after.client, after.name, state.pipelines)  # files have not been through them
    try:
        bare = documents.changed(lambda each: _bare(each, own))
        total = count_in(after.client, state.old)  # as many as the files have, or nearly
        report = _feed(fed, bare, checkpoint, total, way)
    finally:
        set_pipelines(after.client, after.name, {})
    if not checkpoint.failed:
        state.filled, state.indexed = True, checkpoint.indexed
        kept.write(state)
    first = report.failures[0] if report.failures else None
    encoded = report.encoded if fed.encoder is not None else report.in_cluster
    return FromFiles(checkpoint.indexed, checkpoint.failed, first, encoded)


def _require_these(documents: Documents, state: State) -> None:
    if state.marks and not state.files:
        raise RequestError(
            f"index {state.new!r} was filled with what {state.old!r} has; go on without files, or"
            " end it with --abort and begin anew"
        )
    if state.filled and state.files != documents.state:
        raise RequestError(
            f"index {state.new!r} was filled from other files, or these have changed since; go on"
            " with those, or end it with --abort and begin anew"
        )


def _checkpoint(fed: Index, documents: Documents, way: Way) -> Checkpoint:
    """How far the feed came; one that ended with failures begins anew, so that they are told."""
    checkpoint = fed.checkpoint(IN_INDEX, documents, replace=True, patience=way.patience)
    if checkpoint.finished and checkpoint.failed:
        forget_checkpoints(fed.client, fed.name)
        checkpoint = fed.checkpoint(IN_INDEX, documents, replace=True, patience=way.patience)
    return checkpoint


def _feed(
    fed: Index, documents: Documents, checkpoint: Checkpoint, total: int, way: Way
) -> FeedReport:
    before = checkpoint.done

    def progress(done: int) -> None:
        way.on_progress(f"Reading into {fed.name}", before + done, max(total, before + done))

    return feed_field(
        fed.client,
        fed.provenance,
        fed.field,
        documents,
        fed.encoder,
        replace=True,
        checkpoint=checkpoint,
        patience=Patience(way.patience),
        pace=None if way.requests_per_second is None else Pace(way.requests_per_second),
        on_failure=way.on_failure,
        on_progress=progress,
    )


def _bare(document: Document, fields: list[VectorField]) -> Document:
    kept = document.fields
    for field in fields:
        kept = without_vector(kept, field)
    return replace(document, fields=kept)
