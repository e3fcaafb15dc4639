"""Reads documents from JSONL as a stream: one line in memory, a bad line is a value."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn, cast

from ..errors import CollectionError
from ..types import Document


@dataclass(frozen=True)
class BadLine:
    """A line that holds no document, and why."""

    path: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


def read_documents(path: Path) -> Iterator[Document | BadLine]:
    """Documents of a .jsonl or .jsonl.gz file, or of a folder of them (a BEIR folder's corpus).

    A document is a JSON object with its id under ``_id`` or ``id``; the other keys are its fields.
    Raises CollectionError when there is nothing to read.
    """
    for file in _files(path):
        yield from _read_file(file)


def count_documents(path: Path) -> int:
    """Number of lines that are not blank: what a progress bar counts up to."""
    total = 0
    for file in _files(path):
        with _open(file) as lines:
            total += sum(1 for line in lines if line.strip())
    return total


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise CollectionError(f"no documents at {path}: there is no such file or folder")
    corpus = [path / name for name in ("corpus.jsonl", "corpus.jsonl.gz")]
    found = [file for file in corpus if file.is_file()][:1]
    found = found or sorted([*path.glob("*.jsonl"), *path.glob("*.jsonl.gz")])
    if not found:
        raise CollectionError(f"no documents at {path}: it holds no .jsonl or .jsonl.gz file")
    return found


def _open(file: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(file)) if file.suffix == ".gz" else file.open("rb")


def _read_file(file: Path) -> Iterator[Document | BadLine]:
    try:
        with _open(file) as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _parse(file, number, line)
    except (OSError, EOFError) as error:  # gzip raises both for a damaged archive
        raise CollectionError(f"{file} cannot be read to its end: {error}") from error


def _parse(file: Path, number: int, line: bytes) -> Document | BadLine:
    try:
        row = json.loads(line.decode("utf-8-sig"), parse_constant=_refuse_constant)
        if not isinstance(row, dict):
            raise ValueError(f"a document is a JSON object, this is a {type(row).__name__}")
        fields = dict(row)
        identity = _identity(fields)
        if b"\\ud" in line.lower():
            json.dumps(row, ensure_ascii=False).encode()  # no UTF-8 holds a lone surrogate
    except RecursionError:
        return BadLine(file, number, "not readable: nested too deeply")
    except ValueError as error:
        return BadLine(file, number, str(error))
    return Document(identity, fields, f"{file}:{number}")


def _identity(fields: dict[str, Any]) -> str:
    for key in ("_id", "id"):
        if key in fields:
            value = fields.pop(key)
            if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
                raise ValueError(f"{key} is {value!r}; it must be a string or a whole number")
            return str(value)
    raise ValueError("no _id and no id")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
