"""The text that a document gives for a vector field, in the parts of which its chunks are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..chunk import LongText, put_together
from ..types import Document
from .paths import is_list, items_in, rows_at, values_at
from .text_rule import Join, TextRule, join_by_spaces, text_of, texts_in
from .vector_field import VectorField


def field_text(
    document: Document, field: VectorField, join: Join = join_by_spaces
) -> tuple[str, list[str]]:
    """As ``text_of``, in parts where chunks are made of them, and with what is before each chunk.

    By ``section`` each input, and each Markdown heading in one, begins a part. Of what is ``given``
    each item of a list does; of objects whose fields are the inputs, each object does.
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
    """The items by their places in their lists; those without text are empty."""
    for items in _lists(fields, rule.paths, join):
        yield from enumerate(items)


def _lists(fields: Mapping[str, Any], paths: Sequence[str], join: Join) -> Iterator[Sequence[str]]:
    """The texts of the items, for one list after the other.

    Fields of the same objects are together, and each object is an item, also one that is in no list
    and has none in it; what is in several lists is apart.
    """
    parent = _common_parent(paths)
    values = [values_at(fields, path) for path in paths]
    if parent and is_list(values_at(fields, parent)):
        rows = rows_at(fields, parent, paths)
    elif parent and not any(map(is_list, values)):
        rows = [values]
    elif len(paths) == 1:
        rows = [[item] for item in items_in(values[0])]
    else:
        for each in _by_next_name(paths, parent):
            yield from _lists(fields, each, join)
        return
    yield [
        join([join(list(texts_in(path, value))) for path, value in zip(paths, row, strict=True)])
        for row in rows
    ]


def _by_next_name(paths: Sequence[str], parent: str) -> Iterable[Sequence[str]]:
    """The paths, those together that go on below one more name."""
    start = len(parent) + 1 if parent else 0
    found: dict[str, list[str]] = {}
    for path in paths:
        name, dot, _ = path[start:].partition(".")
        found.setdefault(name + dot, []).append(path)
    return found.values()


def _common_parent(paths: Sequence[str]) -> str:
    """The longest path that leads to every field; empty where none does."""
    parent = paths[0].rpartition(".")[0]
    while parent and not all(path.startswith(f"{parent}.") for path in paths):
        parent = parent.rpartition(".")[0]
    return parent
