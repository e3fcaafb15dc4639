"""A graph without padding: texts of one length run together, and nobody asks for a mask."""

from __future__ import annotations

import numpy as np
from onnx import helper, numpy_helper

from ...errors import GateError
from .graphs import Model, RangesOf, drop_unused

_IDS = "input_ids"
_FILLED = {"attention_mask": 1, "token_type_ids": 0}
_MASK_OF_ATTENTION = 4  # MultiHeadAttention's key_padding_mask and attention_bias, and what follows


def drop_padding(model: Model, ranges_of: RangesOf) -> Model:
    """Leaves ``input_ids`` as the only input; the mask is ones, the token types are zeros.

    Without a mask onnxruntime's attention takes its faster way, which never holds the whole matrix
    of scores (Dao et al. 2022, FlashAttention). Raises GateError for a graph that reads no ids.
    """
    if all(each.name != _IDS for each in model.graph.input):
        raise GateError("the graph reads no token ids, of which some could be padding")
    for node in model.graph.node:
        if node.op_type == "MultiHeadAttention":
            del node.input[_MASK_OF_ATTENTION:]
    gone = [each for each in model.graph.input if each.name in _FILLED]
    shape = "input_ids_shape"
    nodes = [helper.make_node("Shape", [_IDS], [shape])]
    for each in gone:
        value = numpy_helper.from_array(np.array([_FILLED[each.name]], dtype=np.int64))
        nodes.append(helper.make_node("ConstantOfShape", [shape], [each.name], value=value))
        model.graph.input.remove(each)
    for node in reversed(nodes):
        model.graph.node.insert(0, node)
    drop_unused(model)
    return model
