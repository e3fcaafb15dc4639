"""The index that takes another's place: all that one is, with vectors of another encoder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..bundle import Manifest
from ..chunk import ChunkRule
from ..errors import RequestError
from .adding import notes_addition, require_inputs
from .indexing import (
    field_for,
    place,
    require_field_names,
    require_index_type,
    vector_mapping,
)
from .kept_source import require_kept_source
from .kinds import field_for_kind
from .notes import NOTES
from .paths import mapping_at
from .provenance import META, field_meta
from .reading import Reading
from .text_rule import Modality, own_modality
from .vector_field import VectorField
from .wording import PLAIN, Wording

PIPELINES = ("default_pipeline", "final_pipeline")
"""Settings that name what runs over each document that is written."""

_ITS_OWN = (
    "blocks",
    "creation_date",
    "creation_date_string",
    "history",
    "provided_name",
    "resize",
    "routing_path",
    "uuid",
    "verified_before_close",
    "verified_read_only",
    "version",
    *PIPELINES,
    META,
)
"""Settings that an index has for itself, or that are not to hold while it is filled."""


def successor_request(
    index: str,
    entry: Mapping[str, Any],
    manifest: Manifest,
    *,
    old: VectorField | None,
    field: str | None,
    inputs: Sequence[str],
    index_type: str | None,
    chunk: ChunkRule | None,
    in_cluster: bool,
    wording: Wording = PLAIN,
    modality: Modality | None = None,
    copied: bool = True,
) -> tuple[str, dict[str, Any]]:
    """The name of the new vector field, and the body of the request that creates the new index.

    ``entry`` is the old index's mappings and settings; ``old`` its field, whose vectors another
    encoder makes now: what is not said anew stays as it is there. ``copied`` says that the old
    index's documents are, which must be kept whole then. Raises RequestError for an index
    whose documents cannot be copied, and for a field that cannot be.
    """
    require_standard(index, entry)
    mapping = entry["mappings"]
    if copied:
        require_kept_source(index, entry)
    chunk = chunk or (None if old is None else old.chunk)
    chunk = None if chunk is None else chunk.within(manifest.max_tokens)
    inputs = list(inputs) or ([] if old is None else list(old.inputs))
    if old is not None and old.inputs == tuple(inputs):
        modality = modality or old.text.modality
        wording = _reworded(index, old, wording)
    reading = Reading(inputs, chunk, wording, modality or own_modality(manifest))
    field = field or _name(old, chunk)
    index_type = require_index_type(manifest, index_type or _index_type(old, manifest))
    require_field_names(inputs, field, chunk)
    properties = mapping.get("properties", {})
    if old is not None:
        properties = _without(properties, old.path)
    rest = {**mapping, "properties": properties}
    require_inputs(index, rest, manifest, reading)
    path, vector = vector_mapping(manifest, index_type, field, chunk)
    if mapped := mapping_at(properties, path):
        raise RequestError(
            f"field {path!r} of index {index!r} is mapped already, as"
            f" {mapped.get('type', 'object')}; name another field (--field)"
        )
    properties = _copied({**properties, **notes_addition(index, rest)})
    place(properties, path, vector)
    meta = _without_field(mapping.get("_meta", {}), old)
    return field, {
        "settings": _settings(entry["settings"]["index"], in_cluster),
        "mappings": {
            **rest,
            "properties": properties,
            "_meta": field_meta(meta, manifest, field, reading),
        },
    }


def makes_like(template: Mapping[str, Any], index: str, field: VectorField) -> bool:
    """Whether an index template has this field, and makes indices of such a name."""
    return has_field(template, field) and is_named_by(template, index)


def has_field(template: Mapping[str, Any], field: VectorField) -> bool:
    """Whether a template, or a component of some, has this field."""
    stated = template.get("template", {}).get("mappings", {}).get("_meta", {}).get(META, {})
    entry = stated.get("fields", {}).get(field.name, {})
    return bool(entry.get("fingerprint") == field.fingerprint)


def is_named_by(template: Mapping[str, Any], name: str) -> bool:
    """Whether one of an index template's patterns has the name of an index or a data stream."""
    return any(
        re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name)
        for pattern in template.get("index_patterns", ())
    )


