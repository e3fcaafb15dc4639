"""From a row to a document: which field is its id, and what its fields are called."""

from __future__ import annotations

import hashlib
import json
import reprlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from ..errors import CollectionError
from ..types import Document

ID_FIELDS = ("_id", "id", "docid")
"""Where an id is looked for, in this order, when no field is named."""

_ID_BYTES = 16
_NAMES_SHOWN = 20
_NAME_SHOWN = 40


class Row(NamedTuple):
    """Fields as they were read, and where: a file's line, or a row's number."""

    fields: dict[str, Any]
    origin: str


@dataclass(frozen=True)
class BadLine:
    """A line or row that holds no document: where it was read, and why it holds none.

    ``content`` is what was read there, a row as JSON, empty where that is of no use.
    """

    origin: str
    reason: str
    content: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.origin}: {self.reason}"


@dataclass(frozen=True)
class Naming:
    """How the fields of rows are called, and which of them is the id.

    ``rename`` maps names as they are read to others. ``id`` is the field with the ids, by its old
    name or its new one; by default the first there is of ID_FIELDS. With ``make_ids`` a row without
    an id gets one made of its content: the same row, the same id. Raises CollectionError when two
    fields would get one name.
    """

    id: str | None = None
    rename: Mapping[str, str] = field(default_factory=dict)
    make_ids: bool = False

    def __post_init__(self) -> None:
        for new, count in Counter(self.rename.values()).items():
            if count > 1:
                raise CollectionError(f"{count} fields are to be renamed {new!r}; keep one of them")
            if not new:
                raise CollectionError("a field cannot be renamed to nothing; give it a name")

    def columns(self, names: Sequence[str], where: str) -> tuple[str, ...]:
        """The columns of a table as its documents have them.

        Raises CollectionError, naming those that are there, when two have one name, one to be
        renamed is not there, or none holds ids.
        """
        there = "it has " + named(names)
        for old in self.rename:
            if old not in names:
                raise CollectionError(f"{where} has no column {old!r} to rename; {there}")
        renamed = tuple(self.rename.get(name, name) for name in names)
        for name, count in Counter(renamed).items():
            if count > 1:
                raise CollectionError(
                    f"{where} has {count} columns {name!r}; give each its own name"
                )
        if not self.make_ids and not any(name in renamed for name in self._id_fields):
            wanted = " or ".join(map(repr, self._id_fields))
            raise CollectionError(
                f"{where} has no column {wanted} with ids; {there}: name the one that holds them"
                " (--id; in Python id=), or have them made of the content (--make-ids; make_ids=)"
            )
        return renamed

    def document(self, row: Row | Document | BadLine) -> Document | BadLine:
        """The document a row holds, or why it holds none; of a document the fields are renamed."""
        if isinstance(row, BadLine):
            return row
        try:
            fields = self._renamed(row.fields)
            if isinstance(row, Document):
                return replace(row, fields=fields) if self.rename else row
            identity = self._identity(fields, row)
        except ValueError as error:
            return BadLine(row.origin, str(error), json.dumps(row.fields))
        return Document(identity, fields, row.origin)

    @property
    def _id_fields(self) -> Sequence[str]:
        return ID_FIELDS if self.id is None else (self.rename.get(self.id, self.id),)

    def _renamed(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        if not self.rename:
            return dict(fields)
        renamed = {self.rename.get(name, name): value for name, value in fields.items()}
        if len(renamed) < len(fields):
            name = next(new for old, new in self.rename.items() if old in fields and new in fields)
            raise ValueError(f"field {name!r} is there already; nothing can be renamed to it")
        return renamed

    def _identity(self, fields: dict[str, Any], row: Row) -> str:
        """The id, taken out of the fields."""
        for name in self._id_fields:
            if name in fields:
                value = fields.pop(name)
                if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
                    said = f"{name} is {reprlib.repr(value)}"
                    raise ValueError(f"{said}; it must be a string or a whole number")
                return str(value)
        if self.make_ids:
            return made_id(row.fields)
        *most, last = (f"no {name}" for name in self._id_fields)
        raise ValueError(", ".join(most) + " and " * bool(most) + last)


def named(names: Sequence[str]) -> str:
    """Names for a message; a header that is none may be long."""
    some = [name if len(name) <= _NAME_SHOWN else name[:_NAME_SHOWN] + "…" for name in names]
    more = [f"and {len(some) - _NAMES_SHOWN} more"] if len(some) > _NAMES_SHOWN else []
    return ", ".join([*map(repr, some[:_NAMES_SHOWN]), *more]) or "none"


def made_id(fields: Mapping[str, Any]) -> str:
    """An id of a row's content: the start of SHA-256 over its canonical JSON, as hex digits."""
    canonical = json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()[:_ID_BYTES].hex()
