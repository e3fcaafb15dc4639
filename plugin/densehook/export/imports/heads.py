"""Pooling and what follows it as a graph of its own, to be put on another's output."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import onnx
import torch
from onnx import version_converter
from torch import Tensor

from ..folder import Settings
from ..graph import OUTPUT, quiet
from ..pooling import Head, finished
from ..variants.graphs import Model
from .graph import Graph

HIDDEN = "hidden"
MASK = "attention_mask"

_OPSETS = range(11, 21)
"""Those that PyTorch traces to."""


def head_of(settings: Settings, graph: Graph, shape: Sequence[int]) -> Model:
    """From vectors of that shape, [batch, dims] or [batch, tokens, dims], to the bundle's output.

    Its inputs are ``HIDDEN`` and, where there are tokens and a mask of them, ``MASK``. Raises
    ExportError where it cannot be of the same version of operators.
    """
    of_tokens = len(shape) == 3
    head = _Tokens(settings) if of_tokens else _Texts(settings)
    masks = [torch.ones(2, shape[1]).long()] if of_tokens and MASK in graph.inputs else []
    return _traced(head, (torch.ones(2, *shape[1:]), *masks), graph)


class _Tokens(Head):
    def forward(self, hidden: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        hidden = hidden.float()
        mask = torch.ones_like(hidden[..., 0]).long() if attention_mask is None else attention_mask
        return self.pooled(hidden, mask, mask)


class _Texts(torch.nn.Module):
    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    def forward(self, vectors: Tensor) -> Tensor:
        return finished(self._settings, vectors.float())


def _traced(head: torch.nn.Module, example: tuple[Tensor, ...], graph: Graph) -> Model:
    """The head as a graph of the same operators' version as the one that it is put on."""
    own = next(each.version for each in graph.model.opset_import if each.domain in ("", "ai.onnx"))
    opset = min(max(own, _OPSETS.start), _OPSETS.stop - 1)
    names = [HIDDEN, MASK][: len(example)]
    axes = {0: "batch_size", 1: "sequence_length"} if example[0].ndim == 3 else {0: "batch_size"}
    with tempfile.TemporaryDirectory() as scratch, quiet(), torch.no_grad():
        file = Path(scratch) / "head.onnx"
        torch.onnx.export(
            head.eval(),
            example,
            str(file),
            input_names=names,
            output_names=[OUTPUT],
            dynamic_axes={**dict.fromkeys(names, axes), OUTPUT: {0: "batch_size"}},
            opset_version=opset,
            dynamo=False,
        )
        traced = onnx.load(str(file))
    if opset == own:
        return traced
    try:
        return version_converter.convert_version(traced, own)
    except Exception as error:  # what the converter raises has no root of its own
        reason = str(error).strip().partition("\n")[0]
        raise graph.refused(
            f"is of version {own} of ONNX's operators, to which pooling cannot be added: {reason}"
        ) from error
