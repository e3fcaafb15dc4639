"""Parquet and Arrow files, a batch of rows in memory; the only door to pyarrow."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import CollectionError, MissingExtra
from ...files import Meter
from ..tables import ROWS_AT_ONCE, Table, records_of_batch, rows_of

if TYPE_CHECKING:
    import pyarrow

_BUFFER = 1 << 20
_FILE_MAGIC = b"ARROW1"
_STREAM_END = b"\0\0\0\0"
"""How a stream ends whose writer came to the end."""


def open_parquet(path: Path, meter: Meter) -> Table:
    """The rows of a Parquet file. Raises MissingExtra where pyarrow is not installed."""
    require_pyarrow()
    import pyarrow.parquet

    with reading(path):
        # page by page: without a buffer's size whole columns of a row group are read at once
        file = pyarrow.parquet.ParquetFile(path, buffer_size=_BUFFER)
        names = list(file.schema_arrow.names)

    def batches() -> Iterator[pyarrow.RecordBatch]:
        size, begun, done = path.stat().st_size, meter.read, 0
        with file:
            for batch in file.iter_batches(ROWS_AT_ONCE):
                yield batch
                done += batch.num_rows
                meter.read = begun + size * done // file.metadata.num_rows
        meter.read = begun + size

    return Table(rows_of(_records(path, batches()), f"{path} row"), names, str(path))


def open_arrow(path: Path, meter: Meter) -> Table:
    """The rows of an Arrow file, also called Feather, or of an Arrow stream.

    Raises MissingExtra where pyarrow is not installed.
    """
    require_pyarrow()
    import pyarrow

    with reading(path):
        source = pyarrow.memory_map(str(path))
        is_file = source.read(len(_FILE_MAGIC)) == _FILE_MAGIC
        source.seek(0)
        opened = pyarrow.ipc.open_file(source) if is_file else pyarrow.ipc.open_stream(source)
        if not is_file:
            _require_ended(path)

    def batches() -> Iterator[pyarrow.RecordBatch]:
        begun = meter.read
        with source, opened:
            for batch in _batches_of_file(opened) if is_file else opened:
                meter.read = begun + source.tell()
                yield batch
        meter.read = begun + path.stat().st_size

    return Table(
        rows_of(_records(path, batches()), f"{path} row"), list(opened.schema.names), str(path)
    )


def _batches_of_file(file: Any) -> Iterator[pyarrow.RecordBatch]:
    for number in range(file.num_record_batches):
        yield file.get_batch(number)


def _records(path: Path, batches: Iterator[pyarrow.RecordBatch]) -> Iterator[Mapping[str, Any]]:
    with reading(path):
        for batch in batches:
            yield from records_of_batch(batch)


def require_pyarrow() -> None:
    """Raises MissingExtra where pyarrow is not installed."""
    if importlib.util.find_spec("pyarrow") is None:
        raise MissingExtra("pyarrow", "files")


def _require_ended(path: Path) -> None:
    """A stream cut between two batches reads as if it were whole."""
    with path.open("rb") as file:
        file.seek(-len(_STREAM_END), 2)
        if file.read() != _STREAM_END:
            raise CollectionError(
                f"{path} is cut off: it lacks the end of its stream; get it again"
            )


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """What pyarrow raises in the block, as one line."""
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise CollectionError(f"{path} cannot be read to its end: {reason}") from error
