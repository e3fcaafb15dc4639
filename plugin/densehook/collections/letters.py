r"""Dead letters: what could not be indexed, whole, in a file to be mended and fed again.

    {"origin": "corpus.jsonl:17", "id": "17", "reason": "document '17': …", "again": false,
     "document": {"title": "…"}}
    {"origin": "corpus.jsonl:18", "id": "", "reason": "…", "again": false, "line": "{\"_id\": 1"}

A line of JSON each. ``again`` says that a second try may well do, with nothing to be mended.
``line`` is what was read where that is no document: mended, it is read again; where somebody writes
``document`` and ``id`` beside it, those are taken.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..files import LONGEST_LINE, Meter
from ..types import Document
from .documents import Documents
from .readers.jsonl import parse_object, rows_of_lines
from .rows import BadLine, Naming, Row
from .tables import Table

_LETTER = "letter"
_LONGEST = 2 * LONGEST_LINE + 4096
"""Of a letter: a line of the longest, in JSON once more, and why it was refused."""


def read_letters(
    path: Path | str,
    *,
    id: str | None = None,
    rename: Mapping[str, str] | None = None,
    make_ids: bool = False,
) -> Documents:
    """The documents of a file of letters, as a stream; one that still holds none is a BadLine.

    Documents are as they were, their ids and the names of their fields too; what is named here is
    of lines that were mended. Raises CollectionError for a file that is not there, or cannot be
    read to its end.
    """
    meter = Meter()
    naming = Naming(id, rename or {}, make_ids)
    letters = _letters(Path(path), naming, meter)
    return Documents([Table(letters, name=str(path))], Naming(), meter, Path(path), naming)


def _letters(path: Path, naming: Naming, meter: Meter) -> Iterator[Document | BadLine]:
    for row in rows_of_lines(path, meter, _LONGEST):
        if isinstance(row, BadLine):
            yield _unread(row.origin, row.reason, row.content)
        else:
            yield _read(row, naming)


def _unread(origin: str, reason: str, letter: Any) -> BadLine:
    """What is no letter is kept as one, so that the next time it is no document either."""
    return BadLine(origin, reason, json.dumps({_LETTER: letter}, ensure_ascii=False))


def _read(letter: Row, naming: Naming) -> Document | BadLine:
    document, line = letter.fields.get("document"), letter.fields.get("line")
    if isinstance(document, Mapping):
        id_ = letter.fields.get("id")
        if isinstance(id_, str) and id_:
            return Document(id_, document, letter.origin)
        said = f"id is {json.dumps(id_)}; it must be a string, as the index shall have it"
        return _unread(letter.origin, said, letter.fields)
    if isinstance(line, str):
        return _line(line, letter.origin, naming)
    said = "it has no document and no line; give a file that ingest --failures wrote"
    return _unread(letter.origin, said, letter.fields)


def _line(line: str, origin: str, naming: Naming) -> Document | BadLine:
    """The document on a line of the source, or in a letter that was none when it was read."""
    row = parse_object(line, origin)
    if isinstance(row, BadLine) or row.fields.keys() != {_LETTER}:
        return naming.document(row)
    kept = row.fields[_LETTER]
    inner = parse_object(kept if isinstance(kept, str) else json.dumps(kept), origin)
    return (
        _unread(origin, inner.reason, kept) if isinstance(inner, BadLine) else _read(inner, naming)
    )
