"""The new index: made as the old one is, for another encoder; or found, where it was begun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..elastic.adding import stated_field
from ..elastic.cluster import has_encoder, require_encoder
from ..elastic.indices import index_exists, provenance_of, the_index, uuid_of
from ..elastic.remote import RemoteEncoder
from ..elastic.succession import (
    allow_writes,
    create_successor,
    free_name,
    kept_pipelines,
    set_pipelines,
)
from ..errors import RequestError
from ..hooks import (
    FIELDS,
    PLAIN,
    Modality,
    TextRule,
    VectorField,
    Wording,
    mapping_at,
    pipelines_of,
    read_provenance,
    short,
    successor_request,
)
from .state import Kept, State

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ..chunk import ChunkRule
    from ..collections import Documents
    from ..encode import Encoder


@dataclass(frozen=True)
class Wanted:
    """What is asked for of the new index; None, and no inputs, are as the old one has them.

    ``documents`` are what it is filled with, instead of those that the old one keeps.
    """

    encoder: Encoder | RemoteEncoder
    field: str | None = None
    inputs: Sequence[str] = ()
    index_type: str | None = None
    chunk: ChunkRule | None = None
    in_cluster: bool | None = None
    wording: Wording = PLAIN
    modality: Modality | None = None
    documents: Documents | None = None


def begun(
    client: Elasticsearch,
    alias: str,
    old: str,
    entry: Mapping[str, Any],
    wanted: Wanted,
    kept: Kept,
) -> State:
    """The migration of an alias that is under way, or a new one, with its new index there.

    Raises RequestError for what cannot be migrated, and for another one that is under way.
    """
    state = kept.read()
    # one that moved the alias is done, and another may begin
    if state is not None and old == state.old and index_exists(client, state.new):
        _require_same(client, alias, state, wanted)
        return state
    return _begin(client, alias, old, entry, wanted, kept)


def encodes_in_cluster(client: Elasticsearch, wanted: Wanted) -> bool:
    """Whether the cluster makes the vectors. Raises NotInService, RequestError where nobody can."""
    manifest = wanted.encoder.manifest
    if wanted.in_cluster:
        require_encoder(client, manifest)
        return True
    if wanted.in_cluster is None and has_encoder(client, manifest.name, manifest.space):
        return True
    if isinstance(wanted.encoder, RemoteEncoder):
        raise RequestError(
            f"encoder {manifest.name!r} is the cluster's, and has no bundle here that could encode;"
            " give the bundle, or leave the vectors to the cluster"
        )
    return False


def _begin(
    client: Elasticsearch,
    alias: str,
    old: str,
    entry: Mapping[str, Any],
    wanted: Wanted,
    kept: Kept,
) -> State:
    manifest = wanted.encoder.manifest
    stated = replaced_field(old, entry["mappings"], wanted.field)
    if entry["settings"]["index"].get("blocks", {}).get("write") == "true":
        raise RequestError(
            f"index {old!r} takes no writes (index.blocks.write); take the block away, which a"
            " migration sets and takes away itself"
        )
    name, body = wanted_index(client, alias, old, entry, stated, wanted)
    if wanted.documents is not None and not encodes_in_cluster(client, wanted):
        _require_filled_by_files(old, body["mappings"], name, wanted)
    state = State(
        old=old,
        new=free_name(client, f"{alias}-{manifest.space[7:15]}"),
        new_field=name,
        old_field=None if stated is None else stated.name,
        pipelines=kept_pipelines(client, old, entry, name, manifest.name),
        old_pipelines=pipelines_of(entry["settings"]),
        uuid=uuid_of(client, old),
    )
    kept.write(state)  # first: an index that nobody knows of would be left by whoever is killed
    create_successor(client, state.new, body)
    return state


def wanted_index(
    client: Elasticsearch,
    alias: str,
    old: str,
    entry: Mapping[str, Any],
    stated: VectorField | None,
    wanted: Wanted,
) -> tuple[str, dict[str, Any]]:
    """The new vector field's name, and the request that makes an index with it like the old one.

    ``stated`` is the old field. Raises RequestError for what cannot be, and for the same vectors.
    """
    _require_another(alias, stated, wanted)
    if not wanted.inputs and (stated is None or not stated.inputs):
        named = "vector field" if wanted.field is None else f"vector field {wanted.field!r}"
        raise RequestError(
            f"index {old!r} has no {named} to replace; name the text fields that a new one is to be"
            " made from (--input)"
        )
    return successor_request(
        old,
        entry,
        wanted.encoder.manifest,
        old=stated,
        field=wanted.field if stated is None else None,
        inputs=wanted.inputs,
        index_type=wanted.index_type,
        chunk=wanted.chunk,
        in_cluster=encodes_in_cluster(client, wanted),
        wording=wanted.wording,
        modality=wanted.modality,
        copied=wanted.documents is None,
    )


def replaced_field(index: str, mapping: Mapping[str, Any], name: str | None) -> VectorField | None:
    """The field whose vectors are replaced, also one of which nothing says whose they are."""
    stated = stated_field(index, mapping, name)
    if stated is not None or name is None:
        return stated
    mapped = mapping_at(mapping.get("properties", {}), name)
    if mapped.get("type") not in {kind.TYPE for kind in FIELDS.values()}:
        return None
    return VectorField(name, TextRule.joining(()), "", "", mapped)


def field_of(client: Elasticsearch, index: str, name: str | None) -> VectorField | None:
    """An index's field of that name, as ``replaced_field``; None without a name."""
    return replaced_field(index, the_index(client, index)[1]["mappings"], name) if name else None


