"""Python's own help topics, cut into passages.

The topics come with every Python (``pydoc_data.topics``). Some hold others whole (``compound`` has
``with`` in it), so they are cut from the shortest to the longest, and a paragraph met before is
dropped: no text is in two passages. Pure and the same at every call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

_FULL = 90
"""Words from which a passage ends at the next paragraph that can stand alone."""
_LONGEST = 160
"""Words that a passage passes only with a single paragraph that is itself longer."""
_SHORTEST = 15
"""Words under which a passage joins the one before it, or a section's first one the next."""

_UNDERLINE = re.compile(r"([*=\-~^\"])\1{2,}")
_RELATED = "Related help topics:"


@dataclass(frozen=True)
class Passage:
    """A passage with an id like ``with-03``: topic and running number."""

    id: str
    title: str
    text: str


@dataclass
class _Section:
    """A heading's title and the paragraphs below it, up to the next heading."""

    title: str
    paragraphs: list[str] = field(default_factory=list)


@cache
def passages() -> tuple[Passage, ...]:
    """All passages, in the order of their topics' names."""
    from pydoc_data.topics import topics  # a whole book, for whoever reads it

    seen: set[str] = set()
    found: list[Passage] = []
    for topic in sorted(topics, key=lambda name: (len(topics[name]), name)):
        texts = [
            (section.title, text)
            for section in _sections(topics[topic])
            for text in _grouped(_unseen(section.paragraphs, seen))
        ]
        found += [
            Passage(f"{topic}-{number:02}", title, text)
            for number, (title, text) in enumerate(texts, start=1)
        ]
    return tuple(sorted(found, key=lambda passage: passage.id))


def _sections(topic: str) -> Iterator[_Section]:
    lines = topic.partition(_RELATED)[0].splitlines()
    headings = {
        number
        for number, (line, below) in enumerate(pairwise(lines))
        if line.strip() and _UNDERLINE.fullmatch(below) and not _UNDERLINE.fullmatch(line)
    }
    section = _Section("")
    paragraph: list[str] = []
    for number, line in enumerate([*lines, ""]):
        if number - 1 in headings:
            continue  # the underline
        if number in headings or not line.strip():
            if paragraph:
                section.paragraphs.append("\n".join(paragraph))
                paragraph = []
            if number in headings:
                yield section
                section = _Section(_plain(line))
        elif not _UNDERLINE.fullmatch(line):
            paragraph.append(line.rstrip())
    yield section


def _plain(heading: str) -> str:
    return heading.strip().replace('"', "")


def _unseen(paragraphs: Iterable[str], seen: set[str]) -> list[str]:
    fresh = []
    for paragraph in paragraphs:
        key = " ".join(paragraph.split())
        if key not in seen:
            seen.add(key)
            fresh.append(paragraph)
    return fresh


def _grouped(paragraphs: Iterable[str]) -> list[str]:
    """Paragraphs put together; an indented one (code, a definition's body) stays with its lead."""
    groups: list[list[str]] = []
    size = 0
    for paragraph in paragraphs:
        words = len(paragraph.split())
        stands_alone = not paragraph.startswith(" ")
        if not groups or size + words > _LONGEST or (size >= _FULL and stands_alone):
            groups.append([])
            size = 0
        groups[-1].append(paragraph)
        size += words
    merged: list[str] = []
    for group in groups:
        text = "\n\n".join(group)
        if merged and min(len(text.split()), len(merged[-1].split())) < _SHORTEST:
            merged[-1] += "\n\n" + text
        else:
            merged.append(text)
    return merged
