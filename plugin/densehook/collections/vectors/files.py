"""A file or folder of vectors, whatever its format."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from ...errors import CollectionError
from . import flat, jsonl, parquet
from .numbers import objection, shown_id
from .origin import MadeBy
from .rows import VectorBatch, VectorRow


class Format(Protocol):
    """A format's module here."""

    NAMES: tuple[str, ...]
    """How names end that are written so; a folder has none."""
    IN_FOLDERS: tuple[str, ...]
    """How the names of such files end in a folder of them."""

    def read(self, path: Path) -> Iterator[VectorRow]:
        """The vectors of one file, or of one folder where that is the format."""

    def write(self, path: Path, batches: Iterable[VectorBatch]) -> None:
        """Writes them where nothing is yet."""


FORMATS: Mapping[str, Format] = {"JSONL": jsonl, "Parquet": parquet, "Faiss": flat}
"""The module of each format."""

_WRITTEN = "NAME.jsonl, NAME.jsonl.gz, NAME.parquet, or a NAME without an ending for Faiss' folder"


class Checked(NamedTuple):
    """The ids of the vectors of a file, and the makers that it keeps."""

    ids: set[str]
    makers: set[MadeBy]


@dataclass(frozen=True)
class VectorFile:
    """Vectors on disk, which can be read again and again."""

    path: Path
    files: Sequence[Path]
    format: Format

    def rows(self) -> Iterator[VectorRow]:
        """The vectors in their order. Raises CollectionError with the place of a bad one."""
        for file in self.files:
            yield from self.format.read(file)

    def checked(self, dims: int, *, unit: bool) -> Checked:
        """Ids and makers, when every vector has been read and none is wrong for such a field.

        Raises CollectionError for the first that is, and for an id that is there twice.
        """
        ids: set[str] = set()
        makers: set[MadeBy] = set()
        for id_, vector, origin, maker in self.rows():
            if wrong := objection(vector, dims, unit=unit):
                raise CollectionError(f"{origin}: the vector of {shown_id(id_)} {wrong}")
            if id_ in ids:
                raise CollectionError(f"{origin}: {shown_id(id_)} has a vector already; keep one")
            ids.add(id_)
            makers |= set() if maker is None else {maker}
        if not ids:
            raise CollectionError(f"{self.path} holds no vectors")
        return Checked(ids, makers)


def open_vectors(path: Path) -> VectorFile:
    """Vectors of Pyserini or Anserini: JSONL, Parquet, a folder of either, or Faiss' folder.

    Raises CollectionError where there is none.
    """
    if flat.is_folder_of_faiss(path):
        return VectorFile(path, [path], flat)
    if path.is_dir():
        return _of_folder(path)
    if not path.is_file():
        raise CollectionError(f"no vectors at {path}: no such file or folder")
    for format_ in FORMATS.values():
        if any(end and path.name.lower().endswith(end) for end in format_.IN_FOLDERS):
            return VectorFile(path, [path], format_)
    raise CollectionError(
        f"{path} is of no format that holds vectors; what is read: .jsonl, .json, each as it is or"
        " as .gz; .parquet; a folder of these; a folder of Faiss with 'index' and 'docid'"
    )


def _of_folder(path: Path) -> VectorFile:
    found: dict[Format, list[Path]] = {}
    for file in sorted(path.iterdir()):
        for format_ in FORMATS.values():
            if file.is_file() and file.name.lower().endswith(
                tuple(filter(None, format_.IN_FOLDERS))
            ):
                found.setdefault(format_, []).append(file)
    if len(found) != 1:
        said = "files of several formats; give one of them" if found else "no vectors"
        raise CollectionError(f"{path} holds {said}")
    ((format_, files),) = found.items()
    return VectorFile(path, files, format_)


def require_writable(path: Path) -> Format:
    """The format that a name says. Raises CollectionError for none, and where something is."""
    if path.exists():
        raise CollectionError(f"{path} exists already; remove it, or name another")
    name = path.name.lower()
    for format_ in FORMATS.values():
        if any(name.endswith(end) if end else "." not in name for end in format_.NAMES):
            return format_
    raise CollectionError(f"{path} is a name of no format; write {_WRITTEN}")


def write_vectors(path: Path, batches: Iterable[VectorBatch]) -> None:
    """Writes vectors in the format that the name says, whole or not at all.

    Raises CollectionError as ``require_writable``,
    and for what cannot be written.
    """
    format_ = require_writable(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".vectors-") as scratch:
            made = Path(scratch) / path.name
            format_.write(made, batches)
            made.rename(path)
    except OSError as error:
        raise CollectionError(f"{path} cannot be written: {error.strerror or error}") from error
