"""What matters in a history that went wrong: told in few words, and cut short."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from .operations import Bulk, Edit, EditAll, Operation, Recreate, Single, is_versioned


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
