"""What every document must hold after some operations, and what each must answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .bodies import text_of
from .operations import (
    Brought,
    Bulk,
    Delete,
    Edit,
    EditAll,
    Fields,
    Item,
    Operation,
    Put,
    Recreate,
    Shape,
    Single,
    Switch,
    Update,
    VectorField,
    is_versioned,
)


@dataclass(frozen=True)
class Expected:
    """What a vector field of a document holds.

    ``made``: the encoder's vector of the text, and none where the text is blank. ``own``: the one
    the client brought. ``either``: one of both, where nobody can say that it must be the client's.
    ``own or none``: brought with a blank text. ``late``: the encoder's or none, as nobody looked
    after the document when it was written. ``open``: anything, for the same reason.
    """

    kind: Literal["made", "own", "either", "own or none", "late", "open"]
    brought: int = 0


MADE = Expected("made")
LATE = Expected("late")
OPEN = Expected("open")
Way = Literal["whole", "merged", "back", "back bare"]
"""How a document came to be: sent whole; merged by an update; read and sent back, with its vectors
or without."""


@dataclass(frozen=True)
class Doc:
    fields: Fields
    expected: Mapping[str, Expected]


@dataclass
class Model:
    """What the index must hold; ``embeds`` is the setting as it is now."""

    shape: Shape
    embeds: bool = False
    documents: dict[str, Doc] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.embeds = self.shape.embeds

    def apply(self, operation: Operation) -> list[str]:
        """Carry the operation out; the answers it must get, alternatives parted by ``|``."""
        match operation:
            case Single(item):
                return [self._item(item, in_bulk=False)]
            case Bulk(items):
                return [self._item(item, in_bulk=True) for item in items]
            case Edit():
                return [self._edit(operation)]
            case EditAll(fields):
                ids = [id_ for id_ in sorted(self.documents) if not is_versioned(id_)]
                return [self._edit(Edit(id_, fields)) for id_ in ids]
            case Switch("embed", on):
                self.embeds = on
            case Recreate():
                self.__init__(self.shape)  # type: ignore[misc]
            case _:
                pass
        return []

    def _item(self, item: Item, in_bulk: bool) -> str:
        match item:
            case Put():
                return self._put(item)
            case Delete():
                return self._delete(item)
            case Update():
                return self._update(item, in_bulk)

    def _put(self, put: Put) -> str:
        there = put.id in self.documents
        if (put.create and there) or put.right_seq_no is False:
            return "conflict"
        if put.version is not None:
            if put.version <= self.versions.get(put.id, 0):
                return "conflict"
            self.versions[put.id] = put.version
        self._write(put.id, put.fields, put.brought, "whole", self._runs_pipeline)
        return "updated" if there else "created"

    def _delete(self, delete: Delete) -> str:
        if delete.version is not None:
            if delete.version <= self.versions.get(delete.id, 0):
                return "conflict"
            self.versions[delete.id] = delete.version
        return "deleted" if self.documents.pop(delete.id, None) else "not_found"

    def _update(self, update: Update, in_bulk: bool) -> str:
        old = self.documents.get(update.id)
        if old is None:
            return self._upsert(update)
        if update.right_seq_no is False:
            return "conflict"
        script = update.script
        if script is not None and script.op == "noop":
            return "noop"
        if script is not None and script.op == "delete":
            del self.documents[update.id]
            return "deleted"
        if script is not None:
            fields = {**old.fields, **script.set}
            for name in script.remove:
                fields.pop(name, None)
        else:
            fields = {**old.fields, **update.doc}
            if update.detect_noop and fields == old.fields and not update.brought:
                return "noop|updated" if self._may_mend(old, update, in_bulk) else "noop"
        # a bulk runs no pipeline on a partial document; what the stored one says of itself is all
        sees = not in_bulk or update.doc_as_upsert or self.shape.keeps_notes
        self._write(update.id, fields, update.brought, "merged", self._runs_pipeline and sees)
        return "updated"

    def _may_mend(self, old: Doc, update: Update, in_bulk: bool) -> bool:
        """Whether a document may be written although nothing of it changes.

        Nobody looked after it before, or its source does not say what its vector was made of, or
        the pipeline saw of it no more than the part.
        """
        late = any(each.kind in ("late", "open") for each in old.expected.values())
        through = in_bulk and update.doc_as_upsert and self.shape.pipeline
        return late or through or self.shape.drops != "nothing"

    def _upsert(self, update: Update) -> str:
        if update.doc_as_upsert:
            self._write(update.id, update.doc, update.brought, "whole", self._runs_pipeline)
        elif update.upsert is not None:
            self._write(update.id, update.upsert, {}, "whole", self._runs_pipeline)
        else:
            return "missing"
        return "created"

    def _edit(self, edit: Edit) -> str:
        old = self.documents.get(edit.id)
        if old is None:
            return "missing"
        way: Way = "back" if edit.vectors or not self.shape.hides else "back bare"
        fields = {**old.fields, **edit.fields}
        self._write(edit.id, fields, edit.brought, way, self._runs_pipeline)
        return "updated"

    @property
    def _runs_pipeline(self) -> bool:
        return self.shape.pipeline

    def _write(self, id_: str, fields: Fields, brought: Brought, way: Way, pipeline: bool) -> None:
        guarded = self.embeds or pipeline
        old = self.documents.get(id_)
        self.documents[id_] = Doc(
            dict(fields),
            {
                to.name: self._expected(to, old, fields, brought.get(to.name), way, guarded)
                for to in self.shape.fields
            },
        )

    def _expected(
        self,
        to: VectorField,
        old: Doc | None,
        fields: Fields,
        brought: int | None,
        way: Way,
        guarded: bool,
    ) -> Expected:
        text = text_of(fields, to.inputs)
        before = MADE if old is None or way == "whole" else old.expected[to.name]
        same = old is not None and way != "whole" and text == text_of(old.fields, to.inputs)
        if not guarded:
            return _unguarded(brought, before, same, way)
        if brought is not None:
            return self._brought(brought, text, way)
        if not same:
            return MADE
        if before.kind == "own" and not (
            self.shape.keeps_vectors and (way != "back bare" or self.shape.keeps_notes)
        ):
            return Expected("either", before.brought)
        return MADE if before == LATE else before

    def _brought(self, brought: int, text: str, way: Way) -> Expected:
        if not text:
            return Expected("own or none", brought)
        # the note of the vector before came along, and nobody can see that the vector is another
        confused = way in ("back", "back bare") and not self.shape.keeps_vectors
        return Expected("either" if confused and self.shape.keeps_notes else "own", brought)


def _unguarded(brought: int | None, before: Expected, same: bool, way: Way) -> Expected:
    if brought is not None:
        return OPEN
    if way == "whole" or (same and before in (MADE, LATE)):
        return LATE
    return OPEN
