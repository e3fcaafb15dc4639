"""What every step on a graph needs: reading, writing, finding the matrix products."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

Model = Any
"""An onnx.ModelProto; onnx carries no types."""
Node = Any

MICROSOFT = "com.microsoft"
_LARGEST_FILE = 2**31 - 1  # protobuf's limit; beyond it weights lie in a file of their own


class Range(NamedTuple):
    """The lowest and the highest number that each channel of a value took, float32 [channels]."""

    low: NDArray[np.float32]
    high: NDArray[np.float32]


RangesOf = Callable[[Model, Sequence[str]], Mapping[str, Range]]
"""Runs a graph on the calibration texts: model and names of [..., channels] -> their ranges."""

Step = Callable[[Model, RangesOf], Model]
"""One change of a graph; the model it is given may be changed in place."""


class Product(NamedTuple):
    """A matrix product with a constant: activations [..., k] times weights [k, n]."""

    node: Node
    activations: str
    weights: NDArray[np.float32]


def read_model(path: Path) -> Model:
    """Reads a graph with its weights."""
    return onnx.load(str(path))


def write_model(model: Model, path: Path) -> None:
    """Writes a graph; weights too large for one file beside it, in ``<name>_data``."""
    if model.ByteSize() <= _LARGEST_FILE:
        onnx.save(model, str(path))
    else:
        onnx.save(model, str(path), save_as_external_data=True, location=path.name + "_data")


def products(model: Model) -> list[Product]:
    """The products that quantising is about: those with constant float matrices."""
    constants = {each.name: each for each in model.graph.initializer}
    found = []
    for node in model.graph.node:
        weights = constants.get(node.input[1]) if node.op_type == "MatMul" else None
        if weights is not None and len(weights.dims) == 2:
            found.append(Product(node, node.input[0], numpy_helper.to_array(weights)))
    return found


def add_constant(model: Model, name: str, value: NDArray[Any]) -> str:
    """Adds an initializer and gives its name back."""
    model.graph.initializer.append(numpy_helper.from_array(value, name))
    return name


def bias_after(model: Model, product: Product) -> tuple[str, Node] | None:
    """The constant vector added to a product and to nothing else, with the node that adds it."""
    output = product.node.output[0]
    users = [node for node in model.graph.node if output in node.input]
    if len(users) != 1 or users[0].op_type != "Add":
        return None
    other = next(name for name in users[0].input if name != output)
    constants = {each.name: each for each in model.graph.initializer}
    shape = list(constants[other].dims) if other in constants else None
    return (other, users[0]) if shape == [product.weights.shape[1]] else None


def replace_nodes(model: Model, replacements: Mapping[str, Sequence[Node]]) -> None:
    """Puts nodes in the place of the one that gives the named output, and drops what is unused."""
    nodes: list[Node] = []
    for node in model.graph.node:
        nodes.extend(replacements.get(node.output[0], [node]))
    set_nodes(model, nodes)
    drop_unused(model)


def set_nodes(model: Model, nodes: Sequence[Node]) -> None:
    """Gives a graph these nodes, which may be its own, in this order."""
    copies = [_copy(node) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(copies)


def drop_unused(model: Model) -> None:
    """Removes nodes and initializers that no output depends on."""
    needed = {each.name for each in model.graph.output}
    kept = []
    for node in reversed(model.graph.node):
        if needed.intersection(node.output):
            needed.update(_taken(node))
            kept.append(_copy(node))
    constants = [_copy(each) for each in model.graph.initializer if each.name in needed]
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(reversed(kept))
    model.graph.initializer.extend(constants)
    del model.graph.value_info[:]  # shapes of values that may be gone


def _taken(node: Node) -> set[str]:
    """The values that a node takes, those that graphs inside it take from around them too."""
    inside = [each for attribute in node.attribute for each in attribute.g.node]
    return set(node.input).union(*map(_taken, inside))


def _copy(message: Any) -> Any:
    copied = type(message)()
    copied.CopyFrom(message)
    return copied


def use_microsoft_operators(model: Model) -> None:
    """Declares onnxruntime's own operators, where the graph does not yet."""
    if all(each.domain != MICROSOFT for each in model.opset_import):
        model.opset_import.append(onnx.helper.make_opsetid(MICROSOFT, 1))
