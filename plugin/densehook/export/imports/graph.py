"""A graph that somebody else exported: its inputs, its outputs, and what it needs to be served."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from ...encode.session import Ids, Session
from ...errors import BundleError, EncodeError, ExportError
from ..variants.graphs import Model, add_constant, read_model, set_nodes, write_model

_NAMES = {"input_mask": "attention_mask", "segment_ids": "token_type_ids"}
"""Inputs as TensorFlow's BERT has them, by the names that transformers gave them."""
_SERVED = ("input_ids", "attention_mask", "token_type_ids")
_POSITIONS = "position_ids"
TEXT_INPUTS = {"input_ids", "token_type_ids", "segment_ids", _POSITIONS}
"""Inputs that tokens of texts alone have."""
_PAST = "past_key_values"

_INTEGER_OPS = {"MatMulInteger", "QLinearMatMul", "DynamicQuantizeLinear", "DynamicQuantizeMatMul"}
_INTEGER_OPS |= {"QAttention", "ConvInteger", "QGemm", "QuantizeLinear"}
_PASSING = {"Cast", "Identity"}
_SCALED_BY_BATCH = {"DynamicQuantizeLinear", "DynamicQuantizeMatMul", "QAttention"}


@dataclass(frozen=True)
class Probe:
    """What a session needs to know of a graph that is no bundle's yet."""

    inputs: Sequence[str]
    output: str
    precision: str


@dataclass(frozen=True)
class Adapted:
    """A graph as a bundle has it: its inputs in their order, and its one output's name.

    ``source`` is the output of the graph as it came, of which that was made.
    """

    model: Model
    inputs: Sequence[str]
    output: str
    source: str


@dataclass(frozen=True)
class Graph:
    """A graph whose inputs are served, int64 [batch, tokens] each.

    ``outputs`` have the shapes that two texts of five tokens gave.
    """

    path: Path
    model: Model
    inputs: Sequence[str]
    outputs: Mapping[str, Sequence[int]]

    @property
    def precision(self) -> str:
        """In what numbers most of it is computed, as manifests name that."""
        ops = {node.op_type for node in self.model.graph.node}
        if "MatMulNBits" in ops:
            return "int4"
        if ops & _INTEGER_OPS:
            return "int8"
        types = [each.data_type for each in self.model.graph.initializer if len(each.dims) > 1]
        halves = types.count(TensorProto.FLOAT16)
        return "fp16" if halves > types.count(TensorProto.FLOAT) else "fp32"

    @property
    def vocabulary(self) -> int | None:
        """How many tokens its table of embeddings has a row for; None where none is found."""
        ids = {"input_ids"}
        rows = {each.name: each.dims[0] for each in self.model.graph.initializer if _is_table(each)}
        for node in self.model.graph.node:
            if not ids.intersection(node.input):
                continue
            if node.op_type in _PASSING:
                ids.update(node.output)
            elif found := [rows[name] for name in node.input if name in rows]:
                return int(max(found))
        return None

    @property
    def is_batch_dependent(self) -> bool:
        """Whether numbers are scaled by the largest of all that run together."""
        return any(node.op_type in _SCALED_BY_BATCH for node in self.model.graph.node)

    def session(self, folder: Path) -> Session:
        """It at work, as it came but for its inputs; ``folder`` is for its file."""
        path = folder / "given.onnx"
        write_model(self.model, path)
        return Session(path, Probe(self.inputs, next(iter(self.outputs)), self.precision))

    def refused(self, why: str) -> ExportError:
        """An error that names the file."""
        return ExportError(f"{self.path} {why}")


def _is_table(constant: Any) -> bool:
    return len(constant.dims) == 2


def checked_model(path: Path) -> Model:
    """Reads an ONNX file; raises ExportError for what is none."""
    try:
        model = read_model(path)
        onnx.checker.check_model(str(path), full_check=False)
    except Exception as error:  # protobuf's and the checker's errors share no root but this
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ExportError(f"{path} is no ONNX graph that can be read: {reason}") from error
    return model


def read_graph(path: Path, model: Model) -> Graph:
    """What is to be known of a graph, which is run once to see what it gives.

    Raises ExportError where it cannot run here, or has other inputs or fixed shapes.
    """
    inputs = _served(path, model)
    return Graph(path, model, inputs, _tried(path, model, inputs))


def _served(path: Path, model: Model) -> list[str]:
    """The names of its inputs, in their order, when all are such as encoders are fed with."""
    constants = {each.name for each in model.graph.initializer}
    for given in [each for each in model.graph.input if each.name not in constants]:
        name = _NAMES.get(given.name, given.name)
        if name.startswith(_PAST):
            raise ExportError(
                f"{path} is a decoder with a cache: its input {given.name} is what it has read"
                " before; export the model for feature extraction, without past"
            )
        if name not in (*_SERVED, _POSITIONS):
            raise ExportError(
                f"{path} has an input {given.name}, and nobody knows what that is; known are"
                f" {', '.join((*_SERVED, _POSITIONS))}"
            )
        _require_free_shape(path, given)
        rename(model, given.name, name)
        if given.type.tensor_type.elem_type != TensorProto.INT64:
            _cast(path, model, name)
    names = [each.name for each in model.graph.input if each.name not in constants]
    if "input_ids" not in names:
        raise ExportError(f"{path} has no input input_ids, but {', '.join(names) or 'none'}")
    if _POSITIONS in names:
        _count_positions(path, model)
    for each in [each for each in model.graph.input if each.name in constants]:
        model.graph.input.remove(each)  # as graphs before version 4 of ONNX declare their weights
    return [name for name in names if name != _POSITIONS]


