"""Weights of tokens: in PyTorch, to be put on a graph, and in numpy, of the graph as it came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...bundle import Role
from ...encode.session import Session
from ..folder import Settings
from ..sparse_graph import largest_terms, weights_of
from ..sparse_reference import looked_up, strongest, weights_by_token, written_tokens
from ..variants.graphs import Model
from .graph import Graph
from .heads import HIDDEN, MASK, traced_head
from .reference import GivenTokenizer


class GivenWeights(GivenTokenizer):
    """The untouched graph, each text by itself; a row has every weight over 0, the largest first.

    ``shape`` is that of the output ``source``: [batch, tokens, vocabulary] of logits, [batch,
    vocabulary] of weights. ``idf`` are the weights of a query's tokens, where the graph is of
    documents alone.
    """

    def __init__(
        self,
        session: Session,
        tokenizer: Any,
        source: str,
        shape: Sequence[int],
        activation: str,
        idf: Mapping[str, float] | None,
    ) -> None:
        super().__init__(tokenizer)
        self.tokens = written_tokens(tokenizer, shape[-1])
        """As ``written_tokens``."""
        self._session = session
        self._source = source
        self._activation = activation
        self._idf = idf

    def encode(self, settings: Settings, role: Role, ids: list[int]) -> Mapping[str, float]:
        """Token ids -> every weight over 0, by token."""
        if role == "query" and self._idf is not None:
            return looked_up(self._idf, self.tokens, ids)
        (value,) = self._session.values([self._source], np.array([ids], dtype=np.int64))
        numbers = np.asarray(value[0], dtype=np.float64)
        weights = numbers if numbers.ndim == 1 else strongest(numbers, self._activation)
        return weights_by_token(weights, self.tokens)


def term_head(
    graph: Graph, source: str, activation: str, terms: int, writable: Sequence[bool]
) -> Model:
    """From logits or weights, as the output has them, to the bundle's: [batch, 2, terms].

    Raises ExportError as ``traced_head`` does.
    """
    shape = graph.outputs[source]
    example = {HIDDEN: torch.ones(2, *shape[1:])}
    if len(shape) == 2:
        return traced_head(_Weights(terms, writable), example, graph)
    if MASK in graph.inputs:
        example[MASK] = torch.ones(2, shape[1]).long()
    return traced_head(_Logits(activation, terms, writable), example, graph)


class _Weights(torch.nn.Module):
    def __init__(self, terms: int, writable: Sequence[bool]) -> None:
        super().__init__()
        self._terms = terms
        self._writable = torch.tensor(writable, dtype=torch.float32)

    def forward(self, weights: Tensor) -> Tensor:
        return largest_terms(weights.float(), self._writable, self._terms)


class _Logits(_Weights):
    def __init__(self, activation: str, terms: int, writable: Sequence[bool]) -> None:
        super().__init__(terms, writable)
        self._activation = activation

    def forward(self, logits: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        logits = logits.float()
        mask = torch.ones_like(logits[..., 0]).long() if attention_mask is None else attention_mask
        return super().forward(weights_of(logits, mask, self._activation))
