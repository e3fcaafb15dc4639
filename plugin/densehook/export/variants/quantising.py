"""Weights in eight or four bits, and matrix products in integers.

Weights are symmetric, with a scale for each output column. Activations are unsigned, with one scale
for a whole tensor: taken anew from every batch (dynamic), or once from calibration texts (static).
Scheme and terms are those of Jacob et al. 2018, "Quantization and Training of Neural Networks for
Efficient Integer-Arithmetic-Only Inference".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import helper

from ...machine import saturates_int8
from .graphs import (
    MICROSOFT,
    Model,
    Node,
    Product,
    Range,
    RangesOf,
    add_constant,
    bias_after,
    products,
    replace_nodes,
    use_microsoft_operators,
)
from .reordering import reorder

_OUTLIERS = 1 / 48
_BLOCK = 16
_INT8_ARITHMETIC = 4
"""MatMulNBits' accuracy_level: activations in int8, with a scale for each block of a row."""


class Quantised(NamedTuple):
    """int8 [k, n], and float32 [n] to multiply each column by."""

    values: NDArray[np.int8]
    scales: NDArray[np.float32]


def quantise_dynamically(model: Model, ranges_of: RangesOf) -> Model:
    """Activations by the range of each batch.

    Nothing to calibrate, but a text's vector then depends on those beside it (onnxruntime issue
    10111).
    """

    def made(product: Product, bias: str, output: str) -> list[Node]:
        values, scales, zero = _weights(model, product)
        inputs = [product.activations, values, scales, zero, bias]
        return [helper.make_node("DynamicQuantizeMatMul", inputs, [output], domain=MICROSOFT)]

    return _replaced(model, made)


def quantise_statically(model: Model, ranges_of: RangesOf) -> Model:
    """Activations by the range that each value took on the calibration texts.

    What lies outside is clipped. A text's vector is the same in any company. onnxruntime's own QDQ
    form is this with a DequantizeLinear that its optimizer folds into the product, as it is here.

    The few channels that range widest would make the steps coarse for all. Where the output is
    narrower than the input, so that adding to it is cheap, they are multiplied in fp32 beside the
    rest (Dettmers et al. 2022, LLM.int8()).
    """
    every = products(model)
    ranges = dict(ranges_of(model, sorted({each.activations for each in every})))
    wide = {each.activations for each in every if each.weights.shape[1] >= each.weights.shape[0]}
    for name in ranges.keys() - wide:  # channels that lie side by side are taken out at less cost
        order = _leading(widest(ranges[name]), len(ranges[name].low))
        if reorder(model, name, order):
            ranges[name] = Range(ranges[name].low[order], ranges[name].high[order])
    activations: dict[str, _Activations] = {}

    def made(product: Product, bias: str, output: str) -> list[Node]:
        nodes: list[Node] = []
        name = product.activations
        if name not in activations:
            outliers = [] if name in wide else widest(ranges[name])
            activations[name] = _activations(model, name, ranges[name], outliers)
            nodes += activations[name].nodes
        a, a_scale, a_zero = activations[name].quantised
        outliers = activations[name].outliers
        rest = product.weights.copy()
        rest[outliers] = 0
        b, b_scale, b_zero = _weights(model, product._replace(weights=rest))
        inputs = [a, b, a_scale, b_scale, a_zero, b_zero, bias]
        of_rest = f"{output}_of_rest" if outliers else output
        nodes.append(helper.make_node("MatMulIntegerToFloat", inputs, [of_rest], domain=MICROSOFT))
        if outliers:
            beside, of_outliers = f"{_name(product)}_outliers", f"{output}_of_outliers"
            weights = add_constant(model, beside, product.weights[outliers])
            nodes += [
                helper.make_node("MatMul", [activations[name].taken, weights], [of_outliers]),
                helper.make_node("Add", [of_rest, of_outliers], [output]),
            ]
        return nodes

    return _replaced(model, made)


def quantise_to_int4(model: Model, ranges_of: RangesOf) -> Model:
    """Weights in four bits with a scale for each block of 16: for memory, seldom for speed."""

    def made(product: Product, bias: str, output: str) -> list[Node]:
        k, n = product.weights.shape
        packed, scales = int4_blocks(product.weights)
        name = _name(product)
        inputs = [
            product.activations,
            add_constant(model, f"{name}_int4", packed),
            add_constant(model, f"{name}_scales", scales),
            "",
            "",
            bias,
        ]
        sizes = {"K": k, "N": n, "bits": 4, "block_size": _BLOCK}
        return [
            helper.make_node(
                "MatMulNBits",
                inputs,
                [output],
                domain=MICROSOFT,
                accuracy_level=_INT8_ARITHMETIC,
                **sizes,
            )
        ]

    return _replaced(model, made)


def int8_columns(weights: NDArray[np.float32], largest: int) -> Quantised:
    """float32 [k, n] -> integers of at most ``largest`` in size, with a scale for each column."""
    scales = np.abs(weights).max(axis=0) / largest
    scales[scales == 0] = 1.0
    values = np.clip(np.round(weights / scales), -largest, largest)
    return Quantised(values.astype(np.int8), scales.astype(np.float32))


