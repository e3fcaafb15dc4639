"""tuning.json: how a bundle is run best on the machine it was tuned on, and why that is known.

Not part of what an encoder is: the vectors are the same without it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..errors import BundleError
from .stated import Stated, is_text, parse, read_text, shown

TUNING = "tuning.json"
_LATER = ("versions", "way", "unit")  # an older densehook did not write them


@dataclass(frozen=True)
class Tuning:
    """Settings for bulk work, and the evidence.

    ``tokens_per_run`` counts padding too; ``concurrent_runs`` share the threads. ``measured`` has
    one row for each variant on each execution provider. ``versions`` are those of the software that
    measured; none where an older densehook did. ``way`` is what ``measure`` is of, and ``unit``
    what speed is counted in.
    """

    variant: str
    provider: str
    tokens_per_run: int
    concurrent_runs: int
    max_loss: float
    collection: str
    documents: int
    queries: int
    measure: str
    machine: str
    date: str
    measured: Sequence[Mapping[str, Any]]
    versions: Mapping[str, str] = field(default_factory=dict)
    way: str = "exact search"
    unit: str = "texts"

    def dumps(self) -> str:
        """The text of tuning.json."""
        return json.dumps(asdict(self), indent=2) + "\n"


def read_tuning(folder: Path) -> Tuning | None:
    """The bundle's tuning.json; None where it was not tuned. Raises BundleError when damaged."""
    path = folder / TUNING
    if not path.exists():
        return None
    try:
        return _read(parse(read_text(path), str(path)), str(path))
    except BundleError as error:
        raise BundleError(f"{error}; tune the bundle again") from None


def _read(content: Any, where: str) -> Tuning:
    names = {each.name for each in fields(Tuning)}
    stated = Stated(content, where, names.difference(_LATER), _LATER)
    versions = stated.table("versions") if stated.has("versions") else {}
    told = {key: stated.text(key) for key in ("way", "unit") if stated.has(key)}
    if not all(map(is_text, versions.values())):
        raise BundleError(f"{where}: versions is {shown(versions)}; it must be texts by name")
    return Tuning(
        variant=stated.text("variant"),
        provider=stated.text("provider"),
        tokens_per_run=stated.number("tokens_per_run", 1),
        concurrent_runs=stated.number("concurrent_runs", 1),
        max_loss=stated.real("max_loss"),
        collection=stated.text("collection"),
        documents=stated.number("documents", 0),
        queries=stated.number("queries", 0),
        measure=stated.text("measure"),
        machine=stated.text("machine"),
        date=stated.text("date"),
        measured=stated.list_of("measured", lambda row: isinstance(row, dict), "objects"),
        versions=versions,
        **told,
    )
