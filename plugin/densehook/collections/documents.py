"""Documents of files and of what is in memory, as a stream: a bad row is a value."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from ..errors import CollectionError
from ..files import Line, lines_of, too_long
from ..types import Document
from .rows import BadLine, Naming, Row
from .tables import open_table

_DEEPEST = 500
"""Objects and lists inside each other: more than Elasticsearch or a serializer takes."""


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
    naming = Naming(id, rename or {}, make_ids)
    if isinstance(source, str | Path):
        path = Path(source)
        return Documents(naming.document(row) for row in _lines(path))
    table = open_table(source)
    columns = None
    if table.columns is not None:
        columns = naming.columns(table.columns, f"the {type(source).__name__}")
    return Documents((naming.document(row) for row in table.rows()), columns)


def read_documents(path: Path) -> Documents:
    """Documents of a JSONL file, as it is or gzipped, or of a folder's .jsonl and .jsonl.gz files.

    Of a BEIR folder it is the corpus. A document is a JSON object with its id under ``_id``,
    ``id`` or ``docid``; the other keys are its fields. Raises CollectionError when there is nothing
    to read, or a file cannot be read to its end.
    """
    return documents_from(path)


class Documents(Iterator[Document | BadLine]):
    """Documents as they are read; ``columns`` are their fields where all have the same."""

    def __init__(
        self, items: Iterable[Document | BadLine], columns: Sequence[str] | None = None
    ) -> None:
        self._items = iter(items)
        self.columns = columns

    def __next__(self) -> Document | BadLine:
        return next(self._items)


def _lines(path: Path) -> Iterator[Row | BadLine]:
    for file in _files(path):
        for line in lines_of(file):
            yield _parse(file, line)


def count_documents(path: Path) -> int:
    """Number of lines that are not blank: what a progress bar counts up to.

    Raises CollectionError as ``read_documents``, for a damaged file before any of it is used.
    """
    return sum(1 for file in _files(path) for _ in lines_of(file))


def _files(path: Path) -> list[Path]:
    try:
        if path.is_file():
            return [path]
        if not path.is_dir():
            said = "it is no file and no folder" if path.exists() else "no such file or folder"
            raise CollectionError(f"no documents at {path}: {said}")
        corpus = [path / name for name in ("corpus.jsonl", "corpus.jsonl.gz")]
        found = [file for file in corpus if file.is_file()][:1]
        found = found or sorted(
            file for file in path.iterdir() if file.name.endswith((".jsonl", ".jsonl.gz"))
        )
    except OSError as error:  # a name too long, a folder that may not be searched
        raise CollectionError(f"no documents at {path}: {error.strerror or error}") from error
    if not found:
        raise CollectionError(f"no documents at {path}: it holds no .jsonl or .jsonl.gz file")
    return found


def _parse(file: Path, line: Line) -> Row | BadLine:
    origin = f"{file}:{line.number}"
    try:
        if line.cut:
            raise ValueError(too_long())
        row = _JSON.decode(line.content.decode())
        if not isinstance(row, dict):
            raise ValueError(f"a document is a JSON object, this is a {type(row).__name__}")
        if line.content.count(b"[") + line.content.count(b"{") > _DEEPEST:
            _require_shallow(row)
        if b"\\ud" in line.content.lower():
            json.dumps(row, ensure_ascii=False).encode()  # no UTF-8 holds a lone surrogate
    except RecursionError:
        return BadLine(origin, "not readable: nested too deeply")
    except ValueError as error:
        return BadLine(origin, str(error))
    return Row(row, origin)


def _require_shallow(row: Any) -> None:
    level = [row]
    for _ in range(_DEEPEST):
        level = [
            child
            for value in level
            for child in (value.values() if isinstance(value, dict) else value)
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise ValueError("not readable: nested too deeply")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"key {twice!r} is there twice in one object")
    return made


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text} is too large a number")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_JSON = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_float, parse_constant=_refuse_constant
)
