"""Another encoder for a data stream: its template has it, and its next index.

Indices that a stream has are its own, and stay as they are; a search covers the encoders of all of
them. What the new encoder finds is measured first, in an index beside the stream: a trial, with
copies of all that the stream holds.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..elastic.indices import delete_index, index_exists, the_index, uuid_of
from ..elastic.streams import DataStream, data_stream, roll_over
from ..elastic.succession import create_successor, free_name, kept_pipelines, put_templates
from ..errors import ClusterUnreachable, NoProvenance, RequestError
from ..hooks import VectorField, makes_like, pipelines_of, read_provenance, template_after
from ..index import Index
from ..ingest.following import Copied
from .beginning import Wanted, replaced_field, wanted_index
from .copying import copier_into, followed
from .gate import Gate, measured, searchable
from .outcome import Migrated, Way, objection
from .state import Kept, State, under_way

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

_OF_STREAMS = "_data_stream_timestamp"
"""What the mapping of a stream's index has, and no other's may."""


def migrate_stream(
    client: Elasticsearch,
    stream: DataStream,
    wanted: Wanted,
    gate: Gate | None,
    kept: Kept,
    way: Way,
) -> Migrated:
    """Puts the new field into the stream's template and rolls it over, where the gate lets it.

    One that was ended begins again. Raises RequestError for what cannot be migrated, else as
    ``migrate``.
    """
    if wanted.documents is not None:
        raise RequestError(
            f"{stream.name!r} is a data stream, whose indices keep what they hold; leave the files"
            " out (--from)"
        )
    stream = _unbegun(client, stream, kept)
    old = stream.write_index
    _, entry = the_index(client, old)
    stated = _templates_field(stream, replaced_field(old, entry["mappings"], wanted.field))
    before = None if gate is None else searchable(client, stream.name, wanted.field, gate)
    name, body = wanted_index(client, stream.name, old, entry, stated, wanted)
    kept_pipelines(client, old, entry, name, wanted.encoder.manifest.name)
    state = State(
        old=old,
        new=free_name(client, f"densehook-trial-{stream.name}"),
        new_field=name,
        old_field=stated.name,
        pipelines={},
        old_pipelines=pipelines_of(entry["settings"]),
        uuid=uuid_of(client, old),
    )
    kept.write(state)
    done = Migrated(old, state.new, Copied(), stream=stream.name, renamed=state.renamed)
    if gate is not None and before is not None:
        create_successor(client, state.new, _of_trial(body))
        trial = Index.open(client, state.new, wanted.encoder, field=name)
        _copy(client, stream, stated, trial, wanted, done, way)
        if not done.copied.failed:
            done.verdict = measured(gate, before, trial, way.on_progress)
        if refused := objection(done):
            done.refused = refused
            return done
    state.templates = {stream.template: stream.template_body}
    kept.write(state)
    _renew(client, stream, stated, name, body)
    done.new = _rolled_over(client, stream, state, kept)
    done.templates = [stream.template]
    return done


def roll_back_stream(client: Elasticsearch, stream: DataStream, kept: Kept) -> Migrated:
    """Puts the template back as it was, and rolls the stream over once more.

    Nothing is copied: what was written since stays where it is. Raises RequestError where the
    stream was not migrated.
    """
    state = _rolled(stream, kept)
    done = Migrated(stream.write_index, "", Copied(), stream=stream.name)
    put_templates(client, state.templates)
    done.new = roll_over(client, stream.name)
    done.templates = list(state.templates)
    kept.forget()
    return done


def abort_in_stream(client: Elasticsearch, stream: DataStream, kept: Kept) -> str:
    """Deletes the trial, and all that is noted; gives the trial's name.

    Raises RequestError where there is nothing to end, or the stream was rolled over.
    """
    state = under_way(stream.name, kept)
    if state.new in stream.indices:
        raise RequestError(
            f"{stream.name!r} is rolled over to index {state.new!r}, which is in service; go back"
            " with --rollback, or let it be with --finish"
        )
    _undo(client, state)
    kept.forget()
    return state.new


def finish_in_stream(stream: DataStream, kept: Kept) -> None:
    """Forgets how the template was. Raises RequestError where the stream was not migrated."""
    _rolled(stream, kept)
    kept.forget()


def _unbegun(client: Elasticsearch, stream: DataStream, kept: Kept) -> DataStream:
    """The stream without what a migration began that was ended before its end."""
    state = kept.read()
    if state is None or state.new in stream.indices:
        return stream
    _undo(client, state)
    if stream.template not in state.templates:
        return stream
    return DataStream(
        stream.name, stream.indices, stream.template, state.templates[stream.template]
    )


def _undo(client: Elasticsearch, state: State) -> None:
    put_templates(client, state.templates)
    if index_exists(client, state.new):
        delete_index(client, state.new)


def _templates_field(stream: DataStream, stated: VectorField | None) -> VectorField:
    """The field, which the stream's own template states. Raises RequestError where it does not."""
    if stated is None or not makes_like(stream.template_body, stream.name, stated):
        raise RequestError(
            f"index template {stream.template!r} of the data stream {stream.name!r} does not state"
            f" the vector field of index {stream.write_index!r} in its own mappings; put the field"
            " and its _meta there"
        )
    return stated


