"""Hits as the page shows them: pieces of text of which some are marked, never markup.

A document may hold anything, the marks themselves included: a piece is marked only where the words
around the marks are found in the document's own text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..hooks import value_at
from ..index import Hit

Piece = tuple[str, bool]
"""Some text, and whether it is words of the query."""
Span = tuple[int, int]
Place = tuple[Span, list[Span]]
"""A stretch of a text, and the words of the query in it."""

SNIPPET = 240
"""Characters of a snippet, about."""

_TITLES = ("title", "name", "headline", "heading", "subject")
_MARK = re.compile(r"(</?em>)")


def shown_hit(hit: Hit, inputs: Sequence[str]) -> dict[str, Any]:
    """A hit in JSON: id, score, pieces of its title and text, the parts of its score."""
    title_field = title_of(inputs, hit.source)
    bodies = [name for name in _text_fields(hit, inputs) if name != title_field]
    title = text_at(hit.source, title_field) if title_field else ""
    return {
        "id": hit.id,
        "score": hit.score,
        "title": whole(title, hit.highlights.get(title_field or "", ())),
        "snippet": list(_snippet(hit, bodies)),
        "parts": {name: part._asdict() for name, part in hit.parts.items()},
    }


def shown_whole(hit: Hit, inputs: Sequence[str]) -> dict[str, Any]:
    """All of a document's title and texts in JSON, each with its field, and all marks in them."""
    title_field = title_of(inputs, hit.source)
    names = [name for name in _text_fields(hit, inputs) if name != title_field]
    return {
        "title": [] if title_field is None else _marked(hit, title_field),
        "texts": [{"field": name, "text": _marked(hit, name)} for name in names],
    }


def title_of(inputs: Sequence[str], source: Mapping[str, Any]) -> str | None:
    """The field that is a document's title: by its name, else the first of several inputs."""
    named = [name for name in (*inputs, *_TITLES) if name.rpartition(".")[2].lower() in _TITLES]
    several = inputs[:1] if len(inputs) > 1 else []
    return next((name for name in (*named, *several) if text_at(source, name)), None)


def text_at(source: Mapping[str, Any], field: str) -> str:
    """The text of a field in one line; several texts one after the other."""
    value = value_at(source, field)
    values = value if isinstance(value, list) else [value]
    return " ".join(" ".join(each.split()) for each in values if isinstance(each, str))


def whole(text: str, fragments: Iterable[str]) -> list[Piece]:
    """All of a text, marked where the fragments are."""
    return list(_cut(text, _all_marks(text, fragments), (0, len(text))))


def _marked(hit: Hit, field: str) -> list[Piece]:
    return whole(text_at(hit.source, field), hit.highlights.get(field, ()))


def _snippet(hit: Hit, fields: Sequence[str]) -> Iterator[Piece]:
    """Where words of the query stand; else the start of the texts."""
    texts = [(text_at(hit.source, name), hit.highlights.get(name, ())) for name in fields]
    found = [(text, place) for text, marked in texts for place in _places(text, marked)]
    begun = next((text for text, _ in texts if text), "")
    start: list[tuple[str, Place]] = [(begun, ((0, min(SNIPPET, len(begun))), []))]
    left, ended = SNIPPET, True
    for text, ((first, last), marks) in found or start:
        if left <= 0:
            break
        if left < SNIPPET:
            yield " … ", False
        elif first:
            yield "… ", False
        yield from _cut(text, marks, (first, last))
        left -= last - first
        ended = last == len(text)
    if not ended:
        yield " …", False


def _text_fields(hit: Hit, inputs: Sequence[str]) -> list[str]:
    """The fields with text: what was searched, or what there is."""
    known = [
        name for name in dict.fromkeys((*inputs, *hit.highlights)) if text_at(hit.source, name)
    ]
    found = [name for name in hit.source if name not in hit.unread and text_at(hit.source, name)]
    return known or found


def _places(text: str, fragments: Iterable[str]) -> list[Place]:
    """Where each fragment stands in the text, and its marks there; none for one that does not."""
    places: list[Place] = []
    for fragment in fragments:
        plain, marks = _unmarked(" ".join(fragment.split()))
        start = text.find(plain) if plain else -1
        if start >= 0 and marks:
            moved = [(start + first, start + last) for first, last in marks]
            places.append(((start, start + len(plain)), moved))
    return sorted(places)


def _all_marks(text: str, fragments: Iterable[str]) -> list[Span]:
    return [mark for _, marks in _places(text, fragments) for mark in marks]


def _unmarked(fragment: str) -> tuple[str, list[Span]]:
    """The fragment without its marks, and where they were."""
    plain, marks, opened = "", [], 0
    for part in _MARK.split(fragment):
        if part == "<em>":
            opened = len(plain)
        elif part == "</em>":
            marks.append((opened, len(plain)))
        else:
            plain += part
    return plain, marks


def _cut(text: str, marks: Sequence[Span], span: Span) -> Iterator[Piece]:
    at, end = span
    for first, last in sorted(marks):
        if first < at:
            continue
        if at < first:
            yield text[at:first], False
        yield text[first:last], True
        at = last
    if at < end:
        yield text[at:end], False
