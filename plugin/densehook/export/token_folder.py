"""What a folder says of a late-interaction model: its markers, lengths, skipped tokens, projection.

Two ways to write them are known: ColBERT's artifact.metadata, with ``linear.weight`` among the
model's own weights, and PyLate's configuration of sentence-transformers, with a Dense module.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import RecipeError
from .modules_json import class_names, read_json

_ARTIFACT = "artifact.metadata"
_SENTENCE = "config_sentence_transformers.json"
_LINEAR = "linear.weight"
_PUNCTUATION = tuple(string.punctuation)


@dataclass(frozen=True)
class TokenFacts:
    """What the folder states; words are those of its tokenizer's vocabulary.

    ``projection`` is the folder with the weights of the projection, the tensor ``linear.weight``
    of them all. ``dims`` is None where that tensor alone says it.
    """

    transformer: Path
    projection: Path
    dims: int | None
    query_tokens: int
    max_tokens: int
    markers: Mapping[str, str]
    expands: bool
    attends: bool
    skipped: Sequence[str]

    linear: str = _LINEAR


def read_token_folder(folder: Path) -> TokenFacts:
    """Reads the folder's own configuration.

    Raises RecipeError for one that is of no late-interaction model, or says what no bundle can be.
    """
    artifact = _object(folder / _ARTIFACT)
    if artifact is not None:
        return _of_colbert(folder, artifact)
    sentence = _object(folder / _SENTENCE)
    if sentence is not None and "query_length" in sentence:
        return _of_pylate(folder, sentence)
    raise RecipeError(
        f"{folder} says nothing of late interaction: it has no {_ARTIFACT} as ColBERT writes it,"
        f" and no {_SENTENCE} with query_length as PyLate does; the multi kind needs one of them"
    )


def tells_of_late_interaction(folder: Path) -> bool:
    """Whether the folder has a configuration that ``read_token_folder`` reads."""
    sentence = read_json(folder / _SENTENCE)
    own = isinstance(sentence, dict) and "query_length" in sentence
    return own or (folder / _ARTIFACT).is_file()


def _of_colbert(folder: Path, stated: Mapping[str, Any]) -> TokenFacts:
    path = folder / _ARTIFACT
    return TokenFacts(
        transformer=folder,
        projection=folder,
        dims=_number(path, stated, "dim", None),
        query_tokens=_number(path, stated, "query_maxlen", 32),
        max_tokens=_number(path, stated, "doc_maxlen", 220),
        markers={
            "query": _text(path, stated, "query_token_id", "[unused0]"),
            "document": _text(path, stated, "doc_token_id", "[unused1]"),
        },
        expands=True,
        attends=_truth(path, stated, "attend_to_mask_tokens", False),
        skipped=_PUNCTUATION if _truth(path, stated, "mask_punctuation", True) else (),
    )


def _of_pylate(folder: Path, stated: Mapping[str, Any]) -> TokenFacts:
    path = folder / _SENTENCE
    transformer, dense = _modules(folder)
    config = _object(dense / "config.json") or {}
    activation = str(config.get("activation_function", "")).rpartition(".")[2]
    if config.get("bias") is not False or activation != "Identity" or config.get("use_residual"):
        raise RecipeError(
            f"{dense / 'config.json'}: the projection has a bias, a residual or the activation"
            f" {activation or 'Tanh'}; the multi kind has a linear one without them"
        )
    skipped = stated.get("skiplist_words", _PUNCTUATION)
    if not isinstance(skipped, Sequence) or not all(isinstance(word, str) for word in skipped):
        raise RecipeError(f"{path}: skiplist_words is {skipped!r:.60}; it must be a list of words")
    markers = {
        role: _text(path, stated, f"{role}_prefix", default)
        for role, default in (("query", "[Q] "), ("document", "[D] "))
    }
    return TokenFacts(
        transformer=transformer,
        projection=dense,
        dims=_number(dense / "config.json", config, "out_features", None),
        query_tokens=_number(path, stated, "query_length", None),
        max_tokens=_number(path, stated, "document_length", 180),
        markers={} if not any(markers.values()) else markers,
        expands=_truth(path, stated, "do_query_expansion", True),
        attends=_truth(path, stated, "attend_to_expansion_tokens", False),
        skipped=tuple(skipped),
    )


def _modules(folder: Path) -> tuple[Path, Path]:
    """The folders of the transformer and of the projection, the only modules there may be."""
    path = folder / "modules.json"
    listed = read_json(path)
    kinds = class_names(listed)
    if kinds != ["Transformer", "Dense"]:
        raise RecipeError(
            f"{path} lists {', '.join(kinds) or 'nothing'}; a late-interaction model has a"
            " Transformer and one Dense"
        )
    transformer, dense = (folder / str(each.get("path", "")) for each in listed)
    return transformer, dense


def _object(path: Path) -> Mapping[str, Any] | None:
    content = read_json(path)
    if content is not None and not isinstance(content, dict):
        raise RecipeError(f"{path} must be an object of keys and values, it is {content!r:.40}")
    return content


def _number(path: Path, stated: Mapping[str, Any], key: str, default: int | None) -> Any:
    found = stated.get(key, default)
    if type(found) is not int or found < 1:
        raise RecipeError(f"{path}: {key} is {found!r}; it must be a positive number")
    return found


def _text(path: Path, stated: Mapping[str, Any], key: str, default: str) -> str:
    found = stated.get(key, default)
    if not isinstance(found, str):
        raise RecipeError(f"{path}: {key} is {found!r}; it must be a token")
    return found


def _truth(path: Path, stated: Mapping[str, Any], key: str, default: bool) -> bool:
    found = stated.get(key, default)
    if not isinstance(found, bool):
        raise RecipeError(f"{path}: {key} is {found!r}; it must be true or false")
    return found