def template_after(
    template: Mapping[str, Any], old: VectorField, new: VectorField, entry: Mapping[str, Any]
) -> dict[str, Any]:
    """An index template whose next index has the new index's vector field instead of the old.

    ``entry`` is the new index's mappings and settings.
    """
    made = template["template"]
    of_template, of_index = made["mappings"], entry["mappings"]
    properties = _copied(_without(of_template.get("properties", {}), old.path))
    place(properties, new.path, mapping_at(of_index["properties"], new.path))
    properties.setdefault(NOTES, of_index["properties"][NOTES])
    meta = _without_field(of_template["_meta"], old)
    fields = {**meta[META]["fields"], new.name: of_index["_meta"][META]["fields"][new.name]}
    mappings = {
        **of_template,
        "properties": properties,
        "_meta": {**meta, META: {**meta[META], "fields": fields}},
    }
    own = {**made.get("settings", {}).get("index", {})}
    own.pop(META, None)  # where there is no plugin, there is no such setting
    if embed := entry["settings"]["index"].get(META):
        own[META] = embed
    settings = {**made.get("settings", {}), "index": own}
    return {**template, "template": {**made, "mappings": mappings, "settings": settings}}


def require_standard(index: str, entry: Mapping[str, Any]) -> None:
    """Raises RequestError for an index whose documents cannot be written one by one."""
    settings = entry["settings"]["index"]
    if (mode := settings.get("mode", "standard")) != "standard":
        raise RequestError(
            f"index {index!r} is of mode {mode}, whose documents cannot be copied one by one; make"
            " another index with densehook create, and ingest into that"
        )


def pipelines_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """What runs over each document that is written to an index, by its setting; not ``_none``."""
    own = settings["index"]
    return {name: own[name] for name in PIPELINES if own.get(name, "_none") != "_none"}


def require_no_other_encoder(
    index: str, pipeline: str, body: Mapping[str, Any], field: str, encoder: str
) -> None:
    """Raises RequestError where a pipeline would put another encoder's vectors into the field."""
    for processor in body.get("processors", ()):
        made = processor.get(META)
        if isinstance(made, Mapping) and made.get("encoder") != encoder:
            raise RequestError(
                f"pipeline {pipeline!r} of index {index!r} makes vectors by {made.get('encoder')!r}"
                f" for {made.get('output')!r}, the new index's {field!r} has those of {encoder!r};"
                " take the processor out of it: an index in the cluster embeds without one"
            )


def _reworded(index: str, old: VectorField, asked: Wording) -> Wording:
    """How the text of the same inputs is put together: as before, where nothing else is asked.

    Raises RequestError where documents have prompts that were chosen for the old encoder.
    """
    if old.text.prompts is not None and asked.prompt is None:
        raise RequestError(
            f"documents of {index!r} choose prompts of encoder {old.encoder!r} for {old.name!r}"
            " (prompt in _meta.densehook); another encoder has others: say which (--prompt-field,"
            " --prompt)"
        )
    return replace(asked, template=asked.template or Wording.of(old.text).template)


def _name(old: VectorField | None, chunk: ChunkRule | None) -> str:
    """The old field's name, unless it cannot hold what the new one does."""
    return old.name if old and (old.chunk is None) == (chunk is None) else field_for(chunk)


def _index_type(old: VectorField | None, manifest: Manifest) -> str | None:
    """The old field's, where the new one can be indexed so; None for the usual one."""
    stated = None if old is None else old.mapping.get("index_options", {}).get("type")
    return stated if stated in field_for_kind(manifest).INDEX_TYPES else None


def _settings(own: Mapping[str, Any], in_cluster: bool) -> dict[str, Any]:
    kept = {name: value for name, value in own.items() if name not in _ITS_OWN}
    densehook = {**own.get(META, {}), "embed": in_cluster}
    return {**kept, META: densehook} if in_cluster or META in own else kept


def _without(properties: Mapping[str, Any], path: str) -> dict[str, Any]:
    """A mapping's fields without one; an object that has no other is gone with it."""
    left = {name: mapped for name, mapped in properties.items() if name != path}
    head, _, rest = path.partition(".")
    if rest and isinstance(inner := left.get(head, {}).get("properties"), Mapping):
        below = _without(inner, rest)
        if below or not inner:
            left[head] = {**left[head], "properties": below}
        else:
            del left[head]
    return left


def _without_field(meta: Mapping[str, Any], old: VectorField | None) -> Mapping[str, Any]:
    if old is None:
        return meta
    densehook = meta.get(META, {})
    stated = densehook.get("fields", {})
    fields = {name: entry for name, entry in stated.items() if name != old.name}
    return {**meta, META: {**densehook, "fields": fields}}


def _copied(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Objects on the way to a field are copies: one is put into them."""
    return {
        name: {**mapped, "properties": _copied(mapped["properties"])}
        if "properties" in mapped
        else mapped
        for name, mapped in properties.items()
    }
