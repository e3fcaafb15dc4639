"""Reads files that people bring, line by line, as they are or compressed with gzip.

Whether a file is gzip is seen from its first bytes. What cannot be read to its end is an error that
names the file: none of its lines is ever lost without a word.
"""

from __future__ import annotations

import gzip
import io
import reprlib
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from .errors import CollectionError

STDIN = "-"

LONGEST_LINE = 100 * 2**20
"""Bytes of a line; Elasticsearch takes no request, and so no document, that is longer."""

_BUFFER = 1 << 17
BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_NOT_READ: Mapping[bytes, str] = {
    b"BZh": "is compressed with bzip2; decompress it first",
    b"\xfd7zXZ\x00": "is compressed with xz; decompress it first",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd; decompress it first",
    b"PK\x03\x04": "is a zip archive; unpack it first",
    b"PAR1": "is a Parquet file; write its rows as JSON, one on a line",
    b"\xff\xfe": "is UTF-16 text; write it as UTF-8",
    b"\xfe\xff": "is UTF-16 text; write it as UTF-8",
}
"""First bytes of what is often given in the place of text, and what to do then."""


class Line(NamedTuple):
    """A line without its end and without a byte order mark; ``cut`` where it was too long."""

    number: int
    content: bytes
    cut: bool


@dataclass
class Meter:
    """Bytes read so far, of how many, as they lie on the disk; of a stream nobody knows the end."""

    read: int = 0
    total: int | None = None


def is_stdin(path: Path) -> bool:
    """Whether ``-``, standard input, is meant."""
    return str(path) == STDIN


def shown(path: Path) -> str:
    """What a file is called in messages."""
    return "standard input" if is_stdin(path) else str(path)


def unread(path: Path, error: Exception) -> CollectionError:
    """What to say of a file that is not there, or not to be opened, or breaks off."""
    if isinstance(error, FileNotFoundError):
        return CollectionError(f"there is no file {path}")
    if isinstance(error, IsADirectoryError | PermissionError):
        return CollectionError(f"{shown(path)} cannot be opened: {_reason(error)}")
    return CollectionError(f"{shown(path)} cannot be read to its end: {_reason(error)}")


@contextmanager
def opened_text(path: Path, meter: Meter | None = None) -> Iterator[BinaryIO]:
    """The bytes of a text file, or of standard input, decompressed where it is gzip.

    Raises CollectionError when the file cannot be read to its end, or is no text.
    """
    try:
        source: str | int = 0 if is_stdin(path) else str(path)
        with io.BufferedReader(_Metered(source, meter or Meter()), _BUFFER) as file:
            yield _opened(path, file)
    except (OSError, EOFError, zlib.error) as error:  # gzip raises all three for a damaged archive
        raise unread(path, error) from error


def lines_of(path: Path, meter: Meter | None = None, longest: int | None = None) -> Iterator[Line]:
    """Lines of a file that are not blank; of a line over the longest only that much is given.

    Raises CollectionError as ``opened_text``.
    """
    longest = LONGEST_LINE if longest is None else longest
    with opened_text(path, meter) as stream:
        number = 0
        while content := stream.readline(longest):
            number += 1
            cut = len(content) == longest and not content.endswith(b"\n")
            if cut:
                _skip_line(stream)
            content = content.removeprefix(BOM).rstrip(b"\r\n")
            if content.strip():
                yield Line(number, content, cut)


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines of a UTF-8 file that are not blank, with their numbers.

    Raises CollectionError as ``lines_of``, and with file and line for one that is no UTF-8 text.
    """
    for number, content, cut in lines_of(path):
        if cut:
            raise CollectionError(f"{path}:{number}: {too_long()}")
        try:
            yield number, content.decode()
        except UnicodeDecodeError as error:
            raise CollectionError(f"{path}:{number}: {error}; write it as UTF-8") from None


def each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, as ``object_pairs_hook`` makes it. Raises ValueError for a key twice."""
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"key {reprlib.repr(twice)} stands twice in one object")
    return made


def too_long() -> str:
    """Why a line that was cut cannot be used."""
    return f"the line is longer than {LONGEST_LINE:,} bytes"


class _Metered(io.FileIO):
    """A file, or the standard input that is left open, whose meter runs as it is read."""

    def __init__(self, source: str | int, meter: Meter) -> None:
        super().__init__(source, closefd=isinstance(source, str))
        self._meter = meter

    def readinto(self, buffer: Any, /) -> int | None:
        count = super().readinto(buffer)
        self._meter.read += count or 0
        return count


def _opened(path: Path, file: io.BufferedReader[_Metered]) -> BinaryIO:
    head = file.peek()
    if not head.startswith(_GZIP):
        if path.suffix == ".gz":
            said = "is empty" if not head else "is not gzip, whatever its name says"
            raise CollectionError(f"{path} cannot be read: it {said}; get it again, or rename it")
        _require_text(path, head)
        return file
    stream = io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=file)), _BUFFER)
    _require_text(path, stream.peek())
    return cast(BinaryIO, stream)


def _require_text(path: Path, head: bytes) -> None:
    for magic, said in _NOT_READ.items():
        if head.startswith(magic):
            raise CollectionError(f"{shown(path)} cannot be read: it {said}")


def _skip_line(stream: BinaryIO) -> None:
    while (rest := stream.readline(_BUFFER)) and not rest.endswith(b"\n"):
        pass


def _reason(error: Exception) -> str:
    if isinstance(error, gzip.BadGzipFile) and "Not a gzipped file" in str(error):
        return "behind the end of its gzip stream is something that is no gzip"  # it began as one
    return str(getattr(error, "strerror", None) or error)
