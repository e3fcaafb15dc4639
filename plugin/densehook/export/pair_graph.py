"""The ONNX graph of pairs: token ids in, one score out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .graph import AXES, tells_types_apart, trace
from .sizes import state_sizes
from .variants.graphs import write_model

OUTPUT = "score"


class Classified(torch.nn.Module):
    """A classifier of one label, with the activation of its score."""

    def __init__(self, model: Any, activation: str) -> None:
        super().__init__()
        self.model = model
        self.activation = activation

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """int64 [batch, tokens] inputs -> float32 [batch, 1]."""
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        output = self.model(input_ids=input_ids, attention_mask=attention_mask, **types)
        return _activated(output.logits, self.activation)


class Judged(torch.nn.Module):
    """A decoder's last word: how much likelier ``yes`` is than ``no``.

    Padding goes to the right; what is asked is the token before it.
    """

    def __init__(self, model: Any, answers: tuple[int, ...], activation: str) -> None:
        super().__init__()
        self.model = model
        self.activation = activation
        head = model.get_output_embeddings()
        rows = head.weight.detach()[list(answers)]
        self.direction = torch.nn.Parameter((rows[0] - rows[1])[:, None])
        bias = torch.zeros(2) if head.bias is None else head.bias.detach()[list(answers)]
        self.shift = torch.nn.Parameter(bias[0] - bias[1])

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """int64 [batch, tokens] inputs -> float32 [batch, 1]."""
        output = self.model.get_decoder()(
            input_ids=input_ids, attention_mask=attention_mask, use_cache=False
        )
        hidden = output.last_hidden_state
        last = (attention_mask.sum(dim=1) - 1)[:, None, None].expand(-1, 1, hidden.shape[-1])
        spoken = torch.gather(hidden, 1, last)[:, 0]
        return _activated(spoken @ self.direction + self.shift, self.activation)


def _activated(logits: Tensor, activation: str) -> Tensor:
    return torch.sigmoid(logits) if activation == "sigmoid" else logits


def write_pair_graph(
    model: Any, answers: tuple[int, ...], activation: str, path: Path
) -> list[str]:
    """Writes the graph and gives the names of its inputs; ``answers`` are a decoder's yes and no.

    Raises ExportError for an architecture that cannot be traced.
    """
    inputs = ["input_ids", "attention_mask"]
    ids = torch.ones(2, 4, dtype=torch.int64)
    values = [ids, ids]
    if not answers and tells_types_apart(model):
        inputs.append("token_type_ids")
        values.append(torch.zeros_like(ids))
    module = Judged(model, answers, activation) if answers else Classified(model, activation)
    axes = {OUTPUT: {0: AXES[0]}}
    traced = trace(module, inputs, values, path, axes=axes, outputs=[OUTPUT])
    traced.graph.output[0].type.tensor_type.shape.dim[-1].dim_value = 1
    state_sizes(traced)
    write_model(traced, path)
    return inputs
