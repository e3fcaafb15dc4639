"""From hidden states to the vector, in PyTorch, as it is traced into the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from ..bundle.kinds.dense import split_pooling
from .folder import Settings
from .module_weights import module_weights
from .modules import Dense, LayerMix, LayerNorm, Normalise, Step


def _mean(hidden: Tensor, mask: Tensor, pooled: Tensor) -> Tensor:
    weights = pooled.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9)


def _mean_of_spans(hidden: Tensor, mask: Tensor, spans: Tensor) -> Tensor:
    weights = spans.to(hidden.dtype)
    return (weights @ hidden) / weights.sum(-1, keepdim=True).clamp(min=1e-9)


def _cls(hidden: Tensor, mask: Tensor, pooled: Tensor) -> Tensor:
    if pooled is mask:
        return hidden[:, 0]
    return _at(hidden, mask.sum(1) - pooled.sum(1))  # the first that the prompt is not of


def _last(hidden: Tensor, mask: Tensor, pooled: Tensor) -> Tensor:
    # right padding: the last real token's position is the number of real tokens less one
    return _at(hidden, mask.sum(1) - 1)


def _at(hidden: Tensor, positions: Tensor) -> Tensor:
    every = positions.view(-1, 1, 1).expand(-1, 1, hidden.shape[-1])
    return hidden.gather(1, every).squeeze(1)


def _max(hidden: Tensor, mask: Tensor, pooled: Tensor) -> Tensor:
    lowest = torch.finfo(hidden.dtype).min
    return hidden.masked_fill(pooled.unsqueeze(-1) == 0, lowest).amax(1)


def _mean_sqrt_len(hidden: Tensor, mask: Tensor, pooled: Tensor) -> Tensor:
    weights = pooled.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9).sqrt()


def _weighted_mean(hidden: Tensor, mask: Tensor, pooled: Tensor) -> Tensor:
    """The first token counts once, the second twice, and so on (Muennighoff 2022, SGPT)."""
    return _mean(hidden, mask, pooled * torch.ones_like(pooled).cumsum(1))


POOLING: Mapping[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "mean": _mean,
    "cls": _cls,
    "last": _last,
    "max": _max,
    "mean_sqrt_len": _mean_sqrt_len,
    "weightedmean": _weighted_mean,
}
"""hidden [batch, tokens, dims] -> [batch, dims], with two masks int64 [batch, tokens].

The first says what is a token and what is padding, the second which tokens the vector is pooled of.
They are one where no prompt is left out.
"""


class Head(torch.nn.Module):
    """What a model folder puts on top of its transformer, with weights read from the folder.

    Then the vector is cut, and brought to length 1, where the settings say so. A module to derive
    from: as a part of another it would put its name into the graph.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._mix = None if settings.mix is None else _Mix(settings.mix)
        self._pools = [POOLING[each] for each in split_pooling(settings.pooling)]
        if settings.late_chunking:
            self._pools = [_mean_of_spans]
        self._steps = torch.nn.Sequential(*[_STEPS[type(each)](each) for each in settings.steps])
        self._settings = settings

    def vectors(self, output: Any, mask: Tensor, pooled: Tensor) -> Tensor:
        """A transformer's output, and masks as in POOLING -> float32 [batch, dims]."""
        hidden = output.last_hidden_state if self._mix is None else self._mix(output.hidden_states)
        return self.pooled(hidden, mask, pooled)

    def pooled(self, hidden: Tensor, mask: Tensor, pooled: Tensor) -> Tensor:
        """Hidden states and masks, as in POOLING -> float32 [batch, dims]."""
        parts = [pool(hidden, mask, pooled) for pool in self._pools]
        vectors: Tensor = self._steps(torch.cat(parts, dim=-1) if len(parts) > 1 else parts[0])
        return finished(self._settings, vectors)


def finished(settings: Settings, vectors: Tensor) -> Tensor:
    """Pooled vectors -> float32 [batch, dims], cut and brought to length 1 where that is stated."""
    if settings.dims is not None:
        vectors = vectors[..., : settings.dims]
    return torch.nn.functional.normalize(vectors, dim=-1) if settings.normalise else vectors


class _Mix(torch.nn.Module):
    def __init__(self, mix: LayerMix) -> None:
        super().__init__()
        weights = module_weights(mix)["layer_weights"]
        self._shares = torch.nn.Parameter((weights / weights.sum()).view(-1, 1, 1, 1))
        self._start = mix.start

    def forward(self, layers: tuple[Tensor, ...]) -> Tensor:
        return (torch.stack(layers[self._start :]) * self._shares).sum(0)


class _Normalised(torch.nn.Module):
    def forward(self, vectors: Tensor) -> Tensor:
        return torch.nn.functional.normalize(vectors, dim=-1)


def _dense(step: Dense) -> torch.nn.Module:
    linear = torch.nn.Linear(step.inputs, step.outputs, bias=step.bias)
    _load(linear, step)
    return torch.nn.Sequential(linear, getattr(torch.nn, step.activation)())


def _layer_norm(step: LayerNorm) -> torch.nn.Module:
    norm = torch.nn.LayerNorm(step.dims)
    _load(norm, step)
    return norm


def _load(layer: torch.nn.Module, step: Dense | LayerNorm) -> None:
    weights = module_weights(step)
    layer.load_state_dict({name.rpartition(".")[2]: each for name, each in weights.items()})


_STEPS: Mapping[type[Step], Callable[[Any], torch.nn.Module]] = {
    Dense: _dense,
    LayerNorm: _layer_norm,
    Normalise: lambda step: _Normalised(),
}
