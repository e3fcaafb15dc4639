"""How much faster a table of vectors is than a transformer: texts and queries a second.

Tables of random numbers in the sizes of those that are used most, with MiniLM's tokenizer: the
speed is of a table's size alone. Each is timed beside all-MiniLM-L6-v2 in fp32, in turn, on
SciFact's documents and queries.
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
from pathlib import Path

import numpy as np

from densehook.bundle import Bundle, Dense
from densehook.encode import Encoder, Engine, load
from densehook.export import Recipe, export_bundle
from densehook.machine import usable_cpus

from .encode import SEED, corpus, questions, seconds_of
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
_QUERIES = 200
_BAR = 20


def main() -> int:
    """Runs the benchmark."""
    options = parser(__doc__ or "")
    options.add_argument("--documents", type=int, default=200, help="SciFact's documents")
    args = options.parse_args()
    documents = corpus(args.documents)
    plain = minilm()
    transformer = load(plain.path)
    stats = transformer.encode_counted(documents, "document").stats
    out.print(
        f"{len(documents)} documents, {stats.tokens / stats.texts:.0f} tokens each to MiniLM,"
        f" {stats.truncated_texts} of them cut; {usable_cpus()} threads"
    )
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, dims in DIMS.items():
            table = _exported(plain, dims, Path(scratch) / name)
            results += [
                _documents(name, load(table.path), transformer, documents),
                _queries(name, table, plain),
            ]
    return show("Static embeddings", results, args.json)


def _documents(name: str, table: Encoder, transformer: Encoder, texts: list[str]) -> Result:
    """Texts a second in bulk, the median of the rounds' ratios."""
    tokens = table.encode_counted(texts, "document").stats.tokens
    ratios, rates = [], []
    for _ in range(ROUNDS):
        one = seconds_of(transformer.encode_counted, texts, "document")
        other = seconds_of(table.encode_counted, texts * _TIMES, "document") / _TIMES
        ratios.append(one / other)
        rates.append((len(texts) / other, len(texts) / one))
    ours, theirs = (statistics.median(each) for each in zip(*rates, strict=True))
    out.print(
        f"{_named(name, table)}: {ours:,.0f} documents/s of {tokens / len(texts):.0f} tokens,"
        f" MiniLM {theirs:,.1f}"
    )
    ratio = statistics.median(ratios)
    return at_least(f"{_named(name, table)}: documents a second / MiniLM's", ratio, _BAR)


def _queries(name: str, table: Bundle, plain: Bundle) -> Result:
    """Queries one by one, as an engine runs them."""
    texts = questions()[:_QUERIES]
    times: tuple[list[float], list[float]] = ([], [])
    with Engine(table, cached_queries=0) as one, Engine(plain, cached_queries=0) as other:
        for text in texts:
            for engine, seconds in zip((one, other), times, strict=True):
                seconds.append(seconds_of(engine.encode_query, text))
    ours, theirs = (1000 * statistics.median(each) for each in times)
    dims = table.manifest.of(Dense).dims
    out.print(f"a query, {dims} dims: {ours:.3f} ms, MiniLM {theirs:.2f} ms")
    return at_least(f"{name}, {dims} dims: MiniLM's time of a query / its", theirs / ours, _BAR)


def _named(name: str, encoder: Encoder) -> str:
    return f"{name}, {encoder.dims} dims"


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
