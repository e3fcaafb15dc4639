"""A recipe: which model to export, and what its authors say it is."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ..bundle import KINDS, Source
from ..bundle.kinds import ALSO, cross, sparse
from ..bundle.kinds.dense import POOLINGS, SIMILARITIES, split_pooling
from ..bundle.manifest import INSTRUCTION, ROLES
from ..bundle.stated import NAME, is_name, is_number, shown
from ..errors import RecipeError


@dataclass(frozen=True)
class Recipe:
    """What to export.

    ``source`` is a Hugging Face id (then ``revision`` is a commit), a folder (relative to the
    recipe), or ``package:NAME/FOLDER`` inside an installed package (then ``revision`` is the
    distribution's version). What is left out is taken from the model folder; what contradicts the
    model folder is refused unless its key stands in ``overrides``.
    """

    name: str
    source: str
    revision: str = ""
    repository: str = ""
    license: str = "unknown"
    kind: str = "dense"
    pooling: str | None = None
    include_prompt: bool | None = None
    """Whether the vector is pooled of the prompt's tokens too."""
    normalise: bool | None = None
    similarity: str | None = None
    max_tokens: int | None = None
    layers: int | None = None
    """Of the model's layers, how many are kept, from the first on; all where left out."""
    dims: int | None = None
    """Of the pooled vector, how many numbers are kept, from the first on; all where left out."""
    late_chunking: bool = False
    """Whether the graph gives a vector of each part of a text that it reads as a whole."""
    activation: str | None = None
    """What becomes of a logit: of a cross-encoder's identity or sigmoid, of a sparse one's relu or
    log1p_relu."""
    truncation: str | None = None
    """Of a cross-encoder's pair that is too long: longest_first or document."""
    template: Mapping[str, str] = field(default_factory=dict)
    """Of a decoder that judges pairs: the texts around query and document, and its two answers."""
    also: Sequence[str] = ()
    """Kinds of other heads of the model, which one run gives beside its vector."""
    max_terms: int | None = None
    """Of a text's weights, how many are kept, from the largest on; sparse alone."""
    instruction: str = ""
    """What goes before a query that brings an instruction, with {instruction} in its place."""
    idf: str | None = None
    """The model folder's file with a weight for each token of a query; sparse alone."""
    joiner: str = " "
    prompts: Mapping[str, str] = field(default_factory=dict)
    overrides: list[str] = field(default_factory=list)
    folder: Path = Path()
    """Where the recipe lies; a relative ``source`` starts here. Not a key of the file."""

    @property
    def origin(self) -> Source:
        """Where the weights are from, as a manifest says it."""
        return Source(
            repository=self.repository or self.source,
            location=self.source,
            revision=self.revision,
            license=self.license,
        )


_TYPES: Mapping[str, type] = {
    "name": str,
    "source": str,
    "revision": str,
    "repository": str,
    "license": str,
    "kind": str,
    "pooling": str,
    "include_prompt": bool,
    "normalise": bool,
    "similarity": str,
    "max_tokens": int,
    "layers": int,
    "dims": int,
    "late_chunking": bool,
    "activation": str,
    "truncation": str,
    "template": dict,
    "also": list,
    "max_terms": int,
    "instruction": str,
    "idf": str,
    "joiner": str,
    "prompts": dict,
    "overrides": list,
}
_KEYS = tuple(_TYPES)
TEMPLATE = ("before", "query_end", "between", "after", "yes", "no")
"""What there may be in a template; texts that are tokenised by themselves, and two tokens."""
_TYPE_NAMES = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    dict: "a table",
    list: "a list",
}
_LONGEST_KEY = 40  # a longer word is no slip of the pen, and comparing it takes long
_CHOICES: Mapping[str, Collection[str]] = {
    "kind": KINDS,
    "similarity": SIMILARITIES,
    "truncation": cross.TRUNCATIONS,
}
_OF_KINDS: Mapping[str, Collection[str]] = {
    "also": tuple(ALSO),
    "activation": ("cross", "sparse"),
    "truncation": ("cross",),
    "template": ("cross",),
    "instruction": ("dense",),
    "include_prompt": ("dense",),
    "max_terms": ("sparse",),
    "idf": ("sparse",),
}
"""Keys that are not of every kind."""
_OF_HEADS = ("max_terms",)
"""Those of them that speak of a head as well."""
_ACTIVATIONS: Mapping[str, Collection[str]] = {
    "cross": cross.ACTIVATIONS,
    "sparse": sparse.ACTIVATIONS,
}
"""By kind, what may become of a logit."""


