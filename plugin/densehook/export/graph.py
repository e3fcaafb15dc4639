"""The ONNX graph: token ids in, pooled and normalised vector out."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import onnx
import torch
from optimum.exporters.onnx.convert import export_pytorch
from optimum.exporters.tasks import TasksManager
from torch import Tensor

from ..errors import ExportError
from .folder import Settings

OPSET = 18
OUTPUT = "embedding"


def _mean(hidden: Tensor, mask: Tensor) -> Tensor:
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9)


def _cls(hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden[:, 0]


def _last(hidden: Tensor, mask: Tensor) -> Tensor:
    # right padding: the last real token's position is the number of real tokens less one
    positions = (mask.sum(1) - 1).view(-1, 1, 1).expand(-1, 1, hidden.shape[-1])
    return hidden.gather(1, positions).squeeze(1)


POOLING: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mean": _mean,
    "cls": _cls,
    "last": _last,
}
"""hidden [batch, tokens, dims] and mask int64 [batch, tokens] -> [batch, dims]."""


class Pooled(torch.nn.Module):
    """A transformer with pooling, truncation and normalisation on top."""

    def __init__(self, model: Any, settings: Settings) -> None:
        super().__init__()
        self.model = model
        self.config = model.config
        self._pool = POOLING[settings.pooling]
        self._dims = settings.dims
        self._normalise = settings.normalise

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """int64 [batch, tokens] inputs -> float32 [batch, dims]."""
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        output = self.model(input_ids=input_ids, attention_mask=attention_mask, **types)
        vectors = self._pool(output.last_hidden_state, attention_mask)
        if self._dims is not None:
            vectors = vectors[:, : self._dims]
        return torch.nn.functional.normalize(vectors, dim=-1) if self._normalise else vectors


def write_graph(model: Any, settings: Settings, path: Path, dims: int) -> list[str]:
    """Writes the graph and gives the names of its inputs.

    optimum knows each architecture's inputs, dynamic axes and the patches tracing needs; only the
    output is ours. Raises ExportError for an architecture it does not know.
    """
    try:
        constructor = TasksManager.get_exporter_config_constructor(
            "onnx", model=model, task="feature-extraction", library_name="transformers"
        )
    except (KeyError, ValueError) as error:
        raise ExportError(
            f"optimum has no ONNX export for model type {model.config.model_type!r}: {error}"
        ) from error
    with _quiet():
        config = _with_pooled_output(constructor)(model.config)
        inputs, _ = export_pytorch(Pooled(model, settings), config, OPSET, path)
    _state_output_shape(path, dims)
    return list(inputs)


def _with_pooled_output(constructor: partial[Any]) -> Callable[[Any], Any]:
    """The architecture's ONNX configuration, with our one output in place of its own."""

    class PooledConfig(constructor.func):  # type: ignore[misc, name-defined]
        @property
        def outputs(self) -> dict[str, dict[int, str]]:
            return {OUTPUT: {0: "batch_size"}}

    return partial(PooledConfig, *constructor.args, **constructor.keywords)


def _state_output_shape(path: Path, dims: int) -> None:
    model = onnx.load(str(path), load_external_data=False)
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = dims
    onnx.save(model, str(path))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps tracing's remarks, meant for model authors, off the user's terminal."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
