"""Who made the vectors of a file, kept beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from ...errors import CollectionError

_IN_FOLDER = "densehook.json"
_BESIDE = ".densehook"  # no .json: Anserini takes every file with that name for vectors


@dataclass(frozen=True)
class MadeBy:
    """The encoder of all vectors of a file, and the fields whose text they were made of."""

    encoder: str
    fingerprint: str
    input: Sequence[str]

    @classmethod
    def read(cls, vectors: Path) -> Self | None:
        """What is kept beside a file or in a folder; None where nothing is.

        Raises CollectionError when it cannot be read.
        """
        path = kept_at(vectors)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(_text(content["encoder"]), _text(content["fingerprint"]), content["input"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CollectionError(
                f"{path} does not say who made the vectors ({type(error).__name__}: {error}); get"
                " it again, or remove it where you know"
            ) from None

    def write(self, vectors: Path) -> None:
        """Keeps it beside the file, or in the folder."""
        text = json.dumps(asdict(self), indent=2) + "\n"
        kept_at(vectors).write_text(text, encoding="utf-8")


def kept_at(vectors: Path) -> Path:
    """Where it is kept: in a folder, or beside what is none."""
    return vectors / _IN_FOLDER if vectors.is_dir() else vectors.with_name(vectors.name + _BESIDE)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
