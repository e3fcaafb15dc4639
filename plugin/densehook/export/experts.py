"""Mixtures of experts, worked out in a way that a graph can have: each token by its own experts.

transformers goes through the experts that a batch needs, which a trace would write down for one
batch. Here each expert is given the tokens that are routed to it, none where there are none; what
they made is put back in the order of the tokens at once. What is put in the place of transformers'
own stands there as long as it is asked for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
import transformers
from torch import Tensor
from transformers.models.mixtral import modeling_mixtral
from transformers.models.qwen3_moe import modeling_qwen3_moe

from ..errors import ExportError

_NORMALISES: Mapping[Any, Callable[[Any], bool]] = {
    modeling_mixtral.MixtralSparseMoeBlock: lambda block: True,
    modeling_qwen3_moe.Qwen3MoeSparseMoeBlock: lambda block: bool(block.norm_topk_prob),
}
"""By transformers' class of a layer, whether the weights of a token's experts are to sum to 1."""


@contextlib.contextmanager
def traceable_experts() -> Iterator[None]:
    """Has transformers' mixtures give each token to its own experts, all of them in one graph."""
    there = {layer: layer.forward for layer in _NORMALISES}
    for layer in _NORMALISES:
        layer.forward = _routed
    try:
        yield
    finally:
        for layer, forward in there.items():
            layer.forward = forward


def _routed(block: Any, hidden_states: Tensor) -> tuple[Tensor, Tensor]:
    """[batch, tokens, dims] -> the same, and the router's logits [batch * tokens, experts].

    Raises ExportError where transformers does not keep experts one by one.
    """
    if not isinstance(block.experts, torch.nn.ModuleList):
        raise ExportError(
            f"transformers {transformers.__version__} keeps all experts of a layer in one tensor,"
            " which densehook does not export; export with transformers 4.57"
        )
    tokens = hidden_states.reshape(-1, hidden_states.shape[-1])
    logits = block.gate(tokens)
    weights, chosen = torch.topk(torch.softmax(logits, dim=1), block.top_k, dim=-1)
    if _NORMALISES[type(block)](block):
        weights = weights / weights.sum(dim=-1, keepdim=True)
    slots = chosen.flatten()  # a token has one for each of its experts
    own = [(slots == n).nonzero().flatten() for n in range(len(block.experts))]
    made = torch.cat(
        [
            expert(tokens.index_select(0, places.div(block.top_k, rounding_mode="floor")))
            for expert, places in zip(block.experts, own, strict=True)
        ]
    )
    order = torch.cat(own)
    place_of = torch.zeros_like(order).scatter(0, order, torch.ones_like(order).cumsum(0) - 1)
    of_slots = made.index_select(0, place_of).reshape(-1, block.top_k, tokens.shape[-1])
    mixed = (of_slots * weights.unsqueeze(-1)).sum(1)
    return mixed.reshape(hidden_states.shape), logits
