"""A folder of .txt and .md files: a document is a file, its id the path in the folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ... import files
from ...errors import CollectionError
from ...files import BOM, Meter, opened_text
from ..rows import BadLine, Row
from ..tables import Table

_COLUMNS = ("_id", "title", "text")

_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*")
_FENCE = re.compile(r" {0,3}(```|~~~)")


def open_texts(root: Path, paths: Sequence[Path], meter: Meter) -> Table:
    """The files below a folder; what cannot be read of one is a BadLine with its name."""
    return Table((_row(root, path, meter) for path in paths), _COLUMNS, str(root))


def _row(root: Path, path: Path, meter: Meter) -> Row | BadLine:
    try:
        with opened_text(path, meter) as stream:
            content = stream.read(files.LONGEST_LINE + 1)
    except CollectionError as error:
        return BadLine(str(path), str(error).removeprefix(f"{path} "))
    if len(content) > files.LONGEST_LINE:
        return BadLine(str(path), f"it is longer than {files.LONGEST_LINE:,} bytes")
    try:
        text = content.removeprefix(BOM).decode()
    except UnicodeDecodeError as error:
        return BadLine(str(path), f"{error}; write it as UTF-8")
    name = Path(path.stem) if path.suffix == ".gz" else path
    title = (_first_heading(text) if name.suffix == ".md" else "") or name.stem
    fields = {"_id": path.relative_to(root).as_posix(), "title": title, "text": text}
    return Row(fields, str(path))


def _first_heading(text: str) -> str:
    """The first heading of Markdown that is not in a block of code; "" without any."""
    return next(_headings(text), "")


def _headings(text: str) -> Iterator[str]:
    fence = ""
    for line in text.splitlines():
        if mark := _FENCE.match(line):
            fence = "" if mark[1] == fence else fence or mark[1]
        elif not fence and (heading := _HEADING.fullmatch(line)) and heading[1]:
            yield heading[1]
