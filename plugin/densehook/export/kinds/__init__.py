"""How near an encoder of each kind must be to what it was made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ...bundle import Manifest
from ..folder import Settings
from . import dense, multi
from .compared import Compared


class Parity(Protocol):
    """What was measured; the content of parity.json."""

    @property
    def batch_dependent(self) -> bool:
        """Whether what a text gets depends on those that it is encoded together with."""

    def as_json(self) -> dict[str, Any]:
        """The measured values by name."""


class Gate(Protocol):
    """A kind's module here."""

    def part(self, settings: Settings, sample: Any) -> Any:
        """What the manifest of this kind states, where the model gives ``sample`` for a text."""

    def judged(self, manifest: Manifest, compared: Compared, whose: str) -> Parity:
        """Measures; raises GateError when what was found is not near enough to ``whose``."""


GATES: Mapping[str, Gate] = {"dense": dense, "multi": multi}
"""The module of each kind."""
