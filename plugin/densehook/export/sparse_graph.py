"""The ONNX graph of a sparse encoder: token ids in, the largest weights and their tokens out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..bundle.kinds.sparse import ACTIVATIONS
from .graph import OUTPUT, tells_types_apart, trace
from .sizes import state_sizes
from .variants.graphs import write_model

LEAST = 1e-6
"""A smaller weight is none: it moves no score, and Lucene takes no number near the least of all."""

_ACTIVATED: Mapping[str, Callable[[Tensor], Tensor]] = dict(
    zip(ACTIVATIONS, (torch.log1p, lambda logits: torch.log1p(torch.log1p(logits))), strict=True)
)
_ROW = {0: "batch_size"}


def weights_of(logits: Tensor, mask: Tensor, activation: str) -> Tensor:
    """Float32 [batch, tokens, vocabulary], int64 [batch, tokens] -> float32 [batch, vocabulary].

    The activation grows with its logit, so it is computed of the largest alone, and not for every
    token of a text.
    """
    # padding's are 0, as good as below it
    largest = torch.relu((logits * mask[:, :, None]).amax(dim=1))
    return _ACTIVATED[activation](largest)


def largest_terms(weights: Tensor, writable: Tensor, terms: int) -> Tensor:
    """Float32 [batch, vocabulary] -> float32 [batch, 2, terms]: token ids, weights.

    ``writable``, float32 [vocabulary], is 1 for the tokens that may have one.
    """
    weights, ids = (weights * writable).topk(terms, dim=1)
    kept = (weights > LEAST).to(torch.float32)
    return torch.stack([ids.to(torch.float32) * kept, weights * kept], dim=1)


class Terms(torch.nn.Module):
    """A masked language model with the largest of its weights on top."""

    def __init__(self, model: Any, activation: str, terms: int, writable: Sequence[bool]) -> None:
        super().__init__()
        self.model = model
        self._activation = activation
        self._terms = terms
        self._flags = {"use_cache": False} if "use_cache" in _takes(model) else {}
        self._writable = torch.tensor(writable, dtype=torch.float32)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor | None = None,
    ) -> Tensor:
        """int64 [batch, tokens] inputs -> float32 [batch, 2, terms]: token ids, weights."""
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        logits = self.model(
            input_ids=input_ids, attention_mask=attention_mask, **types, **self._flags
        ).logits
        weights = weights_of(logits, attention_mask, self._activation)
        return largest_terms(weights, self._writable, self._terms)


def write_terms(
    model: Any, activation: str, terms: int, writable: Sequence[bool], path: Path
) -> list[str]:
    """Writes the graph and gives the names of its inputs; ``writable`` are tokens, by id.

    Raises ExportError for an architecture that cannot be traced.
    """
    inputs = ["input_ids", "attention_mask"]
    ids = torch.ones(2, 4, dtype=torch.int64)
    values = [ids, ids]
    if tells_types_apart(model):
        inputs.append("token_type_ids")
        values.append(torch.zeros_like(ids))
    module = Terms(model, activation, terms, writable)
    traced = trace(module, inputs, values, path, axes={OUTPUT: _ROW})
    row = traced.graph.output[0].type.tensor_type.shape.dim
    row[1].dim_value, row[2].dim_value = 2, terms
    state_sizes(traced)
    write_model(traced, path)
    return inputs


def _takes(model: Any) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(model.forward).parameters
