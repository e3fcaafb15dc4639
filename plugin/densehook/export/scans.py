"""State-space layers, worked out in a way that a graph of any length can have.

transformers steps through a text in Python, which a trace would write down for one length. Here a
layer is traced with a stand-in for those steps, and that becomes ONNX's Scan: one step's graph, run
over as many tokens as there are. What is put in the place of transformers' own stands there as long
as a trace lasts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from onnx import TensorProto, helper
from torch import Tensor
from transformers.models.mamba import modeling_mamba

from ..errors import ExportError
from .variants.graphs import Model, Node, set_nodes

_DOMAIN, _STAND_IN = "densehook", "SelectiveScan"


class _SelectiveScan(torch.autograd.Function):
    """The steps of a layer (Gu and Dao 2023, arXiv:2312.00752, algorithm 2).

    The first state is [batch, channels, states], decay [channels, states], steps and values are
    [batch, tokens, channels], into and out of [batch, tokens, states] -> [batch, tokens, channels].
    """

    @staticmethod
    def forward(
        ctx: Any, state: Tensor, decay: Tensor, steps: Tensor, values: Tensor, b: Tensor, c: Tensor
    ) -> Tensor:
        outputs = []
        for token in range(values.shape[1]):
            step = steps[:, token, :, None]
            state = torch.exp(step * decay) * state
            state = state + step * values[:, token, :, None] * b[:, token, None, :]
            outputs.append((state * c[:, token, None, :]).sum(-1))
        return torch.stack(outputs, dim=1)

    @staticmethod
    def symbolic(g: Any, *inputs: Any) -> Any:
        return g.op(f"{_DOMAIN}::{_STAND_IN}", *inputs).setType(inputs[3].type())


def _mamba(
    mixer: Any, hidden_states: Tensor, attention_mask: Tensor | None = None, **_: object
) -> Tensor:
    """As ``MambaMixer.slow_forward`` of a whole text, without a cache."""
    values, gate = mixer.in_proj(hidden_states).transpose(1, 2).chunk(2, dim=1)
    mask = None if attention_mask is None else attention_mask.unsqueeze(1)
    values = values if mask is None else values * mask
    values = mixer.act(mixer.conv1d(values)[..., : hidden_states.shape[1]])
    values = (values if mask is None else values * mask).transpose(1, 2)
    sizes = [mixer.time_step_rank, mixer.ssm_state_size, mixer.ssm_state_size]
    steps, into, out_of = torch.split(mixer.x_proj(values), sizes, dim=-1)
    steps = torch.nn.functional.softplus(mixer.dt_proj(steps))
    state = values.new_zeros(values.shape[0], mixer.intermediate_size, mixer.ssm_state_size)
    decay = -torch.exp(mixer.A_log.float())
    scanned = _SelectiveScan.apply(state, decay, steps, values, into, out_of)
    scanned = (scanned + values * mixer.D) * mixer.act(gate.transpose(1, 2))
    output: Tensor = mixer.out_proj(scanned)
    return output


_LAYERS: Mapping[Any, Callable[..., Tensor]] = {modeling_mamba.MambaMixer: _mamba}
"""By transformers' class of a layer, what is traced in the place of its forward."""

_STEPPING = ("slow_forward", "torch_forward")
"""What transformers calls the method of a layer that steps through a text."""


def require_known_scans(model: Any) -> None:
    """Raises ExportError for state-space layers that a trace would write down for one length."""
    for layer in map(type, model.modules()):
        if layer not in _LAYERS and any(hasattr(layer, name) for name in _STEPPING):
            known = ", ".join(each.__name__ for each in _LAYERS)
            raise ExportError(
                f"model type {model.config.model_type!r} has layers {layer.__name__}, which step"
                f" through a text; of such layers densehook exports {known} alone"
            )


@contextlib.contextmanager
def traceable_scans() -> Iterator[None]:
    """Has transformers' state-space layers leave stand-ins in a trace."""
    there = {layer: layer.forward for layer in _LAYERS}
    for layer, forward in _LAYERS.items():
        layer.forward = forward
    try:
        yield
    finally:
        for layer, forward in there.items():
            layer.forward = forward


def state_scans(model: Model) -> None:
    """Puts a Scan in the place of each stand-in."""
    nodes = [
        _scan(node) if node.op_type == _STAND_IN and node.domain == _DOMAIN else node
        for node in model.graph.node
    ]
    set_nodes(model, nodes)
    own = [each for each in model.opset_import if each.domain == _DOMAIN]
    for each in own:
        model.opset_import.remove(each)


def _scan(node: Node) -> Node:
    """The first input is the state, the second the same for all tokens, the others one a token."""
    state, decay, *tokens = node.input
    place = node.output[0]
    return helper.make_node(
        "Scan",
        [state, *tokens],
        [f"{place}_state", place],
        name=node.name,
        body=_step(decay, place),
        num_scan_inputs=len(tokens),
        scan_input_axes=[1] * len(tokens),
        scan_output_axes=[1],
    )


def _step(decay: str, prefix: str) -> Any:
    """One token: state, step, value, into, out of -> the next state and the output.

    ``decay`` is a value of the graph around it. Names begin with ``prefix``: two layers share none.
    """

    def own(name: str) -> str:
        return name if name == decay else f"{prefix}_{name}"

    def made(output: str, operator: str, *inputs: str, **attributes: Any) -> Node:
        return helper.make_node(operator, list(map(own, inputs)), [own(output)], **attributes)

    def values(*names: str) -> list[Any]:
        return [helper.make_tensor_value_info(own(n), TensorProto.FLOAT, None) for n in names]

    nodes = [
        made("last", "Constant", value_ints=[-1]),
        made("middle", "Constant", value_ints=[1]),
        made("steps", "Unsqueeze", "step", "last"),
        made("decayed", "Mul", "steps", decay),
        made("kept", "Exp", "decayed"),
        made("left", "Mul", "kept", "before"),
        made("weighed", "Mul", "step", "value"),
        made("given", "Unsqueeze", "weighed", "last"),
        made("row", "Unsqueeze", "into", "middle"),
        made("added", "Mul", "given", "row"),
        made("after", "Add", "left", "added"),
        made("column", "Unsqueeze", "out_of", "last"),
        made("read", "MatMul", "after", "column"),
        made("output", "Squeeze", "read", "last"),
    ]
    inputs = values("before", "step", "value", "into", "out_of")
    return helper.make_graph(nodes, f"{prefix}_step", inputs, values("after", "output"))
