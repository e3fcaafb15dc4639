"""What can be done to an index, as values; and the index it is done to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Fields = Mapping[str, Any]
Brought = Mapping[str, int]
"""Vectors that the client brings: a number for each field, from which the vector is made."""


@dataclass(frozen=True)
class VectorField:
    """A vector field and the inputs its vectors are made from."""

    name: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """An index: by which doors its vectors are made, what its ``_source`` drops, its fields.

    ``hides`` is Elasticsearch 9's way: a document read without asking for vectors has none.
    """

    embeds: bool
    pipeline: bool
    drops: Literal["nothing", "vectors", "notes", "both"]
    fields: tuple[VectorField, ...]
    hides: bool

    @property
    def keeps_vectors(self) -> bool:
        return self.drops in ("nothing", "notes")

    @property
    def keeps_notes(self) -> bool:
        return self.drops in ("nothing", "vectors")


@dataclass(frozen=True)
class Put:
    """A whole document; ``right_seq_no`` None asks for none, False for one that cannot be."""

    id: str
    fields: Fields
    brought: Brought = field(default_factory=dict)
    create: bool = False
    right_seq_no: bool | None = None
    version: int | None = None


@dataclass(frozen=True)
class Script:
    """What a script does to the source: see tests/java/EditScriptPlugin.java."""

    set: Fields = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    op: Literal["index", "noop", "delete"] = "index"


@dataclass(frozen=True)
class Update:
    """A partial document or a script, and what is written where there is no document."""

    id: str
    doc: Fields = field(default_factory=dict)
    brought: Brought = field(default_factory=dict)
    script: Script | None = None
    upsert: Fields | None = None
    doc_as_upsert: bool = False
    detect_noop: bool = True
    right_seq_no: bool | None = None
    retries: int = 0


@dataclass(frozen=True)
class Delete:
    id: str
    version: int | None = None


@dataclass(frozen=True)
class Edit:
    """Get, edit, put; ``vectors`` asks Elasticsearch 9 for them."""

    id: str
    fields: Fields
    brought: Brought = field(default_factory=dict)
    vectors: bool = True


@dataclass(frozen=True)
class EditAll:
    """As ``_update_by_query`` and ``_reindex`` do it: search, edit, bulk with each ``_seq_no``."""

    fields: Fields


@dataclass(frozen=True)
class Switch:
    setting: Literal["embed", "reuse"]
    on: bool


@dataclass(frozen=True)
class PutMapping:
    """Another ``_meta``, which says nothing of densehook, or a new field."""

    team: int


@dataclass(frozen=True)
class Maintain:
    what: Literal["refresh", "flush", "forcemerge"]


@dataclass(frozen=True)
class Recreate:
    """The index is deleted and made anew."""


Item = Put | Update | Delete


@dataclass(frozen=True)
class Bulk:
    items: tuple[Item, ...]
    refresh: str = ""


@dataclass(frozen=True)
class Single:
    item: Item
    refresh: str = ""


Operation = Single | Bulk | Edit | EditAll | Switch | PutMapping | Maintain | Recreate


def count(operation: Operation) -> int:
    return len(operation.items) if isinstance(operation, Bulk) else 1


def routing_of(id_: str) -> str | None:
    return id_ if id_.startswith("routed") else None


def is_versioned(id_: str) -> bool:
    """Whether the client gives the document's versions; then it is only put and deleted."""
    return id_.startswith("versioned")
