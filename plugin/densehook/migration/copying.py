"""How documents come from one index into another, with vectors of the encoder that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..elastic.indices import the_index
from ..elastic.patience import Patience
from ..elastic.remote import RemoteEncoder
from ..hooks import VectorField, keeps_source
from ..ingest.following import Copier, Following, Uncopied
from ..ingest.pace import Pace
from .beginning import field_of

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ..index import Index
    from .beginning import Wanted
    from .outcome import Way
    from .state import State


def copier_into(after: Index, source: str, old: Sequence[VectorField], wanted: Wanted) -> Copier:
    """Copies without the ``old`` fields' vectors; the new ones are made in the cluster, or here.

    Of a ``source`` that does not keep its documents whole none are made.
    """
    if not keeps_source(the_index(after.client, source)[1]):
        return Uncopied(after.client, after.name)
    encoder = None
    if not after.provenance.in_cluster and not isinstance(wanted.encoder, RemoteEncoder):
        encoder = wanted.encoder
    return Copier(after.client, after.name, old=old, new=after.field, encoder=encoder)


def copier_back(client: Elasticsearch, state: State) -> Copier:
    """Carries back what was written to the new index, without its new field's vectors.

    The old one has its own made in the cluster, or by nobody. Of a source that does not keep its
    documents whole none are carried.
    """
    if not keeps_source(the_index(client, state.new)[1]):
        return Uncopied(client, state.old)
    made = field_of(client, state.new, state.new_field)
    own = field_of(client, state.old, state.old_field)
    left_out = [] if made is None else [made]
    return Copier(client, state.old, old=left_out, new=own, encoder=None)


@contextmanager
def followed(
    client: Elasticsearch,
    source: str,
    target: str,
    copier: Copier,
    marks: dict[int, int],
    way: Way,
    on_mark: Callable[[], None] = lambda: None,
) -> Iterator[Following]:
    """An index that follows another, in the way that is asked for."""
    following = Following(
        client,
        source,
        target,
        copier,
        marks,
        patience=Patience(way.patience),
        pace=Pace(way.requests_per_second),
        on_mark=on_mark,
        on_failure=way.on_failure,
        on_progress=lambda done, total: way.on_progress(f"Copying into {target}", done, total),
    )
    try:
        yield following
    finally:
        following.close()
