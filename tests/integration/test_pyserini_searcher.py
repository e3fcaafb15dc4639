"""Pyserini takes an index of Elasticsearch for a searcher, and a bundle for an encoder.

Its own HybridSearcher and its own command lines run, in one process: their imports take long.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

import densehook
from densehook.bundle import Bundle
from densehook.collections import read_run
from densehook.collections.impacts import Impacts, read_impacts, write_impacts
from densehook.elastic.impacts import import_impacts, search_impacts
from densehook.encode import Encoder

pytest.importorskip("pyserini", reason="Pyserini is not installed")

ROOT = Path(__file__).parents[2]
ROWS = [{"_id": f"d{n}", "text": f"{word} and number {n}"} for n, word in enumerate("abcdefgh")]
TOKENS = ["cat", "##s", "u.s.", "é", "the", "dog"]
PAIRS = list(itertools.combinations(TOKENS, 2))
PROGRAM = """
import json, sys
import densehook
from densehook.errors import RequestError
from densehook.pyserini import ElasticsearchSearcher
from densehook.pyserini.__main__ import main
from pyserini.search.hybrid import HybridSearcher
bundle, folder, asked = sys.argv[3:]
where = ["output", "--embeddings", folder + "/faiss", "--to-faiss"]
encoder = ["encoder", "--encoder", bundle, "--dimension", "32", "--batch-size", "3"]
encode = ["encode", "input", "--corpus", folder + "/corpus.jsonl", *where, *encoder]
faiss = ["--index", folder + "/faiss", "--topics", folder + "/topics.tsv", "--hits", "8"]
search = ["search.faiss", *faiss, "--output", folder + "/run.trec", "--encoder=" + bundle]
paths = "densehook.pyserini.DensehookDocumentEncoder", "densehook.pyserini.DensehookQueryEncoder"
es = densehook.connect(sys.argv[1])
index = densehook.Index.open(es, sys.argv[2], densehook.load(bundle))
dense, bm25 = ElasticsearchSearcher(index), ElasticsearchSearcher(index, "bm25")
hybrid = HybridSearcher(dense, bm25)
queries = {f"q{n}": f"number {n}" for n in range(20)}
found = hybrid.batch_search(list(queries.values()), list(queries), k0=8, k=5, alpha=0.5)
alone = {id: hybrid.search(text, k0=8, k=5, alpha=0.5) for id, text in queries.items()}
refused = []
for wrong in (lambda: ElasticsearchSearcher(index, "smells"),
              lambda: dense.batch_search(["a", "b"], ["q", "q"]),
              lambda: main([]),
              lambda: main(["nowhere"]),
              lambda: main(["trectools"]),
              lambda: main([*search, "--encoder-class", "densehook.pyserini.Nobody"]),
              lambda: main([*search, "--query-prefix", "query: "]),
              lambda: main([*encode, "--add-sep"])):
    try:
        wrong()
    except RequestError as error:
        refused.append(str(error))
main(encode)
impacts = ["--input", folder + "/impacts", "--index", folder + "/lucene", "--collection"]
impacts += ["JsonVectorCollection", "--generator", "DefaultLuceneDocumentGenerator"]
main(["index.lucene", *impacts, "--impact", "--pretokenized", "--threads", "1"])
exported = ["--index", folder + "/exported", "--output", folder + "/exported.trec"]
main([*search, *exported])  # the last of two options counts
from jnius import autoclass
from pyserini.index.lucene import LuceneIndexReader
from pyserini.search.lucene import LuceneImpactSearcher
indexed = {}
for form, name in (("jsonl", "Json"), ("parquet", "Parquet")):
    into = ["-input", folder + "/" + form, "-index", folder + "/lucene-" + form, "-threads", "1"]
    generator = ["-generator", "DenseVectorDocumentGenerator"]
    flat = autoclass("io.anserini.index.IndexFlatDenseVectors")
    flat.main(["-collection", name + "DenseVectorCollection", *into, *generator])
    indexed[form] = LuceneIndexReader(folder + "/lucene-" + form).stats()["documents"]
class Given:  # what is asked is JSON of weights
    encode = staticmethod(json.loads)
