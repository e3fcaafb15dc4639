"""The ONNX graph of late interaction: token ids in, a normalised vector for each token out."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .graph import AXES, OUTPUT, tells_types_apart, trace
from .sizes import state_sizes
from .variants.graphs import write_model

TOKEN_MASK = "token_mask"


class Projected(torch.nn.Module):
    """A transformer with the projection of its hidden states on top."""

    def __init__(self, model: Any, projection: Tensor) -> None:
        super().__init__()
        self.model = model
        dims, hidden = projection.shape
        self.projection = torch.nn.Linear(hidden, dims, bias=False)
        self.projection.weight.data = projection
        takes = inspect.signature(model.forward).parameters
        self._flags = {"use_cache": False} if "use_cache" in takes else {}

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor | None = None,
        token_mask: Tensor | None = None,
    ) -> Tensor:
        """int64 [batch, tokens] inputs -> float32 [batch, tokens, dims].

        Where ``token_mask`` is 0 a token has no vector: zeros.
        """
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        output = self.model(
            input_ids=input_ids, attention_mask=attention_mask, **types, **self._flags
        )
        projected = self.projection(output.last_hidden_state)
        unit = torch.nn.functional.normalize(projected, dim=-1)
        if token_mask is None:
            return unit
        return unit * token_mask.unsqueeze(-1).to(unit.dtype)


def write_token_graph(model: Any, projection: Tensor, path: Path) -> list[str]:
    """Writes the graph and gives the names of its inputs; raises ExportError as ``trace`` does."""
    inputs = ["input_ids", "attention_mask"]
    ids = torch.ones(2, 4, dtype=torch.int64)
    values = [ids, ids]
    if tells_types_apart(model):
        inputs.append("token_type_ids")
        values.append(torch.zeros_like(ids))
    inputs.append(TOKEN_MASK)
    module = Projected(model, projection)
    axes, named = {OUTPUT: AXES}, {TOKEN_MASK: ids}
    traced = trace(module, inputs, values, path, axes=axes, named=named)
    traced.graph.output[0].type.tensor_type.shape.dim[-1].dim_value = projection.shape[0]
    state_sizes(traced)
    write_model(traced, path)
    return inputs