def _require_free_shape(path: Path, given: Any) -> None:
    dims = given.type.tensor_type.shape.dim
    shape = [each.dim_value or each.dim_param or "?" for each in dims]
    if len(shape) != 2:
        raise ExportError(
            f"{path}: the input {given.name} has the shape {shape}; texts are fed as [batch,"
            " tokens], export the graph with these two axes"
        )
    for axis, size in zip(("batch", "tokens"), dims, strict=True):
        if size.dim_value:
            raise ExportError(
                f"{path}: the input {given.name} has the fixed shape {shape}, its axis of {axis} is"
                f" {size.dim_value}; export the graph with dynamic axes"
            )


def rename(model: Model, name: str, new: str) -> None:
    """Gives a value another name."""
    if name != new:
        rename_all(model.graph, lambda each: new if each == name else each)


def rename_all(graph: Any, named: Callable[[str], str]) -> None:
    """Gives values other names, in subgraphs as well."""
    constants = graph.initializer
    for value in (*graph.input, *graph.output, *graph.value_info, *constants):
        value.name = named(value.name)
    _rename_nodes(graph, named)


def _rename_nodes(graph: Any, named: Callable[[str], str]) -> None:
    for node in graph.node:
        node.input[:] = map(named, node.input)
        node.output[:] = map(named, node.output)
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                rename_all(inner, named)


def _cast(path: Path, model: Model, name: str) -> None:
    """Takes int64 for an input of fewer bits."""
    (given,) = [each for each in model.graph.input if each.name == name]
    wanted = given.type.tensor_type.elem_type
    if wanted not in (TensorProto.INT32, TensorProto.FLOAT, TensorProto.BOOL):
        raise ExportError(
            f"{path}: the input {name} is of type {TensorProto.DataType.Name(wanted)}; token ids"
            " are int64"
        )
    inside = f"densehook/{name}"
    _rename_nodes(model.graph, lambda each: inside if each == name else each)
    given.type.tensor_type.elem_type = TensorProto.INT64
    cast = helper.make_node("Cast", [name], [inside], to=wanted)
    set_nodes(model, [cast, *model.graph.node])


def _count_positions(path: Path, model: Model) -> None:
    """Positions are counted in the graph, from 0 on: no runtime has to feed them."""
    if all(each.name != "attention_mask" for each in model.graph.input):
        raise ExportError(f"{path} has an input {_POSITIONS}, and no attention_mask to count in")
    (given,) = [each for each in model.graph.input if each.name == _POSITIONS]
    model.graph.input.remove(given)
    axis = add_constant(model, "densehook/axis", np.array(1, dtype=np.int64))
    one = add_constant(model, "densehook/one", np.array(1, dtype=np.int64))
    zero = add_constant(model, "densehook/zero", np.array(0, dtype=np.int64))
    counted = [
        helper.make_node("CumSum", ["attention_mask", axis], ["densehook/counted"]),
        helper.make_node("Sub", ["densehook/counted", one], ["densehook/from_0"]),
        helper.make_node("Max", ["densehook/from_0", zero], [_POSITIONS]),
    ]
    set_nodes(model, [*counted, *model.graph.node])


def float_outputs(path: Path, model: Model) -> list[str]:
    """The names of the outputs that are numbers; raises ExportError where there is none."""
    names = [
        each.name
        for each in model.graph.output
        if each.type.tensor_type.elem_type in (TensorProto.FLOAT, TensorProto.FLOAT16)
    ]
    if not names:
        raise ExportError(f"{path} has no output of floating-point numbers")
    return names


def _tried(path: Path, model: Model, inputs: Sequence[str]) -> Mapping[str, Sequence[int]]:
    """The shape of each output of numbers."""
    names = float_outputs(path, model)
    ids: Ids = np.arange(1, 11, dtype=np.int64).reshape(2, 5)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "given.onnx"
            write_model(model, file)
            found = Session(file, Probe(inputs, names[0], "fp32")).values(names, ids)
    except (BundleError, EncodeError) as error:
        raise ExportError(f"{path} cannot be run: {str(error).partition(': ')[2]}") from error
    except Exception as error:  # onnxruntime's own errors share no root but this
        reason = str(error).strip().partition("\n")[0]
        raise ExportError(f"{path} cannot run two texts of five tokens: {reason}") from error
    return {name: value.shape for name, value in zip(names, found, strict=True)}
