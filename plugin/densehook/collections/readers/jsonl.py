"""JSONL: a document is an object on a line; a bad line is a value."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from ...files import Line, Meter, each_key_once, lines_of, shown, too_long
from ..rows import BadLine, Row
from ..tables import Table

_DEEPEST = 500
"""Objects and lists inside each other: more than Elasticsearch or a serializer takes."""

_SURROGATE = re.compile(r"\\u[dD]")


def open_jsonl(path: Path, meter: Meter) -> Table:
    """A file with an object on each line, as it is or gzipped; or standard input."""
    return Table(rows_of_lines(path, meter))


def parse_object(text: str, origin: str) -> Row | BadLine:
    """The row that a JSON object is, or why it is none."""
    try:
        row = _JSON.decode(text)
        if not isinstance(row, dict):
            raise ValueError(f"a document is a JSON object, this is a {type(row).__name__}")
        if text.count("[") + text.count("{") > _DEEPEST:
            _require_shallow(row)
        if _SURROGATE.search(text):
            json.dumps(row, ensure_ascii=False).encode()  # no UTF-8 holds a lone surrogate
    except RecursionError:
        return BadLine(origin, "not readable: nested too deeply", text)
    except ValueError as error:
        return BadLine(origin, str(error), text)
    return Row(row, origin)


def rows_of_lines(path: Path, meter: Meter, longest: int | None = None) -> Iterator[Row | BadLine]:
    """The object on each line of a file, or why there is none."""
    for line in lines_of(path, meter, longest):
        yield _row(line, f"{shown(path)}:{line.number}")


def _row(line: Line, origin: str) -> Row | BadLine:
    if line.cut:
        return BadLine(origin, too_long())
    try:
        return parse_object(line.content.decode(), origin)
    except UnicodeDecodeError as error:
        return BadLine(origin, str(error), line.content.decode(errors="replace"))


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


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text} is too large a number")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_JSON = json.JSONDecoder(
    object_pairs_hook=each_key_once, parse_float=_float, parse_constant=_refuse_constant
)
