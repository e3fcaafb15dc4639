"""Dense: a transformer, or a table of static embeddings, as the folder has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..finishing import Draft
from ..recipe import Recipe
from ..sources import model_folder
from ..static import is_static
from . import transformer


def read(recipe: Recipe, progress: Callable[[str], None]) -> Callable[[Path], Draft]:
    """As ``Drafting.read``."""
    progress("Finding the model")
    folder = model_folder(recipe)
    if recipe.also:
        from . import heads

        return heads.read(recipe, folder, progress)
    if is_static(folder):
        from . import static

        return static.read(recipe, folder, progress)
    return transformer.read(recipe, folder, progress)
