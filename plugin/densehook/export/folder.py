"""What the model folder says of itself, and whether the recipe agrees.

The files are those sentence-transformers writes: modules.json, 1_Pooling/config.json,
sentence_bert_config.json (beside the model's own), config_sentence_transformers.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..bundle.manifest import ROLES
from ..errors import RecipeError
from .modules import LayerMix, Modules, Step
from .modules_json import read_json, read_modules, read_pooling
from .prompts import Prompts, place_prompts
from .recipe import Recipe

# sentence-transformers' Transformer, in the order in which it looks for what it wrote itself
_TRANSFORMER = tuple(
    f"sentence_{model}_config.json"
    for model in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
_SENTENCE = "config_sentence_transformers.json"
_SIMILARITIES = {"cosine": ("cosine",), "dot": ("dot_product", "max_inner_product")}


@dataclass(frozen=True)
class FolderFacts:
    """What the folder states; None where it states nothing."""

    transformer: Path = Path()
    """The folder with the transformer's own files; the folder itself, or one in it."""
    pooling: str | None = None
    include_prompt: bool = True
    normalise: bool | None = None
    mix: LayerMix | None = None
    steps: Sequence[Step] = ()
    max_tokens: int | None = None
    similarity: str | None = None
    lower_case: bool = False
    prompts: Prompts = field(default_factory=Prompts)


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
    remarks: Sequence[str] = ()
    """What people should know of how the folder was read."""
    mix: LayerMix | None = None
    """How the layers' hidden states are mixed before the pooling; None: the last one's alone."""
    steps: Sequence[Step] = ()
    """What is done to the pooled vector before it is cut."""
    include_prompt: bool = True
    """Whether the vector is pooled of the prompt's tokens too."""
    late_chunking: bool = False
    """Whether parts of a text have vectors, each pooled of its own tokens alone."""
    instruction: str = ""
    """What goes before a query that brings an instruction, in the place of its prompt."""
    unpooled: Mapping[str, int] = field(default_factory=dict)
    """How many of a text's first tokens it is not pooled of, by role; empty where of all."""


def read_folder(folder: Path) -> FolderFacts:
    """Reads the folder's own configuration; raises RecipeError where no bundle can express it."""
    modules = read_modules(folder)
    if modules is None:
        pooling = read_pooling(folder / "1_Pooling" / "config.json")
        modules = Modules(folder, None, *(pooling or (None, True)))
        normalise = None
    else:
        normalise = modules.normalise
    path = _transformer_config(modules.transformer)
    stated = _object(path)
    sentence = _object(folder / _SENTENCE)
    if (task := stated.get("transformer_task")) not in (None, "feature-extraction"):
        raise RecipeError(
            f"{path}: transformer_task is {task!r}; the dense kind has none but that"
            " of 'feature-extraction'"
        )
    return FolderFacts(
        transformer=modules.transformer,
        pooling=modules.pooling,
        include_prompt=modules.include_prompt,
        normalise=normalise,
        mix=modules.mix,
        steps=modules.steps[:-1] if modules.normalise else modules.steps,
        max_tokens=_max_tokens(path, stated),
        similarity=_similarity_name(sentence),
        lower_case=bool(stated.get("do_lower_case")),
        prompts=read_prompts(folder),
    )


def read_length(transformer: Path) -> int | None:
    """How many tokens a transformer's folder says that it reads, if it says it."""
    path = _transformer_config(transformer)
    return _max_tokens(path, _object(path))


def read_prompts(folder: Path) -> Prompts:
    """The prompts of a model's folder."""
    return _prompts(folder / _SENTENCE, _object(folder / _SENTENCE))


