"""Impacts as Pyserini keeps them for its impact indices: a weight for each token of a document.

JSONL: ``{"id": "d1", "contents": "…", "vector": {"token": 12, …}}``; needs no other library.
"""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import CollectionError
from ..files import text_lines
from .readers.jsonl import parse_object
from .rows import BadLine, Naming
from .runs import writing

_ENDS = (".jsonl", ".jsonl.gz", ".json", ".json.gz")
_NAMING = Naming()


class Impacts(NamedTuple):
    """A document's text, its weights by token, and where it was read.

    ``zeros`` counts tokens of weight 0, which no index keeps.
    """

    id: str
    contents: str
    weights: Mapping[str, float]
    origin: str = ""
    zeros: int = 0


def read_impacts(path: Path) -> Iterator[Impacts]:
    """The documents of a file, as it is or gzipped, or of the files of a folder by their names.

    Raises CollectionError with file and line of what holds no impacts, or an id a second time.
    """
    ids: set[str] = set()
    for file in _files(path):
        for number, text in text_lines(file):
            found = _impacts(text, f"{file}:{number}")
            if found.id in ids:
                raise CollectionError(f"{found.origin}: id {found.id!r} is there already; keep one")
            ids.add(found.id)
            yield found
    if not ids:
        raise CollectionError(f"{path} holds no impacts")


def write_impacts(path: Path, documents: Iterable[Impacts]) -> int:
    """Writes documents as Pyserini's impact indices are made of; gives how many.

    Raises CollectionError where something is there already, or it cannot be written.
    """
    if path.exists():
        raise CollectionError(f"{path} exists already; remove it, or name another")
    if not path.name.endswith(".jsonl"):
        raise CollectionError(f"{path} is a name of no format; write NAME.jsonl")
    count, partial = 0, path.with_name(f".{path.name}.partial")
    try:
        with writing(partial) as file:
            for each in documents:
                row = {"id": each.id, "contents": each.contents, "vector": dict(each.weights)}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                count += 1
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
    return count


def _files(path: Path) -> Sequence[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise CollectionError(f"no impacts at {path}: no such file or folder")
    return sorted(file for file in path.iterdir() if file.name.lower().endswith(_ENDS))


def _impacts(text: str, origin: str) -> Impacts:
    row = parse_object(text, origin)
    found = row if isinstance(row, BadLine) else _NAMING.document(row)
    if isinstance(found, BadLine):
        raise CollectionError(str(found))
    contents = found.fields.get("contents", "")
    if not isinstance(contents, str):
        raise CollectionError(f"{origin}: contents is {reprlib.repr(contents)}; it must be text")
    weights = _weights(found.fields.get("vector"), origin)
    kept = {token: weight for token, weight in weights.items() if weight}
    return Impacts(found.id, contents, kept, origin, len(weights) - len(kept))


def _weights(value: Any, origin: str) -> Mapping[str, float]:
    if not isinstance(value, Mapping):
        raise CollectionError(
            f"{origin}: its vector is {reprlib.repr(value)}; an impact vector is an object with a"
            " weight for each token (densehook vectors import reads lists of numbers)"
        )
    for token, weight in value.items():
        is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not token or not is_number or not 0 <= weight < math.inf:
            raise CollectionError(
                f"{origin}: token {token!r} has the weight {reprlib.repr(weight)}; a weight is a"
                " number from 0 on, of a token that is not empty"
            )
    return value
