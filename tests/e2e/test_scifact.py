"""SciFact, whole, through the product: the numbers that are published come out."""

from __future__ import annotations

from pathlib import Path

import pytest
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk, scan

from densehook.collections import open_collection, read_documents
from densehook.elastic.indices import create_index
from densehook.elastic.search import Searcher
from densehook.encode import Encoder
from densehook.evaluation import Evaluation, evaluate, systems_for
from densehook.ingest import feed
from densehook.reproduce import compared, read_regression

FLAT, HNSW = "scifact-flat", "scifact-hnsw"
INPUTS = ("title", "text")


@pytest.fixture(scope="module")
def ingested(scifact: Path, client: Elasticsearch, minilm: Encoder) -> Elasticsearch:
    """SciFact in a flat index, and the same documents and vectors in an HNSW one."""
    for index, index_type in ((FLAT, "flat"), (HNSW, "hnsw")):
        create_index(client, index, minilm.manifest, inputs=INPUTS, index_type=index_type)
    report = feed(client, FLAT, read_documents(scifact), minilm)
    assert (report.indexed, report.failed) == (5183, 0)
    assert report.encoded.truncated_texts > 0  # counted, not silent
    copies = (
        {"_op_type": "index", "_index": HNSW, "_id": hit["_id"], "_source": hit["_source"]}
        for hit in scan(client, index=FLAT)
    )
    bulk(client, copies)
    client.indices.refresh(index=HNSW)
    return client


@pytest.fixture(scope="module")
def flat(
    ingested: Elasticsearch,
    scifact: Path,
    minilm: Encoder,
    tmp_path_factory: pytest.TempPathFactory,
) -> Evaluation:
    searcher = Searcher(ingested, FLAT, minilm)
    return evaluate(
        open_collection(scifact),
        systems_for("dense"),
        searcher,
        tmp_path_factory.mktemp("scifact"),
        text_of=searcher.text_of,
    )


@pytest.mark.parametrize(
    ("system", "measure", "value", "tolerance"),
    [
        ("dense", "nDCG@10", 0.6451, 0.0005),
        ("dense", "R@100", 0.9250, 0.0005),
        ("pyserini-bm25", "nDCG@10", 0.6789, 0.0001),
        ("pyserini-bm25", "R@100", 0.9253, 0.0001),
        ("pyserini-rrf", "nDCG@10", 0.7178, 0.001),
        ("pyserini-linear", "nDCG@10", 0.7320, 0.001),
    ],
)
def test_scifact_gives_the_published_number(
    flat: Evaluation, system: str, measure: str, value: float, tolerance: float
) -> None:
    assert flat.queries == 300
    assert flat.systems[system][measure] == pytest.approx(value, abs=tolerance + 1e-9)


def test_every_figure_that_is_published_of_scifact_is_reproduced(flat: Evaluation) -> None:
    outcomes = compared(read_regression("scifact"), "all-minilm-l6-v2", "flat", flat)
    assert len(outcomes) == 6
    assert [outcome for outcome in outcomes if not outcome.passed] == []


def test_hnsw_comes_near_the_exact_search(
    ingested: Elasticsearch, flat: Evaluation, scifact: Path, minilm: Encoder, tmp_path: Path
) -> None:
    searcher = Searcher(ingested, HNSW, minilm)
    found = evaluate(open_collection(scifact), ["dense"], searcher, tmp_path)
    assert found.systems["dense"]["nDCG@10"] == pytest.approx(0.6451, abs=0.003)


def test_hybrid_beats_both_of_its_parts(flat: Evaluation) -> None:
    ndcg = {name: values["nDCG@10"] for name, values in flat.systems.items()}
    for fused in ("rrf", "linear"):
        assert ndcg[fused] > max(ndcg["bm25"], ndcg["dense"])
