"""What a sparse encoder's folder says of itself, as sentence-transformers saves it or without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..bundle.kinds.sparse import ACTIVATIONS
from ..errors import ExportError, RecipeError
from .folder import FolderFacts, read_length, read_prompts
from .modules_json import class_names, located_modules, read_json
from .recipe import Recipe

_PLAIN = ["MLMTransformer", "SpladePooling"]
_ROUTED = ["Router"]
_DENSE_KEYS = ("pooling", "normalise", "similarity", "dims")


def read_sparse_folder(folder: Path, recipe: Recipe) -> tuple[FolderFacts, str]:
    """The facts, and the activation, which the recipe may say where the folder does not.

    Raises RecipeError for modules that no sparse bundle can express, and for a recipe that
    contradicts them.
    """
    for key in _DENSE_KEYS:
        if getattr(recipe, key) is not None:
            raise RecipeError(f"recipe {recipe.name}: {key} is for kind dense alone; leave it out")
    facts = FolderFacts(folder, "max", normalise=False, similarity="dot")
    found = None
    listed = read_json(folder / "modules.json")
    if listed is not None:
        modules = located_modules(folder, listed)
        kinds = [kind for kind, _ in modules]
        if kinds == _PLAIN:
            facts = replace(facts, transformer=modules[0][1])
            found = _activation(modules[1][1] / "config.json")
        elif kinds != _ROUTED:
            raise RecipeError(
                f"{folder / 'modules.json'} lists {', '.join(kinds) or 'nothing'}; the sparse kind"
                f" has {' and '.join(_PLAIN)}, or a Router to them"
            )
    facts = replace(facts, max_tokens=read_length(facts.transformer), prompts=read_prompts(folder))
    return facts, _agreed(recipe, found)


def tells_of_weights(folder: Path) -> bool:
    """Whether the folder's modules are those of a sparse encoder."""
    return class_names(read_json(folder / "modules.json")) == _PLAIN


def read_idf(folder: Path, name: str) -> Mapping[str, float]:
    """The weight of each token, float32, of a JSON file. Raises RecipeError where it is none."""
    path = folder / name
    stated = read_json(path)
    if not isinstance(stated, dict) or not stated:
        raise RecipeError(
            f"{path} is no table of weights by token; idf names a JSON file with one in the model's"
            " folder"
        )
    for token, weight in stated.items():
        number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not number or not 0 <= weight <= float(np.finfo(np.float32).max):
            raise RecipeError(
                f"{path}: token {token!r} has the weight {weight!r:.40}; it must be a number from 0"
                " on"
            )
    return {token: float(f"{np.float32(weight):.9g}") for token, weight in stated.items()}


def known_idf(idf: Mapping[str, float], tokens: Sequence[str]) -> dict[str, float]:
    """The weights of tokens that a text may have one of.

    Raises ExportError where there is none.
    """
    kept = {token: idf[token] for token in tokens if token and idf.get(token)}
    if not kept:
        raise ExportError(
            f"none of the {len(idf)} tokens of the idf table is one of the tokenizer's; it is of"
            " another model"
        )
    return kept


def _activation(path: Path) -> str:
    config: Any = read_json(path)
    if not isinstance(config, dict):
        raise RecipeError(f"{path} is missing, or no configuration of a module")
    if (strategy := config.get("pooling_strategy", "max")) != "max":
        raise RecipeError(f"{path}: pooling_strategy is {strategy!r}; the sparse kind has 'max'")
    if (activation := config.get("activation_function", "relu")) not in ACTIVATIONS:
        raise RecipeError(
            f"{path}: activation_function is {activation!r}; known: {', '.join(ACTIVATIONS)}"
        )
    return str(activation)


def _agreed(recipe: Recipe, found: str | None) -> str:
    said = recipe.activation
    if said and found and said != found and "activation" not in recipe.overrides:
        raise RecipeError(
            f"recipe {recipe.name}: activation is {said!r}, the model folder says {found!r};"
            ' correct the recipe, or write overrides = ["activation"] if that is on purpose'
        )
    return said or found or "relu"
