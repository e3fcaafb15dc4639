"""How far a feed came, kept so that one that was ended goes on where it was."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..errors import CheckpointError, RequestError

_NUMBERS = ("done", "indexed", "failed", "letters")
_KEPT = ("of", *_NUMBERS, "finished")


class Store(Protocol):
    """Where a checkpoint is kept, whole or not at all; its text names it."""

    @property
    def anew(self) -> str:
        """What to do for another feed to begin."""

    @property
    def gives_way(self) -> bool:
        """Whether another source is fed unasked, once the feed that is kept is finished."""

    def read(self) -> Any:
        """What was written last, None where nothing was. Raises CheckpointError."""

    def write(self, kept: Mapping[str, Any]) -> None:
        """Replaces it. Raises CheckpointError."""


@dataclass
class Checkpoint:
    """Where a feed stands: of the source's first ``done`` items each is indexed, or a failure.

    ``of`` says what is fed, and where to: one that was kept for something else is refused.
    ``indexed`` and ``failed`` count what ``done`` holds; ``letters`` are the bytes that failures
    took in a file beside, as ``length_of_letters`` says. A ``resumed`` feed may meet documents
    that the one before wrote, and did not come to note here.
    """

    store: Store
    of: Mapping[str, str]
    done: int = 0
    indexed: int = 0
    failed: int = 0
    letters: int = 0
    finished: bool = False
    resumed: bool = False
    length_of_letters: Callable[[], int] = field(default=lambda: 0, compare=False, repr=False)

    @classmethod
    def open(cls, store: Store, of: Mapping[str, str]) -> Checkpoint:
        """The one that is kept there, or a new one, which is there then.

        Raises RequestError for one that was kept for another feed, CheckpointError for what is
        none, or cannot be read or written.
        """
        kept = store.read()
        if kept is not None and not _is_whole(kept):
            raise CheckpointError(f"{store} is no checkpoint of a feed; {store.anew}")
        others = [name for name in of if kept is not None and kept["of"].get(name) != of[name]]
        if kept is None or ("source" in others and kept["finished"] and store.gives_way):
            begun = cls(store, dict(of))
            begun._save()
            return begun
        for name in others:
            raise RequestError(
                f"{store} was kept for another feed: its {name} is {kept['of'].get(name)!r}, and"
                f" now {of[name]!r}; {store.anew}"
            )
        numbers = {name: kept[name] for name in _NUMBERS}
        return cls(store, dict(of), **numbers, finished=kept["finished"], resumed=True)

    def advance(self, indexed: int, failed: int) -> None:
        """Notes that so many more items are answered for; it is kept for good then."""
        self.done += indexed + failed
        self.indexed += indexed
        self.failed += failed
        self._save()

    def finish(self) -> None:
        """Notes that nothing is left."""
        self.finished = True
        self._save()

    def _save(self) -> None:
        self.letters = self.length_of_letters()
        self.store.write({name: getattr(self, name) for name in _KEPT})


class CheckpointFile:
    """A checkpoint in a file, replaced whole, so that an end leaves the old one or the new."""

    gives_way = False
    anew = "name another file, or delete it to begin anew"

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    def read(self) -> Any:
        """What is in the file, None where there is no file. Raises CheckpointError."""
        if not self._path.exists():
            return None
        try:
            return json.loads(self._path.read_text(encoding="utf-8"))
        except OSError as error:
            raise CheckpointError(
                f"{self._path} cannot be read: {error.strerror or error}"
            ) from None
        except ValueError:
            return ""  # which is no checkpoint either

    def write(self, kept: Mapping[str, Any]) -> None:
        """Replaces the file; it is on the disk then. Raises CheckpointError."""
        unfinished = self._path.with_name(f"{self._path.name}.new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("w", encoding="utf-8") as file:
                json.dump(kept, file, indent=2)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self._path)
        except OSError as error:
            raise CheckpointError(
                f"{self._path} cannot be written: {error.strerror or error}"
            ) from error


def _is_whole(kept: Any) -> bool:
    return (
        isinstance(kept, dict)
        and isinstance(kept.get("of"), dict)
        and isinstance(kept.get("finished"), bool)
        and all(type(kept.get(name)) is int and kept[name] >= 0 for name in _NUMBERS)
    )
