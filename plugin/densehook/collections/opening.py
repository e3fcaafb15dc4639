"""Opens a collection by what the user calls it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import CollectionError
from .beir import is_beir, open_beir, open_judgements
from .collection import Collection
from .hub import open_hub
from .hub_files import find_hub
from .irds import open_ir_dataset
from .packaged import NAME, help_topics


def open_measured(
    name_or_path: str | Path, split: str = "test", languages: Sequence[str] = ()
) -> Collection:
    """As ``open_collection``, to measure an index; a folder may be without its documents.

    Of a folder the judgements are those of its ``split``; of a dataset in several languages those
    of the ``languages``, by default of all.
    """
    return _opened(
        name_or_path, lambda folder: _open_folder(folder, open_judgements, split, languages), split
    )


def open_collection(name_or_path: str | Path) -> Collection:
    """Open a BEIR folder or a dataset folder of Hugging Face's hub (its test split).

    Or the packaged collection, or a dataset of ir_datasets, by their names. Raises CollectionError
    when it is none of them or cannot be read, MissingExtra when what reads it is not installed.
    """
    return _opened(name_or_path, lambda folder: _open_folder(folder, open_beir, "test", ()), "test")


def _open_folder(
    folder: Path,
    open_as_beir: Callable[[Path, str], Collection],
    split: str,
    languages: Sequence[str],
) -> Collection:
    """A folder that is both is BEIR's own, which is also what grows while people judge."""
    hub = None if is_beir(folder) else find_hub(folder)
    if hub is not None:
        return open_hub(hub, split, languages)
    if languages:
        raise CollectionError(
            f"{folder} is of one language, which has no name; leave --language out"
        )
    return open_as_beir(folder, split)


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
