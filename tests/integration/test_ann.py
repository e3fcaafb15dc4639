"""Types of vector index are measured on copies of an index's own vectors, which are gone again."""

from __future__ import annotations

import pytest
from elasticsearch import Elasticsearch

import densehook
from densehook.ann import Way, measure_ann
from densehook.elastic.vectors import stored_vectors
from densehook.encode import Encoder
from densehook.errors import EvaluationError, RequestError
from densehook.evaluation import measure_queries
from densehook.evaluation.measures import means
from tiny_collection import small_collection


def test_what_a_type_finds_is_measured_against_the_exact_search(
    plugin_client: Elasticsearch, plugin_index: str, tiny: Encoder
) -> None:
    collection = small_collection()
    made = densehook.Index.create(plugin_client, plugin_index, tiny, inputs=["text"])
    made.ingest(collection.documents())
    before = sorted(plugin_client.indices.get(index=f"{plugin_index}*"))
    study = measure_ann(
        collection, made, kinds=["int8_hnsw", "bbq_hnsw"], candidates=[20, 100], asked=5
    )

    assert sorted(plugin_client.indices.get(index=f"{plugin_index}*")) == before
    assert study.documents == made.stats().with_vector
    assert [point.way for point in study.points] == [
        Way("flat"),
        Way("int8_hnsw", 20, 0.0),
        Way("int8_hnsw", 100, 0.0),
        Way("int8_hnsw", 20, 3.0),
        Way("int8_hnsw", 100, 3.0),
    ]
    assert "bbq_hnsw" in study.skipped  # the tiny encoder's vectors are too short for it
    exact, *_, best = study.points
    assert (exact.recall_10, exact.recall_100) == (1.0, 1.0)
    assert best.recall_10 >= 0.95
    assert [point.recall_100 is None for point in study.points] == [False, True, False, True, False]
    assert all(latency.p99 >= latency.p50 > 0 for p in study.points for latency in p.latencies)
    assert [latency.asked for latency in exact.latencies] == [5, 5]

    run = made.searcher().search(collection.queries, "dense", 10)
    values = measure_queries(run, collection.qrels, ["nDCG@10"])
    assert exact.quality == pytest.approx(means(values, ["nDCG@10"])["nDCG@10"], abs=1e-4)

    whole, small = study.built["flat"], study.built["int8_hnsw"]
    assert whole.memory == study.documents * tiny.dims * 4
    assert min(small.memory, small.disk, small.seconds, small.heap) > 0


def test_an_index_without_vectors_or_encoder_cannot_be_studied(
    plugin_client: Elasticsearch, plugin_index: str, tiny: Encoder
) -> None:
    made = densehook.Index.create(plugin_client, plugin_index, tiny, inputs=["text"])
    with pytest.raises(EvaluationError, match="has a vector in 'embedding'; ingest first"):
        measure_ann(small_collection(), made)
    with pytest.raises(RequestError, match="the queries need the encoder"):
        measure_ann(small_collection(), densehook.Index.open(plugin_client, plugin_index))
    assert sorted(plugin_client.indices.get(index=f"{plugin_index}*")) == [plugin_index]


def test_stored_vectors_are_those_that_were_written(
    plugin_client: Elasticsearch, plugin_index: str, tiny: Encoder
) -> None:
    made = densehook.Index.create(plugin_client, plugin_index, tiny, inputs=["text"])
    texts = {f"d{n}": f"text number {n}" for n in range(1001)}  # more than one page
    made.ingest({"_id": id_, "text": text} for id_, text in texts.items())
    made.ingest([{"_id": "none", "other": "no text"}])
    read = [
        pair for batch in stored_vectors(plugin_client, plugin_index, made.field) for pair in batch
    ]
    assert sorted(id_ for id_, _ in read) == sorted(texts)
    expected = tiny.encode_documents([texts[id_] for id_, _ in read])
    assert max(
        abs(a - float(b))
        for (_, vector), wanted in zip(read, expected, strict=True)
        for a, b in zip(vector, wanted, strict=True)
    ) == pytest.approx(0, abs=1e-6)
