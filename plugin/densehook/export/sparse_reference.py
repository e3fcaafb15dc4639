"""The reference of a sparse encoder: PyTorch's logits of one text, the rest plain arithmetic.

On purpose not the code that goes into the graph, as in ``reference``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForMaskedLM

from ..bundle import Role, is_blank
from .arithmetic import Numbers
from .folder import Settings
from .reference import Reference

Weights = Mapping[str, float]

_LEAST = 1e-6
_WEIGHT: Mapping[str, Callable[[Numbers], Numbers]] = {
    "relu": lambda logits: np.log(1 + np.maximum(logits, 0)),
    "log1p_relu": lambda logits: np.log(1 + np.log(1 + np.maximum(logits, 0))),
}
"""float64 [tokens, vocabulary] -> the same."""


def written_tokens(tokenizer: Any, vocabulary: int) -> list[str]:
    """By id the tokens that a text may have a weight of; empty for those that it may not.

    These are special tokens, tokens that show nothing, and ids that are no token's.
    """
    special = set(tokenizer.all_special_ids)
    names = [""] * vocabulary
    for token, number in tokenizer.get_vocab().items():
        if number not in special and number < len(names) and not is_blank(token):
            names[number] = token
    return names


def strongest(logits: Numbers, activation: str) -> Numbers:
    """Of each token of the vocabulary its weight: float64 [tokens, vocabulary] -> [vocabulary]."""
    return np.asarray(_WEIGHT[activation](logits).max(axis=0))


def weights_by_token(weights: Numbers, tokens: Sequence[str]) -> Weights:
    """Weights by id, float64 [vocabulary] -> those over 0 by token, the largest first.

    ``tokens`` are those that may have one, by id, else empty.
    """
    order = np.argsort(-weights, kind="stable")
    return {
        tokens[number]: float(weights[number])
        for number in order.tolist()
        if tokens[number] and weights[number] > _LEAST
    }


def looked_up(idf: Weights, tokens: Sequence[str], ids: Sequence[int]) -> Weights:
    """Of a query's token ids, each once, the weights that a table has of them by token."""
    present = np.zeros(len(tokens), dtype=bool)
    present[ids] = True
    table = np.array([idf.get(token, 0) if token else 0 for token in tokens])
    weights = np.where(present, table, 0)
    order = np.argsort(-weights, kind="stable")
    return {tokens[each]: float(weights[each]) for each in order if weights[each] > 0}


class SparseReference(Reference):
    """A masked language model in PyTorch; a text's row has every weight over 0, the largest first.

    ``activation`` is one of ``bundle.kinds.sparse.ACTIVATIONS``; ``idf`` are the weights of the
    tokens of a query, where the model does not weigh it.
    """

    def __init__(
        self,
        folder: Path,
        activation: str,
        idf: Weights | None = None,
        layers: int | None = None,
    ) -> None:
        super().__init__(folder, layers)
        self._activation = activation
        self._idf = idf
        self.vocabulary = int(self.model.config.vocab_size)
        """How many ids the model gives a logit."""

    @classmethod
    def class_for(cls, config: Any) -> Any:
        """With the head that gives each token of the vocabulary a logit."""
        return AutoModelForMaskedLM

    @cached_property
    def tokens(self) -> list[str]:
        """As ``written_tokens``."""
        return written_tokens(self.tokenizer, self.vocabulary)

    def encode(self, settings: Settings, role: Role, ids: list[int]) -> Any:
        """Token ids -> every weight over 0, by token."""
        if role == "query" and self._idf is not None:
            return looked_up(self._idf, self.tokens, ids)
        with torch.inference_mode():
            batch = torch.tensor([ids])
            logits = self.model(input_ids=batch, attention_mask=torch.ones_like(batch)).logits[0]
        numbers = logits.numpy().astype(np.float64)
        return weights_by_token(strongest(numbers, self._activation), self.tokens)
