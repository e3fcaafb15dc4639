"""golden.json: texts with their token ids and PyTorch vectors, the proof a bundle carries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

from ..errors import BundleError
from .manifest import ROLES, Role
from .stated import Stated, is_number, is_real, parse, read_text, shown


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


def read_golden(path: Path, dims: int) -> list[GoldenText]:
    """Reads golden.json, its vectors of ``dims`` numbers.

    Raises BundleError when it is not one, or is empty.
    """
    rows = parse(read_text(path), str(path))
    if not isinstance(rows, list) or not rows:
        raise BundleError(f"{path} is {shown(rows)}; it must be a list of golden texts")
    return [_golden_text(row, f"{path}: text {i}", dims) for i, row in enumerate(rows)]


def _golden_text(row: Any, where: str, dims: int) -> GoldenText:
    stated = Stated(row, where, [each.name for each in fields(GoldenText)])
    golden = GoldenText(
        role=cast(Role, stated.one_of("role", ROLES)),
        text=stated.text("text"),
        ids=stated.list_of("ids", is_number, "token ids"),
        vector=stated.list_of("vector", is_real, "finite numbers"),
    )
    if not golden.ids or len(golden.vector) != dims:
        raise BundleError(
            f"{where} has {len(golden.ids)} token ids and {len(golden.vector)} numbers; it must"
            f" have some, and {dims}"
        )
    return golden
