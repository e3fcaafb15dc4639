"""Where a recipe's weights are: on a hub, in a folder, inside an installed package."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
from pathlib import Path

from ..errors import ExportError, RecipeError
from .recipe import Recipe

_PACKAGE = "package:"
_HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
# what a text encoder's folder is made of; other runtimes' weights stay on the hub
_HUB_FILES = ["*.json", "*.safetensors", "*.txt", "*.model", "1_Pooling/*"]


def model_folder(recipe: Recipe) -> Path:
    """The local folder with the recipe's model; fetches it when the source is a hub's.

    Raises RecipeError when the source names nothing, ExportError when the hub does not answer.
    """
    if recipe.source.startswith(_PACKAGE):
        return _in_package(recipe)
    local = (recipe.folder / Path(recipe.source).expanduser()).resolve()
    if local.is_dir():
        return local
    if _HUB_ID.fullmatch(recipe.source):
        return _from_hub(recipe)
    raise RecipeError(
        f"source {recipe.source!r} is neither a folder ({local} does not exist),"
        " nor a Hugging Face id like BAAI/bge-small-en-v1.5, nor package:NAME/FOLDER"
    )


def _in_package(recipe: Recipe) -> Path:
    package, _, inside = recipe.source.removeprefix(_PACKAGE).partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise RecipeError(
            f"source {recipe.source!r}: no package {package} is installed;"
            f" install it with: pip install {package.replace('_', '-')}"
        )
    folder = Path(spec.submodule_search_locations[0]) / inside
    if not folder.is_dir():
        raise RecipeError(f"source {recipe.source!r}: package {package} has no folder {inside!r}")
    distributions = importlib.metadata.packages_distributions().get(package, [])
    versions = {name: importlib.metadata.version(name) for name in distributions}
    if recipe.revision and recipe.revision not in versions.values():
        installed = ", ".join(f"{name} {version}" for name, version in versions.items())
        raise RecipeError(
            f"the recipe's revision is {recipe.revision!r},"
            f" installed is {installed or 'no version'}; install that version or change the recipe"
        )
    return folder


def _from_hub(recipe: Recipe) -> Path:
    if not recipe.revision:
        raise RecipeError(
            f"source {recipe.source!r} is a Hugging Face id without a revision; name the commit,"
            " so that the same recipe always gives the same vectors"
        )
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(
            recipe.source, revision=recipe.revision, allow_patterns=_HUB_FILES
        )
    except Exception as error:  # the hub's errors and the network's share no root
        reason = str(error).strip().partition("\n")[0]
        raise ExportError(
            f"{recipe.source} at {recipe.revision} cannot be fetched: {reason};"
            " with a copy on disk, set source to its folder"
        ) from error
    return Path(folder)
