"""Numbers: as dense encoders are judged, by the cosine of each list's vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .dense import NEAREST as NEAREST
from .dense import judged as judged


def said(measured: Mapping[str, Any]) -> str:
    """As ``Gate.said``."""
    return (
        f"{measured['texts']} lists: lowest cosine {measured['lowest_cosine']:.7f},"
        f" largest difference {measured['largest_difference']:.1e},"
        f" top-10 neighbours {measured['neighbours_agree']:.0%} the same"
    )
