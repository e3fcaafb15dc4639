"""modules.json and the configurations that it points to, read as sentence-transformers reads them.

What no graph can have is refused by name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..bundle.kinds.dense import POOLINGS
from ..errors import RecipeError
from .modules import ACTIVATIONS, Dense, LayerMix, LayerNorm, Modules, Normalise, Step

_LIBRARY = "sentence_transformers."

# in the order in which sentence-transformers concatenates what the switches turn on
_SWITCHES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "last",
}
_MODES = {"mean_sqrt_len_tokens": "mean_sqrt_len", "lasttoken": "last"}

_WORDS = "words, not a tokenizer.json's tokens, are what it reads; take a model with a transformer"
_REFUSED = {
    "CLIPModel": "it encodes images too; save its text model, with pooling, to a folder of its own",
    "WordEmbeddings": _WORDS,
    "WordWeights": _WORDS,
    "BoW": _WORDS,
    "CNN": _WORDS,
    "LSTM": _WORDS,
    "StaticEmbedding": "it is a table without a transformer; densehook export alone takes it",
    "Router": "each role has a model of its own; save the one you want to a folder of its own",
    "Asym": "each role has a model of its own; save the one you want to a folder of its own",
    "SpladePooling": 'its weights are of tokens; write kind = "sparse" into its recipe',
    "MLMTransformer": 'its weights are of tokens; write kind = "sparse" into its recipe',
}


def read_modules(folder: Path) -> Modules | None:
    """Reads modules.json and the configurations that it points to; None where there is none.

    Raises RecipeError, naming the module, for one that no bundle can express.
    """
    listed = read_json(folder / "modules.json")
    if listed is None:
        return None
    found = located_modules(folder, listed)
    kinds = [kind for kind, _ in found]
    if kinds[:1] != ["Transformer"] or kinds.count("Transformer") != 1:
        raise RecipeError(
            f"{folder / 'modules.json'} lists {', '.join(kinds) or 'nothing'}; one Transformer must"
            " come first"
        )
    transformer, rest = found[0][1], found[1:]
    mix: LayerMix | None = None
    if rest and rest[0][0] == "WeightedLayerPooling":
        mix = _layer_mix(rest.pop(0)[1], transformer)
    pooling, include_prompt = None, True
    if rest and rest[0][0] == "Pooling":
        pooling, include_prompt = read_pooling(rest.pop(0)[1] / "config.json") or ("mean", True)
    steps = [_STEPS[kind](path) for kind, path in _known_steps(folder / "modules.json", rest)]
    if steps and pooling is None:
        raise RecipeError(
            f"{folder / 'modules.json'} lists {', '.join(kinds)}: without a Pooling before it"
            f" {rest[0][0]} has no vector to work on"
        )
    return Modules(transformer, mix, pooling, include_prompt, steps)


def class_names(listed: Any) -> list[str]:
    """What modules.json lists, whosever code it is: of each module the last name of its class."""
    entries = listed if isinstance(listed, list) else []
    return [str(each.get("type")).rpartition(".")[2] for each in entries if isinstance(each, dict)]


def located_modules(folder: Path, listed: Any) -> list[tuple[str, Path]]:
    """What modules.json lists: of each module its class, by the last name, and its folder."""
    return [_located(folder, entry) for entry in _entries(folder / "modules.json", listed)]


def read_pooling(path: Path) -> tuple[str, bool] | None:
    """The pooling of a configuration, and whether the prompt takes part in it.

    None where there is no such file. Raises RecipeError for a pooling that is not known.
    """
    config = read_json(path)
    if config is None:
        return None
    if not isinstance(config, dict):
        raise RecipeError(f"{path} is no configuration of a pooling: {config!r:.40}")
    stated = config.get("pooling_mode")
    if stated is None:
        unknown = [key for key in config if key.startswith("pooling_mode_") and config[key]]
        unknown = [key for key in unknown if key not in _SWITCHES]
        modes = [mode for key, mode in _SWITCHES.items() if config.get(key)] or ["mean"]
    else:
        named = stated if isinstance(stated, list) else [stated]
        modes = [_MODES.get(str(mode), str(mode)) for mode in named]
        unknown = [mode for mode in modes if mode not in POOLINGS] or ([] if modes else ["nothing"])
    if unknown:
        raise RecipeError(
            f"{path}: pooling by {', '.join(map(str, unknown))} is not supported; supported:"
            f" {', '.join(POOLINGS)}"
        )
    return "+".join(modes), config.get("include_prompt", True) is not False


def read_json(path: Path) -> Any:
    """What a JSON file holds, None where there is none; raises RecipeError for any other file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise RecipeError(f"{path} is not JSON: {error}") from None


