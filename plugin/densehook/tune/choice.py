"""Which variant is chosen. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .speed import Setting


@dataclass(frozen=True)
class Measured:
    """A variant with its best setting, as measured.

    ``loss`` is the plain bundle's nDCG@10 less this one's; ``lowest_cosine`` is to the plain
    bundle's vectors, on the gate's texts; it and ``batch_dependent`` are of this provider, and the
    fingerprint is the one that the bundle has when this row is chosen.
    """

    variant: str
    precision: str
    fingerprint: str
    setting: Setting
    texts_per_second: float
    quality: float
    loss: float
    lowest_cosine: float
    batch_dependent: bool
    megabytes: float

    def as_json(self) -> dict[str, Any]:
        """The measured values by name."""
        return asdict(self)


def objection(row: Measured, max_loss: float, allow_batch_dependent: bool) -> str:
    """Why a variant may not be chosen; empty when it may."""
    if not row.loss <= max_loss + 1e-9:  # the bound itself is allowed
        return f"loses more than {max_loss:g}"
    if row.batch_dependent and not allow_batch_dependent:
        return "depends on the batch"
    return ""


def choose(rows: Sequence[Measured], max_loss: float, allow_batch_dependent: bool) -> Measured:
    """The fastest row without an objection; the plain variant loses nothing, so there is one."""
    allowed = [row for row in rows if not objection(row, max_loss, allow_batch_dependent)]
    return max(allowed, key=lambda row: row.texts_per_second)
