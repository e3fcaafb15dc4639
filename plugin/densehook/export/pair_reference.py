"""The reference for pairs: PyTorch's own score of one pair, unpadded and unbatched.

A classifier of one label is read as sentence-transformers' CrossEncoder reads it. A decoder judges a
pair by the two tokens that may come next, as Qwen3-Reranker's and mxbai-rerank-v2's own code does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification

from ..bundle import Pairing
from ..errors import ExportError, RecipeError
from .graph import tells_types_apart
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


class PairReference(Reference):
    """A model of pairs in PyTorch, fp32, with its own Hugging Face tokenizer.

    Raises RecipeError for one that has not one label, or is a decoder without a template; else as
    Reference.
    """

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        self.template = recipe.template
        _require_scores(folder, decoder=bool(recipe.template))
        model_class = (
            AutoModelForCausalLM if recipe.template else AutoModelForSequenceClassification
        )
        super().__init__(folder, recipe.layers, model_class)
        self.activation = _agreed(recipe, "activation", recipe.activation, self._own_activation())
        self.max_tokens = self._limit(recipe)
        self.prompts = {role: recipe.prompts.get(role, "") for role in ("query", "document")}
        by_default = "document" if recipe.template else "longest_first"
        self.truncation = recipe.truncation or by_default
        self.types = tells_types_apart(self.model)
        self.answers = tuple(
            self._token(recipe.template[n]) for n in ("yes", "no") if self.template
        )
        self.pairing = self._pairing()

    def pair_ids(self, query: str, text: str) -> PairIds:
        """Token ids of a pair, with prompts or template, cut to the limit."""
        first = self.prompts["query"] + query + self.template.get("query_end", "")
        second = self.prompts["document"] + text
        if not self.template:
            return self._encoded(first, second)
        before, between, after = (
            self._plain(self.template.get(name, "")) for name in ("before", "between", "after")
        )
        room = max(0, self.max_tokens - len(before) - len(between) - len(after))
        if between:
            one = self._plain(first)[:room]
            middle = [*one, *between, *self._plain(second)[: room - len(one)]]
        else:  # read as one text, as Qwen3-Reranker's own code has it
            middle = self._plain(first + second)[:room]
        ids = [*before, *middle, *after]
        return PairIds(ids, [0] * len(ids))

    def score(self, pair: PairIds) -> float:
        """The score of a pair's tokens."""
        batch = torch.tensor([pair.ids])
        types = {"token_type_ids": torch.tensor([pair.types])} if self.types else {}
        with torch.inference_mode():
            output = self.model(input_ids=batch, attention_mask=torch.ones_like(batch), **types)
        if not self.template:
            return float(_LIKELY[self.activation](output.logits[0, 0]))
        yes, no = self.answers
        logits = output.logits[0, -1]
        if self.activation == _IDENTITY:
            return float(logits[yes] - logits[no])
        return float(torch.log_softmax(torch.stack([logits[no], logits[yes]]), dim=0)[1].exp())

    def _pairing(self) -> Pairing:
        """How pairs are put together, as those of the tokenizer are."""
        if self.template:
            before, between, after = (
                tuple(self._plain(self.template.get(name, "")))
                for name in ("before", "between", "after")
            )
            end = self.template.get("query_end", "")
            return self._held(before, between, after, 0, end)
        query, text = QUESTIONS[0], PASSAGES[0]
        whole = self._encoded(query, text)
        one, other = self._plain(query), self._plain(text)
        first = _found(whole.ids, one, 0)
        second = _found(whole.ids, other, first + len(one))
        if first < 0 or second < 0:
            raise ExportError(
                "the tokenizer reads a query and a text of a pair otherwise than by themselves; no"
                " bundle can"
            )
        types = set(whole.types[:second]), set(whole.types[second:])
        if types[0] != {0} or len(types[1]) != 1:
            raise ExportError(
                f"the tokenizer gives a pair the types {whole.types}; bundles have 0 up to the text"
                " and one other from there on"
            )
        parts = (
            whole.ids[:first],
            whole.ids[first + len(one) : second],
            whole.ids[second + len(other) :],
        )
        before, between, after = map(tuple, parts)
        return self._held(before, between, after, types[1].pop(), "")

    def _held(
        self,
        before: tuple[int, ...],
        between: tuple[int, ...],
        after: tuple[int, ...],
        second_type: int,
        query_end: str,
    ) -> Pairing:
        pairing = Pairing(
            before=before,
            between=between,
            after=after,
            second_type=second_type,
            query_end=query_end,
            truncation=self.truncation,
        )
        if pairing.around + 2 > self.max_tokens:
            raise RecipeError(
                f"max_tokens is {self.max_tokens}, and {pairing.around} tokens stand around query"
                " and text; it must leave room for both"
            )
        return pairing

    def _encoded(self, first: str, second: str) -> PairIds:
        strategy = "only_second" if self.truncation == "document" else "longest_first"
        # as a list: of one pair alone transformers takes an empty text for none
        found = self.tokenizer([first], [second], truncation=strategy, max_length=self.max_tokens)
        ids = [int(i) for i in found["input_ids"][0]]
        types = found["token_type_ids"][0] if self.types else [0] * len(ids)
        return PairIds(ids, [int(i) for i in types])

    def _plain(self, text: str) -> list[int]:
        return [int(i) for i in self.tokenizer(text, add_special_tokens=False)["input_ids"]]

    def _token(self, answer: str) -> int:
        ids = self._plain(answer)
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

    def _own_activation(self) -> str | None:
        """What the folder says, by sentence-transformers' rule for what it does not say."""
        if self.template:
            return None
        config = self.model.config
        stated = (getattr(config, "sentence_transformers", None) or {}).get("activation_fn")
        stated = stated or getattr(config, "sbert_ce_default_activation_function", None)
        if stated is None:
            return None
        if stated not in _ACTIVATIONS:
            raise RecipeError(
                f"config.json: the score's activation is {stated}; known: {', '.join(_ACTIVATIONS)}"
            )
        return _ACTIVATIONS[stated]


def _agreed(recipe: Recipe, key: str, said: str | None, found: str | None) -> str:
    if None not in (said, found) and said != found and key not in recipe.overrides:
        raise RecipeError(
            f"recipe {recipe.name}: {key} is {said!r}, the model folder says {found!r};"
            f' correct the recipe, or write overrides = ["{key}"] if that is on purpose'
        )
    return said or found or _SIGMOID  # sentence-transformers' own for one label


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
    try:
        labels = AutoConfig.from_pretrained(folder, trust_remote_code=False).num_labels
    except Exception:
        return  # loading says what is wrong
    if labels != 1:
        raise RecipeError(
            f"{folder} tells {labels} labels apart; a cross-encoder has one label, the score: take"
            " a model that was trained to rank"
        )


def _found(ids: Sequence[int], part: Sequence[int], start: int) -> int:
    """Where a part of ids begins, from ``start`` on; -1 where it does not."""
    places = range(start, len(ids) - len(part) + 1)
    return next((at for at in places if list(ids[at : at + len(part)]) == list(part)), -1)
