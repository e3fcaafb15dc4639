"""How a model of each kind becomes a graph, with what proves it; the rest of an export is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from ..finishing import Draft
from ..recipe import Recipe
from . import cross, dense, image_text, multi, numbers, sparse

Progress = Callable[[str], None]
Write = Callable[[Path], Draft]
"""Into an empty folder."""


class Drafting(Protocol):
    """A kind's module here."""

    def read(self, recipe: Recipe, progress: Progress) -> Write:
        """Reads the model, and gives what writes its model.onnx and tokenizer.json.

        Both raise RecipeError and ExportError.
        """


DRAFTS: Mapping[str, Drafting] = {
    "dense": dense,
    "cross": cross,
    "sparse": sparse,
    "multi": multi,
    "image-text": image_text,
    "numbers": numbers,
}
"""The module of each kind."""
