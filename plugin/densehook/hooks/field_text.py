"""The text that a document gives for a vector field, in the parts of which its chunks are made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..chunk import LongText, put_together
from ..types import Document
from .paths import value_at, values_at
from .text_rule import Join, TextRule, join_by_spaces, text_of, texts_in
from .vector_field import VectorField


def field_text(
    document: Document, field: VectorField, join: Join = join_by_spaces
) -> tuple[str, list[str]]:
    """As ``text_of``, in parts where chunks are made of them, and with what is before each chunk.

    By ``section`` each input, and each Markdown heading in one, begins a part. Of what is ``given``
    each item of a list does; of objects in a list, whose fields are the inputs, each object does.
    """
    text, missing = text_of(document, field.text, join)
    chunk = field.chunk
    if not text or chunk is None or (chunk.name_key is None and not chunk.prefix):
        return text, missing
    joiner = join(("a", "b"))[1:-1]  # what it puts between two texts
    before = join([join(list(each.texts(document.fields))) for each in field.text.prefix])
    prefix = before + joiner if before else ""
    if chunk.name_key is None:
        return LongText(text, (), prefix), missing
    by_section = chunk.by == "section"
    items = _sections if by_section else _given
    named = [(name, each) for name, each in items(document.fields, field.text, join) if each]
    text, parts = put_together(named, joiner, headings=by_section)
    return LongText(text, parts, prefix), missing


def _sections(
    fields: Mapping[str, Any], rule: TextRule, join: Join
) -> Iterator[tuple[str | int, str]]:
    """The inputs by name; those without text are empty."""
    for each in rule.inputs:
        yield each.name, join(list(each.texts(fields)))


def _given(
    fields: Mapping[str, Any], rule: TextRule, join: Join
) -> Iterator[tuple[str | int, str]]:
    """The items by number; those without text are empty."""
    yield from enumerate(_items(fields, rule.paths, join))


def _items(fields: Mapping[str, Any], paths: Sequence[str], join: Join) -> Iterator[str]:
    parent = _common_parent(paths)
    above = value_at(fields, parent) if parent else None
    if isinstance(above, list):
        inner = [path.removeprefix(f"{parent}.") for path in paths]
        for each in above:
            own = each if isinstance(each, Mapping) else {}
            yield join([join(list(texts_in(path, values_at(own, path)))) for path in inner])
        return
    for path in paths:
        value = values_at(fields, path)
        for item in value if isinstance(value, list | tuple) else [value]:
            yield join(list(texts_in(path, item)))


def _common_parent(paths: Sequence[str]) -> str:
    """The longest path that leads to every field; empty where none does."""
    parent = paths[0].rpartition(".")[0]
    while parent and not all(path.startswith(f"{parent}.") for path in paths):
        parent = parent.rpartition(".")[0]
    return parent
