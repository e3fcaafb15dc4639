"""golden.json: texts with their token ids and PyTorch vectors, the proof a bundle carries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import BundleError
from .manifest import ROLES, Role


@dataclass(frozen=True)
class GoldenText:
    """A text in a role, with what PyTorch made of it.

    ``ids`` are the token ids after prompt and truncation; ``vector`` has ``dims`` numbers.
    """

    role: Role
    text: str
    ids: Sequence[int]
    vector: Sequence[float]


def write_golden(path: Path, texts: Iterable[GoldenText]) -> None:
    """Writes golden.json; numbers keep the nine digits that identify a float32."""
    rows = [
        {
            "role": golden.role,
            "text": golden.text,
            "ids": list(golden.ids),
            "vector": [float(f"{x:.9g}") for x in golden.vector],
        }
        for golden in texts
    ]
    path.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


def read_golden(path: Path) -> list[GoldenText]:
    """Reads golden.json; raises BundleError when it is not one, or is empty."""
    try:
        rows = [GoldenText(**row) for row in json.loads(path.read_text())]
    except (OSError, ValueError, TypeError) as error:
        raise BundleError(f"{path} is not a list of golden texts: {error}") from None
    if not rows or any(row.role not in ROLES for row in rows):
        raise BundleError(f"{path} holds no golden texts for the roles {ROLES}")
    return rows
