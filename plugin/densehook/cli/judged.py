"""Which judged collection a command means."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..collections import Collection


def judged_collection(name: str | None) -> Collection:
    """The collection of that name or folder; Python's help topics where none is named."""
    from ..collections import help_topics, open_collection

    return open_collection(name) if name else help_topics()
