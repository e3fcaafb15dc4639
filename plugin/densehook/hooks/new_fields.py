"""The fields that a new index has for an encoder: one, or one for each kind that is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..bundle import Manifest
from ..chunk import ChunkRule
from ..errors import RequestError
from .indexing import field_for, require_field_names, require_index_type, vector_mapping
from .kinds import field_for_kind

Kinds = str | Sequence[str] | Mapping[str, str]
"""Kinds whose fields have their usual names, or by kind the names, empty for the usual ones."""

IndexTypes = str | Sequence[str] | None
"""How fields are indexed; of several kinds each has ways of its own, which no other has."""


@dataclass(frozen=True)
class NewField:
    """A field, and the encoder as that of the field's kind."""

    name: str
    manifest: Manifest
    index_type: str

    def mapping(self, chunk: ChunkRule | None = None) -> tuple[str, dict[str, Any]]:
        """What is mapped for it, and where."""
        return vector_mapping(self.manifest, self.index_type, self.name, chunk)


def new_fields(
    manifest: Manifest,
    kinds: Kinds | None,
    *,
    inputs: Sequence[str],
    field: str | None = None,
    index_type: IndexTypes = None,
    chunk: ChunkRule | None = None,
) -> list[NewField]:
    """Those that an index of these inputs is to have, in the order in which the encoder has kinds.

    Without ``kinds`` there is one, of the encoder's own; ``field`` is the name of the first, by
    default the usual one. Raises RequestError for what cannot be fields of one index, BundleError
    for a kind that the encoder does not give.
    """
    if kinds is None:
        names = {manifest.kind: field or field_for(chunk)}
    else:
        names = _named(manifest, kinds, field, chunk)
    manifests = [manifest.of_kind(kind) for kind in names]
    types = _index_types(manifests, index_type)
    fields = [
        NewField(name, each, type_)
        for name, each, type_ in zip(names.values(), manifests, types, strict=True)
    ]
    for place, name in enumerate(names.values()):
        others = [other for n, other in enumerate(names.values()) if n != place]
        if name in others:
            raise RequestError(
                f"field {name!r} is to hold several kinds of what encoder {manifest.name!r} gives;"
                " each has a field of its own"
            )
        require_field_names(inputs, name, chunk)
        require_field_names([*inputs, *others], name, chunk)
    return fields


def _named(
    manifest: Manifest, kinds: Kinds, field: str | None, chunk: ChunkRule | None
) -> dict[str, str]:
    """The names of fields by kind, in the order in which the encoder has them."""
    asked = [kinds] if isinstance(kinds, str) else list(kinds)
    if not asked:
        raise RequestError(
            f"no kind is named; encoder {manifest.name!r} gives {', '.join(manifest.heads)}"
        )
    if len(set(asked)) < len(asked):
        raise RequestError(f"kinds {', '.join(asked)} must be different ones")
    if chunk is not None and len(asked) > 1:
        raise RequestError(
            f"one run gives {', '.join(asked)} of a text as a whole, and chunks are of one field;"
            " leave the chunks out, or name one kind"
        )
    usual = {each: field_for_kind(manifest.of_kind(each)).USUAL_NAME for each in asked}
    stated = dict(kinds) if isinstance(kinds, Mapping) else {}
    names = {kind: stated.get(kind) or usual[kind] for kind in manifest.heads if kind in usual}
    first = next(iter(names))
    if chunk is not None and not stated.get(first):
        names[first] = field_for(chunk)
    if field is not None:
        names[first] = field
    return names


def _index_types(manifests: Sequence[Manifest], index_type: IndexTypes) -> list[str]:
    """How each field is indexed; RequestError for a way that none can be, or two for one field."""
    asked = [index_type] if isinstance(index_type, str) else list(index_type or ())
    if len(manifests) == 1:
        _require_one(manifests[0], asked)
        return [require_index_type(manifests[0], asked[0] if asked else None)]
    found: list[str] = []
    known: list[str] = []
    for manifest in manifests:
        ways = field_for_kind(manifest).INDEX_TYPES
        known += ways
        own = [each for each in asked if each in ways]
        _require_one(manifest, own)
        found.append(own[0] if own else ways[0])
    if unknown := [each for each in asked if each not in known]:
        raise RequestError(f"index type {unknown[0]!r} is unknown; known: {', '.join(known)}")
    return found


def _require_one(manifest: Manifest, index_types: Sequence[str]) -> None:
    if len(index_types) > 1:
        raise RequestError(
            f"index types {', '.join(index_types)} are both of kind {manifest.kind!r}; its field is"
            " indexed in one way, name that"
        )
