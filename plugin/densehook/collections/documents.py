"""Documents of files and of what is in memory, as a stream: a bad row is a value."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from ..errors import CollectionError
from ..files import Meter, is_stdin
from ..types import Document
from .irds import documents_of_dataset, knows_datasets
from .parts import Part
from .readers import files_of, format_by_name, is_pattern, open_path
from .rows import BadLine, Naming, Row, named
from .tables import Table, open_table

_DIGITS = 16


class Documents(Iterator[Document | BadLine]):
    """Documents as they are read, once.

    ``columns`` are the fields of all of them, where that is known before they are read; ``meter``
    says how far a file is read, ``source`` is what was named, and ``part`` which part of it they
    are, as 2/8, or nothing. Raises CollectionError as
    ``documents_from``.
    """

    def __init__(
        self,
        tables: Iterable[Table],
        naming: Naming,
        meter: Meter | None = None,
        source: Path | None = None,
        lines: Naming | None = None,
    ) -> None:
        """``lines`` is the naming of what is no document yet where it is read, if it is another."""
        self.meter = meter or Meter()
        self._source = source
        self._lines = lines
        self.part = ""
        self._naming = naming
        tables = iter(tables)
        # the first is opened now: what is wrong with it is known before anything is written
        first = next(tables, Table(iter(())))
        self._name = first.name
        self.columns = self._columns(first)
        self._items: Iterator[Document | BadLine] = map(
            naming.document, chain(first.rows, self._rows(tables))
        )

    def __next__(self) -> Document | BadLine:
        return next(self._items)

    def only(self, part: Part) -> Documents:
        """These documents, from here on those of one part alone."""
        self._items = filter(part.holds, self._items)
        self.part = str(part)
        return self

    def changed(self, change: Callable[[Document], Document]) -> Documents:
        """These documents, from here on each as it is changed."""
        self._items = (each if isinstance(each, BadLine) else change(each) for each in self._items)
        return self

    @property
    def state(self) -> str:
        """What is another where files are others or have changed, or are read in another way.

        Of what a program gives only how it is read is known. Raises CollectionError for files that
        are not there any more.
        """
        source = self._source
        told = [str(source), repr(self._naming), repr(self._lines), self.part]
        if source is not None and (source.exists() or is_pattern(source)):
            for file in files_of(source):
                stat = file.stat()
                told += [str(file.resolve()), str(stat.st_size), str(stat.st_mtime_ns)]
        digest = hashlib.sha256("\0".join(told).encode(errors="surrogateescape"))
        return digest.hexdigest()[:_DIGITS]

    def require_any(self, fields: Sequence[str]) -> None:
        """Raises CollectionError when it is known already that no document has any of these fields.

        A field may be a path into objects.
        """
        if self.columns is None or not fields:
            return
        if not any(name in self.columns or name.split(".")[0] in self.columns for name in fields):
            wanted = " or ".join(map(repr, fields))
            raise CollectionError(
                f"{self._name} has no column {wanted}; it has {named(self.columns)}: rename the"
                f" one that is meant (--rename OLD={fields[0]}; in Python rename=), or make an"
                " index of other inputs (--input; inputs=)"
            )

    def _columns(self, table: Table) -> Sequence[str] | None:
        if table.columns is None:
            return None
        return self._naming.columns(table.columns, table.name)

    def _rows(self, tables: Iterable[Table]) -> Iterator[Row | Document | BadLine]:
        for table in tables:
            self._columns(table)
            yield from table.rows


def documents_from(
    source: Any,
    *,
    id: str | None = None,
    rename: Mapping[str, str] | None = None,
    make_ids: bool = False,
) -> Documents:
    """Documents of whatever holds them, as a stream; what holds none is a BadLine, not the end.

    ``source`` is what ``read_documents`` reads, a data frame (pandas, polars), an Arrow table, a
    dataset of Hugging Face, or any iterable of rows, each a dict, a Document or a BadLine. ``id``
    names the field with the ids, which are text or whole numbers; by default it is the first there
    is of ``_id``, ``id`` and ``docid``. ``rename`` maps names of fields to what the documents
    shall have. With ``make_ids`` a row without an id gets one made of its content: the same row,
    the same id. A field that is NaN is left out.

    Raises CollectionError when there is nothing to read, for columns that leave no id or two of one
    name, and where a file cannot be read to its end.
    """
    if isinstance(source, Documents) and not (id or rename or make_ids):
        return source
    naming = Naming(id, rename or {}, make_ids)
    if isinstance(source, str | Path):
        meter = Meter()
        path = Path(source)
        return Documents(_tables_of(path, meter), naming, meter, path)
    return Documents([open_table(source)], naming)


def read_documents(
    path: Path | str,
    *,
    id: str | None = None,
    rename: Mapping[str, str] | None = None,
    make_ids: bool = False,
) -> Documents:
    """Documents of a file, or of the files of a folder or pattern, in the order of their names.

    JSONL, a JSON array, CSV and TSV, each as it is or gzipped; Parquet and Arrow; a folder of .txt
    and .md; a BEIR folder, of which it is the corpus; a dataset folder of Hugging Face; the name of
    a dataset of ir_datasets; ``-`` for JSONL from standard input. The names of fields are as in
    ``documents_from``, and so is what it raises; MissingExtra when what reads it is not installed.
    """
    return documents_from(str(path), id=id, rename=rename, make_ids=make_ids)


def _tables_of(path: Path, meter: Meter) -> Iterator[Table]:
    if _may_name_dataset(path) and knows_datasets():
        return iter([Table(documents_of_dataset(str(path)), name=str(path))])
    return open_path(path, meter)


def _may_name_dataset(path: Path) -> bool:
    """Whether this is no file, and not written as one."""
    if is_stdin(path) or path.is_absolute() or str(path).startswith(".") or is_pattern(path):
        return False
    try:
        return not path.exists() and format_by_name(path) is None
    except OSError:  # a name too long
        return False