def _entries(path: Path, listed: Any) -> list[Mapping[str, Any]]:
    if not isinstance(listed, list) or any(
        not isinstance(each, dict) or not isinstance(each.get("type"), str) for each in listed
    ):
        raise RecipeError(f"{path} is no list of modules with their types: {listed!r:.60}")
    return listed


def _located(folder: Path, entry: Mapping[str, Any]) -> tuple[str, Path]:
    """A module's class, by its last name, and its folder."""
    path = entry.get("path", "")
    inside = (folder / str(path)).resolve()
    if not isinstance(path, str) or not inside.is_relative_to(folder.resolve()):
        raise RecipeError(f"{folder / 'modules.json'}: the path {path!r} is not in the folder")
    full = entry["type"]
    name = full.rpartition(".")[2]
    if not full.startswith(_LIBRARY):
        raise RecipeError(
            f"{folder / 'modules.json'} lists {full}, which is code of the model's own, not"
            f" {_LIBRARY}*; where a module of sentence-transformers does the same, name that one in"
            " a copy of the folder"
        )
    return name, folder / path


def _known_steps(path: Path, rest: Sequence[tuple[str, Path]]) -> list[tuple[str, Path]]:
    for kind, _ in rest:
        if kind not in _STEPS and kind != "Dropout":
            why = _REFUSED.get(kind, "it cannot stand there, or is not known")
            raise RecipeError(
                f"{path} lists {kind}, which the dense kind has not: {why}; it has Transformer,"
                f" WeightedLayerPooling, Pooling, then {', '.join(_STEPS)}, Dropout"
            )
    return [each for each in rest if each[0] != "Dropout"]  # of no effect but in training


def _config(path: Path) -> Mapping[str, Any]:
    config = read_json(path / "config.json")
    if not isinstance(config, dict):
        raise RecipeError(f"{path / 'config.json'} is missing, or no configuration of a module")
    _require_of_vector(path, config)
    return config


def _require_of_vector(path: Path, config: Mapping[str, Any]) -> None:
    for key in ("module_input_name", "module_output_name"):
        if config.get(key) not in (None, "sentence_embedding"):
            raise RecipeError(
                f"{path / 'config.json'}: {key} is {config[key]!r}; a bundle's vector is made of"
                " 'sentence_embedding' alone"
            )


def _size(path: Path, config: Mapping[str, Any], *keys: str) -> int:
    found = next((config[key] for key in keys if key in config), None)
    if type(found) is not int or found < 0:
        raise RecipeError(f"{path / 'config.json'}: {keys[0]} is {found!r}; it must be a number")
    return found


def _layer_mix(path: Path, transformer: Path) -> LayerMix:
    config = _config(path)
    model = read_json(transformer / "config.json") or {}
    if not model.get("output_hidden_states"):
        raise RecipeError(
            f"{path / 'config.json'} weights the model's layers, which {transformer} does not give;"
            ' write "output_hidden_states": true into its config.json, or take'
            " WeightedLayerPooling out of modules.json"
        )
    return LayerMix(
        path, _size(path, config, "layer_start"), _size(path, config, "num_hidden_layers")
    )


def _dense(path: Path) -> Dense:
    config = _config(path)
    stated = config.get("activation_function", "torch.nn.modules.activation.Tanh")
    name = str(stated).rpartition(".")[2]
    if name not in ACTIVATIONS or not str(stated).startswith("torch.nn."):
        raise RecipeError(
            f"{path / 'config.json'}: the activation function is {stated!r}; supported:"
            f" {', '.join(f'torch.nn.{each}' for each in ACTIVATIONS)}"
        )
    if config.get("use_residual"):
        raise RecipeError(f"{path / 'config.json'}: a Dense layer with use_residual is unsupported")
    return Dense(
        path,
        _size(path, config, "in_features"),
        _size(path, config, "out_features"),
        config.get("bias", True) is not False,
        name,
    )


def _layer_norm(path: Path) -> LayerNorm:
    return LayerNorm(path, _size(path, _config(path), "dimension"))


def _normalise(path: Path) -> Normalise:
    config = read_json(path / "config.json")  # older ones have none
    if isinstance(config, dict):
        _require_of_vector(path, config)
    return Normalise()


_STEPS: Mapping[str, Callable[[Path], Step]] = {
    "Dense": _dense,
    "LayerNorm": _layer_norm,
    "Normalize": _normalise,
}
