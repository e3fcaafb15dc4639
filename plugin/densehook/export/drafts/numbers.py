"""Numbers: graphs that are brought along; no model's folder says how it reads a list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...errors import RecipeError
from ..finishing import Draft
from ..recipe import Recipe


def read(recipe: Recipe, progress: Callable[[str], None]) -> Callable[[Path], Draft]:
    """Raises RecipeError: what a model of numbers reads, its own code alone knows."""
    raise RecipeError(
        f"recipe {recipe.name}: kind 'numbers' is imported, not exported; export the model to ONNX"
        " with an input [batch, steps] or [batch, steps, channels], and run: densehook import"
        " model.onnx"
    )
