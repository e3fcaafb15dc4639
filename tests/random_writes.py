"""Writes drawn at random, and what an index must hold after them. Pure: nothing here is sent.

A ``Writer`` draws operations from a seed. A ``Model`` applies them and says what each must answer
and what every document must hold then: its fields, and of each vector field whether it is the
encoder's of the text, the client's own, or none.
"""

from __future__ import annotations

import json
import math
import random
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal

Fields = Mapping[str, Any]
Brought = Mapping[str, int]
"""Vectors that the client brings: a number for each field, from which the vector is made."""
NOTES = "densehook"
DIMS = 32


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


def is_blank(text: str) -> bool:
    return all(unicodedata.category(c) in ("Cc", "Cf", "Zs", "Zl", "Zp") for c in text)


def text_of(fields: Fields, inputs: Iterable[str]) -> str:
    """The text that a document's vector is made from; "" when there is none."""
    texts = [text for name in inputs for text in _texts(fields.get(name))]
    return " ".join(text for text in texts if not is_blank(text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif value is not None:
        yield value if isinstance(value, str) else json.dumps(value)


def vector_of(brought: int) -> list[float]:
    """The vector of a number: of length 1, and like no other."""
    drawn = random.Random(brought)
    values = [drawn.gauss(0, 1) for _ in range(DIMS)]
    length = math.sqrt(sum(value * value for value in values))
    return [value / length for value in values]


def routing_of(id_: str) -> str | None:
    return id_ if id_.startswith("routed") else None


def is_versioned(id_: str) -> bool:
    """Whether the client gives the document's versions; then it is only put and deleted."""
    return id_.startswith("versioned")


# how operations look on the wire


def source_of(fields: Fields, brought: Brought) -> dict[str, Any]:
    source = dict(fields)
    for path, number in brought.items():
        place(source, path, vector_of(number))
    return source


def place(source: dict[str, Any], path: str, value: Any) -> None:
    head, _, rest = path.partition(".")
    if rest:
        source[head] = dict(source.get(head) or {})
        place(source[head], rest, value)
    else:
        source[head] = value


def value_at(source: Mapping[str, Any], path: str) -> Any:
    head, _, rest = path.partition(".")
    value = source.get(head)
    return value_at(value, rest) if rest and isinstance(value, Mapping) else value


def update_body(update: Update) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if update.script is not None:
        params = {"set": update.script.set, "remove": update.script.remove, "op": update.script.op}
        body["script"] = {"lang": "edit", "source": "edit", "params": params}
    else:
        body["doc"] = source_of(update.doc, update.brought)
        body["detect_noop"] = update.detect_noop
    if update.upsert is not None:
        body["upsert"] = update.upsert
    if update.doc_as_upsert:
        body["doc_as_upsert"] = True
    return body


def parameters(item: Item, seq_no: Mapping[str, int] | None) -> dict[str, Any]:
    """Those of the request, or of the item's line in a bulk."""
    given: dict[str, Any] = {}
    if routing_of(item.id):
        given["routing"] = routing_of(item.id)
    if isinstance(item, Put | Delete) and item.version is not None:
        given |= {"version": item.version, "version_type": "external"}
    if isinstance(item, Put | Update) and item.right_seq_no is not None:
        given |= seq_no or {"if_seq_no": 1_000_000, "if_primary_term": 1}
    if isinstance(item, Update) and item.retries:
        given["retry_on_conflict"] = item.retries
    return given


# drawing


IDS = (*(f"plain-{n}" for n in range(6)), "routed-0", "routed-1", "versioned-0", "versioned-1")
WORDS = ("cats", "young felines", "tea in the morning", "a bicycle", "rain", "Zürich", "光合作用")
BLANK = ("", " ", "\u00a0", "\u200b\t", None, [])


class Writer:
    """Draws operations on an index of a shape; the same seed gives the same."""

    def __init__(self, seed: int, shape: Shape) -> None:
        self._random = random.Random(f"{seed} {shape}")
        self._model = Model(shape)
        self._kinds: Sequence[tuple[float, Callable[[], Operation]]] = (
            (10, lambda: Single(self._draw_item(), self._refresh())),
            (5, self._bulk),
            (4, self._edit),
            (0.5, lambda: EditAll(self._some_fields())),
            (0.7, lambda: Switch("reuse", self._random.random() < 0.6)),
            (0.6, self._switch_embed),
            (0.3, lambda: PutMapping(self._random.randrange(1000))),
            (0.8, lambda: Maintain(self._random.choice(("refresh", "flush", "forcemerge")))),
            (0.1, Recreate),
        )

    def batch(self, size: int) -> list[Operation]:
        """Operations, items of bulks counted singly, of this number together or a few more."""
        drawn: list[Operation] = []
        while sum(map(count, drawn)) < size:
            weights = [weight for weight, _ in self._kinds]
            (_, kind), *_ = self._random.choices(self._kinds, weights)
            if self._model.embeds != self._model.shape.embeds and self._chance(0.25):
                operation: Operation = Switch("embed", self._model.shape.embeds)
            else:
                operation = kind()
            self._model.apply(operation)
            drawn.append(operation)
        return drawn

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _refresh(self) -> str:
        return self._random.choices(("", "true", "wait_for"), (90, 8, 2))[0]

    def _switch_embed(self) -> Operation:
        shape = self._model.shape
        return Switch("embed", not shape.embeds if shape.embeds else False)

    def _bulk(self) -> Operation:
        size = self._random.randint(2, 6)
        favourite = self._random.choice(IDS)  # several items of a bulk are of one document
        items: list[Item] = []
        for _ in range(size):
            id_ = favourite if self._chance(0.4) else self._random.choice(IDS)
            item = self._draw_item(id_)
            if isinstance(item, Put | Update) and item.right_seq_no:
                item = replace(item, right_seq_no=None)  # known only when the bulk is run
            items.append(item)
        return Bulk(tuple(items), self._refresh())

    def _edit(self) -> Operation:
        id_ = self._random.choice([id_ for id_ in IDS if not is_versioned(id_)])
        return Edit(id_, self._some_fields(), self._vectors(0.1), vectors=self._chance(0.6))

    def _draw_item(self, id_: str | None = None) -> Item:
        id_ = id_ or self._random.choice(IDS)
        if is_versioned(id_):
            return self._versioned(id_)
        kinds = ("put", "doc", "upsert", "doc_as_upsert", "script", "delete")
        kind = self._random.choices(kinds, (8, 9, 4, 5, 5, 3))[0]
        there = id_ in self._model.documents
        right = self._random.choices((None, True, False), (88, 9 if there else 0, 3))[0]
        if kind == "put":
            create = right is None and self._chance(0.2)
            return Put(id_, self._whole(), self._vectors(0.15), create, right)
        if kind == "delete":
            return Delete(id_)
        update = Update(
            id_,
            self._some_fields(),
            self._vectors(0.08),
            detect_noop=self._chance(0.8),
            right_seq_no=right if there and kind == "doc" else None,
        )
        if update.right_seq_no is None and self._chance(0.2):
            update = replace(update, retries=3)
        if kind == "doc_as_upsert":
            return replace(update, doc_as_upsert=True)
        if kind == "upsert":
            return replace(update, upsert=self._whole())
        return (
            replace(update, doc={}, brought={}, script=self._script())
            if kind == "script"
            else update
        )

    def _versioned(self, id_: str) -> Item:
        known = self._model.versions.get(id_, 0)
        version = max(1, known + self._random.choice((-1, 0, 1, 1, 1, 5)))
        if self._chance(0.2):
            return Delete(id_, version)
        return Put(id_, self._whole(), self._vectors(0.15), version=version)

    def _script(self) -> Script:
        if self._chance(0.15):
            return Script(op=self._random.choice(("noop", "delete")))
        if self._chance(0.2):
            return Script(remove=(self._random.choice(("title", "body")),))
        return Script(self._some_fields())

    def _whole(self) -> Fields:
        names = [name for name in ("title", "body", "views") if self._chance(0.8)]
        return {name: self._value(name) for name in names}

    def _some_fields(self) -> Fields:
        names = self._random.choices(
            (("views",), ("title",), ("body",), ("title", "body")), (4, 3, 3, 1)
        )
        return {name: self._value(name) for name in names[0]}

    def _value(self, name: str) -> Any:
        if name == "views":
            return self._random.randrange(4)
        if self._chance(0.12):
            return self._random.choice(BLANK)
        words = self._random.choice(WORDS)
        return self._random.choices((words, [words, self._random.choice(WORDS)], 7), (90, 7, 3))[0]

    def _vectors(self, share: float) -> Brought:
        return {
            to.name: self._random.randrange(1, 1_000_000)
            for to in self._model.shape.fields
            if self._chance(share)
        }


def count(operation: Operation) -> int:
    return len(operation.items) if isinstance(operation, Bulk) else 1


# finding out what matters in a history that went wrong


def told(operation: Any) -> str:
    """An operation with what is not as usual."""
    if isinstance(operation, Single):
        refresh = f" refresh={operation.refresh}" if operation.refresh else ""
        return f"{told(operation.item)}{refresh}"
    values = [
        f"{each.name}={_told(value)}"
        for each in fields(operation)
        if (value := getattr(operation, each.name)) != _default(each)
    ]
    return f"{type(operation).__name__}({', '.join(values)})"


def _told(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{'; '.join(map(_told, value))}]"
    return told(value) if is_dataclass(value) else repr(value)


def _default(each: Any) -> Any:
    return {} if each.default_factory is dict else each.default


def of_document(operations: Iterable[Operation], id_: str) -> list[Operation]:
    """The operations that concern a document, since the index was last made."""
    kept: list[Operation] = []
    for operation in operations:
        match operation:
            case Recreate():
                kept = []
            case Bulk(items, refresh):
                own = tuple(item for item in items if item.id == id_)
                kept += [Bulk(own, refresh)] if own else []
            case Single(item):
                kept += [operation] if item.id == id_ else []
            case Edit():
                kept += [operation] if operation.id == id_ else []
            case EditAll():
                kept += [] if is_versioned(id_) else [operation]
            case _:
                kept.append(operation)
    return kept


def shortest(
    operations: Sequence[Operation], fails: Callable[[Sequence[Operation]], bool], tries: int = 60
) -> Sequence[Operation]:
    """Leave out what the failure does not need, from large parts to single operations."""
    size = max(1, len(operations) // 2)
    while True:
        start = 0
        while start < len(operations):
            fewer = [*operations[:start], *operations[start + size :]]
            tries -= 1
            if tries < 0:
                return operations
            if fails(fewer):
                operations = fewer
            else:
                start += size
        if size == 1:
            return operations
        size = size // 2
