"""A model without a recipe: one is made of what is asked, and written down for the record."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..bundle.stated import is_name, shown
from ..errors import ExportError, RecipeError
from .recipe import Recipe, check_key
from .sources import HUB_ID, PACKAGE, hub_reason

_NO_NAME = re.compile(r"[^a-z0-9._-]+")
_NO_NETWORK = (
    "{} cannot be asked for at the hub: {}; with a copy on disk, give its folder in place of the id"
)


def recipe_of(model: str, *, name: str | None = None, **stated: Any) -> Recipe:
    """The recipe of a folder, a hub id (``ID`` or ``ID@REVISION``) or ``package:NAME/FOLDER``.

    ``stated`` are a recipe's keys, where the model folder does not say them; None leaves one out.
    An id without a revision is of the commit that the hub has now. Raises RecipeError for what
    names no model, ExportError when the hub does not answer.
    """
    source, revision = _source(model)
    chosen = name or _name(source)
    if not is_name(chosen):
        raise RecipeError(f"{shown(model)} gives no name of a bundle; say one with --name")
    keys = {key: value for key, value in stated.items() if value is not None}
    for key, value in keys.items():
        check_key(Path(chosen), key, value)
    return Recipe(chosen, source, revision, folder=Path().resolve(), **keys)


def imported_recipe(model: Path, *, name: str | None = None, **stated: Any) -> Recipe:
    """What there is to say of a graph, or of a folder with one, that others exported.

    ``stated`` are a recipe's keys; None leaves one out. Raises RecipeError for a value that no
    recipe may have, or a path that gives no name.
    """
    inside = model if model.suffix != ".onnx" else model.parent
    own = inside.parent if inside.name == "onnx" else inside
    chosen = name or _name(str(own.resolve()))
    if not is_name(chosen):
        raise RecipeError(f"{shown(str(model))} gives no name of a bundle; say one with --name")
    keys = {key: value for key, value in stated.items() if value is not None}
    for key, value in keys.items():
        check_key(Path(chosen), key, value)
    return Recipe(chosen, str(model), folder=Path().resolve(), **keys)


def require_free(recipe: Recipe, path: Path) -> None:
    """Raises RecipeError where another recipe than this is written already."""
    if path.exists() and path.read_text(encoding="utf-8") != written(recipe, path.parent):
        raise RecipeError(
            f"{path} is there already, and another recipe than would be written; export that one,"
            " or choose another --name"
        )


def write_recipe(recipe: Recipe, path: Path) -> None:
    """Writes a recipe as a file that ``read_recipe`` reads as the same.

    Raises ExportError where it cannot be written, RecipeError where another recipe is there.
    """
    require_free(recipe, path)
    try:
        path.write_text(written(recipe, path.parent), encoding="utf-8")
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror or error}") from error


def written(recipe: Recipe, folder: Path) -> str:
    """A recipe as TOML, for a file in that folder, from which a source's folder is named."""
    source = recipe.source
    if (recipe.folder / source).is_dir():
        source = os.path.relpath(recipe.folder / source, folder.resolve())
    stated = {"source": source}
    for each in fields(Recipe):
        value = getattr(recipe, each.name)
        if each.name not in ("name", "source", "folder") and value not in (each.default, {}, []):
            stated[each.name] = value
    return "".join(f"{key} = {_toml(value)}\n" for key, value in stated.items())


def _source(model: str) -> tuple[str, str]:
    """What a recipe calls source and revision."""
    if Path(model).expanduser().is_dir():
        return str(Path(model).expanduser().resolve()), ""
    if model.startswith(PACKAGE):
        package = model.removeprefix(PACKAGE).partition("/")[0]
        found = importlib.metadata.packages_distributions().get(package, [])
        return model, importlib.metadata.version(found[0]) if found else ""
    source, _, revision = model.partition("@")
    if not HUB_ID.fullmatch(source):
        raise RecipeError(
            f"{shown(model)} is no folder, no Hugging Face id like BAAI/bge-small-en-v1.5, no"
            " package:NAME/FOLDER and no recipe; check the path"
        )
    return source, revision or _newest(source)


def _newest(repository: str) -> str:
    """The commit that a hub's repository is at."""
    from huggingface_hub import HfApi

    try:
        return str(HfApi().model_info(repository).sha)
    except Exception as error:  # the hub's errors and the network's share no root
        raise ExportError(_NO_NETWORK.format(repository, hub_reason(error))) from error


def _name(source: str) -> str:
    inside = source.removeprefix(PACKAGE)
    last = inside.partition("/")[0] if inside != source else Path(source).name
    return _NO_NAME.sub("-", last.lower()).strip("-.")


def _toml(value: Any) -> str:
    """A value of a recipe in TOML, whose strings and lists are written as JSON's are."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {json.dumps(text)}" for key, text in value.items())
        return f"{{ {', '.join(pairs)} }}"
    return json.dumps(value)
