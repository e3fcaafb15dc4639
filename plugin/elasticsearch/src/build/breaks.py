"""Writes ``breaks.txt``: what Unicode says of where sentences and graphemes end.

    python plugin/elasticsearch/src/build/breaks.py > plugin/densehook/chunk/breaks.txt

The package and the node's plugin read that one file, so that both cut a text alike whatever Unicode
their languages know. Needs ``regex``, which knows the properties of Unicode's annexes 29 and 44.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import regex

SENTENCE = (
    *("ATerm", "CR", "Close", "Extend", "Format", "LF", "Lower", "Numeric", "OLetter"),
    *("SContinue", "STerm", "Sep", "Sp", "Upper"),
)
"""Values of Sentence_Break; a character of none of them is Other."""
GRAPHEME = (
    *("CR", "Control", "Extend", "L", "LF", "Prepend", "Regional_Indicator", "SpacingMark"),
    *("T", "V", "ZWJ"),
)
"""Values of Grapheme_Cluster_Break; Hangul syllables are told by arithmetic."""
OTHERS = {
    "Pictographic": "Extended_Pictographic",
    "Consonant": "InCB=Consonant",
    "Linker": "InCB=Linker",
    "Joining": "InCB=Extend",
}
"""What else joins characters to a grapheme, by the name it has in the file."""

_WIDTH = 96
_HEADER = """\
# Where sentences and graphemes end: properties of the Unicode Character Database,
# https://unicode.org/ucd/, copyright Unicode, Inc., under the Unicode License v3.
# A line is a value and ranges of code points in hexadecimal; src/build/breaks.py writes them.
"""


def main() -> None:
    """Prints the file."""
    sys.stdout.write(_HEADER)
    for name, pattern in _properties():
        for line in _lines(name, list(_ranges(regex.compile(rf"\p{{{pattern}}}")))):
            sys.stdout.write(line + "\n")


def _properties() -> Iterator[tuple[str, str]]:
    for value in SENTENCE:
        yield f"S.{value}", f"Sentence_Break={value}"
    for value in GRAPHEME:
        yield f"G.{value}", f"Grapheme_Cluster_Break={value}"
    for name, pattern in OTHERS.items():
        yield f"G.{name}", pattern


def _ranges(pattern: regex.Pattern[str]) -> Iterator[str]:
    first = None
    for code in range(sys.maxunicode + 2):
        is_one = code <= sys.maxunicode and pattern.match(chr(code)) is not None
        if is_one and first is None:
            first = code
        elif not is_one and first is not None:
            yield f"{first:X}" if first == code - 1 else f"{first:X}-{code - 1:X}"
            first = None


def _lines(name: str, ranges: list[str]) -> Iterator[str]:
    line = name
    for each in ranges:
        if len(line) + len(each) >= _WIDTH:
            yield line
            line = name
        line += f" {each}"
    yield line


if __name__ == "__main__":
    main()
