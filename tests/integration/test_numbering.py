"""Deep rankings are read by sequence numbers, and are those that ids would give."""

from __future__ import annotations

import pytest
from elasticsearch import Elasticsearch

import densehook
from densehook.elastic.numbering import NUMBERED, Numbering
from densehook.elastic.search import msearch
from densehook.encode import Encoder
from densehook.hooks import ranking_of

QUERIES = {f"q{n}": f"water number {n}" for n in range(20)} | {"blank": " "}


@pytest.mark.parametrize("shards", [1, 3])
def test_a_deep_ranking_begins_as_a_shallow_one(
    plugin_client: Elasticsearch, plugin_index: str, tiny: Encoder, shards: int
) -> None:
    made = densehook.Index.create(
        plugin_client, plugin_index, tiny, inputs=["text"], index_type="flat", shards=shards
    )
    made.ingest({"_id": f"d{n}", "text": f"water number {n}"} for n in range(300))
    made.ingest([{"_id": "d7", "text": "written anew, water"}], replace=True)
    searcher = made.searcher()
    for mode in ("bm25", "dense"):
        deep = searcher.search(QUERIES, mode, 250)
        shallow = searcher.search(QUERIES, mode, 50)
        assert {id_: len(hits) for id_, hits in deep.items()} == dict.fromkeys(QUERIES, 250) | {
            "blank": 0
        }
        assert {id_: hits[:50] for id_, hits in deep.items()} == shallow
        assert all(len({hit.id for hit in hits}) == len(hits) for hits in deep.values())


def test_a_document_that_is_written_anew_meanwhile_is_not_taken_for_another(
    plugin_client: Elasticsearch, plugin_index: str, tiny: Encoder
) -> None:
    made = densehook.Index.create(plugin_client, plugin_index, tiny, inputs=["text"])
    made.ingest({"_id": f"d{n}", "text": f"water number {n}"} for n in range(9))
    body = {"query": {"match": {"text": "water"}}, "size": 20}
    plain = msearch(plugin_client, plugin_index, [body])
    answers = msearch(plugin_client, plugin_index, [{**body, **NUMBERED}] * 2)
    assert "_id" not in answers[0]["hits"]["hits"][0]
    numbering = Numbering(plugin_client, plugin_index)
    assert numbering.rankings(answers) == [ranking_of(plain[0])] * 2
    made.ingest([{"_id": "d3", "text": "water of another day"}], replace=True)
    assert Numbering(plugin_client, plugin_index).rankings(answers) == [None, None]
    assert numbering.rankings([{"hits": {"hits": [{"_score": 1.0}]}}]) == [None]  # no number
