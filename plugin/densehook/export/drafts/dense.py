"""Dense: a transformer, or a table of static embeddings, as the folder has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...errors import RecipeError
from ..finishing import Draft
from ..image_folder import MODEL_TYPES
from ..modules_json import read_json
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
    if _model_type(folder) in MODEL_TYPES:
        raise RecipeError(
            f'{folder} is a model of images and texts; export it with kind = "image-text" in its'
            " recipe, or --kind image-text"
        )
    if is_static(folder):
        from . import static

        return static.read(recipe, folder, progress)
    return transformer.read(recipe, folder, progress)


def _model_type(folder: Path) -> object:
    stated = read_json(folder / "config.json")
    return stated.get("model_type") if isinstance(stated, dict) else None