def settle(
    recipe: Recipe, facts: FolderFacts, tokenizer_limit: int | None, positions: int | None
) -> Settings:
    """Recipe and folder made one; ``positions`` is how many tokens the model can tell apart.

    Raises RecipeError when they contradict each other on a key that ``overrides`` does not name,
    or when neither says what must be known.
    """
    pooling = _agreed(recipe, "pooling", recipe.pooling, facts.pooling)
    normalise = bool(_agreed(recipe, "normalise", recipe.normalise, facts.normalise, default=False))
    limit = min((each for each in (tokenizer_limit, positions) if each), default=None)
    max_tokens = int(_agreed(recipe, "max_tokens", recipe.max_tokens, facts.max_tokens, limit))
    facts.prompts.require_decided(recipe.prompts)
    placed = facts.prompts.by_role
    prompts = {
        str(role): _agreed(recipe, "prompts", recipe.prompts.get(role), placed.get(role), "")
        for role in ROLES
    }
    remarks = _unplaced(facts.prompts, prompts)
    if positions and max_tokens > positions:
        if recipe.max_tokens is not None:
            raise RecipeError(
                f"max_tokens is {max_tokens}, the model has positions for {positions} at most"
            )
        remarks.append(
            f"max_tokens is {positions}: the model folder says {max_tokens}, for which the model"
            " has no positions"
        )
        max_tokens = positions
    if facts.mix is not None and recipe.layers is not None:
        raise RecipeError(
            f"recipe {recipe.name}: layers is {recipe.layers}, and {facts.mix.folder} weights all"
            f" {facts.mix.layers} layers of the model"
        )
    if recipe.late_chunking and pooling != "mean":
        raise RecipeError(
            f"recipe {recipe.name}: late_chunking is of vectors that are the mean of their tokens,"
            f" and pooling is {pooling!r}"
        )
    similarity = _similarity(recipe, facts, normalise)
    return Settings(
        pooling,
        normalise,
        max_tokens,
        similarity,
        prompts,
        recipe.dims,
        remarks,
        facts.mix,
        facts.steps,
        facts.include_prompt if recipe.include_prompt is None else recipe.include_prompt,
        recipe.late_chunking,
        recipe.instruction,
    )


def _unplaced(prompts: Prompts, used: Mapping[str, str]) -> list[str]:
    names = [name for name in prompts.unplaced if prompts.named[name] not in used.values()]
    if not names:
        return []
    return [f"prompts of the model folder that are for neither role: {', '.join(names)}"]


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
        f"recipe {recipe.name}: {key} is missing and the model folder does not say it; say it in"
        f" the recipe, or with --{key.replace('_', '-')}"
    )


def _similarity(recipe: Recipe, facts: FolderFacts, normalise: bool) -> str:
    similarity = _stated_similarity(recipe, facts, normalise)
    if similarity == "dot_product" and not normalise:
        raise RecipeError(
            f"recipe {recipe.name}: similarity is 'dot_product', which Elasticsearch takes for"
            " vectors of length 1 alone, and normalise is false; write 'max_inner_product' for it"
        )
    return similarity


def _stated_similarity(recipe: Recipe, facts: FolderFacts, normalise: bool) -> str:
    # over unit vectors cosine and dot product are one, and the dot product is the cheaper
    equal = ("cosine", "dot_product") if normalise else ()
    if facts.similarity is None:
        return recipe.similarity or ("dot_product" if normalise else "cosine")
    found = _SIMILARITIES[facts.similarity]
    if recipe.similarity in (None, *found) or {recipe.similarity, found[0]} <= set(equal):
        return recipe.similarity or ("dot_product" if normalise else found[-1])
    return str(_agreed(recipe, "similarity", recipe.similarity, found[-1]))


def _transformer_config(folder: Path) -> Path:
    there = (folder / name for name in _TRANSFORMER if (folder / name).is_file())
    return next(there, folder / _TRANSFORMER[0])


def _max_tokens(path: Path, stated: Mapping[str, Any]) -> int | None:
    found = stated.get("max_seq_length")
    if found is not None and (type(found) is not int or found < 1):
        raise RecipeError(f"{path}: max_seq_length is {found!r}; it must be a positive number")
    return found


def _prompts(path: Path, stated: Mapping[str, Any]) -> Prompts:
    named = stated.get("prompts") or {}
    if not isinstance(named, dict):
        raise RecipeError(f"{path}: prompts are {named!r}; they must be texts by name")
    texts = {name: text for name, text in named.items() if text is not None}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise RecipeError(f"{path}: the prompt {name} is {text!r}; it must be a string")
    default = stated.get("default_prompt_name")
    if not isinstance(default, str | None):
        raise RecipeError(f"{path}: default_prompt_name is {default!r}; it must be a string")
    return place_prompts(texts, default)


def _similarity_name(stated: Mapping[str, Any]) -> str | None:
    found = stated.get("similarity_fn_name")
    if found is None or found in tuple(_SIMILARITIES):
        return found
    raise RecipeError(f"the model folder's similarity is {found!r}; no kNN field has it")


def _object(path: Path) -> Mapping[str, Any]:
    content = read_json(path)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise RecipeError(f"{path} must be an object of keys and values, it is {content!r:.40}")
    return content
