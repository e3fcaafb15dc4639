"""JSON arrays: one element in memory, each read as a line of JSONL is.

The standard library finds where an element ends, and the same function as for JSONL judges it: an
element that is JSON but no document is a value, and the rest goes on.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ... import files
from ...errors import CollectionError
from ...files import BOM, Meter, opened_text
from ..rows import BadLine, Row
from ..tables import Table
from .jsonl import open_jsonl, parse_object

_CHUNK = 1 << 16
_BLANK = re.compile(r"[ \t\r\n]*")
_EXTENT = json.JSONDecoder()
"""Finds an element's end; whether it is a document is for ``parse_object`` to say."""


def open_json(path: Path, meter: Meter) -> Table:
    """An array of objects, as it is or gzipped; or what is JSONL under this name.

    Raises CollectionError for a file that is neither.
    """
    with opened_text(path) as stream:
        head = stream.read(_CHUNK).removeprefix(BOM).lstrip()
    if head.startswith(b"{"):
        _require_whole_lines(path, head)
        return open_jsonl(path, meter)
    if not head.startswith(b"["):
        raise CollectionError(f"{path} is no JSON array; give one of objects, or one on each line")
    return Table(_rows(path, meter))


def _require_whole_lines(path: Path, head: bytes) -> None:
    line, end, _ = head.partition(b"\n")
    try:
        if end:
            json.loads(line)
    except (ValueError, RecursionError):
        raise CollectionError(
            f"{path} is neither an array of documents nor has it one on each line; it begins with"
            " an object over several lines: give the array in it, or one object on each line"
        ) from None


def _rows(path: Path, meter: Meter) -> Iterator[Row | BadLine]:
    with opened_text(path, meter) as stream:
        for number, text in enumerate(_elements(path, stream), start=1):
            origin = f"{path} item {number}"
            if not text.isascii() and _is_torn(text):
                yield BadLine(origin, "it is not UTF-8 text")
            else:
                yield parse_object(text, origin)


def _elements(path: Path, stream: BinaryIO) -> Iterator[str]:
    """The elements of an array, each as its text."""
    window = _Window(path, stream)
    window.take("\ufeff")
    window.require("[")
    if window.take("]"):
        window.require_end()
        return
    while True:
        yield window.element()
        if not window.take(","):
            window.require("]")
            window.require_end()
            return


def _is_torn(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes that were no UTF-8 are kept as lone surrogates
        return True
    return False


class _Window:
    """What of a file is in memory, and how far it is read."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self._path = path
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text = ""
        self._at = 0
        self._ended = False
        self._elements = 0

    def take(self, character: str) -> bool:
        """Step over what comes next where it is this character; blanks before it go anyway."""
        if not self._next().startswith(character):
            return False
        self._at += 1
        return True

    def require(self, character: str) -> None:
        if not self.take(character):
            if not self._next():
                raise self._broken("it ends before its array does")
            raise self._broken(f"{self._next()!r} comes where {character!r} must")

    def require_end(self) -> None:
        if self._next():
            raise self._broken("behind its array comes more")

    def element(self) -> str:
        """The text of the element that comes next."""
        self._next()
        wanted = _CHUNK
        while True:
            try:
                _, end = _EXTENT.raw_decode(self._text, self._at)
                if end < len(self._text) or self._ended:  # a number may go on
                    text, self._at = self._text[self._at : end], end
                    self._elements += 1
                    return text
                reason = "it ends before its array does"
            except RecursionError:
                raise self._broken("it is nested too deeply") from None
            except json.JSONDecodeError as error:
                reason = "it ends before its array does" if self._cut_at(error) else error.msg
            if self._ended or len(self._text) - self._at > files.LONGEST_LINE:
                raise self._broken(reason)
            self._more(wanted)
            wanted *= 2

    def _cut_at(self, error: json.JSONDecodeError) -> bool:
        return error.pos >= len(self._text) or error.msg.startswith("Unterminated string")

    def _next(self) -> str:
        """The next character that is not blank; none at the end of the file."""
        while True:
            found = _BLANK.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._more(_CHUNK)

    def _more(self, size: int) -> None:
        content = self._stream.read(size)
        self._ended = not content
        more = self._decoder.decode(content, final=self._ended)
        self._text, self._at = self._text[self._at :] + more, 0

    def _broken(self, reason: str) -> CollectionError:
        return CollectionError(
            f"{self._path} cannot be read to its end: in or behind item {self._elements + 1} the"
            f" JSON breaks: {reason}"
        )
