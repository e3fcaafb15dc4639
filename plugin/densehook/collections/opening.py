"""Opens a collection by what the user calls it."""

from __future__ import annotations

from pathlib import Path

from ..errors import CollectionError
from .beir import open_beir
from .collection import Collection
from .irds import open_ir_dataset


def open_collection(name_or_path: str | Path) -> Collection:
    """Open a BEIR folder (its test split), or the dataset that ir_datasets knows by this name.

    Raises CollectionError when it is neither or cannot be read, MissingExtra when it is no folder
    and ir_datasets is not installed.
    """
    path = Path(name_or_path)
    try:
        if path.is_dir():
            return open_beir(path)
        there = path.exists()
    except OSError as error:  # a name too long, a folder that may not be searched
        raise CollectionError(f"{path} cannot be opened: {error.strerror or error}") from error
    if there:
        raise CollectionError(f"{path} is a file; give the BEIR folder with corpus.jsonl in it")
    if path.is_absolute() or str(name_or_path).startswith("."):
        raise CollectionError(f"there is no folder {path}; give a BEIR folder, or a dataset's name")
    return open_ir_dataset(str(name_or_path))
