"""Which variant is chosen. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from .gating import Nearness
from .speed import Setting


class Kept(NamedTuple):
    """The quality of one kind of output, and what the plain bundle's is more."""

    quality: float
    loss: float


@dataclass(frozen=True)
class Measured:
    """A variant with its best setting, as measured.

    ``kinds`` has the quality of each kind that the encoder gives, its own first. ``near`` is of
    this provider, and the fingerprint is the one that the bundle has when this row is chosen.
    """

    variant: str
    precision: str
    fingerprint: str
    setting: Setting
    texts_per_second: float
    kinds: Mapping[str, Kept] = field(hash=False)
    near: Nearness
    megabytes: float

    @property
    def batch_dependent(self) -> bool:
        """Whether what it gives depends on the texts that run together."""
        return self.near.batch_dependent

    @property
    def worst(self) -> str:
        """The kind that loses most."""
        return max(self.kinds, key=lambda kind: (math.isnan(loss := self.kinds[kind].loss), loss))

    @property
    def loss(self) -> float:
        """What the kind loses that loses most."""
        return self.kinds[self.worst].loss

    def as_json(self) -> dict[str, Any]:
        """The measured values by name; each kind's only where there are several."""
        own = next(iter(self.kinds.values()))
        several = {kind: kept._asdict() for kind, kept in self.kinds.items()}
        return {
            "variant": self.variant,
            "precision": self.precision,
            "fingerprint": self.fingerprint,
            "setting": asdict(self.setting),
            "texts_per_second": self.texts_per_second,
            "quality": own.quality,
            "loss": self.loss,
            **({"kinds": several} if len(several) > 1 else {}),
            self.near.by: self.near.least,
            "batch_dependent": self.batch_dependent,
            "megabytes": self.megabytes,
        }


def objection(row: Measured, max_loss: float, allow_batch_dependent: bool) -> str:
    """Why a variant may not be chosen; empty when it may."""
    if not row.loss <= max_loss + 1e-9:  # the bound itself is allowed
        whose = f" as {row.worst}" if len(row.kinds) > 1 else ""
        return f"loses more than {max_loss:g}{whose}"
    if row.batch_dependent and not allow_batch_dependent:
        return "depends on the batch"
    return ""


def choose(rows: Sequence[Measured], max_loss: float, allow_batch_dependent: bool) -> Measured:
    """The fastest row without an objection; the plain variant loses nothing, so there is one."""
    allowed = [row for row in rows if not objection(row, max_loss, allow_batch_dependent)]
    return max(allowed, key=lambda row: row.texts_per_second)
