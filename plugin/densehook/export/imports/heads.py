"""Pooling and what follows it as a graph of its own, to be put on another's output."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
import torch
from onnx import version_converter
from torch import Tensor

from ..folder import Settings
from ..graph import AXES, OUTPUT, quiet
from ..pooling import Head, finished
from ..variants.graphs import Model, drop_unused
from .graph import Graph, rename, rename_all

HIDDEN = "hidden"
MASK = "attention_mask"

_ROW = {0: AXES[0]}
_OPSETS = range(11, 21)
"""Those that PyTorch traces to."""


def head_of(settings: Settings, graph: Graph, shape: Sequence[int]) -> Model:
    """From vectors of that shape, [batch, dims] or [batch, tokens, dims], to the bundle's output.

    Its inputs are ``HIDDEN`` and, where there are tokens and a mask of them, ``MASK``. Raises
    ExportError where it cannot be of the same version of operators.
    """
    of_tokens = len(shape) == 3
    head = _Tokens(settings) if of_tokens else _Texts(settings)
    example = {HIDDEN: torch.ones(2, *shape[1:])}
    if of_tokens and MASK in graph.inputs:
        example[MASK] = torch.ones(2, shape[1]).long()
    return traced_head(head, example, graph)


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


def traced_head(
    head: torch.nn.Module,
    example: Mapping[str, Tensor],
    graph: Graph,
    axes: Mapping[int, str] = _ROW,
) -> Model:
    """The head as a graph of the same operators' version as the one that it is put on.

    ``example`` is by the head's inputs, ``HIDDEN`` first; ``axes`` are those of the output that are
    not fixed. Raises ExportError where it cannot be of that version.
    """
    own = next(each.version for each in graph.model.opset_import if each.domain in ("", "ai.onnx"))
    opset = min(max(own, _OPSETS.start), _OPSETS.stop - 1)
    given = AXES if example[HIDDEN].ndim == 3 else _ROW
    with tempfile.TemporaryDirectory() as scratch, quiet(), torch.no_grad():
        file = Path(scratch) / "head.onnx"
        torch.onnx.export(
            head.eval(),
            tuple(example.values()),
            str(file),
            input_names=list(example),
            output_names=[OUTPUT],
            dynamic_axes={**dict.fromkeys(example, given), OUTPUT: axes},
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


def attach(model: Model, head: Model, output: str) -> None:
    """Puts the head's nodes behind a graph's output, and makes its outcome the only one."""
    given = f"given/{output}"  # so that the outcome's name is free
    rename(model, output, given)
    rename(model, OUTPUT, f"given/{OUTPUT}")
    own = {each.name: each.name for each in head.graph.input}
    kept: dict[str, str] = {**own, HIDDEN: given, OUTPUT: OUTPUT, "": ""}

    def named(name: str) -> str:
        return kept.get(name, f"densehook/{name}")

    rename_all(head.graph, named)
    for place, node in enumerate(head.graph.node):
        node.name = f"densehook/{place}"  # no two nodes of a graph have one name
    model.graph.node.extend(head.graph.node)
    model.graph.initializer.extend(head.graph.initializer)
    del model.graph.output[:]
    model.graph.output.extend(head.graph.output)
    drop_unused(model)
