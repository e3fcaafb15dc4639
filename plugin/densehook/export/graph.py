"""The ONNX graph: token ids in, pooled and normalised vector out.

Traced with TorchScript: the graph is that of optimum's exporter, node for node, and onnxruntime's
optimizer finds its attention; torch.export, tried on the same models, takes ten times as long.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import onnx
import torch
from torch import Tensor

from ..errors import ExportError
from .experts import traceable_experts
from .folder import Settings
from .masks import traceable_masks
from .pooling import POOLING, Head
from .scans import require_known_scans, state_scans, traceable_scans
from .sizes import state_sizes
from .variants.graphs import Model, write_model

__all__ = ["AXES", "OUTPUT", "POOLING", "inputs_of", "tells_types_apart", "trace", "write_graph"]

OPSET = 18
OUTPUT = "embedding"
AXES = {0: "batch_size", 1: "sequence_length"}
_SPAN_AXES = {0: "batch_size", 1: "spans", 2: "sequence_length"}


class Pooled(Head):
    """A transformer with its head on top."""

    def __init__(self, model: Any, settings: Settings) -> None:
        super().__init__(settings)
        self.model = model
        takes = inspect.signature(model.forward).parameters
        self._flags = {"use_cache": False} if "use_cache" in takes else {}
        if settings.mix is not None:
            self._flags["output_hidden_states"] = True

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor | None = None,
        pooling_mask: Tensor | None = None,
        span_mask: Tensor | None = None,
    ) -> Tensor:
        """int64 [batch, tokens] inputs -> float32 [batch, dims].

        With ``span_mask``, int64 [batch, spans, tokens], a vector for each span: [batch, spans,
        dims].
        """
        return self.run(input_ids, attention_mask, token_type_ids, pooling_mask, span_mask)[1]

    def run(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor | None = None,
        pooling_mask: Tensor | None = None,
        span_mask: Tensor | None = None,
    ) -> tuple[Any, Tensor]:
        """The same, behind the transformer's own output."""
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        output = self.model(
            input_ids=input_ids, attention_mask=attention_mask, **types, **self._flags
        )
        pooled = attention_mask if pooling_mask is None else pooling_mask
        pooled = pooled if span_mask is None else span_mask
        return output, self.vectors(output, attention_mask, pooled)


def write_graph(model: Any, settings: Settings, path: Path, dims: int) -> list[str]:
    """Writes the graph and gives the names of its inputs.

    Raises ExportError as ``trace`` does.
    """
    inputs, values, named = inputs_of(model, settings)
    axes: dict[str, dict[int, str]] = {OUTPUT: {0: AXES[0]}}
    if settings.late_chunking:
        axes = {"span_mask": _SPAN_AXES, OUTPUT: {0: _SPAN_AXES[0], 1: _SPAN_AXES[1]}}
    traced = trace(Pooled(model, settings), inputs, values, path, axes=axes, named=named)
    traced.graph.output[0].type.tensor_type.shape.dim[-1].dim_value = dims
    state_sizes(traced)
    write_model(traced, path)
    return inputs


def inputs_of(model: Any, settings: Settings) -> tuple[list[str], list[Tensor], dict[str, Tensor]]:
    """The names of the graph's inputs, and values of the first of them and, by name, of others."""
    inputs = ["input_ids", "attention_mask"]
    ids = torch.ones(2, 4, dtype=torch.int64)  # two texts of four tokens, none of them padding
    values = [ids, ids]
    named = {}
    if tells_types_apart(model):
        inputs.append("token_type_ids")
        values.append(torch.zeros_like(ids))
    if settings.late_chunking:
        inputs.append("span_mask")
        named["span_mask"] = torch.ones(2, 3, 4, dtype=torch.int64)
    elif settings.unpooled:
        inputs.append("pooling_mask")
        named["pooling_mask"] = ids
    return inputs, values, named


def trace(
    module: Any,
    inputs: Sequence[str],
    values: Sequence[Tensor],
    path: Path,
    *,
    axes: Mapping[str, Mapping[int, str]],
    named: Mapping[str, Tensor] = MappingProxyType({}),
    outputs: Sequence[str] = (OUTPUT,),
) -> Model:
    """The graph of a module around ``module.model``, traced beside ``path``; not yet written.

    ``values`` are of the first inputs, ``named`` of others; all are of a batch's texts and tokens
    unless ``axes`` says otherwise. Raises ExportError for an architecture that cannot be traced.
    """
    require_known_scans(module.model)
    scratch = Path(tempfile.mkdtemp(dir=path.parent))
    try:
        with quiet(), _traceable(), torch.no_grad():
            torch.onnx.export(
                module.eval(),
                tuple(values),
                str(scratch / path.name),
                kwargs=dict(named),
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_axes={**dict.fromkeys(inputs, AXES), **axes},
                opset_version=OPSET,
                dynamo=False,
            )
        traced = onnx.load(str(scratch / path.name))
        state_scans(traced)
        return traced
    except (OSError, ExportError):
        raise
    except Exception as error:  # tracing raises whatever the model's code does
        reason = str(error).strip().partition("\n")[0]
        raise ExportError(
            f"model type {module.model.config.model_type!r} cannot be traced to a graph: {reason}"
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def _traceable() -> Iterator[None]:
    with traceable_masks(), traceable_scans(), traceable_experts():
        yield


def tells_types_apart(model: Any) -> bool:
    """Whether the model has more than one token type; the only one there is needs no input."""
    takes = "token_type_ids" in inspect.signature(model.forward).parameters
    return takes and (getattr(model.config, "type_vocab_size", None) or 0) > 1


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps tracing's remarks, meant for model authors, off the user's terminal."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
