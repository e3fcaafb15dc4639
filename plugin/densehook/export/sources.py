"""Where a recipe's weights are: on a hub, in a folder, inside an installed package."""

from __future__ import annotations

import glob
import importlib.metadata
import importlib.util
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from ..bundle.stated import shown
from ..errors import ExportError, RecipeError
from .recipe import Recipe

PACKAGE = "package:"
HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
_DESCRIPTIONS = (".json", ".txt", ".model")
# in the order in which transformers prefers them, whole or in parts
_WEIGHTS = (
    re.compile(r"model(-\d+-of-\d+)?\.safetensors"),
    re.compile(r"pytorch_model(-\d+-of-\d+)?\.bin"),
)
# a module of sentence-transformers, 1_Pooling, 2_Dense and so on
_MODULE = re.compile(r"\d+_\w+")


def model_folder(recipe: Recipe) -> Path:
    """The local folder with the recipe's model; fetches it when the source is a hub's.

    Raises RecipeError when the source names nothing, ExportError when the hub does not answer.
    """
    if recipe.source.startswith(PACKAGE):
        return _in_package(recipe)
    try:
        local = (recipe.folder / Path(recipe.source).expanduser()).resolve()
        if local.is_dir():
            return local
    except (OSError, ValueError, RuntimeError) as error:  # a name too long, a home of nobody
        reason = str(error).partition("\n")[0]
        raise RecipeError(f"source {shown(recipe.source)} cannot be looked for: {reason}") from None
    if HUB_ID.fullmatch(recipe.source):
        return _from_hub(recipe)
    raise RecipeError(
        f"source {shown(recipe.source)} is neither a folder ({shown(str(local))} does not exist),"
        " nor a Hugging Face id like BAAI/bge-small-en-v1.5, nor package:NAME/FOLDER"
    )


def _in_package(recipe: Recipe) -> Path:
    package, _, inside = recipe.source.removeprefix(PACKAGE).partition("/")
    if not package.isidentifier():
        raise RecipeError(
            f"source {shown(recipe.source)}: {shown(package)} is no package's name; write"
            " package:NAME/FOLDER"
        )
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise RecipeError(
            f"source {shown(recipe.source)}: no package {package} is installed;"
            f" install it with: pip install {package.replace('_', '-')}"
        )
    whole = Path(spec.submodule_search_locations[0])
    folder = whole / inside
    if ".." in Path(inside).parts or not folder.is_relative_to(whole) or not folder.is_dir():
        raise RecipeError(
            f"source {shown(recipe.source)}: package {package} has no folder {shown(inside)}"
        )
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
            f"source {shown(recipe.source)} is a Hugging Face id without a revision; name the"
            " commit, so that the same recipe always gives the same vectors"
        )
    try:
        return _fetched(recipe.source, recipe.revision)
    except Exception as error:  # the hub's errors and the network's share no root
        raise ExportError(
            f"{recipe.source} at {recipe.revision} cannot be fetched: {hub_reason(error)};"
            " with a copy on disk, set source to its folder"
        ) from error


def hub_reason(error: BaseException) -> str:
    """Why the hub did not answer, in a line: what the network says, where it says anything."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return str(error).strip().partition("\n")[0]


def _fetched(repository: str, revision: str) -> Path:
    """The repository's folder on this machine, without a hub what was fetched of it before."""
    from huggingface_hub import HfApi, snapshot_download

    try:
        info = HfApi().model_info(repository, revision=revision)
    except Exception:
        with suppress(Exception):
            return Path(snapshot_download(repository, revision=revision, local_files_only=True))
        raise
    files = wanted_files([each.rfilename for each in info.siblings or ()])
    patterns = [glob.escape(file) for file in files]
    return Path(snapshot_download(repository, revision=revision, allow_patterns=patterns))


def wanted_files(files: Sequence[str]) -> list[str]:
    """Of a repository's files, those that an export reads.

    They are descriptions, tokenizers and, folder by folder, one format of PyTorch's weights:
    safetensors where there are any. Weights of other runtimes stay where they are.
    """
    wanted = []
    for file in files:
        folder, name = str(PurePosixPath(file).parent), PurePosixPath(file).name
        if folder != "." and not _MODULE.fullmatch(folder):
            continue
        beside = [PurePosixPath(other).name for other in files if _lies_in(other, folder)]
        kept = next((form for form in _WEIGHTS if any(map(form.fullmatch, beside))), None)
        if PurePosixPath(name).suffix in _DESCRIPTIONS:
            others = [form for form in _WEIGHTS if form is not kept]
            if not any(form.fullmatch(name.removesuffix(".index.json")) for form in others):
                wanted.append(file)
        elif kept is not None and kept.fullmatch(name):
            wanted.append(file)
    return wanted


def _lies_in(file: str, folder: str) -> bool:
    return str(PurePosixPath(file).parent) == folder
