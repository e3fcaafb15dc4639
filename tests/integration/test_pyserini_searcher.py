"""Pyserini's own HybridSearcher takes an index of Elasticsearch for either of its sides."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

import densehook
from densehook.bundle import Bundle
from densehook.encode import Encoder

pytest.importorskip("pyserini", reason="Pyserini is not installed")

ROOT = Path(__file__).parents[2]
ROWS = [{"_id": f"d{n}", "text": f"{word} and number {n}"} for n, word in enumerate("abcdefgh")]
PROGRAM = """
import json, sys
import densehook
from densehook.errors import RequestError
from densehook.integrations.pyserini import ElasticsearchSearcher
from pyserini.search.hybrid import HybridSearcher
es = densehook.connect(sys.argv[1])
index = densehook.Index.open(es, sys.argv[2], densehook.load(sys.argv[3]))
dense, bm25 = ElasticsearchSearcher(index), ElasticsearchSearcher(index, "bm25")
hybrid = HybridSearcher(dense, bm25)
queries = {f"q{n}": f"number {n}" for n in range(20)}
found = hybrid.batch_search(list(queries.values()), list(queries), k0=8, k=5, alpha=0.5)
alone = {id: hybrid.search(text, k0=8, k=5, alpha=0.5) for id, text in queries.items()}
refused = []
for wrong in (lambda: ElasticsearchSearcher(index, "sparse"),
              lambda: dense.batch_search(["a", "b"], ["q", "q"])):
    try:
        wrong()
    except RequestError as error:
        refused.append(str(error))
shown = lambda hits: [[hit.docid, hit.score] for hit in hits]
print(json.dumps({
    "refused": refused,
    "hybrid": {id: shown(hits) for id, hits in found.items()},
    "alone": {id: shown(hits) for id, hits in alone.items()},
    "dense": shown(dense.search("number 3", k=3)),
    "bm25": shown(bm25.search("number 3", k=3)),
}))
"""


def test_pyserinis_hybrid_searcher_fuses_lists_of_elasticsearch(
    client: Elasticsearch, node_url: str, index: str, tiny: Encoder, tiny_bundle: Bundle
) -> None:
    made = densehook.Index.create(client, index, tiny, inputs=["text"])
    made.ingest(ROWS)
    done = subprocess.run(  # it starts a JVM
        [sys.executable, "-c", PROGRAM, node_url, index, tiny_bundle.path],
        env={**os.environ, "PYTHONPATH": str(ROOT / "plugin")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    for mode in ("dense", "bm25"):
        hits = made.search("number 3", mode=mode, size=3)
        assert told[mode] == [[hit.id, pytest.approx(hit.score)] for hit in hits]
    assert len(told["hybrid"]) == 20
    for id_, hits in told["alone"].items():  # encoded alone, and so by 1e-6 otherwise
        assert [hit[1] for hit in told["hybrid"][id_]] == pytest.approx(
            [hit[1] for hit in hits], abs=1e-5
        )
    assert told["hybrid"]["q3"][0][0] in {hit.id for hit in made.search("number 3", size=3)}
    dense = {hit.id: hit.score for hit in made.search("number 3", mode="dense", size=8)}
    bm25 = {hit.id: hit.score for hit in made.search("number 3", mode="bm25", size=8)}
    # Pyserini's: sparse times alpha plus dense, a document that is absent having the list's lowest
    for id_, score in told["hybrid"]["q3"]:
        expected = 0.5 * bm25.get(id_, min(bm25.values())) + dense.get(id_, min(dense.values()))
        assert score == pytest.approx(expected, abs=1e-5)
    assert told["refused"] == [
        "mode 'sparse' is unknown; known: bm25, dense, hybrid",
        "2 queries have 1 ids; give one each",
    ]
