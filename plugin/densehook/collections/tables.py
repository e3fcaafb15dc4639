"""Rows of what is in memory: data frames, Arrow tables, datasets, and people's own iterables.

Each kind is known by what it can do, so that none of their libraries is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import CollectionError
from ..types import Document
from .rows import BadLine, Row
from .values import plain_fields

ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class Table:
    """Rows, to be read once; ``columns`` where all rows have the same; what they are called."""

    rows: Iterator[Row | Document | BadLine]
    columns: Sequence[str] | None = None
    name: str = ""


def open_table(source: Any) -> Table:
    """What an object in memory holds. Raises CollectionError when that is no rows."""
    for can, opened in _KINDS.items():
        if all(hasattr(source, name) for name in can):
            return opened(source)
    if isinstance(source, Mapping):
        keys = ", ".join(map(repr, list(source)[:5]))
        raise CollectionError(
            f"a {type(source).__name__} with {keys} is no documents; give one of what it holds, or"
            " [it] when it is one row"
        )
    if isinstance(source, str | bytes | Document) or not isinstance(source, Iterable):
        raise CollectionError(
            f"documents cannot be read from a {type(source).__name__}; give a path, a data frame,"
            " or rows, each a dict"
        )
    columns = getattr(source, "column_names", None)  # a dataset of Hugging Face has them
    return Table(
        _numbered(source), columns if isinstance(columns, list) else None, _name_of(source)
    )


def rows_of(records: Iterable[Mapping[Any, Any]], what: str = "row") -> Iterator[Row | BadLine]:
    """Records of a table, numbered from 1; a field without a value is left out."""
    for number, record in enumerate(records, start=1):
        there = {name: value for name, value in record.items() if value is not None}
        yield _row(f"{what} {number}", there)


def records_of_batch(batch: Any) -> Iterator[Mapping[str, Any]]:
    """Records of an Arrow batch, few of them in memory; a map is an object, not a list of pairs."""
    # pyarrow before 20 does not know the option, and most tables have no map
    options = {"maps_as_pydicts": "strict"} if "map<" in str(batch.schema) else {}
    for start in range(0, batch.num_rows, ROWS_AT_ONCE):
        yield from batch.slice(start, ROWS_AT_ONCE).to_pylist(**options)


def _numbered(items: Iterable[Any]) -> Iterator[Row | Document | BadLine]:
    for number, item in enumerate(items, start=1):
        if isinstance(item, BadLine):
            yield item
        elif isinstance(item, Document):
            yield _plain_document(item, item.origin or f"row {number}")
        elif isinstance(item, Mapping):
            yield _row(f"row {number}", item)
        else:
            said = f"a document is a dict, this is a {type(item).__name__}"
            yield BadLine(f"row {number}", said)


def _row(origin: str, record: Mapping[Any, Any]) -> Row | BadLine:
    try:
        return Row(plain_fields(record), origin)
    except ValueError as error:
        return BadLine(origin, str(error))


def _plain_document(document: Document, origin: str) -> Document | BadLine:
    row = _row(origin, document.fields)
    return row if isinstance(row, BadLine) else replace(document, fields=row.fields)


def _name_of(source: Any) -> str:
    return f"the {type(source).__name__}"


def _open_pandas(frame: Any) -> Table:
    if any(name is not None for name in frame.index.names):  # a named index is a column as well
        try:
            frame = frame.reset_index()
        except ValueError as error:
            raise CollectionError(f"the data frame's index is no column: {error}") from None

    def records() -> Iterator[Mapping[Any, Any]]:
        for start in range(0, len(frame), ROWS_AT_ONCE):
            yield from frame.iloc[start : start + ROWS_AT_ONCE].to_dict("records")

    return Table(rows_of(records()), [str(name) for name in frame.columns], _name_of(frame))


def _open_polars(frame: Any) -> Table:
    return Table(rows_of(frame.iter_rows(named=True)), list(frame.columns), _name_of(frame))


def _open_arrow(table: Any) -> Table:
    records = (record for batch in table.to_batches() for record in records_of_batch(batch))
    return Table(rows_of(records), list(table.schema.names), _name_of(table))


_KINDS: Mapping[tuple[str, ...], Callable[[Any], Table]] = {
    ("iloc", "to_dict", "columns"): _open_pandas,
    ("iter_rows", "columns"): _open_polars,
    ("to_batches", "schema"): _open_arrow,
}
"""What the kinds of tables can do, and how each is opened."""
