"""Fields by their path in a document.

Elasticsearch reads ``{"a.b": 1}`` and ``{"a": {"b": 1}}`` as the same field; so must whoever asks
what a document has there, or puts something there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def value_at(fields: Mapping[str, Any], path: str) -> Any:
    """The value at a path, however it is spelled; None when there is none."""
    if (value := fields.get(path)) is not None:
        return value
    for head, rest in _splits(path):
        inner = fields.get(head)
        if isinstance(inner, Mapping) and (value := value_at(inner, rest)) is not None:
            return value
    return None


def values_at(fields: Mapping[str, Any], path: str) -> Any:
    """The same, also of a field within lists of objects: the list of what each of them has."""
    if (value := fields.get(path)) is not None:
        return value
    for head, rest in _splits(path):
        inner = fields.get(head)
        if is_list(inner):
            objects = (each for each in items_in(inner) if isinstance(each, Mapping))
            within = [values_at(each, rest) for each in objects]
            value = [each for each in within if each is not None] or None
        elif isinstance(inner, Mapping):
            value = values_at(inner, rest)
        if value is not None:
            return value
    return None


def rows_at(fields: Any, parent: str, paths: Sequence[str]) -> list[list[Any]]:
    """For each object at the path of a parent what it has of fields in it, in their order.

    ``paths`` are those of the fields, from the same place as the parent's. A null among the objects
    has nothing, and is one of them all the same.
    """
    if not isinstance(fields, Mapping):
        return [] if parent else [[None] * len(paths)]
    ways = [(parent, ""), *_splits(parent)] if parent else []
    for head, rest in ways:
        if (inner := fields.get(head)) is not None:
            within = [path.removeprefix(f"{head}.") for path in paths]
            rows = [row for each in items_in(inner) for row in rows_at(each, rest, within)]
            if rows:
                return rows
    row = [values_at(fields, path) for path in paths]
    return [row] if not parent or any(value is not None for value in row) else []


def is_list(value: Any) -> bool:
    """Whether it is what JSON has as a list."""
    return isinstance(value, list | tuple)


def items_in(value: Any) -> Iterator[Any]:
    """The items of a list and of those in it, all one list to Elasticsearch; else the value."""
    if is_list(value):
        for each in value:
            yield from items_in(each)
    else:
        yield value


def with_value(fields: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of the fields with another value at the path, in the object that the path names.

    Objects on the way are copied too; what is not an object there leaves the path in one key.
    """
    return _put(without(fields, path), path, value)


def without(fields: Mapping[str, Any], path: str) -> dict[str, Any]:
    """A copy of the fields with nothing at the path, however it is spelled."""
    left = {key: value for key, value in fields.items() if key != path}
    for head, rest in _splits(path):
        if isinstance(inner := left.get(head), Mapping):
            left[head] = without(inner, rest)
    return left


def mapping_at(properties: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """The mapping of the field at a path below ``properties``; empty when it is not mapped."""
    if isinstance(found := properties.get(path), Mapping):
        return found
    for head, rest in _splits(path):
        inner = properties.get(head)
        if isinstance(inner, Mapping) and (found := mapping_at(inner.get("properties", {}), rest)):
            return found
    return {}


def is_nested(properties: Mapping[str, Any], path: str) -> bool:
    """Whether a field lies in a nested object, so that a query of documents does not see it."""
    return any(mapping_at(properties, above).get("type") == "nested" for above, _ in _splits(path))


def is_disabled(mapped: Mapping[str, Any]) -> bool:
    """Whether a field is an object that is kept in the source alone, whatever is in it."""
    return str(mapped.get("enabled", True)).lower() == "false"


def source_paths(properties: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Where documents have the values of a field.

    Under the field's own path, an alias's target or the parent of a multi-field, and then, by their
    paths, in the fields that are copied to it.
    """
    fields = {path: (mapped, parent) for path, mapped, parent in mapped_fields(properties)}
    own = name
    if name in fields and fields[name][0].get("type") == "alias":
        own = str(fields[name][0].get("path", name))
    while own in fields and (parent := fields[own][1]) is not None:
        own = parent
    copied = [path for path, (mapped, _) in fields.items() if own in _targets(mapped)]
    return (own, *sorted(copied, key=lambda path: path.encode("utf-16-be", "surrogatepass")))


def mapped_fields(
    properties: Mapping[str, Any], above: str = ""
) -> Iterator[tuple[str, Mapping[str, Any], str | None]]:
    """The fields of a mapping, by their paths: objects and multi-fields too, with their parents."""
    for name, mapped in properties.items():
        path = f"{above}{name}"
        yield path, mapped, None
        yield from mapped_fields(mapped.get("properties", {}), f"{path}.")
        for inner, multi in mapped.get("fields", {}).items():
            yield f"{path}.{inner}", multi, path


def _targets(mapped: Mapping[str, Any]) -> Sequence[str]:
    """The fields that a field is copied to."""
    stated = mapped.get("copy_to", ())
    return (stated,) if isinstance(stated, str) else stated


def _put(fields: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    head, _, rest = path.partition(".")
    inner = fields.get(head, {})
    if rest and isinstance(inner, Mapping):
        return {**fields, head: _put(dict(inner), rest, value)}
    return {**fields, path: value}


def _splits(path: str) -> Iterator[tuple[str, str]]:
    """The ways to take a path apart at a dot: a.b.c is b.c in a, and c in a.b."""
    for dot, character in enumerate(path):
        if character == ".":
            yield path[:dot], path[dot + 1 :]
