"""From hidden states to the vector in plain arithmetic, on one text's tokens.

On purpose not the code that goes into the graph: a pooling mistake there must not be able to
certify itself here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..bundle.kinds.dense import split_pooling
from .folder import Settings
from .module_weights import module_weights
from .modules import Dense, LayerMix, LayerNorm, Normalise, Step

Numbers = NDArray[np.float64]
Weights = Mapping[str, Numbers]

_POOLED: Mapping[str, Callable[[Numbers, int], Numbers]] = {
    "mean": lambda hidden, first: hidden[first:].mean(axis=0),
    "cls": lambda hidden, first: hidden[first],
    "last": lambda hidden, first: hidden[-1],
    "max": lambda hidden, first: hidden[first:].max(axis=0),
    "mean_sqrt_len": lambda hidden, first: (
        hidden[first:].sum(axis=0) / math.sqrt(len(hidden) - first)
    ),
    "weightedmean": lambda hidden, first: np.average(
        hidden[first:], axis=0, weights=range(first + 1, len(hidden) + 1)
    ),
}
"""float64 [tokens, dims] and the first token that is pooled -> float64 [dims]."""
_ACTIVATED: Mapping[str, Callable[[Numbers], Numbers]] = {
    "Identity": lambda x: x,
    "Tanh": np.tanh,
    "ReLU": lambda x: np.maximum(x, 0),
    "GELU": lambda x: x * np.array([0.5 + 0.5 * math.erf(each / math.sqrt(2)) for each in x]),
    "SiLU": lambda x: x / (1 + np.exp(-x)),
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}


class Arithmetic:
    """What a model folder puts on top of its transformer; its weights are read once."""

    def __init__(self) -> None:
        self._read: dict[Path, Weights] = {}

    def mixed(self, mix: LayerMix, layers: Numbers) -> Numbers:
        """Every layer's hidden states, float64 [layers, tokens, dims] -> [tokens, dims]."""
        weights = self._weights(mix)["layer_weights"]
        return np.asarray(np.average(layers[mix.start :], axis=0, weights=weights))

    def vector(self, settings: Settings, hidden: Numbers, first: int) -> NDArray[np.float32]:
        """Hidden states, float64 [tokens, dims], and the first that is pooled -> float32 [dims]."""
        pooled = [_POOLED[each](hidden, first) for each in split_pooling(settings.pooling)]
        vector = np.concatenate(pooled)
        for step in settings.steps:
            vector = _STEPS[type(step)](step, self._weights(step), vector)
        return self.finished(settings, vector)

    def finished(self, settings: Settings, vector: Numbers) -> NDArray[np.float32]:
        """A pooled vector, cut and brought to length 1 where the settings say so."""
        vector = vector[: settings.dims]
        return (_unit(vector) if settings.normalise else vector).astype(np.float32)

    def _weights(self, module: LayerMix | Step) -> Weights:
        if isinstance(module, Normalise):
            return {}
        if module.folder not in self._read:
            found = module_weights(module)
            self._read[module.folder] = {
                name: each.numpy().astype(np.float64) for name, each in found.items()
            }
        return self._read[module.folder]


def _dense(step: Dense, weights: Weights, vector: Numbers) -> Numbers:
    moved = weights["linear.weight"] @ vector + weights.get("linear.bias", 0.0)
    return _ACTIVATED[step.activation](np.asarray(moved))


def _layer_norm(step: LayerNorm, weights: Weights, vector: Numbers) -> Numbers:
    even = (vector - vector.mean()) / np.sqrt(vector.var() + 1e-5)
    return np.asarray(even * weights["norm.weight"] + weights["norm.bias"])


def _unit(vector: Numbers) -> Numbers:
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float64)


_STEPS: Mapping[type[Step], Callable[[Any, Weights, Numbers], Numbers]] = {
    Dense: _dense,
    LayerNorm: _layer_norm,
    Normalise: lambda step, weights, vector: _unit(vector),
}
