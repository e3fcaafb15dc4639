"""How much faster a table of vectors is than a transformer: documents and queries.

Tables of random numbers in the sizes of those that are used most, with MiniLM's tokenizer: the
speed is of a table's size alone. Each is timed beside all-MiniLM-L6-v2 in fp32, in turn, on
SciFact's documents and queries, on one thread and by what it takes of the CPU, so that whatever
else the machine does is not counted.
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from densehook.bundle import Bundle
from densehook.encode import Encoder, load
from densehook.export import Recipe, export_bundle

from .encode import SEED, corpus, questions
from .report import Result, at_least, out, parser, show
from .setting import minilm

DIMS = {
    "potion-base-8M": 256,
    "potion-retrieval-32M": 512,
    "static-retrieval-mrl-en-v1": 1024,
}
"""By whose width it is; the rows are MiniLM's tokens."""
ROUNDS = 3
_TIMES = 10
"""How often a table encodes the documents while MiniLM does once: else it is over in a moment."""
_QUERIES = 100
_BAR = 20

Work = Callable[[], object]


def main() -> int:
    """Runs the benchmark."""
    options = parser(__doc__ or "")
    options.add_argument("--documents", type=int, default=100, help="SciFact's documents")
    args = options.parse_args()
    documents, queries = corpus(args.documents), questions()[:_QUERIES]
    plain = minilm()
    transformer = load(plain.path, threads=1)
    stats = transformer.encode_counted(documents, "document").stats
    out.print(
        f"{len(documents)} documents, to MiniLM of {stats.tokens / stats.texts:.0f} tokens,"
        f" {stats.truncated_texts} of them cut; {len(queries)} queries one by one"
    )
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, dims in DIMS.items():
            table = load(_exported(plain, dims, Path(scratch) / name).path, threads=1)
            results += _measured(f"{name}, {dims} dims", table, transformer, documents, queries)
    return show("Static embeddings", results, args.json)


def _measured(
    name: str,
    table: Encoder,
    transformer: Encoder,
    documents: Sequence[str],
    queries: Sequence[str],
) -> list[Result]:
    tokens = table.encode_counted(documents, "document").stats.tokens
    ours, theirs = _in_turn(
        lambda: table.encode_counted([*documents] * _TIMES, "document"),
        lambda: transformer.encode_counted(documents, "document"),
    )
    ours = [seconds / _TIMES for seconds in ours]
    rates = [len(documents) / statistics.median(each) for each in (ours, theirs)]
    out.print(
        f"{name}: {rates[0]:,.0f} documents/s of {tokens / len(documents):.0f} tokens, MiniLM"
        f" {rates[1]:,.1f}"
    )
    asked, answered = _in_turn(
        lambda: [table.encode_queries(query) for query in queries],
        lambda: [transformer.encode_queries(query) for query in queries],
    )
    each = [1000 * statistics.median(seconds) / len(queries) for seconds in (asked, answered)]
    out.print(f"{name}: {each[0]:.3f} ms a query, MiniLM {each[1]:.2f}")
    return [
        at_least(f"{name}: documents a second / MiniLM's", _ratio(theirs, ours), _BAR),
        at_least(f"{name}: MiniLM's time of a query / its", _ratio(answered, asked), _BAR),
    ]


def _in_turn(one: Work, other: Work) -> tuple[list[float], list[float]]:
    """The CPU's seconds of both, one after the other in every round; the first is not timed."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS + 1):
        for work, seconds in zip((one, other), took, strict=True):
            started = time.process_time()
            work()
            seconds.append(time.process_time() - started)
    return took[0][1:], took[1][1:]


def _ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """The median of the rounds'."""
    return statistics.median(a / b for a, b in zip(one, other, strict=True))


def _exported(plain: Bundle, dims: int, folder: Path) -> Bundle:
    """A table with a row for each token of MiniLM's, as model2vec writes one."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer

    model = folder / "model"
    model.mkdir(parents=True)
    shutil.copyfile(plain.tokenizer, model / "tokenizer.json")
    rows = Tokenizer.from_file(str(plain.tokenizer)).get_vocab_size()
    table = np.random.default_rng(SEED).normal(size=(rows, dims)).astype(np.float32)
    save_file({"embeddings": table}, model / "model.safetensors")
    stated = {"model_type": "model2vec", "normalize": True, "hidden_dim": dims}
    (model / "config.json").write_text(json.dumps(stated))
    return export_bundle(Recipe(f"static-{dims}", str(model)), folder / "bundle")


if __name__ == "__main__":
    raise SystemExit(main())