lucene = LuceneImpactSearcher(folder + "/lucene", Given(), min_idf=-9)
main([*search, "--encoder-class", paths[1]])
shown = lambda hits: [[hit.docid, hit.score] for hit in hits]
print(json.dumps({
    "refused": refused,
    "indexed": indexed,
    "hybrid": {id: shown(hits) for id, hits in found.items()},
    "alone": {id: shown(hits) for id, hits in alone.items()},
    "dense": shown(dense.search("number 3", k=3)),
    "impacts": {asked: shown(lucene.search(asked, k=20)) for asked in json.loads(asked)},
    "bm25": shown(bm25.search("number 3", k=3)),
}))
"""


COMMAND = [sys.executable, "-c", PROGRAM]


@pytest.fixture
def impact_index(client: Elasticsearch, index: str) -> Iterator[str]:
    yield f"{index}-impacts"
    client.indices.delete(index=f"{index}-impacts", ignore_unavailable=True)


def test_pyserini_searches_elasticsearch_and_encodes_with_a_bundle(
    client: Elasticsearch,
    node_url: str,
    index: str,
    impact_index: str,
    tiny: Encoder,
    tiny_bundle: Bundle,
    tmp_path: Path,
) -> None:
    made = densehook.Index.create(client, index, tiny, inputs=["text"])
    made.ingest(ROWS)
    for name in ("exported", "jsonl/v.jsonl", "parquet/v.parquet"):
        made.export_vectors(tmp_path / name)
    corpus = [{"id": row["_id"], "contents": row["text"]} for row in ROWS]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in corpus))
    topics = {f"q{n}": f"number {n}" for n in range(3)}
    (tmp_path / "topics.tsv").write_text("".join(f"{q}\t{text}\n" for q, text in topics.items()))
    chance = random.Random(3)
    weighed = [
        Impacts(f"d{n}", "", {token: chance.randint(1, 255) for token in chance.sample(TOKENS, 4)})
        for n in range(20)
    ]
    write_impacts(tmp_path / "impacts" / "i.jsonl", weighed)
    asked = [json.dumps({token: chance.randint(1, 9) for token in two}) for two in PAIRS]
    done = subprocess.run(  # it starts a JVM
        [*COMMAND, node_url, index, tiny_bundle.path, tmp_path, json.dumps(asked)],
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
    usage = (
        "usage: python -m densehook.pyserini MODULE …, where MODULE is what stands behind pyserini."
        " in Pyserini's own command, as encode or search.faiss"
    )
    assert told["refused"] == [
        "mode 'smells' is unknown; known: bm25, dense, sparse, maxsim, hybrid",
        "2 queries have 1 ids; give one each",
        usage,
        f"Pyserini has no program 'nowhere'; {usage}",
        f"Pyserini has no program 'trectools'; {usage}",
        "--encoder-class densehook.pyserini.Nobody: there is no such class (module"
        " 'densehook.pyserini' has no attribute 'Nobody')",
        "a bundle's encoder cannot have prefix='query: '; leave it",
        "a bundle's encoder cannot have add_sep=True; leave it",
    ]
    assert told["indexed"] == {"jsonl": len(ROWS), "parquet": len(ROWS)}
    assert "ERROR" not in done.stdout + done.stderr  # of Anserini, for a file that is no vectors
    run = read_run(tmp_path / "run.trec")
    assert set(run) == set(topics)
    for query, hits in run.items():
        ours = made.search(topics[query], mode="dense", size=8)
        # Lucene's score of a dot product is (1 + dot) / 2
        assert [2 * hit.score - 1 for hit in ours] == pytest.approx(
            [hit.score for hit in hits], abs=1e-5
        )
        assert [hit.id for hit in ours] == [hit.id for hit in hits]
    import_impacts(client, impact_index, read_impacts(tmp_path / "impacts"))
    queries = {query: json.loads(query) for query in asked}
    for query, hits in search_impacts(client, impact_index, queries, depth=20).items():
        assert [[hit.id, hit.score] for hit in hits] == told["impacts"][query]
        assert len({hit.score for hit in hits}) > 3
    theirs = read_run(tmp_path / "exported.trec")
    assert {query: [hit.id for hit in hits] for query, hits in theirs.items()} == {
        query: [hit.id for hit in hits] for query, hits in run.items()
    }
    taken = made.import_vectors(tmp_path / "faiss")
    assert (taken.brought, taken.failed) == (len(ROWS), 0)
