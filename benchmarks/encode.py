"""The encoder engine against what this machine can do, on SciFact's documents and queries.

Every value is a ratio of two things measured in turn, in one run, on the same texts and threads.
"""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from densehook.bundle import Bundle, Dense
from densehook.collections import open_collection, read_documents
from densehook.encode import Encoder, Engine, load
from densehook.encode.packing import pack
from densehook.encode.session import SLOWER_FUSED
from densehook.encode.tokenizer import Tokens
from densehook.hooks import TextRule, text_of
from densehook.machine import usable_cpus
from densehook.types import Document

from .report import Result, at_least, at_most, out, parser, require_scifact, show
from .setting import minilm

SEED = 7
ROUNDS = 3
BUDGETS = (256, 512, 1024, 2048)
"""Tokens of a run that the bare session is tried with."""
CALLERS = 4
QUERIES = 1200
PART = 100
"""Documents that the bare session and the encoder run in turn: both meet the same minute."""
BULK = 8
"""Documents that a bulk caller hands over at a time."""
STREAM = 2000

Feed = dict[str, NDArray[np.int64]]


def corpus(count: int) -> list[str]:
    """SciFact's documents, title and text joined, as many as asked for, at random."""
    documents = [d for d in read_documents(require_scifact()) if isinstance(d, Document)]
    chosen = random.Random(SEED).sample(documents, count)
    rule = TextRule.joining(["title", "text"])
    return [text_of(document, rule)[0] for document in chosen]


def questions() -> list[str]:
    """SciFact's queries."""
    return list(open_collection(require_scifact()).queries.values())


def seconds_of(work: Callable[..., object], *arguments: object) -> float:
    """How long it takes, once."""
    started = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - started


