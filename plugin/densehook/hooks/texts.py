"""The text that a document gives to an encoder, and in which parts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..bundle import join_texts
from ..chunk import LongText, put_together
from ..errors import UnusableDocument
from ..types import Document
from .paths import value_at, values_at
from .vector_field import VectorField

Join = Callable[[Sequence[str]], str]
"""An encoder's own way to put the texts of inputs together."""


def join_by_spaces(texts: Sequence[str]) -> str:
    """The texts that are not blank, as an encoder joins them whose joiner is a space."""
    return join_texts(texts, " ")


def text_of(
    document: Document,
    inputs: Sequence[str],
    join: Join = join_by_spaces,
) -> tuple[str, list[str]]:
    """The text to encode, empty when there is none, and the inputs that gave nothing to it.

    ``join`` is the encoder's, ``manifest.join``, where it is at hand. A field is a string, a
    number, or a list of these; ``a.b`` is a path, as in Elasticsearch. Raises UnusableDocument when
    one is an object.
    """
    parts = [_text(document.fields, name, join) for name in inputs]
    missing = [name for name, part in zip(inputs, parts, strict=True) if not part]
    return join(parts), missing


def field_text(
    document: Document, field: VectorField, join: Join = join_by_spaces
) -> tuple[str, list[str]]:
    """The same for a vector field, in the parts of which its chunks are made.

    ``section``: each input, and each Markdown heading in one, begins a part. ``given``: each item
    of a list does; of objects in a list, whose fields are the inputs, each object does.
    """
    if field.chunk is None or (field.chunk.name_key is None and not field.chunk.prefix):
        return text_of(document, field.inputs, join)
    prefix, _ = text_of(document, field.chunk.prefix, join)
    joiner = join(("a", "b"))[1:-1]  # what it puts between two texts
    before = prefix + joiner if prefix else ""
    _, missing = text_of(document, field.inputs, join)
    items = _items(document.fields, field.chunk.by, field.inputs, join)
    named = [(name, text) for name, text in items if text]
    text, parts = put_together(named, joiner, headings=field.chunk.by == "section")
    return LongText(text, parts if field.chunk.name_key else (), before), missing


def _items(
    fields: Mapping[str, Any], by: str, inputs: Sequence[str], join: Join
) -> Iterator[tuple[str | int, str]]:
    """The parts of a document, by name or number; those without text are empty."""
    if by != "given":
        yield from ((name, _text(fields, name, join)) for name in inputs)
        return
    yield from enumerate(_given(fields, inputs, join))


def _given(fields: Mapping[str, Any], inputs: Sequence[str], join: Join) -> Iterator[str]:
    parent = _common_parent(inputs)
    above = value_at(fields, parent) if parent else None
    if isinstance(above, list):
        inner = [name.removeprefix(f"{parent}.") for name in inputs]
        for each in above:
            own = each if isinstance(each, Mapping) else {}
            yield join([_text(own, name, join) for name in inner])
        return
    for name in inputs:
        value = values_at(fields, name)
        for item in value if isinstance(value, list | tuple) else [value]:
            yield join(list(_texts(name, item)))


def _common_parent(names: Sequence[str]) -> str:
    """The longest path that leads to every field; empty where none does."""
    parent = names[0].rpartition(".")[0]
    while parent and not all(name.startswith(f"{parent}.") for name in names):
        parent = parent.rpartition(".")[0]
    return parent


def _text(fields: Mapping[str, Any], name: str, join: Join) -> str:
    return join(list(_texts(name, values_at(fields, name))))


def _texts(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(name, item)
    elif isinstance(value, int | float):
        yield json.dumps(value)
    elif value is not None:
        kind = "an object" if isinstance(value, Mapping) else f"of type {type(value).__name__}"
        raise UnusableDocument(f"input field {name!r} is {kind}, not text")
