"""What the model folder says of itself, and whether the recipe agrees.

The files are those sentence-transformers writes: modules.json, 1_Pooling/config.json,
sentence_bert_config.json, config_sentence_transformers.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import RecipeError
from .recipe import Recipe

# modules.json's classes, by their last name, that a bundle can express
_MODULES = ("Transformer", "Pooling", "Normalize")

_POOLING_MODES = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_lasttoken": "last",
}
_PROMPT_ROLES = {"query": "query", "document": "document", "passage": "document"}
_SIMILARITIES = {"cosine": ("cosine",), "dot": ("dot_product", "max_inner_product")}


@dataclass(frozen=True)
class FolderFacts:
    """What the folder states; None where it states nothing."""

    pooling: str | None = None
    normalise: bool | None = None
    max_tokens: int | None = None
    similarity: str | None = None
    lower_case: bool = False
    prompts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """What the export follows: the recipe where it speaks, else the folder."""

    pooling: str
    normalise: bool
    max_tokens: int
    similarity: str
    prompts: Mapping[str, str]
    dims: int | None = None
    """The pooled vector is cut to its first so many numbers, then normalised; None: not cut."""


def read_folder(folder: Path) -> FolderFacts:
    """Reads the folder's own configuration; raises RecipeError where no bundle can express it."""
    modules = _json(folder / "modules.json") or []
    kinds = {str(m["type"]).rpartition(".")[2]: m.get("path", "") for m in modules}
    unknown = sorted(set(kinds) - set(_MODULES))
    if unknown:
        raise RecipeError(
            f"{folder / 'modules.json'} lists {', '.join(unknown)}, which the dense kind has not;"
            f" it has {', '.join(_MODULES)}"
        )
    bert = _json(folder / "sentence_bert_config.json") or {}
    sentence = _json(folder / "config_sentence_transformers.json") or {}
    prompts = (sentence.get("prompts") or {}).items()
    return FolderFacts(
        pooling=_pooling(folder / kinds.get("Pooling", "1_Pooling") / "config.json"),
        normalise="Normalize" in kinds if modules else None,
        max_tokens=bert.get("max_seq_length"),
        similarity=sentence.get("similarity_fn_name"),
        lower_case=bool(bert.get("do_lower_case")),
        prompts={_PROMPT_ROLES[n]: text for n, text in prompts if n in _PROMPT_ROLES and text},
    )


def settle(recipe: Recipe, facts: FolderFacts, tokenizer_limit: int | None) -> Settings:
    """Recipe and folder made one.

    Raises RecipeError when they contradict each other on a key that ``overrides`` does not name,
    or when neither says what must be known.
    """
    pooling = _agreed(recipe, "pooling", recipe.pooling, facts.pooling)
    normalise = bool(_agreed(recipe, "normalise", recipe.normalise, facts.normalise, default=False))
    max_tokens = _agreed(recipe, "max_tokens", recipe.max_tokens, facts.max_tokens, tokenizer_limit)
    if tokenizer_limit and max_tokens > tokenizer_limit:
        raise RecipeError(
            f"max_tokens is {max_tokens}, the model has positions for {tokenizer_limit} at most"
        )
    prompts = {
        role: _agreed(recipe, "prompts", recipe.prompts.get(role), facts.prompts.get(role), "")
        for role in ("query", "document")
    }
    similarity = _similarity(recipe, facts, normalise)
    return Settings(pooling, normalise, max_tokens, similarity, prompts, recipe.dims)


def _agreed(recipe: Recipe, key: str, said: Any, found: Any, default: Any = None) -> Any:
    if said is not None and found is not None and said != found and key not in recipe.overrides:
        raise RecipeError(
            f"recipe {recipe.name}: {key} is {said!r}, the model folder says {found!r};"
            f' correct the recipe, or write overrides = ["{key}"] if that is on purpose'
        )
    for value in (said, found, default):
        if value is not None:
            return value
    raise RecipeError(
        f"recipe {recipe.name}: {key} is missing and the model folder does not say it"
    )


def _similarity(recipe: Recipe, facts: FolderFacts, normalise: bool) -> str:
    # over unit vectors cosine and dot product are one, and the dot product is the cheaper
    equal = ("cosine", "dot_product") if normalise else ()
    if facts.similarity is None:
        return recipe.similarity or ("dot_product" if normalise else "cosine")
    if facts.similarity not in _SIMILARITIES:
        raise RecipeError(
            f"the model folder's similarity is {facts.similarity!r}; no kNN field has it"
        )
    found = _SIMILARITIES[facts.similarity]
    if recipe.similarity in (None, *found) or {recipe.similarity, found[0]} <= set(equal):
        return recipe.similarity or ("dot_product" if normalise else found[-1])
    return str(_agreed(recipe, "similarity", recipe.similarity, found[-1]))


def _pooling(path: Path) -> str | None:
    config = _json(path)
    if config is None:
        return None
    on = [mode for mode in config if mode.startswith("pooling_mode_") and config[mode]]
    modes = [_POOLING_MODES.get(mode) for mode in on] or [config.get("pooling_mode")]
    if len(modes) != 1 or modes[0] not in _POOLING_MODES.values():
        raise RecipeError(
            f"{path}: pooling by {' and '.join(on) or config.get('pooling_mode')} is not supported;"
            f" supported: {', '.join(_POOLING_MODES.values())}"
        )
    if config.get("include_prompt") is False:
        raise RecipeError(f"{path}: leaving the prompt out of the pooling is not supported")
    return modes[0]


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path} is not JSON: {error}") from None
