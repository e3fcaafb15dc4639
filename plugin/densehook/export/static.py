"""Static embeddings: a table with a vector for each token, of which a text's is the mean.

They are read as sentence-transformers' StaticEmbedding (Aarsen 2025, "Train 400x faster Static
Embedding Models") and model2vec (Tulkens and van Dongen 2024, "Model2Vec") write them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from ..errors import ExportError, RecipeError
from .modules_json import read_json

_CLASS = "StaticEmbedding"
_MODEL2VEC = "model2vec"
_TABLES = ("embedding.weight", "embeddings")
"""What the two libraries call it."""

MODEL2VEC_TOKENS = 512
"""Where model2vec cuts a text, unless it is told otherwise."""
LONGEST = 8192
"""Tokens where nobody cuts: sentence-transformers reads a text to its end."""


@dataclass(frozen=True)
class StaticFolder:
    """Where what is, and what is said of it.

    ``normalise`` says whether vectors get length 1, ``drops_unknown`` whether the unknown token
    counts for nothing, ``max_tokens`` where a text is cut.
    """

    weights: Path
    tokenizer: Path
    normalise: bool
    drops_unknown: bool
    max_tokens: int


def is_static(folder: Path) -> bool:
    """Whether a model's folder is one of static embeddings."""
    return _module(folder) is not None or _is_model2vec(folder)


def _is_model2vec(folder: Path) -> bool:
    config = read_json(folder / "config.json")
    return isinstance(config, dict) and config.get("model_type") == _MODEL2VEC


def _module(folder: Path) -> Path | None:
    """The folder of the module, where modules.json lists it first."""
    listed = read_json(folder / "modules.json")
    first = listed[0] if isinstance(listed, list) and listed else None
    if not isinstance(first, dict) or not str(first.get("type", "")).endswith(f".{_CLASS}"):
        return None
    return folder / str(first.get("path") or "")


def read_static(folder: Path) -> StaticFolder:
    """What the folder says of itself.

    Raises RecipeError where modules follow that are not known here.
    """
    module = _module(folder)
    inside = folder if module is None else module
    files = inside / "model.safetensors", inside / "tokenizer.json"
    if missing := [each for each in files if not each.is_file()]:
        raise RecipeError(f"{missing[0]} is missing; static embeddings are a table and a tokenizer")
    if _is_model2vec(folder):
        config = read_json(folder / "config.json")
        return StaticFolder(*files, bool(config.get("normalize", True)), True, MODEL2VEC_TOKENS)
    behind = [str(each.get("type")) for each in read_json(folder / "modules.json")[1:]]
    others = [each for each in behind if not each.endswith(".Normalize")]
    if others:
        raise RecipeError(
            f"{folder / 'modules.json'} lists {others[0]} behind {_CLASS}; of static embeddings"
            " Normalize alone is known"
        )
    return StaticFolder(*files, bool(behind), False, LONGEST)


def read_table(path: Path) -> NDArray[np.float32]:
    """The vector that each token id adds, float32 [ids, dims].

    Of model2vec's tables some have weights of their tokens beside them, or several tokens share a
    row. Raises ExportError for a file that holds no such table.
    """
    try:
        held: dict[str, NDArray[Any]] = load_file(path)
    except Exception as error:  # safetensors' error has no root but this
        raise ExportError(f"{path} cannot be read: {error}") from error
    names = [name for name in _TABLES if name in held]
    if not names or held[names[0]].ndim != 2:
        raise ExportError(f"{path} has no table of embeddings, but {', '.join(sorted(held))}")
    unknown = sorted(held.keys() - {*_TABLES, "weights", "mapping"})
    if unknown:
        raise ExportError(
            f"{path} has {', '.join(unknown)} beside its table; only"
            " weights and mapping of its tokens are known"
        )
    table = held[names[0]].astype(np.float32)
    if "mapping" in held:
        table = table[held["mapping"].astype(np.int64)]
    if "weights" in held:
        table = table * held["weights"].astype(np.float32)[:, None]
    if not np.isfinite(table).all():
        raise ExportError(f"{path} holds numbers that are not finite")
    return np.asarray(table, dtype=np.float32)
