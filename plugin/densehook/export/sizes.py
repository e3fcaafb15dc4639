"""The sizes of heads, written into a graph as numbers.

A model that splits a token's vector into heads may leave their number open, as -1: PyTorch counts
them. An optimizer that looks for attention wants to read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from onnx import helper, numpy_helper

from .variants.graphs import Model, Node, add_constant, set_nodes

_OPEN = -1


def state_sizes(model: Model) -> None:
    """Puts the number in the place of -1 where a vector is split into heads, or heads are joined.

    It is known from the weights of the matrix product before, or after.
    """
    values = _Values(model)
    nodes: list[Node] = []
    stated: dict[tuple[str, int], str] = {}
    for node in model.graph.node:
        size = _size(node, values)
        if size is not None:
            parts = list(values.makers[node.input[1]].input)
            key = (node.input[1], size)
            if key not in stated:
                stated[key] = f"{node.input[1]}_of_{size}"
                number = add_constant(model, f"{stated[key]}_size", np.array([size], np.int64))
                parts = [number if values.numbers.get(each) == _OPEN else each for each in parts]
                nodes.append(helper.make_node("Concat", parts, [stated[key]], axis=0))
            node.input[1] = stated[key]
        nodes.append(node)
    if not stated:
        return
    replaced = {name for name, _ in stated} - {name for node in nodes for name in node.input}
    set_nodes(model, [node for node in nodes if node.output[0] not in replaced])


class _Values:
    """What is known of a graph's values by their names."""

    def __init__(self, model: Model) -> None:
        self.makers: Mapping[str, Node] = {
            name: node for node in model.graph.node for name in node.output
        }
        self.takers: dict[str, list[Node]] = {}
        for node in model.graph.node:
            for name in node.input:
                self.takers.setdefault(name, []).append(node)
        self.weights: Mapping[str, tuple[int, ...]] = {
            each.name: tuple(each.dims) for each in model.graph.initializer
        }
        self.numbers = dict(_numbers(model))
        """Single whole numbers that do not depend on the input."""

    def width_before(self, name: str) -> int | None:
        """The last size of a value that a matrix product gives, with or without a bias."""
        maker = self.makers.get(name)
        if maker is not None and maker.op_type == "Add":
            makers = (self.makers.get(each) for each in maker.input)
            maker = next((each for each in makers if each and each.op_type == "MatMul"), None)
        return self._product(maker, -1)

    def width_after(self, name: str) -> int | None:
        """The last size of a value that is only there for a matrix product."""
        takers = self.takers.get(name, [])
        return self._product(takers[0], 0) if len(takers) == 1 else None

    def _product(self, node: Node | None, side: int) -> int | None:
        if node is None or node.op_type != "MatMul":
            return None
        shape = self.weights.get(node.input[1], ())
        return shape[side] if len(shape) == 2 else None


def _numbers(model: Model) -> Any:
    constants = {each.name: each for each in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            constants[node.output[0]] = node.attribute[0].t
    for name, each in constants.items():
        if each.data_type == each.INT64 and list(each.dims) in ([], [1]):
            yield name, int(numpy_helper.to_array(each).item())


def _size(node: Node, values: _Values) -> int | None:
    """What is left open as the last, or the last but one, of the sizes of a Reshape."""
    maker = values.makers.get(node.input[1]) if node.op_type == "Reshape" else None
    if maker is None or maker.op_type != "Concat":
        return None
    sizes = [values.numbers.get(name) for name in maker.input]
    if sizes.count(_OPEN) != 1:
        return None
    place = sizes.index(_OPEN)
    if len(sizes) == 4 and place == 2:
        width, head = values.width_before(node.input[0]), sizes[3]
        return width // head if width and head and width % head == 0 else None
    if len(sizes) == 3 and place == 2:
        return values.width_after(node.output[0])
    return None
