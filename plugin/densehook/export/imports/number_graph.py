"""A graph of numbers that somebody else exported: what its axes are, and the input a bundle has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from ...bundle import NUMBERS_INPUT
from ...errors import ExportError
from ..variants.graphs import Model, add_constant, set_nodes
from .graph import TEXT_INPUTS, rename

MASK = "attention_mask"
STEPS_MASK = "densehook/steps_mask"
"""The mask of steps within the graph, int64 [batch, steps]."""

_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16)
_MASKS = (TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL, *_FLOATS)
_AXES = {2: ("batch", "steps"), 3: ("batch", "steps", "channels")}


@dataclass(frozen=True)
class Axes:
    """How a graph takes lists: ``steps`` where it takes so many alone, else None.

    ``transposed`` says that it takes channels before steps; ``axes`` are two for one channel
    without an axis of its own, else three. ``mask`` is its other input, if it has one.
    """

    name: str
    type: int
    axes: int
    channels: int
    steps: int | None
    transposed: bool
    mask: Any

    @property
    def remark(self) -> str:
        """What was taken for steps where the axes do not tell; empty where they do."""
        if self.axes != 3 or self.steps is None:
            return ""
        taken = f"lists have {self.steps} steps of {self.channels} channels"
        if self.transposed:
            return f"{taken}, channels first"
        return f"{taken}: if the graph takes channels first, say so with --channels-first"


def takes_numbers(model: Model) -> bool:
    """Whether a graph is fed with numbers, and no texts: its one other input may be a mask."""
    names = [each.name for each in _inputs(model)]
    return not set(names) & TEXT_INPUTS and len(_lists(model)) == 1


def read_axes(path: Path, model: Model, *, channels_first: bool = False) -> Axes:
    """What the input of a graph of numbers is.

    The fixed one of two axes is that of channels; of two that are fixed the second, unless they are
    said to be first. Raises ExportError for axes that are fixed or free where they cannot be, for
    other inputs, and where channels are said to be first of axes that tell themselves.
    """
    (given,) = _lists(model)
    others = [each for each in _inputs(model) if each.name != given.name]
    if len(others) > 1:
        names = ", ".join(each.name for each in others)
        raise ExportError(
            f"{path} has the inputs {names} beside {given.name}; numbers may have a mask alone"
        )
    shape = given.type.tensor_type.shape.dim
    shown = [each.dim_value or each.dim_param or "?" for each in shape]
    where = f"{path}: the input {given.name} has the shape {shown}"
    if shape[0].dim_value:
        raise ExportError(
            f"{where}, its axis of batch is {shape[0].dim_value}; export the graph with a dynamic"
            " one"
        )
    steps, channels = [*(each.dim_value or None for each in shape[1:]), 1][:2]
    are_fixed = len(shape) == 3 and None not in (steps, channels)
    if channels_first and not are_fixed:
        raise ExportError(f"{where}, which tells steps from channels; leave --channels-first out")
    transposed = channels_first or (len(shape) == 3 and steps is not None and channels is None)
    if transposed:
        steps, channels = channels, steps
    if channels is None:
        raise ExportError(
            f"{where}; numbers are fed as [batch, steps] or [batch, steps, channels], export the"
            " graph with so many channels as there are"
        )
    mask = others[0] if others else None
    if mask is not None:
        _require_mask(path, mask, len(shape))
    data = given.type.tensor_type.elem_type
    return Axes(given.name, data, len(shape), channels, steps, transposed, mask)


def fronted(given: Model, axes: Axes, *, masked: bool, inverted: bool = False) -> Model:
    """The graph behind a bundle's inputs: ``numbers``, and ``attention_mask`` where ``masked``.

    Both are [batch, numbers]. Where the graph's mask is not asked for, every step counts in it;
    ``inverted`` says that it is 1 for padding.
    """
    model = type(given)()
    model.CopyFrom(given)
    for name in [each.name for each in _inputs(model)]:
        rename(model, name, f"fed/{name}")
    del model.graph.input[:]
    for taken in (NUMBERS_INPUT, MASK):
        rename(model, taken, f"given/{taken}")
    front = _Front(model, axes)
    front.numbers()
    front.steps_mask(masked=masked)
    if axes.mask is not None:
        front.mask(inverted=inverted)
    set_nodes(model, [*front.nodes, *model.graph.node])
    inputs = {NUMBERS_INPUT: TensorProto.FLOAT, **({MASK: TensorProto.INT64} if masked else {})}
    shape = ["batch_size", "numbers"]
    model.graph.input.extend(
        helper.make_tensor_value_info(name, data, shape) for name, data in inputs.items()
    )
    return model


class _Front:
    """Nodes between a bundle's inputs and those of a graph."""

    def __init__(self, model: Model, axes: Axes) -> None:
        self.nodes: list[Any] = []
        self._model = model
        self._axes = axes
        self._by_step = self._constant("by_step", [0, -1, axes.channels])

    def numbers(self) -> None:
        """``numbers`` in the graph's own axes and type."""
        axes = self._axes
        taken = NUMBERS_INPUT
        if axes.axes == 3:
            taken = self._node("Reshape", [taken, self._by_step], "steps")
            if axes.transposed:
                taken = self._node("Transpose", [taken], "channels_first", perm=[0, 2, 1])
        self._node("Cast", [taken], f"fed/{axes.name}", to=axes.type)

    def steps_mask(self, *, masked: bool) -> None:
        """``STEPS_MASK``, of the mask that a bundle is fed with, or 1 for every number there is."""
        source = MASK
        if not masked:
            every = self._node("Equal", [NUMBERS_INPUT, NUMBERS_INPUT], "every")
            source = self._node("Cast", [every], "ones", to=TensorProto.INT64)
        by_step = self._node("Reshape", [source, self._by_step], "mask_by_step")
        first = add_constant(self._model, "densehook/first", np.array(0, dtype=np.int64))
        self._node("Gather", [by_step, first], STEPS_MASK, axis=2)

    def mask(self, *, inverted: bool) -> None:
        """The graph's own mask, in its axes and its type."""
        given = self._axes.mask
        taken = STEPS_MASK
        if inverted:
            one = self._constant("one", [1])
            taken = self._node("Sub", [one, taken], "padding")
        if len(given.type.tensor_type.shape.dim) == 3:
            by_channel = self._constant("by_channel", [0, 0, 1])
            taken = self._node("Reshape", [taken, by_channel], "mask_of_steps")
            every = self._constant("every_channel", [1, 1, self._axes.channels])
            taken = self._node("Expand", [taken, every], "mask_of_numbers")
            if self._axes.transposed:
                taken = self._node("Transpose", [taken], "mask_first", perm=[0, 2, 1])
        data = given.type.tensor_type.elem_type
        self._node("Cast", [taken], f"fed/{given.name}", to=data)

    def _constant(self, name: str, values: Sequence[int]) -> str:
        return add_constant(self._model, f"densehook/{name}", np.array(values, dtype=np.int64))

    def _node(self, kind: str, inputs: Sequence[str], name: str, **given: Any) -> str:
        output = name if "/" in name else f"densehook/{name}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **given))
        return output


def _constants(model: Model) -> set[str]:
    return {each.name for each in model.graph.initializer}


def _inputs(model: Model) -> list[Any]:
    constants = _constants(model)
    return [each for each in model.graph.input if each.name not in constants]


def _lists(model: Model) -> list[Any]:
    """The inputs that can be lists of numbers."""
    return [
        each
        for each in _inputs(model)
        if each.type.tensor_type.elem_type in _FLOATS
        and len(each.type.tensor_type.shape.dim) in _AXES
        and "mask" not in each.name
    ]


def _require_mask(path: Path, mask: Any, axes: int) -> None:
    """Raises ExportError for an input that is no mask of steps, or of numbers."""
    found = len(mask.type.tensor_type.shape.dim)
    if mask.type.tensor_type.elem_type not in _MASKS or found not in (2, axes):
        data = TensorProto.DataType.Name(mask.type.tensor_type.elem_type)
        raise ExportError(
            f"{path} has an input {mask.name} of {found} axes of {data}, and it is no mask; one is"
            " [batch, steps], or as the numbers are"
        )
