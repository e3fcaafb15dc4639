"""How long work tells that it goes on; showing it is the caller's."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int | None], None]
"""Called with a label, how many are done, and of how many (None where that is not known)."""


def silent(_label: str, _done: int, _total: int | None) -> None:
    """Show nothing."""
