"""Operations drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from .model import Model
from .operations import (
    Brought,
    Bulk,
    Delete,
    Edit,
    EditAll,
    Fields,
    Item,
    Maintain,
    Operation,
    Put,
    PutMapping,
    Recreate,
    Script,
    Shape,
    Single,
    Switch,
    Update,
    count,
    is_versioned,
)

IDS = (*(f"plain-{n}" for n in range(6)), "routed-0", "routed-1", "versioned-0", "versioned-1")
WORDS = ("cats", "young felines", "tea in the morning", "a bicycle", "rain", "Zürich", "光合作用")
BLANK: tuple[Any, ...] = ("", " ", "\u00a0", "\u200b\t", None, [])


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
