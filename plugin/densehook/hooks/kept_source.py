"""What an index keeps of its documents: all of them, a part, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import RequestError


def has_source(mapping: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Whether it keeps the source of its documents, or what that can be made of again."""
    stated = mapping.get("_source", {})
    by_setting = settings.get("index", {}).get("mapping", {}).get("source", {}).get("mode")
    is_off = stated.get("enabled", True) is False
    return not is_off and "disabled" not in (stated.get("mode"), by_setting)


def keeps_source(entry: Mapping[str, Any]) -> bool:
    """Whether an index, of these mappings and settings, keeps its documents whole."""
    mapping = entry["mappings"]
    source = mapping.get("_source", {})
    kept = has_source(mapping, entry["settings"])
    return kept and not source.get("excludes") and not source.get("includes")


def require_kept_source(index: str, entry: Mapping[str, Any]) -> None:
    """Raises RequestError unless documents are kept whole, to be read and written anew."""
    if not keeps_source(entry):
        raise RequestError(
            f"index {index!r} does not keep the whole of its documents (_source in its mapping), so"
            f" that none can be written anew; give the files that they come from: densehook migrate"
            " --from"
        )
