"""JSONL: an object on a line, with ``id`` (Pyserini) or ``docid`` (Anserini), and ``vector``."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ...errors import CollectionError
from ...files import text_lines
from ...types import Document
from ..readers.jsonl import parse_object
from ..rows import BadLine, Naming
from .numbers import shortest, vector_of
from .origin import KEY, MadeBy
from .rows import VectorBatch, VectorRow

NAMES: tuple[str, ...] = (".jsonl", ".jsonl.gz")
IN_FOLDERS: tuple[str, ...] = (*NAMES, ".json", ".json.gz")

_NAMING = Naming()


def read(path: Path) -> Iterator[VectorRow]:
    """The rows of a file, as it is or gzipped. Raises CollectionError with file and line."""
    for number, text in text_lines(path):
        origin = f"{path}:{number}"
        row = parse_object(text, origin)
        found: Document | BadLine = row if isinstance(row, BadLine) else _NAMING.document(row)
        if isinstance(found, BadLine):
            raise CollectionError(str(found))
        vector = vector_of(found.fields.get("vector"), origin)
        yield VectorRow(found.id, vector, origin, MadeBy.parsed(found.fields.get(KEY), origin))


def write(path: Path, batches: Iterable[VectorBatch]) -> None:
    """A line a vector, with both names of the id, so that Pyserini and Anserini read it."""
    with _opened(path) as file:
        for batch in batches:
            for id_, text, vector, maker in zip(*batch, strict=True):
                row: dict[str, Any] = {
                    "id": id_,
                    "docid": id_,
                    "contents": text,
                    "vector": shortest(vector),
                }
                if maker is not None:
                    row[KEY] = maker.as_json()
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    if path.suffix != ".gz":
        with path.open("w", encoding="utf-8", newline="\n") as plain:
            yield plain
        return
    # without a date inside, the same vectors are the same bytes
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as text,
    ):
        yield text