def bare_session(bundle: Bundle, threads: int) -> onnxruntime.InferenceSession:
    """The graph with nothing around it; the optimisation that slows it is off, as in ours."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("optimization.disable_specified_optimizers", SLOWER_FUSED)
    return onnxruntime.InferenceSession(
        str(bundle.model), options, providers=["CPUExecutionProvider"]
    )


def feeds(encoder: Encoder, tokens: Sequence[Tokens], budget: int) -> list[Feed]:
    """Inputs of the graph, made before: all texts sorted by length and packed."""
    made = []
    for run in pack([len(text.ids) for text in tokens], budget, encoder.max_padding):
        longest = max(len(tokens[position].ids) for position in run)
        ids = np.full((len(run), longest), encoder.manifest.pad_id, dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, position in enumerate(run):
            ids[row, : len(tokens[position].ids)] = tokens[position].ids
            mask[row, : len(tokens[position].ids)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        made.append({name: inputs[name] for name in encoder.manifest.inputs})
    return made


def bulk(bundle: Bundle, encoder: Encoder, count: int) -> list[Result]:
    """Documents: the encoder against the bare graph, the bare graph against bare GEMM."""
    texts = corpus(count)
    lengths = [len(text.ids) for text in encoder.tokenize(texts, "document")]
    session = bare_session(bundle, usable_cpus())
    parts = [texts[start : start + PART] for start in range(0, count, PART)]

    def packed(part: Sequence[str], budget: int) -> list[Feed]:
        return feeds(encoder, encoder.tokenize(part, "document"), budget)

    def run_all(made: Sequence[Feed]) -> None:
        for feed in made:
            session.run(None, feed)

    swept = {budget: seconds_of(run_all, packed(texts, budget)) for budget in BUDGETS}
    best = min(swept, key=swept.__getitem__)
    gemm = Gemm(bundle, usable_cpus())
    bare = {part: float("inf") for part in range(len(parts))}
    ours, rates = dict(bare), dict.fromkeys(bare, 0.0)
    for _ in range(ROUNDS):
        for number, part in enumerate(parts):
            made = packed(part, best)
            bare[number] = min(bare[number], seconds_of(run_all, made))
            ours[number] = min(ours[number], seconds_of(encoder.encode, part, "document"))
            rates[number] = max(rates[number], gemm.rate(best))
    rate = float(np.mean(list(rates.values())))
    bare_s, ours_s = sum(bare.values()), sum(ours.values())
    used = gemm.flop(lengths) / ours_s
    out.print(
        f"{count} documents, {np.mean(lengths):.0f} tokens each: bare"
        f" {count / bare_s:.1f}/s at {best} tokens a run (swept {rates_of(swept, count)}),"
        f" encode {count / ours_s:.1f}/s; GEMM {rate / 1e9:.0f} GFLOP/s,"
        f" the encoder uses {used / 1e9:.0f}"
    )
    return [
        at_least("encode_documents / bare session.run", bare_s / ours_s, 0.95),
        at_least("share of the machine's GEMM rate, fp32", used / rate, 0.75),
    ]


def rates_of(swept: Mapping[int, float], count: int) -> str:
    """Texts a second for each budget."""
    return ", ".join(f"{budget}: {count / seconds:.1f}/s" for budget, seconds in swept.items())


class Gemm:
    """Nothing but the matrix products of a model: the most its arithmetic allows."""

    def __init__(self, bundle: Bundle, threads: int) -> None:
        graph = onnx.load(bundle.model).graph
        constants = {each.name: list(each.dims) for each in graph.initializer}
        self._weights: list[list[int]] = [
            constants[node.input[1]]
            for node in graph.node
            if node.op_type in ("MatMul", "Gemm") and len(constants.get(node.input[1], [])) == 2
        ]
        self._layers = sum(node.op_type == "Softmax" for node in graph.node)
        self._width = bundle.manifest.of(Dense).dims
        self._session = self._products(threads)

    def _products(self, threads: int) -> onnxruntime.InferenceSession:
        """All of the products in one graph, so that one session's threads do them."""
        chance = np.random.default_rng(SEED)
        weights = [chance.standard_normal(shape).astype(np.float32) for shape in self._weights]
        nodes, outputs = [], []
        for number, (k, _) in enumerate(self._weights):
            nodes.append(helper.make_node("MatMul", [f"x{k}", f"w{number}"], [f"y{number}"]))
            # the product is used and not given back: copying it out is no arithmetic
            nodes.append(helper.make_node("ReduceMax", [f"y{number}"], [f"z{number}"], keepdims=0))
            outputs.append(helper.make_tensor_value_info(f"z{number}", onnx.TensorProto.FLOAT, []))
        inputs = [
            helper.make_tensor_value_info(f"x{k}", onnx.TensorProto.FLOAT, [None, k])
            for k in sorted({k for k, _ in self._weights})
        ]
        constants = [numpy_helper.from_array(w, f"w{number}") for number, w in enumerate(weights)]
        model = helper.make_model(
            helper.make_graph(nodes, "products", inputs, outputs, constants),
            opset_imports=[helper.make_opsetid("", 17)],
            ir_version=9,
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        return onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def rate(self, tokens: int) -> float:
        """FLOP a second over all products of the model, for so many tokens."""
        feed = {f"x{k}": np.ones((tokens, k), dtype=np.float32) for k, _ in self._weights}
        self._session.run(None, feed)
        seconds = min(seconds_of(self._session.run, None, feed) for _ in range(10))
        return sum(2 * tokens * k * n for k, n in self._weights) / seconds

    def flop(self, lengths: Sequence[int]) -> float:
        """What texts of these lengths cost: the products with weights, and attention's two."""
        linear = sum(2 * k * n for k, n in self._weights)
        attention = 4 * self._width * self._layers
        return float(sum(length * (linear + attention * length) for length in lengths))


def single(bundle: Bundle, encoder: Encoder) -> list[Result]:
    """One query of 16 tokens: the engine against tokenising and running it by hand."""
    session = bare_session(bundle, 1)
    texts = of_16_tokens(encoder)
    with Engine(bundle, cached_queries=0) as engine:

        def by_hand(text: str) -> object:
            (feed,) = feeds(encoder, encoder.tokenize([text], "query"), 1024)
            return session.run(None, feed)

        times: dict[str, list[float]] = {"bare": [], "engine": []}
        for turn in range(600):
            text = texts[turn % len(texts)]
            bare = seconds_of(by_hand, text)
            ours = seconds_of(engine.encode_query, text)
            if turn >= 100:
                times["bare"].append(bare)
                times["engine"].append(ours)
    medians = {name: 1000 * float(np.median(values)) for name, values in times.items()}
    out.print(f"one query: bare {medians['bare']:.2f} ms, engine {medians['engine']:.2f} ms")
    return [at_most("one query: engine / bare, p50", medians["engine"] / medians["bare"], 1.15)]


def of_16_tokens(encoder: Encoder) -> list[str]:
    """Queries cut or filled to 16 tokens, each another text."""
    made = []
    for number, question in enumerate(questions()):
        words = f"{number} {question}".split()
        while words and len(encoder.tokenize([" ".join(words)], "query")[0].ids) > 16:
            words.pop()
        while len(encoder.tokenize([" ".join(words)], "query")[0].ids) < 16:
            words.append("a")
        made.append(" ".join(words))
    return made


def concurrent(bundle: Bundle, encoder: Encoder) -> list[Result]:
    """Several callers with queries, alone and beside bulk work."""
    texts = of_16_tokens(encoder)
    documents = corpus(512)
    with Engine(bundle, cached_queries=0) as engine:
        latencies(engine, texts, 1, 200)
        one, one_seconds = latencies(engine, texts, 1, QUERIES)
        four, four_seconds = latencies(engine, texts, CALLERS, QUERIES)
        with bulk_running(engine, documents) as done:
            busy, seconds = latencies(engine, texts, CALLERS, QUERIES)
            encoded = sum(done)
    p50, p99 = (1000 * float(np.quantile(four, share)) for share in (0.5, 0.99))
    busy_p99 = 1000 * float(np.quantile(busy, 0.99))
    throughput = (len(four) / four_seconds) / (len(one) / one_seconds)
    out.print(
        f"queries: one caller {len(one) / one_seconds:.0f}/s, {CALLERS} callers"
        f" {len(four) / four_seconds:.0f}/s, p50 {p50:.2f} p99 {p99:.2f} ms; beside bulk work p99"
        f" {busy_p99:.2f} ms, {encoded / seconds:.1f} documents/s"
    )
    return [
        at_most(f"{CALLERS} callers: p99 / p50", p99 / p50, 2),
        at_least(f"{CALLERS} callers: throughput / one caller's", throughput, 1.8),
        at_most(f"{CALLERS} callers beside bulk work: p99 / p99 without", busy_p99 / p99, 3),
    ]


def latencies(
    engine: Engine, texts: Sequence[str], callers: int, count: int
) -> tuple[list[float], float]:
    """Seconds of each query, and of all."""
    found: list[float] = []
    numbers = itertools.count()

    def ask() -> None:
        while (number := next(numbers)) < count:
            found.append(seconds_of(engine.encode_query, texts[number % len(texts)]))

    threads = [threading.Thread(target=ask) for _ in range(callers)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found, time.perf_counter() - started


@contextmanager
def bulk_running(engine: Engine, texts: Sequence[str]) -> Iterator[list[int]]:
    """Bulk work flat out for as long as the block runs; gives the sizes of the bulks it did."""
    over = threading.Event()
    done: list[int] = []

    def work() -> None:
        for start in itertools.cycle(range(0, len(texts), BULK)):
            if over.is_set():
                return
            bulk = texts[start : start + BULK]
            engine.encode_documents(bulk)
            done.append(len(bulk))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    done.clear()
    try:
        yield done
    finally:
        over.set()
        for thread in threads:
            thread.join()


def company(encoder: Encoder) -> list[Result]:
    """Vectors of texts run together against those of each alone."""
    texts = corpus(100) + questions()[:100]
    together = encoder.encode_counted(texts, "document").vectors
    alone = np.concatenate([encoder.encode_counted([text], "document").vectors for text in texts])
    return [at_most("fp32, batched against alone", float(np.abs(together - alone).max()), 1e-6)]


STREAMING = """
import sys
import densehook
from benchmarks.memory import peak_mib
encoder = densehook.load(sys.argv[1])
count = sum(1 for _ in encoder.encode_stream(enumerate(sys.stdin), "query"))
print(count, peak_mib())
"""
"""Prints the texts encoded and the peak memory in MiB of a process that does nothing else."""


def memory(bundle: Bundle) -> list[Result]:
    """Peak memory of a stream ten times as long."""
    peaks = []
    for count in (STREAM, 10 * STREAM):
        texts = (f"{text} {n}\n" for n, text in zip(range(count), itertools.cycle(questions())))
        command = [sys.executable, "-c", STREAMING, str(bundle.path)]
        done = subprocess.run(
            command, input="".join(texts), check=True, capture_output=True, text=True
        )
        encoded, peak = done.stdout.split()
        assert int(encoded) == count
        peaks.append(float(peak))
    out.print(f"encode_stream: peak {peaks[0]:.0f} MiB, {peaks[1]:.0f} MiB over ten times as many")
    return [at_most("encode_stream: peak memory, 10x the texts", peaks[1] / peaks[0], 1.05)]


def main() -> int:
    """Runs the benchmark."""
    options = parser(__doc__ or "")
    options.add_argument("--documents", type=int, default=400, help="how many are encoded")
    options.add_argument(
        "--only", choices=("bulk", "single", "concurrent", "company", "memory"), help="one part"
    )
    args = options.parse_args()
    bundle = minilm()
    encoder = load(bundle.path)
    parts: Mapping[str, Callable[[], list[Result]]] = {
        "bulk": lambda: bulk(bundle, encoder, args.documents),
        "single": lambda: single(bundle, encoder),
        "concurrent": lambda: concurrent(bundle, encoder),
        "company": lambda: company(encoder),
        "memory": lambda: memory(bundle),
    }
    results = []
    for name, part in parts.items():
        if args.only in (None, name):
            results += part()
    out.print(f"seed {SEED}")
    return show("The encoder engine, all-MiniLM-L6-v2 on SciFact", results, args.json)


if __name__ == "__main__":
    sys.exit(main())
