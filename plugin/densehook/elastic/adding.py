"""Giving an index that is there a vector field, while it serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from elasticsearch import Elasticsearch

from ..bundle import Manifest
from ..chunk import ChunkRule
from ..errors import FieldTaken, NoProvenance, RequestError
from ..hooks import (
    Modality,
    Reading,
    VectorField,
    Wording,
    addition_request,
    field_for,
    notes_addition,
    read_provenance,
    require_kept_source,
)
from .cluster import has_encoder, require_encoder
from .connect import elastic_errors
from .indices import the_index
from .paging import count_whole

_EMBED = "index.densehook.embed"


def add_field(
    client: Elasticsearch,
    index: str,
    manifest: Manifest,
    *,
    inputs: Sequence[str] = (),
    field: str | None = None,
    index_type: str | None = None,
    in_cluster: bool | None = None,
    chunk: ChunkRule | None = None,
    template: str | None = None,
    prompt: Mapping[str, Any] | None = None,
    modality: Modality = "text",
) -> bool:
    """Maps a vector field in an index that is there, and states whose vectors it has.

    With ``chunk`` a document has a vector for each chunk of its text, ``template`` and ``prompt``
    say how that is worded, as ``Wording``; with ``modality`` image the one input holds images. A
    field that is there already for this encoder stays as it is, and needs no inputs. With
    ``in_cluster`` the plugin makes the vectors of what is written from now on; None leaves it to
    the plugin where it has this very encoder in service. Gives whether the plugin does.
    Raises RequestError where the index cannot take the field, which is FieldTaken where a new index
    could, EncoderMismatch where it is another encoder's, IndexNotFound, NotInService, ElasticError.
    """
    name, entry = the_index(client, index)
    require_index(index, name, entry)
    mapping = entry["mappings"]
    chunk = None if chunk is None else chunk.within(manifest.max_tokens)
    field = field or field_for(chunk)
    stated = stated_field(name, mapping, field)
    wording = Wording(template, prompt)
    require_kept_source(name, entry)
    if in_cluster is None:
        in_cluster = has_encoder(client, manifest.name, manifest.space)
    elif in_cluster:
        require_encoder(client, manifest)
    if stated is not None and stated.mapping:
        stated.require(manifest, name)
        _require_same_inputs(name, stated, inputs)
        _require_same_chunks(name, stated, chunk)
        _require_same_wording(name, stated, wording)
        _require_same_modality(name, stated, inputs, modality)
        change = {"properties": notes} if (notes := notes_addition(name, mapping)) else {}
    else:
        change = addition_request(
            name,
            mapping,
            manifest,
            Reading(inputs or (stated.inputs if stated else ()), chunk, wording, modality),
            field=field,
            index_type=index_type,
        )
        _require_no_vectors(client, name, field)
    with elastic_errors(client):
        if change:
            client.indices.put_mapping(
                index=name, properties=change["properties"], meta=change.get("_meta")
            )
    if in_cluster:
        let_cluster_embed(client, name)
    return in_cluster


def stated_field(index: str, mapping: Mapping[str, Any], field: str | None) -> VectorField | None:
    """What a mapping says of a vector field, or of its only one; None where it says nothing.

    Raises RequestError where no field is named and there are several.
    """
    try:
        provenance = read_provenance(index, mapping)
    except NoProvenance:
        return None
    if field is not None and field not in provenance.vector_fields:
        return None
    return provenance.vector_field(field)


def require_index(asked: str, name: str, entry: Mapping[str, Any]) -> None:
    """Raises RequestError for a data stream, whose next index would not have the field."""
    if "data_stream" in entry and asked != name:
        raise RequestError(
            f"{asked!r} is a data stream; put the field and its _meta into its index template for"
            f" the indices that follow, then name each of its indices, as {name!r}"
        )


def let_cluster_embed(client: Elasticsearch, index: str) -> None:
    """Has the plugin make the vectors of whatever is written, updates as well."""
    with elastic_errors(client):
        found = client.indices.get_settings(index=index, name=_EMBED, flat_settings=True)
        if found.get(index, {}).get("settings", {}).get(_EMBED) != "true":
            client.indices.put_settings(index=index, settings={_EMBED: True})


def _require_same_inputs(index: str, stated: VectorField, inputs: Sequence[str]) -> None:
    if inputs and list(inputs) != list(stated.inputs):
        raise RequestError(
            f"the vectors of {stated.name!r} in index {index!r} are made from"
            f" {', '.join(stated.inputs)}, not from {', '.join(inputs)}; leave the inputs out, or"
            " name another field"
        )


def _require_same_chunks(index: str, stated: VectorField, chunk: ChunkRule | None) -> None:
    if chunk not in (None, stated.chunk):
        cut = "not in chunks" if stated.chunk is None else f"in chunks by {stated.chunk}"
        raise FieldTaken(
            f"the texts of {stated.name!r} in index {index!r} are cut otherwise ({cut}); name"
            " another field, or put an index of such chunks in its place: densehook migrate"
        )


def _require_same_wording(index: str, stated: VectorField, asked: Wording) -> None:
    known = Wording.of(stated.text).stated
    for key, value in asked.stated.items():
        if known.get(key) != value:
            seen = f"with the {key} {known[key]!r}" if key in known else f"without a {key}"
            raise FieldTaken(
                f"the texts of {stated.name!r} in index {index!r} are made {seen}, not with"
                f" {value!r}; leave the {key} out, name another field, or put an index of such"
                " texts in its place: densehook migrate"
            )


def _require_same_modality(
    index: str, stated: VectorField, inputs: Sequence[str], modality: Modality
) -> None:
    if inputs and modality != stated.text.modality:
        raise RequestError(
            f"the inputs of {stated.name!r} in index {index!r} are read as {stated.text.modality},"
            f" not as {modality}; leave the modality as it is, or name another field"
        )


def _require_no_vectors(client: Elasticsearch, index: str, field: str) -> None:
    """Raises RequestError where a field has vectors of nobody knows whom."""
    if found := count_whole(client, index, {"exists": {"field": field}}):
        raise FieldTaken(
            f"field {field!r} of index {index!r} has {found:,} vectors already, and nothing says of"
            " which encoder; name another field (--field), or put an index with this encoder's in"
            f" the place of this one: densehook migrate --field {field}"
        )
