"""The ONNX graph of a transformer with several heads: token ids in, an output of each kind out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from .folder import Settings
from .graph import AXES, OUTPUT, Pooled, inputs_of, trace
from .heads import HEADS, Linear
from .sizes import state_sizes
from .sparse_graph import LEAST
from .variants.graphs import write_model


class TokenWeights(torch.nn.Module):
    """The largest weights of a text's tokens, each token once, by its largest."""

    AXES: ClassVar[Mapping[int, str]] = {0: AXES[0]}

    def __init__(self, layer: Linear, terms: int, writable: Sequence[bool]) -> None:
        super().__init__()
        self._layer = _linear(layer)
        self._terms = terms
        self._writable = torch.tensor(writable, dtype=torch.float32)
        self.shape = (2, terms)

    def forward(self, hidden: Tensor, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Float32 [batch, tokens, hidden] -> float32 [batch, 2, terms]: token ids, weights."""
        weights = torch.relu(self._layer(hidden)).squeeze(-1) * attention_mask
        # of the ids of a text as many pairs as attention has of its tokens, and of its heads one
        same = (input_ids[:, :, None] == input_ids[:, None, :]).to(weights.dtype)
        largest = (same * weights[:, None, :]).amax(dim=-1)
        places = torch.arange(input_ids.shape[1])
        before = (places[:, None] > places[None, :]).to(weights.dtype)
        first = 1 - (same * before[None]).amax(dim=-1)
        kept = largest * first * self._writable[input_ids]
        none = torch.zeros_like(kept[:, :1]).expand(-1, self._terms)
        weights, at = torch.cat([kept, none], dim=1).topk(self._terms, dim=1)
        ids = torch.cat([input_ids.to(weights.dtype), none], dim=1).gather(1, at)
        shown = (weights > LEAST).to(weights.dtype)
        return torch.stack([ids * shown, weights * shown], dim=1)


class TokenVectors(torch.nn.Module):
    """The projection of every token but the first, of length 1; zeros for that and for padding."""

    AXES: ClassVar[Mapping[int, str]] = AXES

    def __init__(self, layer: Linear, terms: int, writable: Sequence[bool]) -> None:
        super().__init__()
        self._layer = _linear(layer)
        self.shape = (len(layer.weight),)

    def forward(self, hidden: Tensor, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Float32 [batch, tokens, hidden] -> float32 [batch, tokens, dims]."""
        unit = torch.nn.functional.normalize(self._layer(hidden), dim=-1)
        behind = attention_mask[:, 1:]
        kept = torch.cat([torch.zeros_like(attention_mask[:, :1]), behind], dim=1)
        return unit * kept.unsqueeze(-1).to(unit.dtype)


_MODULES: Mapping[str, Callable[[Linear, int, Sequence[bool]], Any]] = {
    "sparse": TokenWeights,
    "multi": TokenVectors,
}


class WithHeads(Pooled):
    """A transformer with its pooling, and other heads beside."""

    def __init__(self, model: Any, settings: Settings, heads: Sequence[Any]) -> None:
        super().__init__(model, settings)
        self.heads = torch.nn.ModuleList(heads)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, *more: Any, **named: Any) -> Any:
        """int64 [batch, tokens] inputs -> float32 [batch, dims], and what each head gives."""
        output, vectors = self.run(input_ids, attention_mask, *more, **named)
        hidden = output.last_hidden_state
        return (vectors, *(head(hidden, input_ids, attention_mask) for head in self.heads))


def write_heads_graph(
    model: Any,
    settings: Settings,
    layers: Mapping[str, Linear],
    terms: int,
    writable: Sequence[bool],
    path: Path,
    dims: int,
) -> list[str]:
    """Writes the graph and gives the names of its inputs; ``writable`` are tokens, by id.

    ``terms`` are the most of a text. Raises ExportError as ``trace`` does.
    """
    heads = {kind: _MODULES[kind](layer, terms, writable) for kind, layer in layers.items()}
    outputs = [OUTPUT, *(HEADS[kind].output for kind in heads)]
    axes = {OUTPUT: {0: AXES[0]}, **{HEADS[kind].output: head.AXES for kind, head in heads.items()}}
    inputs, values, named = inputs_of(model, settings)
    module = WithHeads(model, settings, list(heads.values()))
    traced = trace(module, inputs, values, path, axes=axes, named=named, outputs=outputs)
    shapes = [(dims,), *(head.shape for head in heads.values())]
    for output, shape in zip(traced.graph.output, shapes, strict=True):
        for axis, size in zip(output.type.tensor_type.shape.dim[-len(shape) :], shape, strict=True):
            axis.dim_value = size
    state_sizes(traced)
    write_model(traced, path)
    return inputs


def _linear(layer: Linear) -> torch.nn.Linear:
    rows, hidden = layer.weight.shape
    linear = torch.nn.Linear(hidden, rows)
    linear.load_state_dict({"weight": layer.weight, "bias": layer.bias})
    return linear
