"""The reference for pairs: PyTorch's own score of one pair, unpadded and unbatched.

A classifier of one label is read as sentence-transformers' CrossEncoder reads it. A decoder judges
a pair by the two tokens that may come next, as Qwen3-Reranker's and mxbai-rerank-v2's own code do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from ..bundle import Pairing
from ..errors import ExportError, RecipeError
from .edges import edge_texts
from .graph import tells_types_apart
from .labels import labels_of, many_labels
from .modules_json import read_json
from .recipe import Recipe
from .reference import Reference
from .texts import PASSAGES, QUESTIONS

_IDENTITY, _SIGMOID = "identity", "sigmoid"
_ACTIVATIONS = {
    "torch.nn.modules.linear.Identity": _IDENTITY,
    "torch.nn.modules.activation.Sigmoid": _SIGMOID,
}
"""By the names that sentence-transformers writes into config.json."""
_LIKELY: Mapping[str, Callable[[torch.Tensor], torch.Tensor]] = {
    _IDENTITY: lambda logit: logit,
    _SIGMOID: torch.sigmoid,
}


class PairIds(NamedTuple):
    """A pair as transformers gives it to the model: ids and, of as many, their types."""

    ids: list[int]
    types: list[int]


class PairTokens:
    """How a tokenizer of transformers' reads pairs, by a recipe.

    ``knows_types`` says whether the model tells types of tokens apart.
    """

    def __init__(
        self, tokenizer: Any, recipe: Recipe, max_tokens: int, *, knows_types: bool
    ) -> None:
        self.tokenizer = tokenizer
        self.template = recipe.template
        self.prompts = {role: recipe.prompts.get(role, "") for role in ("query", "document")}
        self.max_tokens = max_tokens
        by_default = "document" if recipe.template else "longest_first"
        self._truncation = recipe.truncation or by_default
        self._knows_types = knows_types

    @property
    def pad_id(self) -> int:
        """The padding token's id; 0 where the tokenizer has none."""
        pad = self.tokenizer.pad_token_id
        return 0 if pad is None else int(pad)

    @cached_property
    def edge_texts(self) -> list[str]:
        """Texts of the ends of the vocabulary, and of added tokens."""
        return edge_texts(self.tokenizer)

    def pair_ids(self, query: str, text: str) -> PairIds:
        """Token ids of a pair, with prompts or template, cut to the limit."""
        first = self.prompts["query"] + query + self.template.get("query_end", "")
        second = self.prompts["document"] + text
        if not self.template:
            return self._encoded(first, second)
        before, between, after = self._around
        room = max(0, self.max_tokens - len(before) - len(between) - len(after))
        if between:
            one = self.plain(first)[:room]
            middle = [*one, *between, *self.plain(second)[: room - len(one)]]
        else:  # read as one text, as Qwen3-Reranker's own code has it
            middle = self.plain(first + second)[:room]
        ids = [*before, *middle, *after]
        return PairIds(ids, [0] * len(ids))

    @cached_property
    def pairing(self) -> Pairing:
        """How pairs are put together of what the tokenizer gives of a query and a text.

        Raises ExportError where that cannot be told, RecipeError where there is no room for both.
        """
        if self.template:
            end = self.template.get("query_end", "")
            return self._held(self._around, 0, end)
        query, text = QUESTIONS[0], PASSAGES[0]
        (found,) = self.tokenizer([query], [text])["input_ids"]
        ids = [int(i) for i in found]
        one, other = self.plain(query), self.plain(text)
        first = _found(ids, one, 0)
        second = _found(ids, other, first + len(one))
        if first < 0 or second < 0:
            raise ExportError(
                "the tokenizer reads a query and a text of a pair otherwise than by themselves; no"
                " bundle can"
            )
        types = self.tokenizer([query], [text]).get("token_type_ids", [[0] * len(ids)])[0]
        apart = set(types[:second]), set(types[second:])
        if self._knows_types and (apart[0] != {0} or len(apart[1]) != 1):
            raise ExportError(
                f"the tokenizer gives a pair the types {types}; bundles have 0 up to the text and"
                " one other from there on"
            )
        kind = int(apart[1].pop()) if self._knows_types else 0
        parts = ids[:first], ids[first + len(one) : second], ids[second + len(other) :]
        return self._held(parts, kind, "")

    @cached_property
    def _around(self) -> tuple[list[int], list[int], list[int]]:
        before, between, after = (
            self.plain(self.template.get(name, "")) for name in ("before", "between", "after")
        )
        return before, between, after

    def _held(
        self, around: tuple[list[int], list[int], list[int]], second_type: int, query_end: str
    ) -> Pairing:
        before, between, after = map(tuple, around)
        pairing = Pairing(
            before=before,
            between=between,
            after=after,
            second_type=second_type,
            query_end=query_end,
            truncation=self._truncation,
        )
        if pairing.around + 2 > self.max_tokens:
            raise RecipeError(
                f"max_tokens is {self.max_tokens}, and {pairing.around} tokens stand around query"
                " and text; it must leave room for both"
            )
        return pairing

    def _encoded(self, first: str, second: str) -> PairIds:
        strategy = "only_second" if self._truncation == "document" else "longest_first"
        # as a list: of one pair alone transformers takes an empty text for none
        found = self.tokenizer([first], [second], truncation=strategy, max_length=self.max_tokens)
        ids = [int(i) for i in found["input_ids"][0]]
        types = found["token_type_ids"][0] if self._knows_types else [0] * len(ids)
        return PairIds(ids, [int(i) for i in types])

    def plain(self, text: str) -> list[int]:
        """The ids of a text without special tokens."""
        return [int(i) for i in self.tokenizer(text, add_special_tokens=False)["input_ids"]]


