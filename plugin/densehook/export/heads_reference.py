"""The reference of a model with several heads: PyTorch's hidden states of one text, read once.

What each head makes of them is plain arithmetic, on purpose not the code in the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..bundle import Role
from .arithmetic import Numbers
from .folder import Settings
from .heads import Linear
from .reference import Reference
from .sparse_reference import written_tokens

_LEAST = 1e-6

Made = Callable[[list[int], Numbers], Any]
"""Token ids and their hidden states, float64 [tokens, hidden] -> a row."""


class HeadReference:
    """One head of a model in PyTorch; else as ``Reference``."""

    def __init__(self, plain: Reference, made: Made, known: dict[tuple[int, ...], Any]) -> None:
        """``known`` are hidden states that the model's heads share."""
        self._plain = plain
        self._made = made
        self._known = known

    @property
    def edge_texts(self) -> list[str]:
        """As ``Reference.edge_texts``."""
        return self._plain.edge_texts

    def tokenize(self, settings: Settings, role: Role, text: str) -> list[int]:
        """As ``Reference.tokenize``."""
        return self._plain.tokenize(settings, role, text)

    def encode(self, settings: Settings, role: Role, ids: list[int]) -> Any:
        """Token ids -> the head's row."""
        key = tuple(ids)
        if key not in self._known:
            hidden = self._plain.hidden(settings, ids)
            self._known[key] = hidden.astype(np.float32)  # as PyTorch gave it, in half the memory
        return self._made(ids, self._known[key].astype(np.float64))


def head_references(plain: Reference, layers: Mapping[str, Linear]) -> Mapping[str, HeadReference]:
    """The reference of each head, by kind."""
    known: dict[tuple[int, ...], Any] = {}
    tokens = written_tokens(plain.tokenizer, int(plain.model.config.vocab_size))
    made: Mapping[str, Callable[[Linear], Made]] = {
        "sparse": lambda layer: lambda ids, hidden: _weights(layer, tokens, ids, hidden),
        "multi": lambda layer: lambda ids, hidden: _vectors(layer, hidden),
    }
    return {kind: HeadReference(plain, made[kind](layer), known) for kind, layer in layers.items()}


def _applied(layer: Linear, hidden: Numbers) -> NDArray[np.float64]:
    weight, bias = (each.numpy().astype(np.float64) for each in (layer.weight, layer.bias))
    return np.asarray(hidden @ weight.T + bias)


def _weights(
    layer: Linear, tokens: list[str], ids: list[int], hidden: Numbers
) -> Mapping[str, float]:
    """Of each token of a text that may be written the largest weight, the largest first."""
    weights: dict[str, float] = {}
    for number, weight in zip(ids, _applied(layer, hidden)[:, 0].tolist(), strict=True):
        if tokens[number] and weight > _LEAST:
            weights[tokens[number]] = max(weight, weights.get(tokens[number], 0.0))
    return dict(sorted(weights.items(), key=lambda each: -each[1]))


def _vectors(layer: Linear, hidden: Numbers) -> NDArray[np.float32]:
    """Of all tokens but the first: float32 [tokens - 1, dims], of length 1."""
    vectors = _applied(layer, hidden[1:])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors, dtype=np.float32)
