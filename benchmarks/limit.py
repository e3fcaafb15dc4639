"""What an encoder's time goes to, and the most that this CPU could give.

One session on one thread encodes SciFact's documents under onnxruntime's profiler. Beside each
matrix product stands the rate of the same product alone; attention is scores and softmax in fp32,
whatever the weights are in. The limit is what is left when everything else costs nothing.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from rich.table import Table

from densehook.bundle import Bundle, read_bundle
from densehook.encode import Encoder
from densehook.encode.session import SLOWER_FUSED
from densehook.machine import usable_cpus

from .encode import SEED, Feed, corpus, feeds, seconds_of
from .report import machine, out, parser

PRODUCTS = ("MatMul", "Gemm", "MatMulIntegerToFloat")
ATTENTION = "MultiHeadAttention"
_REPEATS = 20


@dataclass
class Kind:
    """What operators of one name did: seconds, and operations where they are worth counting."""

    seconds: float = 0.0
    operations: float = 0.0
    shapes: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Of products: operations by [k, n] of the weights."""


def profiled(bundle: Bundle, runs: Sequence[Feed]) -> Mapping[str, Kind]:
    """Runs everything once on one thread; operators by name."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("optimization.disable_specified_optimizers", SLOWER_FUSED)
    options.enable_profiling = True
    options.log_severity_level = 3
    model = onnx.load(bundle.model)
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"node {number}"  # by which the profile knows it
    with tempfile.TemporaryDirectory() as scratch:
        options.profile_file_prefix = str(Path(scratch) / "run")
        options.optimized_model_filepath = str(Path(scratch) / "optimised.onnx")
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        for feed in runs:
            session.run([bundle.manifest.output], feed)
        events = json.loads(Path(session.end_profiling()).read_text())
        weights = _weights(onnx.load(options.optimized_model_filepath).graph)
    kinds: dict[str, Kind] = defaultdict(Kind)
    for event in events:
        node, is_run, _ = event["name"].rpartition("_kernel_time")
        if is_run and event["cat"] == "Node":
            arguments = event["args"]
            kind = kinds[arguments["op_name"]]
            kind.seconds += event["dur"] / 1e6
            (first,) = arguments["input_type_shape"][0].values() or [[]]
            if node in weights:
                operations = 2 * np.prod(first) * weights[node][1]
                kind.operations += operations
                kind.shapes[weights[node]] += operations
            elif arguments["op_name"] == ATTENTION:
                batch, length, width = first
                kind.operations += 4 * batch * length**2 * width  # scores, and what they weigh
    return kinds


def _weights(graph: onnx.GraphProto) -> Mapping[str, tuple[int, int]]:
    """[k, n] of the constant matrix in each product, by the node's name."""
    constants = {each.name: tuple(each.dims) for each in graph.initializer}
    return {
        node.name: constants[node.input[1]]
        for node in graph.node
        if node.op_type in PRODUCTS and len(constants.get(node.input[1], ())) == 2
    }


def rate_alone(name: str, shape: tuple[int, int], tokens: int) -> float:
    """Operations a second of one product by itself, on one thread, at its best."""
    k, n = shape
    chance = np.random.default_rng(SEED)
    int8 = name == "MatMulIntegerToFloat"
    if int8:
        constants = {
            "w": chance.integers(-127, 128, (k, n)).astype(np.int8),
            "x_scale": np.float32(0.02),
            "w_scale": np.full(n, 0.01, np.float32),
            "x_zero": np.uint8(128),
            "w_zero": np.zeros(n, np.int8),
        }
        domain, x = "com.microsoft", chance.integers(0, 256, (tokens, k)).astype(np.uint8)
    else:
        constants = {"w": chance.standard_normal((k, n)).astype(np.float32)}
        domain, x = "", chance.standard_normal((tokens, k)).astype(np.float32)
    product = helper.make_node(name if int8 else "MatMul", ["x", *constants], ["y"], domain=domain)
    # the product is used and not given back: copying it out is no arithmetic
    used = helper.make_node("ReduceMax", ["y"], ["z"], keepdims=0)
    kind = TensorProto.UINT8 if int8 else TensorProto.FLOAT
    graph = helper.make_graph(
        [product, used],
        "product",
        [helper.make_tensor_value_info("x", kind, [None, k])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [])],
        [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    seconds = min(seconds_of(session.run, None, {"x": x}) for _ in range(_REPEATS))
    return 2 * tokens * k * n / seconds


def seconds_alone(name: str, kind: Kind, tokens: int) -> float:
    """What the products of one kind would take, each at its rate alone."""
    return sum(
        operations / rate_alone(name, shape, tokens) for shape, operations in kind.shapes.items()
    )


def main() -> int:
    """Prints the table and the limit."""
    options = parser(__doc__ or "")
    options.add_argument("bundle", type=Path, help="e.g. a tuned onnx_models/all-minilm-l6-v2")
    options.add_argument("--documents", type=int, default=200, help="how many are encoded")
    args = options.parse_args()
    bundle = read_bundle(args.bundle)
    encoder = Encoder(bundle)
    tokens = encoder.tokenize(corpus(args.documents), "document")
    runs = feeds(encoder, tokens, encoder.tokens_per_run)
    kinds = profiled(bundle, runs)
    total = sum(kind.seconds for kind in kinds.values())

    table = Table("operator", "share", "GOP/s", "the same alone", box=None)
    least = 0.0
    for name, kind in sorted(kinds.items(), key=lambda item: -item[1].seconds):
        alone = seconds_alone(name, kind, encoder.tokens_per_run) if kind.shapes else 0.0
        least += alone if kind.shapes else kind.seconds if name == ATTENTION else 0.0
        if kind.seconds >= 0.005 * total:
            table.add_row(
                name,
                f"{kind.seconds / total:.1%}",
                f"{kind.operations / kind.seconds / 1e9:.0f}" if kind.operations else "",
                f"{kind.operations / alone / 1e9:.0f}" if alone else "",
            )
    threads = usable_cpus()
    found = {
        "texts_per_second_in_operators": threads * len(tokens) / total,
        "limit_texts_per_second": threads * len(tokens) / least,
    }
    out.print(table)
    out.print(
        f"{bundle.manifest.variant or bundle.manifest.precision}: {len(tokens)} documents of"
        f" SciFact; on {threads} threads at this rate"
        f" {found['texts_per_second_in_operators']:.1f} texts/s; with its products at their rate"
        f" alone, its attention as it is and all else for nothing"
        f" {found['limit_texts_per_second']:.1f}"
    )
    out.print(machine())
    if args.json:
        out.print_json(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
