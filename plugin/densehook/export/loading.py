"""Models from their folders, in PyTorch; importing this does not load it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .reference import Reference


def load_reference(folder: Path, layers: int | None = None) -> Reference:
    """A model folder in PyTorch; raises ExportError."""
    from .reference import Reference

    return Reference(folder, layers)


def reloaded(folder: Path, layers: int | None, traced: Reference) -> Reference:
    """The model anew from disk, to be compared with the graph of the one that was traced.

    Raises ExportError when the two were not the same. Only one of them is in memory at a time.
    """
    from .weights import require_same

    sums = traced.release()
    reference = load_reference(folder, layers)
    require_same(folder, sums, reference.sums)
    return reference
