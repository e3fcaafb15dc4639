"""Effectiveness on SciFact: every system, against the published and re-measured numbers."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from densehook.collections import open_collection, read_documents
from densehook.elastic.connect import connect
from densehook.elastic.indices import create_index
from densehook.elastic.search import Searcher
from densehook.encode import load
from densehook.evaluation import evaluate, systems_for
from densehook.ingest import feed

from .report import near, out, parser, require_scifact, show
from .setting import minilm, own_node

INPUTS = ("title", "text")


def main() -> int:
    """Runs the benchmark."""
    args = parser(__doc__ or "").parse_args()
    collection = open_collection(require_scifact())
    encoder = load(minilm().path)
    measured = {}
    with own_node() as url, tempfile.TemporaryDirectory() as scratch:
        client = connect(url)
        for index_type, systems in (("flat", tuple(systems_for("dense"))), ("hnsw", ("dense",))):
            index = f"scifact-{index_type}"
            create_index(client, index, encoder.manifest, inputs=INPUTS, index_type=index_type)
            out.print(f"ingesting SciFact into a {index_type} index")
            report = feed(client, index, read_documents(require_scifact()), encoder)
            assert not report.failed
            searcher = Searcher(client, index, encoder)
            measured[index_type] = evaluate(
                collection,
                systems,
                searcher,
                Path(scratch) / index_type,
                text_of=searcher.text_of,
            ).systems
    for name, values in measured["flat"].items():
        shown = ", ".join(f"{measure} {value:.4f}" for measure, value in values.items())
        out.print(f"{name:16} {shown}")
    flat, hnsw = measured["flat"], measured["hnsw"]["dense"]
    results = [
        near("dense, flat: nDCG@10", flat["dense"]["nDCG@10"], 0.6451, 0.0005),
        near("dense, flat: R@100", flat["dense"]["R@100"], 0.9250, 0.0005),
        near("dense, hnsw: nDCG@10", hnsw["nDCG@10"], 0.6451, 0.003),
        near("pyserini-bm25: nDCG@10", flat["pyserini-bm25"]["nDCG@10"], 0.6789, 0.0001),
        near("pyserini-bm25: R@100", flat["pyserini-bm25"]["R@100"], 0.9253, 0.0001),
        near("pyserini-rrf: nDCG@10", flat["pyserini-rrf"]["nDCG@10"], 0.7178, 0.001),
        near("pyserini-linear: nDCG@10", flat["pyserini-linear"]["nDCG@10"], 0.7320, 0.001),
    ]
    return show("Effectiveness on SciFact", results, args.json)


if __name__ == "__main__":
    sys.exit(main())
