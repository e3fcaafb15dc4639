"""Which format a file has, by its first bytes, its name, or else by how its text begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...errors import CollectionError
from ...files import BOM, Meter, is_stdin, opened_text, unread
from ..tables import Table
from .arrow import open_arrow, open_parquet
from .delimited import open_csv, open_tsv
from .json_array import open_json
from .jsonl import open_jsonl

_HEAD = 1 << 12


@dataclass(frozen=True)
class Format:
    """A format and how a file of it is opened; ``gzips`` where it may be gzipped as well."""

    name: str
    open: Callable[[Path, Meter], Table]
    gzips: bool = True


JSONL = Format("JSONL", open_jsonl)
JSON = Format("JSON", open_json)
CSV = Format("CSV", open_csv)
TSV = Format("TSV", open_tsv)
PARQUET = Format("Parquet", open_parquet, gzips=False)
ARROW = Format("Arrow", open_arrow, gzips=False)

FORMATS: Mapping[str, Format] = {
    ".jsonl": JSONL,
    ".ndjson": JSONL,
    ".json": JSON,
    ".csv": CSV,
    ".tsv": TSV,
    ".parquet": PARQUET,
    ".arrow": ARROW,
    ".feather": ARROW,
}
"""Formats by how a name ends; before a .gz too where they are text."""

_MAGIC: Mapping[bytes, Format] = {b"PAR1": PARQUET, b"ARROW1": ARROW}
"""Formats by the first bytes, whatever the name says."""

_POINTER = b"version https://git-lfs.github.com/"
"""How a file begins that a clone without Git LFS has in the place of a large one."""

_BEGINNINGS: Mapping[bytes, Format] = {b"{": JSONL, b"[": JSON}
"""Formats by how the text of a file begins whose name says nothing."""

_ADVICE: Mapping[str, str] = {
    **dict.fromkeys((".xlsx", ".xls", ".ods"), "save the sheet as CSV in UTF-8"),
    **dict.fromkeys((".pdf", ".docx", ".html"), "take the text out of it, into .txt or .md"),
    **dict.fromkeys((".txt", ".md"), "give the folder it is in, of which each file is a document"),
    **dict.fromkeys((".db", ".sqlite", ".avro", ".orc", ".xml", ".yaml"), "write it as JSONL"),
}
"""What to do with files that are often given; .txt may yet be JSON by another name."""


def readable() -> str:
    """The list of what can be read, for messages."""
    return (
        ".jsonl, .json (an array), .csv and .tsv, each as it is or as .gz; .parquet, .arrow,"
        " .feather; a folder of one of these or of .txt and .md; a BEIR folder; a dataset folder of"
        " Hugging Face; a name of ir_datasets; - for JSONL from standard input"
    )


def format_by_name(path: Path) -> Format | None:
    """The format that a file's name says."""
    suffix = path.suffix.lower()
    if suffix == ".gz":
        format_ = FORMATS.get(Path(path.stem).suffix.lower())
        return format_ if format_ is not None and format_.gzips else None
    return FORMATS.get(suffix)


def format_of(path: Path) -> Format:
    """The format of a file. Raises CollectionError, with the list, for one that cannot be read."""
    if is_stdin(path):
        return JSONL
    return _by_magic(path) or format_by_name(path) or _by_beginning(path)


def _by_magic(path: Path) -> Format | None:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise unread(path, error) from error
    if head.startswith(_POINTER):
        raise CollectionError(
            f"{path} is a pointer of Git LFS and not the file itself; fetch that with: git lfs pull"
        )
    return next((found for magic, found in _MAGIC.items() if head.startswith(magic)), None)


def _by_beginning(path: Path) -> Format:
    advice = _ADVICE.get(path.suffix.lower())
    if advice is None or path.suffix.lower() == ".txt":
        with opened_text(path) as stream:
            head = stream.read(_HEAD).removeprefix(BOM).lstrip()
        if head[:1] in _BEGINNINGS:
            return _BEGINNINGS[head[:1]]
    named = f"a {path.suffix} file" if path.suffix else "of a format that nobody can tell"
    said = f"{path} is {named}, which is not read" + (f": {advice}" if advice else "")
    raise CollectionError(f"{said}; what is read: {readable()}")