def _of_trial(body: dict[str, Any]) -> dict[str, Any]:
    mappings = {name: each for name, each in body["mappings"].items() if name != _OF_STREAMS}
    settings = {name: each for name, each in body["settings"].items() if name != "lifecycle"}
    return {**body, "mappings": mappings, "settings": settings}


def _copy(
    client: Elasticsearch,
    stream: DataStream,
    stated: VectorField,
    trial: Index,
    wanted: Wanted,
    done: Migrated,
    way: Way,
) -> None:
    """Fills the trial with what all of the stream's indices hold at this moment."""
    for index in stream.indices:
        copier = copier_into(trial, index, _left_out(client, index, stated, trial), wanted)
        with followed(client, index, trial.name, copier, {}, way) as following:
            following.step()
        done.copied.add(following.copied)


def _left_out(
    client: Elasticsearch, index: str, stated: VectorField, trial: Index
) -> list[VectorField]:
    """The fields whose vectors the trial does not get, by the names that they have in an index.

    Those of the old field and of the new one, and of any that the trial has not: an earlier index
    may have one that the stream was migrated away from.
    """
    mapping = the_index(client, index)[1]["mappings"]
    names = {stated.name: None, trial.field.name: None}
    with suppress(NoProvenance):
        others = read_provenance(index, mapping).vector_fields.keys()
        names |= dict.fromkeys(others - trial.provenance.vector_fields.keys())
    found = [replaced_field(index, mapping, name) for name in names]
    return [each for each in found if each is not None]


def _renew(
    client: Elasticsearch, stream: DataStream, old: VectorField, name: str, body: dict[str, Any]
) -> None:
    new = replaced_field(stream.name, body["mappings"], name)
    assert new is not None  # the body was made with it
    entry = {"mappings": body["mappings"], "settings": {"index": body["settings"]}}
    put_templates(client, {stream.template: template_after(stream.template_body, old, new, entry)})


def _rolled_over(client: Elasticsearch, stream: DataStream, state: State, kept: Kept) -> str:
    """Rolls over and forgets the trial; where that is refused, the template is what it was."""
    trial = state.new
    try:
        state.new = _next_index(client, stream)
    except BaseException:
        put_templates(client, state.templates)
        raise
    kept.write(state)
    if index_exists(client, trial):
        delete_index(client, trial)
    return state.new


def _next_index(client: Elasticsearch, stream: DataStream) -> str:
    try:
        return roll_over(client, stream.name)
    except ClusterUnreachable:  # the answer may be lost, and all done
        now = data_stream(client, stream.name)
        if now is None or now.write_index == stream.write_index:
            raise
        return now.write_index


def _rolled(stream: DataStream, kept: Kept) -> State:
    state = under_way(stream.name, kept)
    if state.new not in stream.indices:
        raise RequestError(
            f"{stream.name!r} is not rolled over; go on with densehook migrate, or end it with"
            " --abort"
        )
    return state
