"""Sixteen bits instead of thirty-two, for GPUs."""

from __future__ import annotations

import warnings

from .graphs import Model, RangesOf


def halve(model: Model, ranges_of: RangesOf) -> Model:
    """Weights and arithmetic in fp16; ids go in and a float32 vector comes out as before."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says of each tiny weight that it becomes zero
        return convert_float_to_float16(model, keep_io_types=True)
