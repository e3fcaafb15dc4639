"""A new index filled from files: where its documents came from, and not from what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..elastic.indices import count_in
from ..elastic.moments import checkpoints_of
from ..errors import RequestError
from ..index import Index
from ..types import IN_INDEX
from .outcome import FromFiles, Way
from .state import Kept, State

if TYPE_CHECKING:
    from ..collections import Documents


def require_filled(state: State) -> None:
    """Raises RequestError where the new index has part of what files have, and none are given."""
    if state.files and not state.filled:
        raise RequestError(
            f"index {state.new!r} is being filled from files; give them (--from), or end it with"
            " --abort"
        )


def fill(after: Index, documents: Documents, state: State, kept: Kept, way: Way) -> FromFiles:
    """Feeds the new index with documents that are to be those of the old one.

    One that was ended goes on. What is written to the old one from the moment in which this begins
    is left to following it, and so is what the files lack or have too much. Raises RequestError
    where the index was filled otherwise.
    """
    client = after.client
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
    if not state.marks:
        state.marks |= checkpoints_of(client, state.old)
    if state.files != documents.state:
        state.files = documents.state
        kept.write(state)
    # without an encoder of its own it leaves the vectors to the cluster
    fed = Index.open(client, after.name, field=after.field.name)
    fed = fed if after.provenance.in_cluster or after.encoder is None else after
    checkpoint = fed.checkpoint(IN_INDEX, documents, replace=True, patience=way.patience)
    total = count_in(client, state.old)
    before = checkpoint.done
    report = fed.ingest(
        documents,
        checkpoint=checkpoint,
        replace=True,
        patience=way.patience,
        on_failure=way.on_failure,
        on_progress=lambda done: way.on_progress(
            f"Reading into {after.name}", before + done, max(total, before + done)
        ),
    )
    if not checkpoint.failed:
        state.filled = True
        kept.write(state)
    first = report.failures[0] if report.failures else None
    encoded = report.encoded if fed.encoder is not None else report.in_cluster
    return FromFiles(checkpoint.indexed, checkpoint.failed, first, encoded)
