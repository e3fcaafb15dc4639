"""Which files a path means: one, those of a pattern, standard input, or those of a folder."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import CollectionError
from ...files import Meter, is_stdin
from ..tables import Table
from .formats import (
    ARROW,
    CSV,
    JSON,
    JSONL,
    PARQUET,
    TSV,
    Format,
    format_by_name,
    format_of,
    readable,
)
from .texts import open_texts

_BEIR = ("corpus.jsonl", "corpus.jsonl.gz")
_CORPUS = "corpus"
"""The folder with the documents of a retrieval dataset of the hub, beside that of its queries."""

_PATTERN = re.compile(r"[*?\[]")
_SPLIT = re.compile(r"(.+)-\d{5}-of-\d{5}\.[^/]+")
"""How the parts of a dataset's split are called on Hugging Face's hub."""

_WHOLE_SPLIT = re.compile(r"(.*[-_.])?(train|test|validation|valid|val|dev)\.[^/]+", re.IGNORECASE)
"""How a split in one file is called."""

_TEXTS = (".txt", ".md", ".txt.gz", ".md.gz")

_DATA: Sequence[Sequence[Format]] = ((JSONL,), (PARQUET, ARROW, CSV, TSV))
"""Formats looked for in a folder; those of the second row only where there is none of the first."""

_ABOUT = ("readme", "license", "changelog")
"""How files begin that tell of a folder's data and are none of it."""


def open_path(path: Path, meter: Meter) -> Iterator[Table]:
    """A table for each file that is meant; all of a folder of texts are one table.

    Raises CollectionError when there is none, they do not belong together, or one cannot be read.
    """
    try:
        files = files_of(path)
        meter.total = None if is_stdin(path) else sum(file.stat().st_size for file in files)
    except OSError as error:  # a name too long, a folder that may not be searched
        raise CollectionError(f"no documents at {path}: {error.strerror or error}") from error
    if all(map(_is_text, files)) and not path.is_file():
        yield open_texts(_root(path), files, meter)
        return
    for file in files:
        yield format_of(file).open(file, meter)


def is_pattern(path: Path) -> bool:
    """Whether a path has wildcards, and may mean several files."""
    return _PATTERN.search(str(path)) is not None


def files_of(path: Path) -> Sequence[Path]:
    """The files that a path means. Raises CollectionError when there is none."""
    if is_stdin(path) or path.is_file():
        return [path]
    if path.is_dir():
        return _of_folder(path)
    if path.exists():
        raise CollectionError(f"no documents at {path}: it is no file and no folder")
    if is_pattern(path):
        return _matching(path)
    raise CollectionError(f"no documents at {path}: no such file or folder")


def _matching(pattern: Path) -> Sequence[Path]:
    anchor = Path(pattern.anchor)
    try:
        matching = list(anchor.glob(str(pattern.relative_to(anchor))))
    except ValueError as error:  # two stars within a name
        raise CollectionError(f"no documents at {pattern}: {error}") from error
    found = sorted(file for file in matching if file.is_file())
    if not found:
        raise CollectionError(f"no documents at {pattern}: no file is called like that")
    return found


def _root(path: Path) -> Path:
    """The folder, or that of a pattern which has no wildcard in its name."""
    while is_pattern(path) and not path.exists():
        path = path.parent
    return path


def _of_folder(folder: Path) -> Sequence[Path]:
    corpus = [file for name in _BEIR if (file := folder / name).is_file()][:1]
    if not corpus and (folder / _CORPUS).is_dir() and any(folder.glob("quer*")):
        return _of_folder(folder / _CORPUS)
    data = corpus or _saved(folder) or _data(folder, _by_format(folder.iterdir()))
    if data:
        return data
    below = sorted(_visible(folder))
    found = _by_format(below)
    data = _data(folder, found) or found.get(JSON, [])
    texts = [file for file in below if _is_text(file)]
    if data:
        others = [file for file in texts if not file.name.lower().startswith(_ABOUT)]
        _require_one_part(folder, [*data, *others])
    if not data and not texts:
        raise CollectionError(f"no documents at {folder}: it holds none of {readable()}")
    return data or texts


def _is_text(file: Path) -> bool:
    return file.name.lower().endswith(_TEXTS)


def _visible(folder: Path) -> Iterator[Path]:
    """Files in a folder and below, but none whose path there has a name like .git or _SUCCESS."""
    for file in folder.rglob("*"):
        parts = file.relative_to(folder).parts
        if not any(part.startswith((".", "_")) for part in parts) and file.is_file():
            yield file


def _by_format(files: Iterable[Path]) -> Mapping[Format, Sequence[Path]]:
    found: dict[Format, list[Path]] = {}
    for file in sorted(files):
        if (named := format_by_name(file)) is not None:
            found.setdefault(named, []).append(file)
    return found


def _data(folder: Path, found: Mapping[Format, Sequence[Path]]) -> Sequence[Path]:
    """The files with rows. Raises CollectionError when they do not belong together."""
    for row in _DATA:
        files = [file for each in row for file in found.get(each, ())]
        if files:
            _require_one_part(folder, files)
            return files
    return []


def _require_one_part(folder: Path, files: Sequence[Path]) -> None:
    """Raises CollectionError for files of several formats, folders or splits of a dataset."""
    parts = Counter(_part(folder, file) for file in files)
    if len(parts) > 1:
        counted = ", ".join(f"{count} {pattern}" for pattern, count in parts.items())
        raise CollectionError(
            f"{folder} holds files that do not belong together ({counted}); say which:"
            f" '{folder / next(iter(parts))}'"
        )


def _part(folder: Path, file: Path) -> str:
    """The pattern of the files that belong together with this one."""
    if split := _SPLIT.fullmatch(file.name):
        name = f"{split[1]}-*"
    elif _WHOLE_SPLIT.fullmatch(file.name):
        name = file.name
    else:
        name = f"*{(Path(file.stem) if file.suffix == '.gz' else file).suffix}*"
    return str(file.relative_to(folder).parent / name)


def _saved(folder: Path) -> Sequence[Path]:
    """Files of a dataset that Hugging Face's library saved with save_to_disk."""
    splits = _list(folder / "dataset_dict.json", "splits")
    if len(splits) == 1:
        return _saved(folder / str(splits[0]))
    if splits:
        raise CollectionError(
            f"{folder} is a dataset of the splits {', '.join(map(str, splits))}; give the folder of"
            f" one: {folder / str(splits[0])}"
        )
    parts = _list(folder / "state.json", "_data_files")
    files = [folder / str(part.get("filename")) for part in parts if isinstance(part, dict)]
    for file in files:
        if not file.is_file():
            raise CollectionError(f"{folder} is not whole: it lacks {file.name}; get it again")
    return files


def _list(path: Path, key: str) -> Sequence[Any]:
    """A list in a JSON file; empty where it, or the file, is not there."""
    if not path.is_file():
        return []
    try:
        read = json.loads(path.read_bytes())
    except ValueError as error:
        raise CollectionError(f"{path} cannot be read: {error}") from error
    found = read.get(key) if isinstance(read, dict) else None
    return found if isinstance(found, list) else []
