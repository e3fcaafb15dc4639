"""Channels between two products in another order, which changes nothing that comes out.

The columns of the first product and what works on them channel by channel, a bias or an activation
function, take the order, and so do the rows of the second.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray
from onnx import numpy_helper

from .graphs import Model, Node, add_constant, products

_BY_CHANNEL = ("Add", "BiasGelu", "FastGelu", "Gelu", "Relu")


def reorder(model: Model, activations: str, order: NDArray[np.intp]) -> bool:
    """Gives the channels of a value that enters one product the order [channels].

    False, and nothing changed, where the value does not come, channel by channel and used by nobody
    else, from a product with a constant matrix.
    """
    readers = [each for each in products(model) if each.activations == activations]
    makers = _makers(model, activations)
    if len(readers) != 1 or not makers:
        return False
    (reader,) = readers
    for node in makers:
        for place, value in _constants(model, node).items():
            if value.shape and value.shape[-1] == len(order):
                _replace(model, node, place, value[..., order])
    _replace(model, reader.node, 1, reader.weights[order])
    return True


def _makers(model: Model, value: str) -> list[Node]:
    """What makes a value of a product's output, and that product last; nothing if more is in it."""
    made_by = {node.output[0]: node for node in model.graph.node}
    uses = Counter(name for node in model.graph.node for name in node.input)
    uses.update(each.name for each in model.graph.output)
    constants = {each.name for each in model.graph.initializer}
    sources = {each.node.output[0] for each in products(model)}
    makers: list[Node] = []
    while uses[value] == 1 and (node := made_by.get(value)) is not None:
        makers.append(node)
        if value in sources:
            return makers
        variable = [name for name in node.input if name not in constants]
        if node.op_type not in _BY_CHANNEL or len(variable) != 1:
            return []
        (value,) = variable
    return []


def _constants(model: Model, node: Node) -> dict[int, NDArray[np.float32]]:
    """A node's constant inputs, by their place."""
    constants = {each.name: each for each in model.graph.initializer}
    return {
        place: numpy_helper.to_array(constants[name])
        for place, name in enumerate(node.input)
        if name in constants
    }


def _replace(model: Model, node: Node, place: int, value: NDArray[np.float32]) -> None:
    # a constant of its own: others may use the one that was there
    node.input[place] = add_constant(model, f"{node.output[0]}_reordered_{place}", value)
