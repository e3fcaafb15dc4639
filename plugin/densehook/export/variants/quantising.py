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

from ...encode.machine import saturates_int8
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
    """
    ranges = ranges_of(model, sorted({each.activations for each in products(model)}))
    quantised: dict[str, list[str]] = {}

    def made(product: Product, bias: str, output: str) -> list[Node]:
        nodes = []
        if product.activations not in quantised:
            name = f"{product.activations}_quantised"
            constants = _activations(model, name, ranges[product.activations])
            quantised[product.activations] = [name, *constants]
            nodes.append(
                helper.make_node("QuantizeLinear", [product.activations, *constants], [name])
            )
        a, a_scale, a_zero = quantised[product.activations]
        b, b_scale, b_zero = _weights(model, product)
        inputs = [a, b, a_scale, b_scale, a_zero, b_zero, bias]
        nodes.append(helper.make_node("MatMulIntegerToFloat", inputs, [output], domain=MICROSOFT))
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


def uint8_scale(seen: Range) -> tuple[np.float32, np.uint8]:
    """Scale and zero point that spread a range, and zero, over 0 to 255."""
    low, high = min(seen.low, 0.0), max(seen.high, 0.0)
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


def _activations(model: Model, name: str, seen: Range) -> tuple[str, str]:
    scale, zero = uint8_scale(seen)
    return (
        add_constant(model, f"{name}_scale", np.array(scale)),
        add_constant(model, f"{name}_zero", np.array(zero)),
    )


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
