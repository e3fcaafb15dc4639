"""From recipe to bundle: read, trace, prove, write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ..bundle import MANIFEST, Bundle, read_bundle, require_replaceable
from .drafts import DRAFTS
from .finishing import finish, new_folder
from .folder import read_folder
from .loading import load_reference
from .modules import vector_width
from .recipe import Recipe
from .sources import model_folder

Progress = Callable[[str], None]


def export_bundle(recipe: Recipe, output: Path, progress: Progress = lambda step: None) -> Bundle:
    """Exports the recipe's model to a bundle at ``output``, replacing the one that is there.

    The bundle appears whole or not at all. Raises RecipeError, ExportError, also where something
    else stands at ``output``, or GateError when the graph is not equal to PyTorch.
    """
    require_replaceable(output, MANIFEST)
    write = DRAFTS[recipe.kind].read(recipe, progress)
    with new_folder(output) as staging:
        finish(write(staging))
    return read_bundle(output)


class Size(NamedTuple):
    """How much there is of a model."""

    layers: int
    dims: int


def model_size(recipe: Recipe) -> Size:
    """The model's layers and dimensions before a recipe cuts any.

    Raises RecipeError and ExportError as export_bundle does.
    """
    facts = read_folder(model_folder(recipe))
    reference = load_reference(facts.transformer)
    pooling = recipe.pooling or facts.pooling or "mean"  # one of them must be there to export it
    return Size(reference.layers, vector_width(pooling, facts.steps, reference.hidden_size))