def read_recipe(path: Path | str) -> Recipe:
    """Reads NAME.toml; raises RecipeError naming the key, its value and what it may be."""
    path = Path(path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecipeError(f"no recipe at {path}; recipes lie in onnx_models/*.toml") from None
    except (OSError, ValueError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        raise RecipeError(f"{path} is not a TOML file: {reason}") from None
    content.setdefault("name", path.stem)
    for key, value in content.items():
        check_key(path, key, value)
    if not content.get("source"):
        raise RecipeError(
            f"{path} names no source: a Hugging Face id, a folder or package:NAME/FOLDER"
        )
    for key in content:
        kinds = _OF_KINDS.get(key, KINDS)
        if not {content.get("kind", Recipe.kind), *_heads(content, key)} & set(kinds):
            raise RecipeError(f"{path}: {key} is for kind {', '.join(kinds)} alone; leave it out")
    _require_heads(path, content.get("kind", Recipe.kind), content.get("also", ()))
    known = _ACTIVATIONS.get(content.get("kind", ""), ())
    if "activation" in content and content["activation"] not in known:
        raise RecipeError(
            f"{path}: activation is {shown(content['activation'])}; known: {', '.join(known)}"
        )
    return Recipe(**content, folder=path.resolve().parent)


def stated_of(recipe: Recipe, keys: Iterable[str]) -> list[str]:
    """Those of the keys that the recipe states."""
    plain = {each.name: each.default for each in fields(Recipe)}
    return [key for key in keys if getattr(recipe, key) not in (plain[key], {}, ())]


def require_of_kind(recipe: Recipe, kind: str) -> None:
    """Raises RecipeError for a key that is not of the kind."""
    for key in stated_of(recipe, _OF_KINDS):
        kinds = _OF_KINDS[key]
        if kind not in kinds:
            raise RecipeError(
                f"recipe {recipe.name}: {key} is for kind {', '.join(kinds)} alone, and this is"
                f" {kind}; leave it out"
            )


def _heads(content: Mapping[str, Any], key: str) -> Sequence[str]:
    """Kinds of heads that a key may be for, beside the recipe's own kind."""
    return content.get("also", ()) if key in _OF_HEADS else ()


def check_key(path: Path, key: str, value: Any) -> None:
    """Raises RecipeError unless the key is one, with a value that it may have."""
    if key not in _KEYS:
        raise RecipeError(f"{path}: unknown key {shown(key)}{_did_you_mean(key, _KEYS)}")
    expected = _TYPES[key]
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        raise RecipeError(f"{path}: {key} is {shown(value)}; it must be {_TYPE_NAMES[expected]}")
    if key in _CHOICES and value not in _CHOICES[key]:
        raise RecipeError(f"{path}: {key} is {shown(value)}; known: {', '.join(_CHOICES[key])}")
    if key in _CONTENTS:
        _CONTENTS[key](path, key, value)


def _check_positive(path: Path, key: str, value: int) -> None:
    if not is_number(value, 1):
        raise RecipeError(f"{path}: {key} is {shown(value)}; it must be at least 1, and below 2^31")


def _check_name(path: Path, key: str, value: str) -> None:
    if not is_name(value):
        raise RecipeError(f"{path}: {key} is {shown(value)}; it must be {NAME}")


def _check_line(path: Path, key: str, value: str) -> None:
    if any(c < " " or c == "\x7f" for c in value):
        raise RecipeError(f"{path}: {key} is {shown(value)}; it must have no control characters")


def _check_also(path: Path, key: str, kinds: list[Any]) -> None:
    known = list(dict.fromkeys(each for heads in ALSO.values() for each in heads))
    if not kinds or len({*map(str, kinds)}) < len(kinds) or not set(map(str, kinds)) <= set(known):
        raise RecipeError(
            f"{path}: also is {shown(kinds)}; it must name some of {', '.join(known)}, each once"
        )


def _require_heads(path: Path, kind: str, also: Sequence[str]) -> None:
    """Raises RecipeError for a head that models of the kind do not have."""
    if not set(also) <= set(ALSO.get(kind, also)):
        raise RecipeError(
            f"{path}: also is {shown(list(also))}; beside kind {kind} there can be"
            f" {', '.join(ALSO[kind])} alone"
        )


def _check_overrides(path: Path, key: str, names: list[Any]) -> None:
    for name in names:
        if name not in _KEYS:
            raise RecipeError(
                f"{path}: overrides names {shown(name)}{_did_you_mean(str(name), _KEYS)}"
            )


def _check_prompts(path: Path, key: str, prompts: Mapping[str, Any]) -> None:
    for role, prompt in prompts.items():
        if role not in ROLES:
            raise RecipeError(f"{path}: prompts are for {shown(role)}{_did_you_mean(role, ROLES)}")
        if not isinstance(prompt, str):
            raise RecipeError(f"{path}: the {role} prompt is {shown(prompt)}; it must be a string")


def _check_template(path: Path, key: str, template: Mapping[str, Any]) -> None:
    for name, text in template.items():
        if name not in TEMPLATE:
            raise RecipeError(f"{path}: template has {shown(name)}{_did_you_mean(name, TEMPLATE)}")
        if not isinstance(text, str):
            raise RecipeError(f"{path}: template.{name} is {shown(text)}; it must be a string")
    for name in ("yes", "no"):
        if not template.get(name):
            raise RecipeError(
                f"{path}: template has no {name!r}; give the token by which the model says it"
            )


def _check_instruction(path: Path, key: str, template: str) -> None:
    if template.count(INSTRUCTION) != 1:
        raise RecipeError(
            f"{path}: instruction is {shown(template)}; it must have {INSTRUCTION} once, where a"
            " query's own goes"
        )


def _check_pooling(path: Path, key: str, pooling: str) -> None:
    if any(each not in POOLINGS for each in split_pooling(pooling)):
        raise RecipeError(
            f"{path}: pooling is {shown(pooling)}; known: {', '.join(POOLINGS)}, and several with"
            " + like cls+mean, whose results stand side by side"
        )


_CONTENTS: Mapping[str, Callable[[Path, str, Any], None]] = {
    "name": _check_name,
    "source": _check_line,
    "revision": _check_line,
    "repository": _check_line,
    "license": _check_line,
    "pooling": _check_pooling,
    "max_tokens": _check_positive,
    "layers": _check_positive,
    "dims": _check_positive,
    "max_terms": _check_positive,
    "idf": _check_name,
    "instruction": _check_instruction,
    "also": _check_also,
    "overrides": _check_overrides,
    "prompts": _check_prompts,
    "template": _check_template,
}


def _did_you_mean(word: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word[:_LONGEST_KEY], known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}"
