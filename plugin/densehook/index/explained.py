"""What the cluster's explanation says of a hit that it fused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..fusion import Part

_PART = re.compile(
    r"list \[(?P<list>\d+)\] \[.*?\]: (?:rank \[(?P<rank>\d+)\]|did not return this document)"
    r"(?:, score \[(?P<score>[^\]]+)\])?"
    r"(?:, (?:counts as its lowest, )?normalised by \w+ to \[(?P<normalised>[^\]]+)\])?"
    r"[,;] weight \[(?P<weight>[^\]]+)\], contribution \[(?P<contribution>[^\]]+)\]"
)
"""How the plugin explains what a list gave."""
_FUSED = "fused rank ["
_LEARNED, _LISTS = "] learned from ", ", over ["
_FEATURE = re.compile(r"(\w+) \[([^\]]+)\]")
"""And what learned weights were made of."""


def explained_parts(raw: Mapping[str, Any], lists: Sequence[str]) -> dict[str, Part]:
    """What each list gave, of a hit that the cluster fused and explains.

    After the first, which is BM25's, there is one for each encoder; a hit is in one of them.
    """
    parts: dict[str, Part] = {}
    for part in filter(
        None, (_PART.match(each["description"]) for each in _fusion(raw).get("details", []))
    ):
        name = lists[min(int(part["list"]), len(lists) - 1)]
        if name not in parts or part["rank"] is not None:
            parts[name] = Part(
                None if part["rank"] is None else int(part["rank"]),
                _number(part["score"]),
                _number(part["normalised"]),
                float(part["weight"]),
                float(part["contribution"]),
            )
    return parts


def _fusion(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """How a hit was fused, if it is explained; with nested objects another clause is beside it."""
    ahead = [raw.get("_explanation", {})]
    while ahead:
        each = ahead.pop()
        if each.get("description", "").startswith(_FUSED):
            return dict(each)
        ahead.extend(each.get("details", [])[:1])
    return {}


def learned_features(raw: Mapping[str, Any]) -> Mapping[str, float]:
    """What learned weights were made of, of a hit that the cluster explains."""
    described = _fusion(raw).get("description", "")
    learned = described.partition(_LEARNED)[2].rpartition(_LISTS)[0]
    return {name: float(value) for name, value in _FEATURE.findall(learned)}


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)
