"""Dense: an output of one vector a text as it is, or one of token vectors with pooling added."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import version_converter
from torch import Tensor

from ...bundle import Role
from ...bundle.kinds.dense import UNSTATED_POOLING
from ...encode import cosines
from ...encode.session import Vector
from ...errors import ExportError
from ..arithmetic import Arithmetic
from ..folder import FolderFacts, Settings, read_folder
from ..gate import Expected
from ..graph import OUTPUT, quiet
from ..loading import load_reference
from ..pooling import Head, finished
from ..texts import AWKWARD, PASSAGES, QUESTIONS, SCRIPTS
from ..variants.graphs import Model, drop_unused
from .graph import Adapted, Graph, rename, rename_all
from .near import Near

_OF_TEXTS = ("sentence_embedding", "sentence_embeddings", "embedding", "embeddings", "dense_vecs")
_OF_TOKENS = ("last_hidden_state", "token_embeddings", "hidden_states")
_OPSETS = range(11, 21)
"""Those that PyTorch traces to."""


def output_of(graph: Graph) -> str | None:
    """One vector a text where the graph gives it by its usual name, else those of its tokens.

    Of outputs by other names the only one that it can be.
    """
    texts = [name for name, shape in graph.outputs.items() if len(shape) == 2 and shape[1] > 1]
    tokens = [name for name, shape in graph.outputs.items() if len(shape) == 3 and shape[1] == 5]
    for known, those in ((_OF_TEXTS, texts), (_OF_TOKENS, tokens)):
        for name in known:
            if name in those:
                return name
    both = texts + tokens
    return both[0] if len(both) == 1 and "logits" not in both else None


def adapted(graph: Graph, output: str, settings: Settings) -> Adapted:
    """The graph with pooling, cut and normalisation, as the settings say, where it lacks them."""
    model = type(graph.model)()
    model.CopyFrom(graph.model)
    inputs = list(graph.inputs)
    shape = graph.outputs[output]
    if settings.mix is not None:
        raise graph.refused("gives one layer's token vectors, and the folder mixes several layers")
    of_tokens = len(shape) == 3
    head = _Tokens(settings) if of_tokens else _Texts(settings)
    padded = of_tokens and "attention_mask" in inputs
    example = (torch.ones(2, *shape[1:]), *([torch.ones(2, shape[1]).long()] if padded else []))
    traced = _traced(head, example, graph)
    _attach(model, traced, output)
    model.graph.output[0].type.tensor_type.shape.dim[-1].dim_value = len(
        expected(settings, Adapted(model, inputs, OUTPUT, output), np.ones(shape)[0])
    )
    return Adapted(model, inputs, OUTPUT, output)


def expected(settings: Settings, adapted: Adapted, value: Any) -> Vector:
    """One text's vector, or its tokens' -> float32 [dims]."""
    numbers = np.asarray(value, dtype=np.float64)
    arithmetic = Arithmetic()
    if numbers.ndim == 1:
        return arithmetic.finished(settings, numbers)
    return arithmetic.vector(settings, numbers, 0)


def near_weights(given: Expected, settings: Settings, folder: Path) -> Near:
    """By the cosine of each text's vector."""
    facts = read_folder(folder)
    reference = load_reference(facts.transformer)
    own = settings if settings.pooling != UNSTATED_POOLING else _as_folder(settings, facts, folder)
    texts: list[tuple[Role, str]] = [("query", text) for text in QUESTIONS]
    texts += [("document", text) for text in (*PASSAGES, *AWKWARD, *SCRIPTS)]
    rows, expected = [], []
    for role, text in texts:
        ids = given.tokenize(settings, role, text)
        if ids != reference.tokenize(settings, role, text):
            raise ExportError(f"{folder} gives other token ids for {text[:40]!r} than the graph's")
        rows.append(given.encode(settings, role, ids))
        expected.append(reference.encode(own, role, ids))
    if rows[0].shape != expected[0].shape:
        raise ExportError(
            f"{folder} gives vectors of {len(expected[0])} numbers, the graph of {len(rows[0])}"
        )
    found = cosines(np.stack(rows), np.stack(expected))
    lowest = float(found.min())
    measured = {
        "texts": len(texts),
        "lowest_cosine": lowest,
        "mean_cosine": float(found.mean()),
    }
    return Near(f"lowest cosine {lowest:.6f} to PyTorch on {len(texts)} texts", measured)


def _as_folder(settings: Settings, facts: FolderFacts, folder: Path) -> Settings:
    if facts.pooling is None:
        raise ExportError(
            f"{folder} does not say how its vectors are pooled; say it with --pooling"
        )
    return replace(settings, pooling=facts.pooling, steps=facts.steps)


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
    names = ["hidden", "attention_mask"][: len(example)]
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


def _attach(model: Model, head: Model, output: str) -> None:
    """Puts the head's nodes behind a graph's output, and makes its outcome the only one."""
    given = f"given/{output}"  # so that the outcome's name is free
    rename(model, output, given)
    rename(model, OUTPUT, f"given/{OUTPUT}")
    kept = {"hidden": given, "attention_mask": "attention_mask", OUTPUT: OUTPUT, "": ""}

    def named(name: str) -> str:
        return kept.get(name, f"densehook/{name}")

    rename_all(head.graph, named)
    model.graph.node.extend(head.graph.node)
    model.graph.initializer.extend(head.graph.initializer)
    del model.graph.output[:]
    model.graph.output.extend(head.graph.output)
    drop_unused(model)
