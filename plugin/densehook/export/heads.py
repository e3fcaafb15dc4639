"""Heads beside a model's vector: which files of its folder have them, and what each states."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..bundle import Multi, Sparse
from ..bundle.kinds import Part
from ..bundle.kinds.sparse import TOKEN_RELU
from ..errors import ExportError
from .checkpoint import tensors_of


@dataclass(frozen=True)
class Linear:
    """A layer on a hidden state: weight float32 [outputs, hidden], bias float32 [outputs]."""

    weight: Tensor
    bias: Tensor

    def equals(self, other: Linear) -> bool:
        """Whether every number of the two is the same."""
        return torch.equal(self.weight, other.weight) and torch.equal(self.bias, other.bias)


@dataclass(frozen=True)
class HeadFacts:
    """Where a kind's head lies, what its output is called, how many numbers it gives a token.

    ``outputs`` is None where the file says it. ``part`` is what the manifest states, of the layer,
    the most tokens of a text, and the most terms.
    """

    file: str
    output: str
    outputs: int | None
    part: Callable[[Linear, int, int], Part]


def _multi(layer: Linear, max_tokens: int, max_terms: int) -> Part:
    return Multi(dims=len(layer.weight), query_tokens=max_tokens)


def _sparse(layer: Linear, max_tokens: int, max_terms: int) -> Part:
    return Sparse(max_terms=max_terms, activation=TOKEN_RELU, query="graph")


HEADS: Mapping[str, HeadFacts] = {
    "sparse": HeadFacts("sparse_linear.pt", "weights", 1, _sparse),
    "multi": HeadFacts("colbert_linear.pt", "token_vectors", None, _multi),
}
"""By kind, as BGE M3's folder has them; Chen et al. 2024."""


def read_heads(folder: Path, kinds: Sequence[str], hidden: int) -> Mapping[str, Linear]:
    """The layers of these kinds; read from the folder at every call.

    Raises ExportError where a file is missing, or its layer does not fit the model.
    """
    return {kind: _read(folder / HEADS[kind].file, HEADS[kind].outputs, hidden) for kind in kinds}


def _read(path: Path, outputs: int | None, hidden: int) -> Linear:
    tensors = tensors_of(path)
    if tensors.keys() != {"weight", "bias"}:
        raise ExportError(
            f"{path} has {', '.join(sorted(tensors)) or 'no tensor'}; it must have the weight and"
            " bias of a linear layer"
        )
    layer = Linear(*(tensors[name].to(torch.float32) for name in ("weight", "bias")))
    rows = len(layer.bias) if outputs is None else outputs
    if layer.weight.shape != (rows, hidden) or layer.bias.shape != (rows,):
        raise ExportError(
            f"{path}: weight is {list(layer.weight.shape)} and bias {list(layer.bias.shape)}; they"
            f" must be [{rows}, {hidden}] and [{rows}]"
        )
    return layer