def _require_filled_by_files(
    old: str, mapping: Mapping[str, Any], name: str, wanted: Wanted
) -> None:
    """Raises RequestError where another vector field would stay empty: files have no vectors."""
    fields = read_provenance(old, mapping).vector_fields
    filled = fields[name].beside(fields.values(), wanted.encoder.manifest)
    for each in fields.values():
        if each.name != name and each not in filled:
            raise RequestError(
                f"files have no vectors for {each.name!r}, which are of {each.encoder!r} in index"
                f" {old!r}; leave the vectors to the cluster, or go without files"
            )


def _require_another(alias: str, stated: VectorField | None, wanted: Wanted) -> None:
    """Raises RequestError where the vectors are to be what they are."""
    manifest = wanted.encoder.manifest
    if stated is None or stated.fingerprint != manifest.space:
        return
    other_text = wanted.wording.is_another(stated.text)
    same_chunk = wanted.chunk is None or wanted.chunk.within(manifest.max_tokens) == stated.chunk
    if same_chunk and not other_text:
        raise RequestError(
            f"field {stated.name!r} of {alias!r} has vectors of {stated.encoder!r}"
            f" ({short(stated.fingerprint)}) already; give another encoder, chunks, or a template"
        )


def _require_same(client: Elasticsearch, alias: str, state: State, wanted: Wanted) -> None:
    """Raises RequestError where what is under way is something else than what is wanted."""
    made = provenance_of(client, state.new).vector_field(state.new_field)
    manifest = wanted.encoder.manifest
    chunk = None if wanted.chunk is None else wanted.chunk.within(manifest.max_tokens)
    inputs = list(wanted.inputs)
    if (
        made.fingerprint != manifest.space
        or chunk not in (None, made.chunk)
        or inputs not in ([], list(made.inputs))
        or wanted.wording.is_another(made.text)
    ):
        raise RequestError(
            f"a migration of {alias!r} to {made.encoder!r} ({short(made.fingerprint)}) is under"
            f" way, into index {state.new!r}; go on with that one, or end it: densehook migrate"
            f" {alias} --abort"
        )
    if uuid_of(client, state.old) != state.uuid:
        raise RequestError(
            f"index {state.old!r} was made anew since its migration began; end that first:"
            f" densehook migrate {alias} --abort"
        )
    # whoever was killed may have left both as they are to be in service
    for index in (state.old, state.new):
        allow_writes(client, index)
    set_pipelines(client, state.new, {})
