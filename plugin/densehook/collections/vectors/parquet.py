"""Parquet: the columns of Anserini, ``docid``, ``contents`` and ``vector``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import CollectionError
from ..readers.arrow import reading, require_pyarrow
from ..rows import ID_FIELDS, named
from ..tables import ROWS_AT_ONCE
from .origin import KEY, MadeBy
from .rows import Maker, VectorBatch, VectorRow

NAMES: tuple[str, ...] = (".parquet",)
IN_FOLDERS = NAMES

_VECTOR = "vector"


def read(path: Path) -> Iterator[VectorRow]:
    """The rows of a file; Raises CollectionError with its row's number, MissingExtra."""
    require_pyarrow()
    import pyarrow.parquet

    with reading(path), pyarrow.parquet.ParquetFile(path) as file:
        id_field = _id_field(path, file.schema_arrow.names)
        _require_lists(path, file.schema_arrow.field(_VECTOR).type)
        kept = (file.metadata.metadata or {}).get(KEY.encode(), b"null")
        made_by, number = MadeBy.loads(kept, str(path)), 0
        for batch in file.iter_batches(ROWS_AT_ONCE, columns=[id_field, _VECTOR]):
            for id_, vector in zip(batch.column(id_field), batch.column(_VECTOR), strict=True):
                number += 1
                yield _row(id_.as_py(), vector, f"{path} row {number}", made_by)


def write(path: Path, batches: Iterable[VectorBatch]) -> None:
    """The vectors as lists of float32. Raises MissingExtra where pyarrow is not installed."""
    require_pyarrow()
    import pyarrow
    import pyarrow.parquet

    schema = pyarrow.schema(
        [
            ("docid", pyarrow.string()),
            ("contents", pyarrow.string()),
            (_VECTOR, pyarrow.list_(pyarrow.float32())),
        ]
    )
    maker = Maker()
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        for ids, texts, vectors, makers in batches:
            maker.hear(makers)
            columns = [list(ids), list(texts), list(vectors)]
            writer.write_batch(pyarrow.record_batch(columns, schema=schema))
        if (made_by := maker.of_all) is not None:
            writer.add_key_value_metadata({KEY: made_by.dumps()})


def _id_field(path: Path, names: Sequence[str]) -> str:
    found = [name for name in ID_FIELDS if name in names]
    if not found or _VECTOR not in names:
        wanted = repr(_VECTOR) if found else "'docid' or 'id'"
        raise CollectionError(f"{path} has no column {wanted}; it has {named(names)}")
    return found[0]


def _require_lists(path: Path, kind: Any) -> None:
    import pyarrow.types as types

    lists = (types.is_list, types.is_large_list, types.is_fixed_size_list)
    if not any(is_one(kind) for is_one in lists) or not types.is_floating(kind.value_type):
        raise CollectionError(
            f"{path} has a column {_VECTOR!r} of {kind}; it must hold lists of floating-point"
            " numbers"
        )


def _row(id_: Any, vector: Any, origin: str, made_by: MadeBy | None) -> VectorRow:
    if isinstance(id_, bool) or not isinstance(id_, str | int) or id_ == "":
        raise CollectionError(f"{origin}: its id is {id_!r}; it must be text or a whole number")
    if not vector.is_valid:
        raise CollectionError(f"{origin}: document {id_!r} has no vector")
    with np.errstate(over="ignore"):
        values = vector.values.to_numpy(zero_copy_only=False).astype(np.float32)
    return VectorRow(str(id_), values, origin, made_by)
