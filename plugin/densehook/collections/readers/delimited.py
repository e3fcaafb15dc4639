"""CSV and TSV: a header, then a document a row; what a row lacks or has too much is a value."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ... import files
from ...errors import CollectionError
from ...files import BOM, Meter, opened_text
from ..rows import BadLine, Row
from ..tables import Table

_SEPARATOR = re.compile(rb"sep=(.)\r?\n", re.DOTALL)
"""A first line by which Excel is told what parts the cells."""

_CSV_DELIMITERS = ",;\t|"
_SHOWN = 60


class _Record(NamedTuple):
    """Cells of a row, or what is wrong with it, and the line on which it begins."""

    line: int
    cells: Sequence[str]
    fault: str = ""


def open_csv(path: Path, meter: Meter) -> Table:
    """Rows parted by what the header is parted by: commas, semicolons, tabs or bars."""
    return _open(path, meter, _CSV_DELIMITERS)


def open_tsv(path: Path, meter: Meter) -> Table:
    """Rows parted by tabs."""
    return _open(path, meter, "\t")


def _open(path: Path, meter: Meter, delimiters: str) -> Table:
    """Raises CollectionError for a header that is not there or cannot be read."""
    records = _records(path, meter, delimiters)
    header = next(records, None)
    if header is None:
        raise CollectionError(f"{path} is empty; its first row must name the columns")
    if header.fault:
        raise CollectionError(f"{path}:{header.line}: {header.fault}")
    names = [name.strip() for name in header.cells]
    while names and not names[-1]:  # spreadsheets write columns that were never filled
        names.pop()
    # pandas writes the numbers of rows under no name
    names = [name or f"column_{place}" for place, name in enumerate(names, start=1)]
    return Table(_rows(path, records, names), names, str(path))


def _rows(path: Path, records: Iterator[_Record], names: Sequence[str]) -> Iterator[Row | BadLine]:
    for record in records:
        origin = f"{path}:{record.line}"
        fault = record.fault or _misfit(record.cells, names)
        if fault:
            yield BadLine(origin, fault)
        else:  # an empty cell is a field that is not there
            cells = zip(names, record.cells, strict=False)
            yield Row({name: cell for name, cell in cells if cell}, origin)


def _misfit(cells: Sequence[str], names: Sequence[str]) -> str:
    """What is wrong with a row's width; cells behind the last named column must be empty."""
    if len(cells) >= len(names) and not any(cells[len(names) :]):
        return ""
    return (
        f"it has {len(cells)} cell{'s' * (len(cells) != 1)}, the header names {len(names)} columns;"
        " a cell with the delimiter, a quote or a line's end in it is to be quoted"
    )


def _records(path: Path, meter: Meter, delimiters: str) -> Iterator[_Record]:
    """The header and all rows that are not blank."""
    csv.field_size_limit(max(csv.field_size_limit(), files.LONGEST_LINE))
    with opened_text(path, meter) as stream:
        lines = _Lines(stream)
        delimiter = lines.delimiter(delimiters)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        while True:
            begins = lines.number + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield _Record(begins, (), _csv_fault(error, lines.number - begins))
                continue
            if any(cells):
                yield _checked(begins, cells)


def _checked(line: int, cells: Sequence[str]) -> _Record:
    for cell in cells:
        if not cell.isascii():
            try:
                cell.encode()
            except UnicodeEncodeError:
                shown = cell.encode("utf-8", "surrogateescape")[:_SHOWN]
                said = f"{shown!r} is not UTF-8 text; save the file as UTF-8"
                return _Record(line, (), said)
    return _Record(line, cells)


def _csv_fault(error: csv.Error, lines: int) -> str:
    if "unexpected end of data" in str(error):
        return f"a quote opened in this row is never closed; it takes in the {lines} lines after it"
    if "new-line character seen in unquoted field" in str(error):
        return (
            "no row of CSV: a carriage return ends a line alone, or is in a cell without quotes;"
            " write the file with LF or CRLF"
        )
    return f"no row of CSV: {error}"


class _Lines:
    """Lines for the csv module, their ends kept; bytes that are no UTF-8 become lone surrogates."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._first = stream.readline(files.LONGEST_LINE).removeprefix(BOM)
        self.number = 0
        """Lines given so far."""

    def delimiter(self, candidates: str) -> str:
        """What parts the header; where several could, what makes the most columns of it."""
        told = _SEPARATOR.fullmatch(self._first)
        if told:
            self._first = self._stream.readline(files.LONGEST_LINE)
            self.number += 1
            return told[1].decode("latin-1")
        header = self._first.decode("utf-8", "surrogateescape")
        return max(candidates, key=lambda candidate: _width(header, candidate))

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line, self._first = self._first, b""
        line = line or self._stream.readline(files.LONGEST_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        return line.decode("utf-8", "surrogateescape")


def _width(header: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader(io.StringIO(header, newline=""), delimiter=delimiter), ()))
    except csv.Error:
        return 0
