"""Reads documents from JSONL as a stream: one line in memory, a bad line is a value."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ..errors import CollectionError
from ..files import Line, lines_of, too_long
from ..types import Document

_DEEPEST = 500
"""Objects and lists inside each other: more than Elasticsearch or a serializer takes."""


@dataclass(frozen=True)
class BadLine:
    """A line that holds no document, and why."""

    path: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


def read_documents(path: Path) -> Iterator[Document | BadLine]:
    """Documents of a JSONL file, as it is or gzipped, or of a folder's .jsonl and .jsonl.gz files.

    Of a BEIR folder it is the corpus. A document is a JSON object with its id under ``_id`` or
    ``id``; the other keys are its fields. Raises CollectionError when there is nothing to read, or
    a file cannot be read to its end.
    """
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


def _parse(file: Path, line: Line) -> Document | BadLine:
    try:
        if line.cut:
            raise ValueError(too_long())
        row = _JSON.decode(line.content.decode())
        if not isinstance(row, dict):
            raise ValueError(f"a document is a JSON object, this is a {type(row).__name__}")
        if line.content.count(b"[") + line.content.count(b"{") > _DEEPEST:
            _require_shallow(row)
        identity = _identity(row)
        if b"\\ud" in line.content.lower():
            json.dumps(row, ensure_ascii=False).encode()  # no UTF-8 holds a lone surrogate
    except RecursionError:
        return BadLine(file, line.number, "not readable: nested too deeply")
    except ValueError as error:
        return BadLine(file, line.number, str(error))
    return Document(identity, row, f"{file}:{line.number}")


def _identity(fields: dict[str, Any]) -> str:
    for key in ("_id", "id"):
        if key in fields:
            value = fields.pop(key)
            if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
                raise ValueError(f"{key} is {value!r}; it must be a string or a whole number")
            return str(value)
    raise ValueError("no _id and no id")


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
