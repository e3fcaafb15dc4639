"""The steps of a migration: begun, filled, measured, moved; and the way back.

Nothing is written to two indices at once. The new one follows the old until little is left, then
the old takes no writes for the moment in which the last documents are copied and the aliases move:
so none of them falls in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..elastic.indices import delete_index, index_exists, the_index, uuid_of
from ..elastic.moments import checkpoints_of
from ..elastic.patience import Patience
from ..elastic.remote import RemoteEncoder
from ..elastic.succession import (
    allow_writes,
    index_behind,
    put_templates,
    set_pipelines,
    templates_of,
)
from ..errors import DensehookError, RequestError
from ..hooks import VectorField, template_after
from ..index import Index
from ..ingest import Failure
from ..ingest.following import Copied, Copier, Following
from ..ingest.pace import Pace
from ..types import PATIENCE
from .beginning import Wanted, begun, replaced_field
from .gate import Gate, Progress, Verdict, measured
from .moving import catch_up, move
from .state import Kept, State

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch


@dataclass
class Migrated:
    """What was done, and whether the aliases moved; ``refused`` says why they did not.

    For ``blocked_s`` seconds nothing was written to the index that they were moved from.
    ``templates`` are those that make indices like the one that is in service now.
    """

    old: str
    new: str
    copied: Copied
    aliases: Sequence[str] = ()
    blocked_s: float = 0.0
    verdict: Verdict | None = None
    templates: Sequence[str] = ()
    refused: str = ""


@dataclass(frozen=True)
class Way:
    """How documents are copied: how many a second, with what patience, and who hears of it."""

    requests_per_second: float | None = None
    patience: float | str = PATIENCE
    on_failure: Callable[[Failure], None] = lambda failure: None
    on_progress: Progress = lambda label, done, total: None


def migrate(
    client: Elasticsearch,
    alias: str,
    wanted: Wanted,
    gate: Gate | None,
    *,
    remove_index: bool = False,
    way: Way | None = None,
) -> Migrated:
    """Makes a new index with an encoder's vectors, and moves the aliases of the old one to it.

    The new index has the old one's settings, mapping and documents, but for the vector field. What
    is written to the old one meanwhile is copied, too. The aliases move all in one moment, where
    the ``gate`` lets them; None measures nothing. Index templates with the old field have the new
    one then, for the next index. One that was ended goes on by being called again.
    ``alias`` may be the index's own name with ``remove_index``, which removes it then. Raises
    RequestError for what cannot be migrated, CheckpointError where another process migrates it,
    ClusterUnavailable where the cluster stays busy or gone, EncoderMismatch, NotInService,
    ElasticError.

        migrate(es, "articles", Wanted(encoder), Gate(open_measured("judged")))
    """
    way = way or Way()
    kept = Kept(client, alias, Patience(way.patience))
    old, entry = index_behind(client, alias, itself=remove_index)
    before = None if gate is None else _searchable(client, old, wanted.field, gate)
    state = begun(client, alias, old, entry, wanted, kept)
    after = Index.open(client, state.new, wanted.encoder, field=state.new_field)
    making = None
    if not after.provenance.in_cluster and not isinstance(wanted.encoder, RemoteEncoder):
        making = after.field, wanted.encoder
    copier = Copier(
        client, state.new, old=_field(client, state.old, state.old_field), making=making
    )

    def prepare() -> None:
        set_pipelines(client, state.new, state.pipelines)
        state.back = checkpoints_of(client, state.new)
        _change_templates(client, state, kept, after.field)

    with _following(client, state, copier, kept, way) as following:
        done = Migrated(state.old, state.new, following.copied)
        catch_up(following)
        if before is not None and gate is not None and not following.copied.failed:
            done.verdict = measured(gate, before, after, _keeping(following, way.on_progress))
            catch_up(following)
        if refused := _objection(done):
            done.refused = refused
            return done
        try:
            done.aliases, done.blocked_s = move(
                client, alias, state.old, state.new, following, prepare, remove=remove_index
            )
        except BaseException:
            with suppress(DensehookError):  # what ended it is told; --abort does it, too
                put_templates(client, state.templates)
            raise
        done.templates = list(state.templates)
    return done


def roll_back(client: Elasticsearch, alias: str, *, way: Way | None = None) -> Migrated:
    """Moves the aliases back to the old index, with what was written to the new one since.

    Documents that are carried back have a vector where the old index has its made in the cluster,
    else none. The new index is kept, and ``migrate`` goes on with it. Raises RequestError where
    nothing was moved, else as ``migrate``.

        roll_back(es, "articles").copied.written
    """
    way = way or Way()
    kept = Kept(client, alias, Patience(way.patience))
    state = _moved(client, alias, kept)
    if not _has_old(client, state):
        raise RequestError(
            f"index {state.old!r}, which {alias!r} had before, is not there any more; migrate it to"
            " the encoder that it had"
        )
    allow_writes(client, state.old)
    set_pipelines(client, state.old, {})
    copier = Copier(client, state.old, old=_field(client, state.new, state.new_field), making=None)

    def prepare() -> None:
        set_pipelines(client, state.old, state.old_pipelines)
        state.marks = checkpoints_of(client, state.old)
        done.templates = list(state.templates)
        put_templates(client, state.templates)
        state.templates = {}
        kept.write(state)

    with _following(client, state, copier, kept, way, back=True) as following:
        done = Migrated(state.new, state.old, following.copied)
        catch_up(following)
        if refused := _objection(done):
            done.refused = refused
            return done
        done.aliases, done.blocked_s = move(client, alias, state.new, state.old, following, prepare)
    return done


def abort(client: Elasticsearch, alias: str) -> str:
    """Deletes the new index of a migration that has moved nothing, and all that is noted of it.

    Gives the index's name. Raises RequestError where there is none, or the aliases have moved.

        abort(es, "articles")
    """
    kept = Kept(client, alias, Patience())
    state = _under_way(alias, kept)
    if index_behind(client, alias, itself=True)[0] == state.new:
        raise RequestError(
            f"{alias!r} has moved to index {state.new!r}, which is in service; go back with"
            f" --rollback, or delete the old index {state.old!r} with --finish"
        )
    if _has_old(client, state):
        allow_writes(client, state.old)
    put_templates(client, state.templates)
    if index_exists(client, state.new):
        delete_index(client, state.new)
    kept.forget()
    return state.new


def finish(client: Elasticsearch, alias: str) -> str:
    """Deletes the old index of a migration that has moved the aliases, and what is noted of it.

    Gives the index's name. Raises RequestError where nothing was moved.

        finish(es, "articles")
    """
    kept = Kept(client, alias, Patience())
    state = _moved(client, alias, kept)
    if _has_old(client, state):
        delete_index(client, state.old)
    kept.forget()
    return state.old


def _change_templates(client: Elasticsearch, state: State, kept: Kept, new: VectorField) -> None:
    """Has the next index of a template be like the new one; how it was is kept first."""
    old = _field(client, state.old, state.old_field)
    found = templates_of(client, state.old, old)
    state.templates |= found
    kept.write(state)
    if old is not None and found:
        entry = the_index(client, state.new)[1]
        put_templates(
            client, {name: template_after(each, old, new, entry) for name, each in found.items()}
        )


def _under_way(alias: str, kept: Kept) -> State:
    state = kept.read()
    if state is None:
        raise RequestError(
            f"no migration of {alias!r} is under way; begin one with: densehook migrate {alias}"
            " --encoder BUNDLE"
        )
    return state


def _moved(client: Elasticsearch, alias: str, kept: Kept) -> State:
    state = _under_way(alias, kept)
    if (now := index_behind(client, alias, itself=True)[0]) != state.new:
        raise RequestError(
            f"{alias!r} has not moved: it is index {now!r}; go on with densehook migrate, or end it"
            " with --abort"
        )
    return state


def _has_old(client: Elasticsearch, state: State) -> bool:
    """Whether the old index is there; by its name alone the new one may be meant."""
    return index_exists(client, state.old) and uuid_of(client, state.old) == state.uuid


def _searchable(client: Elasticsearch, old: str, field: str | None, gate: Gate) -> Index:
    """The old index, as it is measured: that it can be is known before the work."""
    opened = Index.open(client, old, gate.encoder, field=field)
    if opened.encoder is None and not opened.cluster_encodes:
        raise RequestError(
            f"index {old!r} cannot be measured: its encoder {opened.field.encoder!r} is not in the"
            " cluster's service; give its bundle"
        )
    return opened


def _field(client: Elasticsearch, index: str, name: str | None) -> VectorField | None:
    return replaced_field(index, the_index(client, index)[1]["mappings"], name) if name else None


@contextmanager
def _following(
    client: Elasticsearch,
    state: State,
    copier: Copier,
    kept: Kept,
    way: Way,
    *,
    back: bool = False,
) -> Iterator[Following]:
    """The new index, which follows the old; or, on the way back, the old one that follows it."""
    source, target = (state.new, state.old) if back else (state.old, state.new)
    following = Following(
        client,
        source,
        target,
        copier,
        state.back if back else state.marks,
        patience=Patience(way.patience),
        pace=Pace(way.requests_per_second),
        on_mark=lambda: kept.write(state),
        on_failure=way.on_failure,
        on_progress=lambda done, total: way.on_progress(f"Copying into {target}", done, total),
    )
    try:
        yield following
    finally:
        following.close()


def _keeping(following: Following, on_progress: Progress) -> Progress:
    def heard(label: str, done: int, total: int) -> None:
        following.keep()
        on_progress(label, done, total)

    return heard


def _objection(done: Migrated) -> str:
    """Why the aliases are not to move; empty for nothing."""
    if done.copied.failed:
        return (
            f"{done.copied.failed:,} documents could not be copied, the first:"
            f" {done.copied.failures[0]}"
        )
    if done.verdict is not None and not done.verdict.passed:
        return f"index {done.new} finds less"
    return ""
