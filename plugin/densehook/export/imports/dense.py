"""Dense: an output of one vector a text as it is, or one of token vectors with pooling added."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...bundle.kinds.dense import UNSTATED_POOLING
from ...encode import cosines
from ...encode.session import Vector
from ...errors import ExportError
from ..folder import FolderFacts, Settings, read_folder
from ..gate import Expected
from ..kinds.dense import part as part
from ..loading import load_reference
from .graph import Adapted, Graph
from .near import Near, rows_of_both

_OF_TEXTS = ("sentence_embedding", "sentence_embeddings", "embedding", "embeddings", "dense_vecs")
_OF_TOKENS = ("last_hidden_state", "token_embeddings", "hidden_states")
_FEWEST_DIMS = 8
"""Fewer numbers are likelier those of a classifier's labels than a vector."""


def output_of(graph: Graph) -> str | None:
    """One vector a text where the graph gives it by its usual name, else those of its tokens.

    Of outputs by other names the only one that it can be. Numbers for every token of the vocabulary
    are no vector.
    """
    words = graph.vocabulary
    shapes = {name: shape for name, shape in graph.outputs.items() if [*shape[-1:]] != [words]}
    texts = [name for name, shape in shapes.items() if len(shape) == 2 and shape[1] > 1]
    tokens = [name for name, shape in shapes.items() if len(shape) == 3 and shape[1] == 5]
    for known, those in ((_OF_TEXTS, texts), (_OF_TOKENS, tokens)):
        for name in known:
            if name in those:
                return name
    both = texts + tokens
    return both[0] if len(both) == 1 and "logits" not in both else None


def doubt(graph: Graph, output: str) -> str | None:
    """As ``Importing.doubt``: where it has as few numbers as classifiers have labels."""
    dims = graph.outputs[output][-1]
    if dims >= _FEWEST_DIMS:
        return None
    return (
        f"gives {dims} numbers as {output}, as few as a classifier has labels; if they are a vector"
        " nevertheless, say so with --kind dense"
    )


def adapted(graph: Graph, output: str, settings: Settings) -> Adapted:
    """The graph with pooling, cut and normalisation, as the settings say, where it lacks them."""
    from ..graph import OUTPUT
    from .heads import attach, head_of

    model = type(graph.model)()
    model.CopyFrom(graph.model)
    inputs = list(graph.inputs)
    shape = graph.outputs[output]
    if settings.mix is not None:
        raise graph.refused("gives one layer's token vectors, and the folder mixes several layers")
    attach(model, head_of(settings, graph, shape), output)
    model.graph.output[0].type.tensor_type.shape.dim[-1].dim_value = len(
        expected(settings, Adapted(model, inputs, OUTPUT, output), np.ones(shape)[0])
    )
    return Adapted(model, inputs, OUTPUT, output)


def expected(settings: Settings, adapted: Adapted, value: Any) -> Vector:
    """One text's vector, or its tokens' -> float32 [dims]."""
    from ..arithmetic import Arithmetic

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
    both = rows_of_both(given, settings, reference, own, folder)
    rows, expected = both.given, both.expected
    if rows[0].shape != expected[0].shape:
        raise ExportError(
            f"{folder} gives vectors of {len(expected[0])} numbers, the graph of {len(rows[0])}"
        )
    found = cosines(np.stack(rows), np.stack(expected))
    lowest = float(found.min())
    measured = {
        "texts": len(rows),
        "lowest_cosine": lowest,
        "mean_cosine": float(found.mean()),
    }
    return Near(f"lowest cosine {lowest:.6f} to PyTorch on {len(rows)} texts", measured)


def _as_folder(settings: Settings, facts: FolderFacts, folder: Path) -> Settings:
    if facts.pooling is None:
        raise ExportError(
            f"{folder} does not say how its vectors are pooled; say it with --pooling"
        )
    return replace(settings, pooling=facts.pooling, steps=facts.steps)
