"""How near an encoder of each kind must be to what it was made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ...bundle import Manifest
from . import cross, dense, image_text, multi, numbers, sparse
from .compared import Compared


class Parity(Protocol):
    """What was measured; the content of parity.json."""

    @property
    def batch_dependent(self) -> bool:
        """Whether what a text gets depends on those that it is encoded together with."""

    def as_json(self) -> dict[str, Any]:
        """The measured values by name."""


@dataclass(frozen=True)
class ParityOfHeads:
    """What was measured of the vector and, by kind, of each other head."""

    own: Parity
    also: Mapping[str, Parity]

    @property
    def batch_dependent(self) -> bool:
        """Whether anything of it depends on the texts that run together."""
        return any(each.batch_dependent for each in (self.own, *self.also.values()))

    def as_json(self) -> dict[str, Any]:
        """The measured values by name, those of other heads by kind under ``also``."""
        return {
            **self.own.as_json(),
            "also": {kind: parity.as_json() for kind, parity in self.also.items()},
        }


class Gate(Protocol):
    """A kind's module here."""

    NEAREST: str
    """Of what parity.json has, how near an encoder is where it is furthest; 1 where it is equal."""

    def said(self, measured: Mapping[str, Any]) -> str:
        """What parity.json has of it, in a line: how many were compared, and how near they are."""

    def judged(self, manifest: Manifest, compared: Compared, whose: str) -> Parity:
        """Measures; raises GateError when what was found is not near enough to ``whose``."""


GATES: Mapping[str, Gate] = {
    "dense": dense,
    "cross": cross,
    "sparse": sparse,
    "multi": multi,
    "image-text": image_text,
    "numbers": numbers,
}
"""The module of each kind."""


def nearest(manifest: Manifest, measured: Mapping[str, Any]) -> float:
    """How near an encoder is where it is furthest, of what parity.json has; least of its kinds."""
    also = (measured["also"][kind][GATES[kind].NEAREST] for kind in manifest.also)
    return float(min(measured[GATES[manifest.kind].NEAREST], *also, 1.0))
