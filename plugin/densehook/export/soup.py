"""Model soups: one model whose weights are the mean of several checkpoints' weights.

The checkpoints must be of one architecture and one tokenizer, as runs of one fine-tuning are.
Wortsman et al. 2022, "Model soups: averaging weights of multiple fine-tuned models improves
accuracy without increasing inference time".
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..bundle import require_replaceable
from ..errors import ExportError
from .finishing import new_folder
from .folder import FolderFacts, read_folder
from .loading import load_reference
from .modules import Dense, LayerMix, LayerNorm, Weighted
from .modules_json import read_json
from .recipe import Recipe
from .sources import model_folder

if TYPE_CHECKING:
    from .reference import Reference

SOUP = "soup.json"
_COPIED = ("*.json", "*.txt", "*.model")
_NOT_COPIED = ("*.index.json", SOUP)


def checkpoint(source: str) -> Path:
    """The folder of a checkpoint: a path, ``package:NAME/FOLDER``, or a hub's ``ID@REVISION``.

    Raises RecipeError and ExportError as a recipe's source does.
    """
    location, _, revision = source.partition("@")
    return model_folder(Recipe(name=source, source=location, revision=revision))


def ingredients(sources: Sequence[str], output: Path) -> list[Path]:
    """The folders of the checkpoints, none of which is lost when the soup is written.

    Raises RecipeError and ExportError as ``checkpoint`` does, ExportError when there is none, or
    when the output is one of them or anything else that is no soup.
    """
    if not sources:
        raise ExportError("a soup needs at least one checkpoint")
    folders = [checkpoint(source) for source in sources]
    if any(folder.resolve().is_relative_to(output.resolve()) for folder in folders):
        raise ExportError(f"{output} is one of the checkpoints, or holds one; name another folder")
    require_replaceable(output, SOUP)
    return folders


def average(sources: Sequence[str], output: Path, evidence: Mapping[str, Any]) -> None:
    """Writes the mean of the checkpoints, summed in float64, as a model folder at ``output``.

    The weights are those of the transformer and of the modules behind it. A soup that is there is
    replaced. Tokenizer and configuration are the first one's; soup.json names all, with the
    evidence. Raises as ``ingredients`` does, and ExportError when they are not of one architecture
    and one tokenizer.
    """
    folders = ingredients(sources, output)
    facts = [read_folder(folder) for folder in folders]
    first = load_reference(facts[0].transformer)
    weights = _weights(first, first.absent)
    absent = first.absent
    modules = _module_weights(folders[0], facts[0])
    for source, folder, theirs in zip(sources[1:], folders[1:], facts[1:], strict=True):
        if _inside(folder, theirs) != _inside(folders[0], facts[0]):
            raise ExportError(f"{sources[0]} and {source} have different modules in modules.json")
        other = load_reference(theirs.transformer)
        if other.tokenizer_json != first.tokenizer_json:
            raise ExportError(f"{sources[0]} and {source} have different tokenizers")
        absent |= other.absent
        weights = {name: each for name, each in weights.items() if name not in absent}
        _add(weights, _weights(other, absent), (sources[0], source))
        _add(modules, _module_weights(folder, theirs), (sources[0], source))
    types = {name: value.dtype for name, value in first.model.state_dict().items()}
    mean = {name: (value / len(folders)).to(types[name]) for name, value in weights.items()}
    means = {name: (value / len(folders)).float() for name, value in modules.items()}
    with new_folder(output, SOUP) as staging:
        _copy_description(folders[0], staging)
        inside = facts[0].transformer.relative_to(folders[0])
        first.model.save_pretrained(staging / inside, state_dict=mean)
        _write_modules(means, staging)
        content = {**evidence, "checkpoints": list(sources)}
        (staging / SOUP).write_text(json.dumps(content, indent=2) + "\n")


def _weights(reference: Reference, absent: frozenset[str]) -> dict[str, Any]:
    """The weights in float64, without those absent from a checkpoint, which the loader made up."""
    weights = reference.model.state_dict()
    return {name: each.double() for name, each in weights.items() if name not in absent}


def _add(weights: dict[str, Any], others: Mapping[str, Any], names: tuple[str, str]) -> None:
    """Adds the others to the weights in place, where each has its counterpart."""
    first, second = names
    alone = sorted(weights.keys() ^ others.keys())
    if alone:
        has, lacks = (first, second) if alone[0] in weights else (second, first)
        raise ExportError(f"{has} has the weight {alone[0]}, {lacks} has not")
    for name, value in others.items():
        if value.shape != weights[name].shape:
            raise ExportError(
                f"weight {name} is {list(weights[name].shape)} in {first},"
                f" {list(value.shape)} in {second}"
            )
        weights[name] += value


def _module_weights(folder: Path, facts: FolderFacts) -> dict[str, Any]:
    """Those of the modules behind the transformer in float64, by folder and name."""
    from .module_weights import module_weights

    return {
        f"{module.folder.relative_to(folder).as_posix()}/{name}": each.double()
        for module in _weighted(facts)
        for name, each in module_weights(module).items()
    }


def _weighted(facts: FolderFacts) -> list[Weighted]:
    modules = [facts.mix, *facts.steps]
    return [each for each in modules if isinstance(each, LayerMix | Dense | LayerNorm)]


def _inside(folder: Path, facts: FolderFacts) -> list[Weighted]:
    """The modules that have weights, by what they are, wherever the checkpoint lies."""
    return [replace(each, folder=each.folder.relative_to(folder)) for each in _weighted(facts)]


def _write_modules(weights: Mapping[str, Any], target: Path) -> None:
    from safetensors.torch import save_file

    by_folder: dict[str, dict[str, Any]] = {}
    for path, each in weights.items():
        folder, _, name = path.rpartition("/")
        by_folder.setdefault(folder, {})[name] = each
    for folder, inside in by_folder.items():
        save_file(inside, target / folder / "model.safetensors")


def _copy_description(folder: Path, target: Path) -> None:
    """Everything that says what the model is; the weights are written anew."""
    listed = read_json(folder / "modules.json") or [{"path": "1_Pooling"}]
    for place in {folder, *(folder / each.get("path", "") for each in listed)}:
        for file in (file for pattern in _COPIED for file in place.glob(pattern)):
            if not any(file.match(each) for each in _NOT_COPIED):
                copy = target / file.relative_to(folder)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
