"""Opens a collection by what the user calls it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..errors import CollectionError
from .beir import open_beir, open_judgements
from .collection import Collection
from .irds import open_ir_dataset
from .packaged import NAME, help_topics


def open_measured(name_or_path: str | Path, split: str = "test") -> Collection:
    """As ``open_collection``, to measure an index; a BEIR folder may be without its documents.

    Of a BEIR folder the judgements are those of its ``split``.
    """
    return _opened(name_or_path, lambda folder: open_judgements(folder, split), split)


def open_collection(name_or_path: str | Path) -> Collection:
    """Open a BEIR folder (its test split), the packaged collection, or a dataset of ir_datasets.

    The latter two by their names. Raises CollectionError when it is none of them or cannot be
    read, MissingExtra when it would be a dataset and ir_datasets is not installed.
    """
    return _opened(name_or_path, open_beir, "test")


def _opened(
    name_or_path: str | Path, open_folder: Callable[[Path], Collection], split: str
) -> Collection:
    path = Path(name_or_path)
    try:
        if path.is_dir():
            return open_folder(path)
        there = path.exists()
    except OSError as error:  # a name too long, a folder that may not be searched
        raise CollectionError(f"{path} cannot be opened: {error.strerror or error}") from error
    if there:
        raise CollectionError(f"{path} is a file; give the BEIR folder with corpus.jsonl in it")
    if path.is_absolute() or str(name_or_path).startswith("."):
        raise CollectionError(f"there is no folder {path}; give a BEIR folder, or a dataset's name")
    if split != "test":
        raise CollectionError(
            f"{name_or_path} is no folder whose split could be named; a dataset of ir_datasets has"
            " it in its name, as beir/scifact/train"
        )
    if str(name_or_path) == NAME:
        return help_topics()
    return open_ir_dataset(str(name_or_path))