class PairReference(Reference):
    """A model of pairs in PyTorch, fp32, with its own Hugging Face tokenizer, as ``tokens``.

    Raises RecipeError for one that has not one label, or is a decoder without a template; else as
    Reference.
    """

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        _require_scores(folder, decoder=bool(recipe.template))
        self.is_decoder = bool(recipe.template)
        model_class = (
            AutoModelForCausalLM if self.is_decoder else AutoModelForSequenceClassification
        )
        super().__init__(folder, recipe.layers, model_class)
        own = None if self.is_decoder else stated_activation(self.model.config.to_dict())
        self.activation = agreed_activation(recipe, own)
        self._knows_types = not self.is_decoder and tells_types_apart(self.model)
        self.tokens = PairTokens(
            self.tokenizer, recipe, self._limit(recipe), knows_types=self._knows_types
        )
        answers = [recipe.template[name] for name in ("yes", "no") if self.is_decoder]
        self.answers = tuple(self._token(answer) for answer in answers)

    def score(self, pair: PairIds) -> float:
        """The score of a pair's tokens."""
        batch = torch.tensor([pair.ids])
        types = {"token_type_ids": torch.tensor([pair.types])} if self._knows_types else {}
        with torch.inference_mode():
            output = self.model(input_ids=batch, attention_mask=torch.ones_like(batch), **types)
        if not self.is_decoder:
            return float(_LIKELY[self.activation](output.logits[0, 0]))
        yes, no = self.answers
        logits = output.logits[0, -1]
        if self.activation == _IDENTITY:
            return float(logits[yes] - logits[no])
        return float(torch.log_softmax(torch.stack([logits[no], logits[yes]]), dim=0)[1].exp())

    def _token(self, answer: str) -> int:
        ids = self.tokens.plain(answer)
        if len(ids) != 1:
            raise RecipeError(
                f"template: {answer!r} is {len(ids)} tokens; an answer must be one of the model's"
            )
        return ids[0]

    def _limit(self, recipe: Recipe) -> int:
        known = [each for each in (self.tokenizer_limit, self.positions) if each]
        if recipe.max_tokens is None and not known:
            raise RecipeError(
                f"recipe {recipe.name}: max_tokens is missing and the model folder does not say it"
            )
        wanted = min(known) if recipe.max_tokens is None else recipe.max_tokens
        if self.positions and wanted > self.positions:
            raise RecipeError(
                f"max_tokens is {wanted}, the model has positions for {self.positions} at most"
            )
        return wanted


def stated_activation(config: Mapping[str, Any]) -> str | None:
    """What a config.json says of the score's activation; None where it says nothing.

    Raises RecipeError for one that no bundle has.
    """
    own = config.get("sentence_transformers")
    stated = own.get("activation_fn") if isinstance(own, dict) else None
    stated = stated or config.get("sbert_ce_default_activation_function")
    if stated is None:
        return None
    if stated not in _ACTIVATIONS:
        raise RecipeError(
            f"config.json: the score's activation is {stated}; known: {', '.join(_ACTIVATIONS)}"
        )
    return _ACTIVATIONS[stated]


def agreed_activation(recipe: Recipe, found: str | None) -> str:
    """The activation by recipe or folder; else sigmoid, sentence-transformers' for one label.

    Raises RecipeError where they contradict each other and the recipe does not override.
    """
    said = recipe.activation
    if said is not None and said not in _LIKELY:
        raise RecipeError(
            f"recipe {recipe.name}: activation is {said!r}; of a score it is one of"
            f" {', '.join(_LIKELY)}"
        )
    if None not in (said, found) and said != found and "activation" not in recipe.overrides:
        raise RecipeError(
            f"recipe {recipe.name}: activation is {said!r}, the model folder says {found!r};"
            ' correct the recipe, or write overrides = ["activation"] if that is on purpose'
        )
    return said or found or _SIGMOID


def _require_scores(folder: Path, *, decoder: bool) -> None:
    """Raises RecipeError for a model whose output is no one score."""
    stated: Any = read_json(folder / "config.json")
    if not isinstance(stated, dict):
        return  # loading says what is wrong
    name = next(iter(stated.get("architectures") or [""]))
    if decoder:
        return
    if str(name).endswith("ForCausalLM"):
        raise RecipeError(
            f"{folder} is a decoder ({name}), which scores pairs by its answer to a question; give"
            " the recipe a [template] with that, and the tokens yes and no"
        )
    labels = labels_of(folder)
    if labels not in (None, 1):
        raise RecipeError(many_labels(folder, labels))


def _found(ids: Sequence[int], part: Sequence[int], start: int) -> int:
    """Where a part of ids begins, from ``start`` on; -1 where it does not."""
    places = range(start, len(ids) - len(part) + 1)
    return next((at for at in places if list(ids[at : at + len(part)]) == list(part)), -1)
