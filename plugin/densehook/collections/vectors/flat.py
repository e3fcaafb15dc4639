"""Faiss, as Pyserini keeps it: a folder with a flat ``index`` and the ``docid`` of each vector."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...errors import CollectionError, MissingExtra, missing_of
from ...files import text_lines
from .numbers import shown_id
from .origin import MadeBy
from .rows import Maker, VectorBatch, VectorRow

NAMES: tuple[str, ...] = ("",)
IN_FOLDERS = NAMES

INDEX, DOCID = "index", "docid"
_MADE_BY = "densehook.json"  # Pyserini and Faiss open the other two by name
_AT_ONCE = 1000


def is_folder_of_faiss(path: Path) -> bool:
    """Whether a folder holds either of the two files."""
    return path.is_dir() and any((path / name).is_file() for name in (INDEX, DOCID))


def read(path: Path) -> Iterator[VectorRow]:
    """The vectors in the order of the index. Raises CollectionError, MissingExtra."""
    faiss = _faiss()
    for name in (INDEX, DOCID):
        if not (path / name).is_file():
            raise CollectionError(f"{path} is no index of Faiss: it lacks the file {name!r}")
    try:
        index = faiss.read_index(str(path / INDEX))
    except RuntimeError as error:
        raise CollectionError(f"{path / INDEX} cannot be read: {_reason(error)}") from None
    # what is cast down belongs to the index that was read, and dies with it
    kind = type(faiss.downcast_index(index))
    if not issubclass(kind, faiss.IndexFlat):
        raise CollectionError(
            f"{path / INDEX} is of type {kind.__name__}; only a flat index holds the vectors as"
            " they were made"
        )
    ids = [text.rstrip() for _, text in text_lines(path / DOCID)]
    if len(ids) != index.ntotal:
        raise CollectionError(
            f"{path} has {index.ntotal:,} vectors and {len(ids):,} lines in {DOCID!r}; get it again"
        )
    made_by = _made_by(path / _MADE_BY)
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        for number, vector in enumerate(index.reconstruct_n(start, len(part)), start=start):
            yield VectorRow(ids[number], vector, f"{path / DOCID}:{number + 1}", made_by)


def write(path: Path, batches: Iterable[VectorBatch]) -> None:
    """An index by inner product. Raises CollectionError for an id that is more than a line."""
    faiss = _faiss()
    path.mkdir()
    index: Any = None
    maker = Maker()
    with (path / DOCID).open("w", encoding="utf-8", newline="\n") as file:
        for ids, _, vectors, makers in batches:
            maker.hear(makers)
            for id_ in ids:
                if id_ != id_.rstrip() or len(id_.splitlines()) != 1:
                    raise CollectionError(
                        f"document id {shown_id(id_)} cannot stand in {DOCID!r}, which has one on a"
                        " line; write .jsonl or .parquet"
                    )
                file.write(f"{id_}\n")
            index = index or faiss.IndexFlatIP(vectors.shape[1])
            index.add(vectors)
    if index is None:
        raise CollectionError("there is no vector to write, and an index of Faiss needs one")
    faiss.write_index(index, str(path / INDEX))
    if (made_by := maker.of_all) is not None:
        (path / _MADE_BY).write_text(made_by.dumps() + "\n", encoding="utf-8")


def _made_by(path: Path) -> MadeBy | None:
    try:
        return MadeBy.loads(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise CollectionError(f"{path} cannot be read: {error}") from None


def _faiss() -> Any:
    if missing_of("faiss"):
        raise MissingExtra("faiss", "faiss")
    import faiss

    return faiss


def _reason(error: RuntimeError) -> str:
    return " ".join(str(error).split("Error:")[-1].split()) or type(error).__name__
