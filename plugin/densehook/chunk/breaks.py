"""Where a text may be cut: between sentences, words and graphemes, by Unicode's annex 29.

The node's plugin has the same, by the same table; what is a sentence here is one there.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files

_PARAGRAPH_ENDS = frozenset(("Sep", "CR", "LF"))
_TERMINATORS = frozenset(("STerm", "ATerm"))
_SPACES = _PARAGRAPH_ENDS | {"Sp"}
_IGNORED = frozenset(("Extend", "Format"))
# what ends the look ahead for a small letter, by which "etc. and so on" is one sentence
_DECIDES = frozenset(("OLetter", "Upper", "Lower")) | _PARAGRAPH_ENDS | _TERMINATORS

_HANGUL_FIRST, _HANGUL_LAST, _HANGUL_TAILS = 0xAC00, 0xD7A3, 28


def sentences(text: str) -> list[int]:
    """Where sentences of a text end, its own end last; each has the spaces behind it."""
    ends = []
    at = 0
    for found in _ends_of_sentences().finditer(text):
        if found.start() < at:
            continue  # it belongs to the end before
        end = _end_of_sentence(text, found.start())
        if end is not None:
            ends.append(end)
            at = end
    if text and (not ends or ends[-1] < len(text)):
        ends.append(len(text))
    return ends


def words(text: str) -> list[int]:
    """Where words of a text end, as spaces tell them apart; each has the spaces behind it."""
    ends = [found.end() for found in _spaces().finditer(text)]
    return ends if not text or (ends and ends[-1] == len(text)) else [*ends, len(text)]


def graphemes(text: str) -> list[int]:
    """Where the characters of a text end, as its reader counts them."""
    return list(_ends_of_graphemes(text))


def stripped(text: str) -> str:
    """The text without the spaces at its ends."""
    begin, end = 0, len(text)
    while begin < end and _sentence_class(text[begin]) in _SPACES:
        begin += 1
    while end > begin and _sentence_class(text[end - 1]) in _SPACES:
        end -= 1
    return text[begin:end]


def _end_of_sentence(text: str, at: int) -> int | None:
    """Where the sentence ends that the character at a place may end; None when it does not."""
    kind = _sentence_class(text[at])
    if kind in _PARAGRAPH_ENDS:
        return _behind_paragraph(text, at)
    after = _behind_ignored(text, at + 1)
    if kind == "ATerm" and _is_inside(_class_before(text, at), _class_at(text, after)):
        return None
    while _class_at(text, after) == "Close":
        after = _behind_ignored(text, after + 1)
    while _class_at(text, after) == "Sp":
        after = _behind_ignored(text, after + 1)
    following = _class_at(text, after)
    if following in _PARAGRAPH_ENDS:
        return _behind_paragraph(text, after)
    if following == "SContinue" or following in _TERMINATORS:
        return None  # "so?", he said
    if kind == "ATerm" and _next_that_decides(text, after) == "Lower":
        return None
    return after


def _is_inside(before: str, after: str) -> bool:
    """Whether a full stop is that of 3.4 or of U.S."""
    return after == "Numeric" or (after == "Upper" and before in ("Upper", "Lower"))


def _behind_paragraph(text: str, at: int) -> int:
    return at + 2 if text.startswith("\r\n", at) else at + 1


def _behind_ignored(text: str, at: int) -> int:
    while _class_at(text, at) in _IGNORED:
        at += 1
    return at


def _class_before(text: str, at: int) -> str:
    at -= 1
    while at >= 0 and _sentence_class(text[at]) in _IGNORED:
        at -= 1
    return _sentence_class(text[at]) if at >= 0 else ""


def _next_that_decides(text: str, at: int) -> str:
    while at < len(text) and _sentence_class(text[at]) not in _DECIDES:
        at += 1
    return _class_at(text, at)


def _class_at(text: str, at: int) -> str:
    return _sentence_class(text[at]) if at < len(text) else ""


def _ends_of_graphemes(text: str) -> Iterator[int]:
    """After each grapheme; GB3 to GB13 of the annex."""
    flags = 0  # regional indicators in a row
    pictograph = False  # the last characters are a pictograph and what extends it
    linked = False  # they are a linker, which joins a consonant, and what extends it
    before = ""
    for at, character in enumerate(text):
        kind = _grapheme_class(character)
        joins = _joins(character)
        joined = at == 0 or (
            (before == "CR" and kind == "LF")
            or _is_joined(before, kind)
            or (linked and joins == "Consonant")
            or (before == "ZWJ" and pictograph and joins == "Pictographic")
            or (before == kind == "Regional_Indicator" and flags % 2 == 1)
        )
        if not joined:
            yield at
        flags = flags + 1 if kind == "Regional_Indicator" else 0
        pictograph = joins == "Pictographic" or (pictograph and kind in ("Extend", "ZWJ"))
        linked = joins == "Linker" or (linked and joins == "Joining")
        before = kind
    if text:
        yield len(text)


def _is_joined(before: str, kind: str) -> bool:
    """What two neighbours tell."""
    if before in ("CR", "LF", "Control") or kind in ("CR", "LF", "Control"):
        return False
    return (
        kind in ("Extend", "ZWJ", "SpacingMark")
        or before == "Prepend"
        or (before == "L" and kind in ("L", "V", "LV", "LVT"))
        or (before in ("LV", "V") and kind in ("V", "T"))
        or (before in ("LVT", "T") and kind == "T")
    )


class _Table:
    """A property: the value of each code point, empty for none."""

    def __init__(self, values: dict[str, list[tuple[int, int]]]) -> None:
        ranges = sorted(
            (first, last, value) for value, each in values.items() for first, last in each
        )
        self._firsts = [first for first, _, _ in ranges]
        self._ranges = ranges

    def __call__(self, code: int) -> str:
        place = bisect_right(self._firsts, code) - 1
        if place < 0:
            return ""
        _, last, value = self._ranges[place]
        return value if code <= last else ""

    def characters(self, *values: str) -> str:
        """The characters with these values, as a set in a regular expression has them."""
        return "".join(
            rf"\U{first:08x}-\U{last:08x}" for first, last, value in self._ranges if value in values
        )


@lru_cache(maxsize=4096)
def _sentence_class(character: str) -> str:
    return _tables()[0](ord(character))


@lru_cache(maxsize=4096)
def _grapheme_class(character: str) -> str:
    code = ord(character)
    if _HANGUL_FIRST <= code <= _HANGUL_LAST:
        return "LVT" if (code - _HANGUL_FIRST) % _HANGUL_TAILS else "LV"
    return _tables()[1](code)


@lru_cache(maxsize=4096)
def _joins(character: str) -> str:
    return _tables()[2](ord(character))


@cache
def _ends_of_sentences() -> re.Pattern[str]:
    return re.compile(f"[{_tables()[0].characters(*_TERMINATORS, *_PARAGRAPH_ENDS)}]")


@cache
def _spaces() -> re.Pattern[str]:
    return re.compile(f"[{_tables()[0].characters(*_SPACES)}]+")


@cache
def _tables() -> tuple[_Table, _Table, _Table]:
    """Of sentences, of graphemes, and of what else joins characters."""
    found: dict[str, list[tuple[int, int]]] = {}
    for line in (files(__package__) / "breaks.txt").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        name, *ranges = line.split()
        for each in ranges:
            first, _, last = each.partition("-")
            found.setdefault(name, []).append((int(first, 16), int(last or first, 16)))
    joining = ("G.Pictographic", "G.Consonant", "G.Linker", "G.Joining")
    return (
        _Table({name[2:]: each for name, each in found.items() if name.startswith("S.")}),
        _Table(
            {
                name[2:]: each
                for name, each in found.items()
                if name.startswith("G.") and name not in joining
            }
        ),
        _Table({name[2:]: found[name] for name in joining}),
    )
