"""Reads files that people bring, line by line, as they are or compressed with gzip.

Whether a file is gzip is seen from its first bytes. What cannot be read to its end is an error that
names the file: none of its lines is ever lost without a word.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from .errors import CollectionError

LONGEST_LINE = 100 * 2**20
"""Bytes of a line; Elasticsearch takes no request, and so no document, that is longer."""

_BUFFER = 1 << 17
_BOM = b"\xef\xbb\xbf"
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


def lines_of(path: Path) -> Iterator[Line]:
    """Lines of a file that are not blank; of a line over LONGEST_LINE only that much is given.

    Raises CollectionError when the file cannot be read to its end, or is no text.
    """
    try:
        with path.open("rb") as file, _opened(path, file) as stream:
            number = 0
            while content := stream.readline(LONGEST_LINE):
                number += 1
                cut = len(content) == LONGEST_LINE and not content.endswith(b"\n")
                if cut:
                    _skip_line(stream)
                content = content.removeprefix(_BOM).rstrip(b"\r\n")
                if content.strip():
                    yield Line(number, content, cut)
    except (OSError, EOFError, zlib.error) as error:  # gzip raises all three for a damaged archive
        raise CollectionError(f"{path} cannot be read to its end: {_reason(error)}") from error


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


def too_long() -> str:
    """Why a line that was cut cannot be used."""
    return f"the line is longer than {LONGEST_LINE:,} bytes"


def _opened(path: Path, file: io.BufferedReader) -> BinaryIO:
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
            raise CollectionError(f"{path} cannot be read: it {said}")


def _skip_line(stream: BinaryIO) -> None:
    while (rest := stream.readline(_BUFFER)) and not rest.endswith(b"\n"):
        pass


def _reason(error: Exception) -> str:
    if isinstance(error, gzip.BadGzipFile) and "Not a gzipped file" in str(error):
        return "behind the end of its gzip stream is something that is no gzip"  # it began as one
    return str(getattr(error, "strerror", None) or error)