def int4_blocks(weights: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """float32 [k, n] -> MatMulNBits' uint8 [n, k/16, 8] and float32 [n * k/16].

    Two numbers lie in a byte, the first in its low half; 8 stands for zero.
    """
    k, n = weights.shape
    padded = np.zeros((n, -(-k // _BLOCK) * _BLOCK), dtype=np.float32)
    padded[:, :k] = weights.T
    blocks = padded.reshape(n, -1, _BLOCK)
    extreme = np.take_along_axis(blocks, np.abs(blocks).argmax(-1)[..., None], axis=-1)
    scales = extreme / -8  # the largest number becomes -8, which has no positive counterpart
    scales[scales == 0] = 1.0
    values = np.clip(np.round(blocks / scales) + 8, 0, 15).astype(np.uint8)
    packed = values[..., 0::2] | (values[..., 1::2] << 4)
    return packed.astype(np.uint8), scales.astype(np.float32).reshape(-1)


def widest(seen: Range) -> list[int]:
    """The channels with the largest numbers, one of 48, in their order."""
    size = np.maximum(np.abs(seen.low), np.abs(seen.high))
    count = max(1, int(len(size) * _OUTLIERS))
    return sorted(int(channel) for channel in np.argsort(-size, kind="stable")[:count])


def _leading(channels: list[int], count: int) -> NDArray[np.intp]:
    """The order of so many channels in which these come first."""
    others = np.delete(np.arange(count), channels)
    return np.concatenate([np.array(channels, dtype=np.intp), others])


def uint8_scale(seen: Range) -> tuple[np.float32, np.uint8]:
    """Scale and zero point that spread the range of all channels, and zero, over 0 to 255."""
    low, high = min(float(seen.low.min()), 0.0), max(float(seen.high.max()), 0.0)
    scale = np.float32((high - low) / 255) or np.float32(1)
    return scale, np.uint8(np.clip(round(-low / float(scale)), 0, 255))


def _weights(model: Model, product: Product) -> tuple[str, str, str]:
    """Names of the values, scales and zero points, which are 0, of a product's int8 weights."""
    # without VNNI a CPU adds two products of bytes in 16 bits, which seven bits cannot overflow
    quantised = int8_columns(product.weights, 63 if saturates_int8() else 127)
    name = _name(product)
    zeros = np.zeros(len(quantised.scales), dtype=np.int8)
    return (
        add_constant(model, f"{name}_int8", quantised.values),
        add_constant(model, f"{name}_scales", quantised.scales),
        add_constant(model, f"{name}_zeros", zeros),
    )


class _Activations(NamedTuple):
    """Quantised activations with scale and zero point, the channels left out, and their values."""

    quantised: tuple[str, str, str]
    outliers: list[int]
    taken: str
    nodes: list[Node]


def _activations(model: Model, name: str, seen: Range, outliers: list[int]) -> _Activations:
    """A left out channel is clipped like any, but multiplied by zeros."""
    kept = np.delete(np.arange(len(seen.low)), outliers)
    scale, zero = uint8_scale(Range(seen.low[kept], seen.high[kept]))
    quantised, taken = f"{name}_quantised", f"{name}_outliers"
    constants = (
        add_constant(model, f"{quantised}_scale", np.array(scale)),
        add_constant(model, f"{quantised}_zero", np.array(zero)),
    )
    nodes = [helper.make_node("QuantizeLinear", [name, *constants], [quantised])]
    if outliers:
        nodes.append(_taking(model, name, outliers, taken))
    return _Activations((quantised, *constants), outliers, taken, nodes)


def _taking(model: Model, name: str, channels: list[int], output: str) -> Node:
    """Picks channels out of a value: a copy of whole rows where they are the first ones."""
    if channels != list(range(len(channels))):
        constant = add_constant(model, f"{output}_channels", np.array(channels, dtype=np.int64))
        return helper.make_node("Gather", [name, constant], [output], axis=-1)
    bounds = {"starts": 0, "ends": len(channels), "axes": -1}
    inputs = [
        add_constant(model, f"{output}_{each}", np.array([value], dtype=np.int64))
        for each, value in bounds.items()
    ]
    return helper.make_node("Slice", [name, *inputs], [output])


def _name(product: Product) -> str:
    # one constant may serve several products, so the product's own output names it
    return str(product.node.output[0])


def _replaced(model: Model, made: Callable[[Product, str, str], Sequence[Node]]) -> Model:
    """Every product, with the bias added to it, replaced by what ``made`` gives.

    It is given the product, the name of the bias, which may be "", and that of the output.
    """
    replacements: dict[str, Sequence[Node]] = {}
    for product in products(model):
        output, bias = product.node.output[0], ""
        if added := bias_after(model, product):
            bias, adding = added
            replacements[adding.output[0]] = []
            replacements[output] = made(product, bias, adding.output[0])
        else:
            replacements[output] = made(product, bias, output)
    use_microsoft_operators(model)
    replace_nodes(model, replacements)
    return model
