"""A document's text, as it is cut: in parts that no chunk crosses, each chunk behind a prefix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from .breaks import stripped

MOST_OF_A_NAME = 256
"""Characters of a section's name; a heading of more is cut."""

_HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t]+(?P<name>.*))?")
_FENCE = re.compile(r" {0,3}(?P<mark>`{3,}|~{3,})")


class Part(NamedTuple):
    """Where a part of a text begins, and what it is: a section's name, or an item's number."""

    start: int
    name: str | int


class LongText(str):
    """A text with its parts, the first of which begins at 0; without any it is one part.

    ``prefix`` is put before each chunk, joiner and all. A plain string is a text of one part.
    """

    parts: Sequence[Part]
    prefix: str

    def __new__(cls, text: str, parts: Sequence[Part] = (), prefix: str = "") -> LongText:
        """Strings are made here: they cannot be changed later."""
        made = super().__new__(cls, text)
        made.parts = parts
        made.prefix = prefix
        return made


def put_together(
    items: Iterable[tuple[str | int, str]], joiner: str, *, headings: bool
) -> tuple[str, list[Part]]:
    """Items by name, none of them blank -> their text, and where in it each begins.

    With ``headings`` an item has a part for each of its Markdown headings, too, named like it.
    """
    texts: list[str] = []
    parts: list[Part] = []
    start = 0
    for name, text in items:
        parts.append(Part(start, name))
        for at, heading in _headings(text) if headings else ():
            if stripped(text[:at]):
                parts.append(Part(start + at, heading or name))
            else:
                parts[-1] = Part(start, heading or name)
        texts.append(text)
        start += len(text) + len(joiner)
    return joiner.join(texts), parts


def _headings(text: str) -> Iterator[tuple[int, str]]:
    """The headings of a Markdown text: where the line of each begins, and what it says."""
    at = 0
    fence = ""
    for line in text.split("\n"):
        if found := _FENCE.match(line):
            fence = _fence(fence, found["mark"], line[found.end() :])
        elif not fence and (found := _HEADING.fullmatch(line.rstrip(" \t\r"))):
            yield at, _named(found["name"] or "")
        at += len(line) + 1


def _fence(open_one: str, mark: str, rest: str) -> str:
    """The fence that is open behind a line which begins like one, empty for none (CommonMark 4.5).

    One is closed by a mark of its own character that is as long at least, with nothing behind it. A
    line with more backticks behind its own is code within a line.
    """
    if open_one:
        return "" if mark.startswith(open_one) and not rest.strip(" \t\r") else open_one
    return "" if mark.startswith("`") and "`" in rest else mark


def _named(heading: str) -> str:
    """What a heading says, without the marks that may close it."""
    open_ended = heading.rstrip("#")
    if open_ended != heading and (not open_ended or open_ended[-1] in " \t"):
        heading = open_ended
    return heading.strip(" \t")[:MOST_OF_A_NAME]
