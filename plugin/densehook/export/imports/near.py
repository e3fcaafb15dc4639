"""How near a graph is to the weights that it was made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Near:
    """``proof`` is what the manifest states, ``measured`` what parity.json has of it."""

    proof: str
    measured: Mapping[str, Any]
