"""What late interaction takes and keeps: latency of scoring, distance to PyTorch, bits and quality.

No late-interaction weights are to be had in packages, so the last two are of all-MiniLM-L6-v2's
last hidden states, each token's as they are: figures of how vectors are stored, not of a model.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from densehook.bundle import Bundle, Manifest, Multi
from densehook.collections import open_collection
from densehook.encode import load
from densehook.evaluation import measure_queries
from densehook.evaluation.bm25 import pyserini_bm25
from densehook.evaluation.measures import means
from densehook.evaluation.ties import without_ties
from densehook.export import export_bundle, read_recipe
from densehook.hooks.kinds.multi import TokenField
from densehook.java import find_java
from densehook.multivector import maxsim, unpack
from densehook.types import ScoredDoc

from ..report import Result, at_most, out, parser, require_scifact, show
from ..setting import minilm

DOCUMENTS, TOKENS, DIMS, QUERY_TOKENS = 100, 200, 96, 32
MEASURE = "nDCG@10"
WINDOW = 100
CLASSES = Path("plugin/elasticsearch/target/es8/classes")
LATENCY = Path(__file__).parent / "Latency.java"


def latency() -> list[Result]:
    """Milliseconds in which one thread of a JVM scores a hundred documents, by precision."""
    if not CLASSES.is_dir():
        raise SystemExit("the plugin is not built; build it with: make plugin")
    java = find_java(21, "javac") / "bin" / "java"
    sizes = map(str, (DOCUMENTS, TOKENS, DIMS, QUERY_TOKENS))
    command = [str(java), "-cp", str(CLASSES), str(LATENCY), *sizes]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    for precision, (median, best, _) in found.items():
        out.print(f"{precision}: {float(median):.2f} ms in the middle, {float(best):.2f} at best")
    what = f"{DOCUMENTS} x {TOKENS} tokens x {DIMS} dims, query of {QUERY_TOKENS}"
    return [at_most(f"maxsim of {what}, int8, ms at best", float(found["int8"][1]), 5)]


def token_bundle(folder: Path) -> Bundle:
    """all-MiniLM-L6-v2 as a late-interaction model, by a projection that changes nothing."""
    import json

    from safetensors.torch import load_file, save_file
    from torch import eye

    from densehook.export.sources import model_folder

    recipe = read_recipe(Path("onnx_models") / f"{minilm().manifest.name}.toml")
    model = folder / "model"
    shutil.copytree(model_folder(recipe), model)
    weights = load_file(model / "model.safetensors")
    save_file({**weights, "linear.weight": eye(384)}, model / "model.safetensors")
    said = {"dim": 384, "query_maxlen": 32, "doc_maxlen": 256, "attend_to_mask_tokens": False}
    (model / "artifact.metadata").write_text(json.dumps(said))
    (folder / "minilm-tokens.toml").write_text('source = "model"\nkind = "multi"\n')
    return export_bundle(read_recipe(folder / "minilm-tokens.toml"), folder / "bundle")


def parity(bundle: Bundle) -> list[Result]:
    """The gate's own figure: MaxSim of 20 questions and some 70 documents, graph and PyTorch."""
    import json

    measured = json.loads((bundle.path / "parity.json").read_text())
    apart = measured["largest_score_difference"]
    return [at_most("largest difference of MaxSim, fp32, to PyTorch", apart, 1e-3)]


def quality(bundle: Bundle, queries: int, work_dir: Path) -> list[Result]:
    """Bits of a token's vector against nDCG@10 of BM25's first hundred on SciFact."""
    collection = open_collection(require_scifact())
    asked = dict(list(collection.queries.items())[:queries])
    texts = {each.id: _text(each.fields) for each in collection.documents()}
    first = pyserini_bm25(texts.items(), asked, work_dir=work_dir, depth=WINDOW)
    encoder = load(bundle.path)
    wanted = sorted({hit.id for hits in first.values() for hit in hits})
    out.print(f"encoding {len(wanted)} documents")
    documents = dict(
        zip(wanted, encoder.encode_documents([texts[id_] for id_ in wanted]), strict=True)
    )
    vectors = dict(zip(asked, encoder.encode_queries(list(asked.values())), strict=True))
    qrels = {query: collection.qrels[query] for query in asked if query in collection.qrels}
    tokens = sum(map(len, documents.values()))
    found = {"bm25 alone": _measured(first, qrels)}
    for name in TokenField.INDEX_TYPES:
        field = TokenField.mapped(_meta(encoder.manifest, name))
        stored = {id_: field.parsed(field.written(v, base64=True)) for id_, v in documents.items()}
        size = sum(len(value or b"") for value in stored.values())
        read = {id_: unpack(value or b"") for id_, value in stored.items()}
        found[name] = _measured(_rescored(first, vectors, read), qrels)
        out.print(f"{name:14} {size * 8 / tokens:8.0f} bits a token  {MEASURE} {found[name]:.4f}")
    out.print(f"bm25 alone {found['bm25 alone']:.4f}")
    return [
        at_most(f"nDCG@10 that {name} loses to float32", found["float32"] - found[name], bar)
        for name, bar in (("int8", 0.005), ("int8-pool2", 0.02))
    ]


def _meta(manifest: Manifest, name: str) -> Mapping[str, Any]:
    manifest.of(Multi)
    return TokenField().mapping(manifest, name)


def _text(fields: Mapping[str, Any]) -> str:
    return " ".join(str(fields[name]) for name in ("title", "text") if fields.get(name))


def _rescored(
    first: Mapping[str, Sequence[ScoredDoc]],
    queries: Mapping[str, Any],
    documents: Mapping[str, Any],
) -> dict[str, list[ScoredDoc]]:
    run = {}
    for query, hits in first.items():
        scored = [ScoredDoc(hit.id, maxsim(queries[query], documents[hit.id])) for hit in hits]
        run[query] = sorted(scored, key=lambda hit: -hit.score)
    return run


def _measured(run: Mapping[str, Sequence[ScoredDoc]], qrels: Any) -> float:
    plain = without_ties({query: list(hits) for query, hits in run.items() if query in qrels})
    return means(measure_queries(plain, qrels, [MEASURE]), [MEASURE])[MEASURE]


def main() -> int:
    """Measures what was asked for; the exit status, 1 when a bar is missed."""
    options = parser(__doc__ or "")
    options.add_argument("--queries", type=int, default=300, help="of SciFact's (default 300)")
    options.add_argument("--only", choices=("latency", "parity", "quality"))
    asked = options.parse_args()
    results: list[Result] = []
    if asked.only in (None, "latency"):
        results += latency()
    with tempfile.TemporaryDirectory(prefix="densehook-maxsim-") as scratch:
        if asked.only != "latency":
            bundle = token_bundle(Path(scratch))
            results += parity(bundle) if asked.only in (None, "parity") else []
            if asked.only in (None, "quality"):
                results += quality(bundle, asked.queries, Path(scratch) / "bm25")
    return show("Late interaction", results, asked.json)


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    raise SystemExit(main())
