"""The steps of a migration: begun, filled, measured, moved; and the way back.

Nothing is written to two indices at once. The new one follows the old until little is left, then
the old takes no writes for the moment in which the last documents are copied and the aliases move:
so none of them falls in between.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING

from ..elastic.indices import delete_index, index_exists, the_index, uuid_of
from ..elastic.moments import checkpoints_of
from ..elastic.patience import Patience
from ..elastic.streams import data_stream
from ..elastic.succession import (
    allow_writes,
    index_behind,
    other_templates_of,
    put_templates,
    set_pipelines,
    templates_of,
)
from ..errors import DensehookError, RequestError
from ..hooks import VectorField, template_after
from ..index import Index
from ..ingest.following import Copied, Copier, Following
from .beginning import Wanted, begun, field_of
from .copying import copier_back, copier_into, followed
from .filling import fill, require_filled
from .gate import Gate, Progress, measured, searchable
from .moving import catch_up, move
from .outcome import FromFiles, Migrated, Way, objection
from .state import Kept, State, under_way
from .streams import abort_in_stream, finish_in_stream, migrate_stream, roll_back_stream

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch


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

    The new index has the old one's settings, mapping and documents, but for the vector field. They
    are copied as the old one has them, or read from the files that are ``wanted``. What is written
    to the old one meanwhile is copied, too; where it keeps no source, that is named, and the
    aliases stay. They move all in one moment, where the ``gate`` lets them; None measures nothing.
    Index templates with the old field have the new one then, for the next index. One that was ended
    goes on by being called again.
    ``alias`` may be the index's own name with ``remove_index``, which removes it then; or a data
    stream's: its template has the new field then and its next index begins, after the gate has let
    it by copies of all its documents, and those that it has stay as they are. Raises
    RequestError for what cannot be migrated, CheckpointError where another process migrates it,
    ClusterUnavailable where the cluster stays busy or gone, EncoderMismatch, NotInService,
    ElasticError.

        migrate(es, "articles", Wanted(encoder), Gate(open_measured("judged")))
    """
    way = way or Way()
    kept = Kept(client, alias, Patience(way.patience))
    if not remove_index and (stream := data_stream(client, alias)):
        return migrate_stream(client, stream, wanted, gate, kept, way)
    old, entry = index_behind(client, alias, itself=remove_index)
    before = None if gate is None else searchable(client, old, wanted.field, gate)
    state = begun(client, alias, old, entry, wanted, kept)
    after = Index.open(client, state.new, wanted.encoder, field=state.new_field)
    old_field = field_of(client, state.old, state.old_field)
    copier = copier_into(after, old, [] if old_field is None else [old_field], wanted)
    from_files: FromFiles | None = None
    if wanted.documents is None:
        require_filled(state)
    else:
        from_files = fill(after, old_field, wanted.documents, state, kept, way)
        if from_files.failed:
            done = Migrated(state.old, state.new, Copied(), from_files)
            done.refused = objection(done)
            return done

    def prepare() -> None:
        # first: where a shard of it is not there, nothing has been changed
        state.back = checkpoints_of(client, state.new)
        set_pipelines(client, state.new, state.pipelines)
        _change_templates(client, state, kept, old_field, after.field)

    with _following(client, state, copier, kept, way) as following:
        done = Migrated(state.old, state.new, following.copied, from_files)
        catch_up(following)
        if before is not None and gate is not None and not following.copied.failed:
            done.verdict = measured(gate, before, after, _keeping(following, way.on_progress))
            catch_up(following)
        if refused := objection(done):
            done.refused = refused
            return done
        with suppress(DensehookError):  # told by who may read them; nothing hangs on it
            done.others = other_templates_of(client, state.old, old_field)
        try:
            done.aliases, done.blocked_s = move(
                client, alias, state.old, state.new, following, prepare, remove=remove_index
            )
        except BaseException:
            with suppress(DensehookError):  # what ended it is told; --abort does it, too
                put_templates(client, state.templates)
            raise
        done.templates = list(state.templates)
        done.renamed = state.renamed
    return done


def roll_back(client: Elasticsearch, alias: str, *, way: Way | None = None) -> Migrated:
    """Moves the aliases back to the old index, with what was written to the new one since.

    Documents that are carried back have a vector where the old index has its made in the cluster,
    else none. The new index is kept, and ``migrate`` goes on with it. A data stream begins another
    index like the old ones, and nothing is carried. Raises RequestError where nothing was moved,
    else as ``migrate``.

        roll_back(es, "articles").copied.written
    """
    way = way or Way()
    kept = Kept(client, alias, Patience(way.patience))
    if stream := data_stream(client, alias):
        return roll_back_stream(client, stream, kept)
    state = _moved(client, alias, kept)
    if not _has_old(client, state):
        raise RequestError(
            f"index {state.old!r}, which {alias!r} had before, is not there any more; migrate it to"
            " the encoder that it had"
        )
    allow_writes(client, state.old)
    set_pipelines(client, state.old, {})
    copier = copier_back(client, state)

    def prepare() -> None:
        state.marks = checkpoints_of(client, state.old)  # first, as in the other direction
        set_pipelines(client, state.old, state.old_pipelines)
        done.templates = list(state.templates)
        put_templates(client, state.templates)
        state.templates = {}
        kept.write(state)

    with _following(client, state, copier, kept, way, back=True) as following:
        done = Migrated(state.new, state.old, following.copied)
        catch_up(following)
        if refused := objection(done):
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
    if stream := data_stream(client, alias):
        return abort_in_stream(client, stream, kept)
    state = under_way(alias, kept)
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

    Gives the index's name; of a data stream none is deleted, and there is no name. Raises
    RequestError where nothing was moved.

        finish(es, "articles")
    """
    kept = Kept(client, alias, Patience())
    if stream := data_stream(client, alias):
        finish_in_stream(stream, kept)
        return ""
    state = _moved(client, alias, kept)
    if _has_old(client, state):
        delete_index(client, state.old)
    kept.forget()
    return state.old


def _change_templates(
    client: Elasticsearch, state: State, kept: Kept, old: VectorField | None, new: VectorField
) -> None:
    """Has the next index of a template be like the new one; how it was is kept first."""
    found = templates_of(client, state.old, old)
    state.templates |= found
    kept.write(state)
    if old is not None and found:
        entry = the_index(client, state.new)[1]
        put_templates(
            client, {name: template_after(each, old, new, entry) for name, each in found.items()}
        )


def _moved(client: Elasticsearch, alias: str, kept: Kept) -> State:
    state = under_way(alias, kept)
    if (now := index_behind(client, alias, itself=True)[0]) != state.new:
        raise RequestError(
            f"{alias!r} has not moved: it is index {now!r}; go on with densehook migrate, or end it"
            " with --abort"
        )
    return state


def _has_old(client: Elasticsearch, state: State) -> bool:
    """Whether the old index is there; by its name alone the new one may be meant."""
    return index_exists(client, state.old) and uuid_of(client, state.old) == state.uuid


def _following(
    client: Elasticsearch, state: State, copier: Copier, kept: Kept, way: Way, *, back: bool = False
) -> AbstractContextManager[Following]:
    """The new index, which follows the old; or, on the way back, the old one that follows it."""
    source, target = (state.new, state.old) if back else (state.old, state.new)
    marks = state.back if back else state.marks
    return followed(client, source, target, copier, marks, way, lambda: kept.write(state))


def _keeping(following: Following, on_progress: Progress) -> Progress:
    def heard(label: str, done: int, total: int) -> None:
        following.keep()
        on_progress(label, done, total)

    return heard
