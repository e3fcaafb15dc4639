"""How far a feed came, in a file, so that one that was ended goes on where it was."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import CheckpointError, RequestError

_NUMBERS = ("done", "indexed", "failed", "letters")


@dataclass
class Checkpoint:
    """Where a feed stands: of the source's first ``done`` items each is indexed, or a failure.

    ``of`` says what is fed, and where to: a file that was kept for something else is refused.
    ``indexed`` and ``failed`` count what ``done`` holds; ``letters`` are the bytes that failures
    took in a file beside, as ``length_of_letters`` says. A ``resumed`` feed may meet documents
    that the one before wrote, and did not come to note here.
    """

    path: Path
    of: Mapping[str, str]
    done: int = 0
    indexed: int = 0
    failed: int = 0
    letters: int = 0
    finished: bool = False
    resumed: bool = False
    length_of_letters: Callable[[], int] = field(default=lambda: 0, compare=False, repr=False)

    @classmethod
    def open(cls, path: Path, of: Mapping[str, str]) -> Checkpoint:
        """The one in the file, or a new one, which is in the file then.

        Raises RequestError for one that was kept for another feed, CheckpointError for a file that
        is none, or cannot be read or written.
        """
        if not path.exists():
            begun = cls(path, dict(of))
            begun._save()
            return begun
        kept = _read(path)
        for name, value in of.items():
            if kept["of"].get(name) != value:
                raise RequestError(
                    f"{path} was kept for another feed: its {name} is {kept['of'].get(name)!r}, and"
                    f" now {value!r}; name another file, or delete it to begin anew"
                )
        numbers = {name: kept[name] for name in _NUMBERS}
        return cls(path, dict(of), **numbers, finished=kept["finished"], resumed=True)

    def advance(self, indexed: int, failed: int) -> None:
        """Notes that so many more items are answered for; it is on the disk then."""
        self.done += indexed + failed
        self.indexed += indexed
        self.failed += failed
        self._save()

    def finish(self) -> None:
        """Notes that nothing is left."""
        self.finished = True
        self._save()

    def _save(self) -> None:
        """Replaces the file whole, so that one which is ended now leaves the old or the new."""
        unfinished = self.path.with_name(f"{self.path.name}.new")
        try:
            self.letters = self.length_of_letters()
            kept = {name: getattr(self, name) for name in _KEPT}
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("w", encoding="utf-8") as file:
                json.dump(kept, file, indent=2)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self.path)
        except OSError as error:
            raise CheckpointError(
                f"{self.path} cannot be written: {error.strerror or error}"
            ) from error


_KEPT = ("of", *_NUMBERS, "finished")


def _read(path: Path) -> Mapping[str, Any]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError:
        kept = None
    if not isinstance(kept, dict) or not _is_whole(kept):
        raise CheckpointError(
            f"{path} is no checkpoint of a feed; name another file, or delete it to begin anew"
        )
    return kept


def _is_whole(kept: Mapping[str, Any]) -> bool:
    return (
        isinstance(kept.get("of"), dict)
        and isinstance(kept.get("finished"), bool)
        and all(type(kept.get(name)) is int and kept[name] >= 0 for name in _NUMBERS)
    )
