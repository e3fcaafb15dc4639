"""What gives an index that is there a vector field, and why one cannot take it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any

from ..bundle import Manifest
from ..errors import FieldTaken, RequestError
from .indexing import (
    CHUNKED_FIELD,
    place,
    require_field_names,
    require_index_type,
    vector_mapping,
)
from .notes import NOTES, NOTES_MAPPING
from .paths import is_disabled, mapped_fields, mapping_at, source_paths
from .provenance import field_meta
from .reading import Reading
from .text_rule import Modality

_ANOTHER = "make another index with densehook create, and ingest into that"

WITHOUT_TEXT = frozenset(
    (
        "aggregate_metric_double",
        "binary",
        "date_range",
        "dense_vector",
        "double_range",
        "exponential_histogram",
        "flattened",
        "float_range",
        "geo_point",
        "geo_shape",
        "histogram",
        "integer_range",
        "ip_range",
        "join",
        "long_range",
        "nested",
        "object",
        "passthrough",
        "percolator",
        "point",
        "rank_features",
        "rank_vectors",
        "shape",
        "sparse_vector",
        "tdigest",
    )
)
"""Types of fields whose values in a document are no text: the node's."""

_NUMERIC = ("double", "float", "half_float", "scaled_float", "integer", "long", "short", "byte")
HOLDING: Mapping[Modality, Callable[[str, Mapping[str, Any]], bool]] = {
    "image": lambda kind, mapped: kind == "binary",
    "numbers": lambda kind, mapped: kind in _NUMERIC or (kind == "object" and is_disabled(mapped)),
}
"""Of what is no text whether a field of a type, mapped so, holds it: the node's."""


def addition_request(
    index: str,
    mapping: Mapping[str, Any],
    manifest: Manifest,
    reading: Reading,
    *,
    field: str,
    index_type: str | None,
) -> dict[str, Any]:
    """Body of the request that adds a vector field to an index's mapping, and whose vectors it has.

    What the mapping says already stays. Raises RequestError where it cannot take the field. Whether
    documents can be written anew is another question: ``require_kept_source``.
    """
    index_type = require_index_type(manifest, index_type)
    require_field_names(reading.inputs, field, reading.chunk)
    properties = mapping.get("properties", {})
    require_inputs(index, mapping, manifest, reading)
    path, wanted = vector_mapping(manifest, index_type, field, reading.chunk)
    added: dict[str, Any] = {}
    if not (mapped := mapping_at(properties, path)):
        place(added, path, wanted)
    elif reading.chunk is None:
        _require_alike(index, field, mapped, wanted)
    else:
        raise RequestError(
            f"{path!r} of index {index!r} is mapped already, and what documents have there would"
            f" give way to chunks; name another field (--field), as {CHUNKED_FIELD}"
        )
    return {
        "properties": {**added, **notes_addition(index, mapping)},
        "_meta": field_meta(mapping.get("_meta", {}), manifest, field, reading),
    }


def notes_addition(index: str, mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping of the notes, where they have none. Raises RequestError where theirs is another.

    Another mapping could not be asked for what a vector was made of.
    """
    mapped = mapping.get("properties", {}).get(NOTES)
    if mapped is None:
        return {NOTES: dict(NOTES_MAPPING)}
    if mapped.get("type") != NOTES_MAPPING["type"]:
        raise RequestError(
            f"field {NOTES!r} of index {index!r} is mapped as {mapped.get('type', 'object')}, and"
            f" kept for notes of what vectors were made of, as {NOTES_MAPPING['type']};"
            f" {_ANOTHER}"
        )
    return {}


def require_inputs(
    index: str, mapping: Mapping[str, Any], manifest: Manifest, reading: Reading
) -> None:
    """Raises RequestError for inputs that hold nothing to read, BundleError for what cannot be."""
    reading.require(manifest)
    for name in reading.searched:
        _require_input(index, mapping, name, reading.modality)
    for name in reading.wording.chosen_by:
        _require_input(index, mapping, name, "text")


def _require_input(index: str, mapping: Mapping[str, Any], name: str, modality: Modality) -> None:
    if name in mapping.get("runtime", {}):
        return
    properties = mapping.get("properties", {})
    for path in source_paths(properties, name):
        mapped = mapping_at(properties, path)
        if not mapped:
            known = [path for path, _, _ in mapped_fields(properties)]
            near = difflib.get_close_matches(name, known, n=3)
            meant = f"is {' or '.join(map(repr, near))} meant?" if near else "name one that it has"
            raise RequestError(f"index {index!r} maps no field {name!r}; {meant}")
        kind = "object" if "properties" in mapped else str(mapped.get("type", "object"))
        if modality in HOLDING and HOLDING[modality](kind, mapped):
            continue
        given = "" if path == name else f", from which {name!r} has its values,"
        seen = f"field {path!r} of index {index!r}{given} is mapped as {kind}, which holds no"
        if modality == "numbers":
            raise RequestError(
                f"{seen} list of numbers; name an object with enabled false, or floats"
            )
        if kind in WITHOUT_TEXT:
            raise RequestError(f"{seen} text; name text fields")


def _require_alike(
    index: str, field: str, mapped: Mapping[str, Any], wanted: Mapping[str, Any]
) -> None:
    """Raises RequestError unless a field that is mapped already can hold the encoder's vectors."""
    for key in (key for key in wanted if key != "index_options"):
        seen = mapped.get(key, "object" if key == "type" else None)
        if seen is not None and seen != wanted[key]:
            raise FieldTaken(
                f"field {field!r} of index {index!r} is mapped already, with {key} {seen}, and the"
                f" encoder needs {wanted[key]}; name another field (--field), or put an index with"
                f" this one in its place: densehook migrate --field {field}"
            )
