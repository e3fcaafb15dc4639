"""Retriever rerank gives what this package's cross-encoder gives, whatever is searched."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import ApiError, BadRequestError, Elasticsearch, ElasticsearchWarning

from command_line import running_in, succeeded
from conftest import ROOT, serving
from densehook import Index
from densehook.bundle import Bundle
from densehook.collections import read_run
from densehook.encode import CrossEncoder, Encoder, load
from densehook.errors import RequestError
from densehook.export import read_recipe
from densehook.export.texts import PASSAGES
from densehook.node import NodeState
from tiny_collection import write_judged

QUERY = "how do vaccines work"
LOGITS, LIKELY = "tiny-bert-pairs", "tiny-qwen3-pairs"
BODY = re.compile(r"score \[([^\]]+)\]")


@pytest.fixture(scope="module")
def es(
    plugin_node: NodeState, pair_bundle: Callable[[str], Bundle], tiny_bundle: Bundle
) -> Iterator[Elasticsearch]:
    with serving(plugin_node, tiny_bundle, pair_bundle("bert"), pair_bundle("qwen3")) as client:
        _fill(client)
        yield client


@pytest.fixture(scope="session")
def encoders(pair_bundle: Callable[[str], Bundle]) -> dict[str, Encoder]:
    bundles = (pair_bundle(name) for name in ("bert", "qwen3"))
    return {bundle.manifest.name: load(bundle.path) for bundle in bundles}


def _fill(client: Elasticsearch) -> None:
    """Passages in an index of two shards, others of the same ids in one, one without text."""
    text = {"title": {"type": "text"}, "body": {"type": "text"}, "n": {"type": "integer"}}
    for index, shards, source in (("one", 2, {}), ("two", 1, {"mode": "synthetic"})):
        settings = {"number_of_shards": shards, "number_of_replicas": 0}
        if source:
            settings["index.mapping.source.mode"] = "synthetic"
        client.indices.create(index=index, settings=settings, mappings={"properties": text})
    for n, passage in enumerate(PASSAGES[:20]):
        for index, words in (("one", passage), ("two", PASSAGES[20 + n])):
            client.index(index=index, id=str(n), document={"title": f"T{n}", "body": words, "n": n})
    client.index(index="one", id="blank", document={"title": " ", "n": 99})
    client.index(
        index="one", id="routed", document={"title": "R", "body": "x", "n": 98}, routing="a"
    )
    client.indices.refresh(index="one,two")


def _by_n(**more: Any) -> dict[str, Any]:
    """All documents, by a score that falls with ``n``."""
    by_n = {
        "query": {
            "bool": {
                "should": [
                    {"constant_score": {"filter": {"range": {"n": {"lte": n}}}}}
                    for n in range(0, 100, 1)
                ]
            }
        }
    }
    return {"standard": {**by_n, **more}}


def _rerank(child: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    asked = {"retriever": child or _by_n(), "text": QUERY, "field": "body", "encoder": LOGITS}
    return {"rerank": {**asked, **more}}


def _positive(score: float) -> float:
    return score + 1 if score >= 0 else math.exp(score)


def _raw(hit: dict[str, Any]) -> float:
    found = BODY.search(str(hit["_explanation"]))
    assert found, hit["_explanation"]
    return float(found[1])


def _texts(hits: Sequence[dict[str, Any]], fields: Sequence[str] = ("body",)) -> list[str]:
    return [" ".join(hit["_source"][name] for name in fields) for hit in hits]


@pytest.mark.parametrize("name", [LOGITS, LIKELY])
def test_scores_are_those_of_the_encoder_here(
    es: Elasticsearch, encoders: dict[str, Encoder], name: str
) -> None:
    body = _rerank(encoder=name, rank_window_size=20)
    filtered = {"rerank": {**body["rerank"], "filter": {"range": {"n": {"lt": 20}}}}}
    hits = es.search(index="one", retriever=filtered, size=20, explain=True)["hits"]["hits"]
    assert len(hits) == 20
    expected = encoders[name].score(QUERY, _texts(hits))
    assert [_raw(hit) for hit in hits] == pytest.approx(expected.tolist(), abs=2e-5)
    scores = [hit["_score"] for hit in hits]
    shown = expected.tolist() if name == LIKELY else [_positive(score) for score in expected]
    assert scores == pytest.approx(shown, abs=1e-4)
    assert scores == sorted(scores, reverse=True)
    assert [hit["_id"] for hit in hits] != [str(n) for n in range(20)]
    plain = es.search(index="one", retriever=filtered, size=20)["hits"]["hits"]
    assert [hit["_id"] for hit in plain] == [hit["_id"] for hit in hits]


def test_documents_of_one_id_in_several_indices_have_their_own_scores(
    es: Elasticsearch, encoders: dict[str, Encoder]
) -> None:
    some = _by_n(filter={"range": {"n": {"lt": 7}}})
    hits = es.search(index="one,two", retriever=_rerank(some), size=14)["hits"]["hits"]
    assert sorted((hit["_index"], hit["_id"]) for hit in hits) == sorted(
        (index, str(n)) for index in ("one", "two") for n in range(7)
    )
    expected = [_positive(score) for score in encoders[LOGITS].score(QUERY, _texts(hits))]
    assert [hit["_score"] for hit in hits] == pytest.approx(expected, abs=1e-4)


def test_several_fields_are_joined_and_a_template_is_filled(
    es: Elasticsearch, encoders: dict[str, Encoder]
) -> None:
    few = _by_n(filter={"range": {"n": {"lt": 5}}})
    hits = es.search(index="one", retriever=_rerank(few, field=["title", "body"]))["hits"]["hits"]
    joined = encoders[LOGITS].score(QUERY, _texts(hits, ("title", "body")))
    assert [hit["_score"] for hit in hits] == pytest.approx(list(map(_positive, joined)), abs=1e-4)
    template = _rerank(few, field=["title", "body"], template="{title}: {body}")
    hits = es.search(index="one", retriever=template)["hits"]["hits"]
    filled = [": ".join((hit["_source"]["title"], hit["_source"]["body"])) for hit in hits]
    expected = list(map(_positive, encoders[LOGITS].score(QUERY, filled)))
    assert [hit["_score"] for hit in hits] == pytest.approx(expected, abs=1e-4)


def test_a_document_without_text_is_behind_those_that_have_some(es: Elasticsearch) -> None:
    found = es.search(index="one", retriever=_rerank(), size=30, explain=True)["hits"]["hits"]
    assert found[-1]["_id"] == "blank" and len(found) == 22
    assert "not scored by encoder" in str(found[-1]["_explanation"])
    assert 0 < found[-1]["_score"] < 1e-30 < found[-2]["_score"]


def test_explain_has_both_scores(es: Elasticsearch) -> None:
    (hit, *_) = es.search(index="one", retriever=_rerank(), explain=True)["hits"]["hits"]
    told = hit["_explanation"]
    assert re.search(rf"reranked rank \[1\]: score \[.+\] by encoder \[{LOGITS}\]", str(told))
    assert re.search(r"found at rank \[\d+\], score \[\d+\.0\]", str(told))


def test_min_score_from_and_size_are_of_the_new_order(es: Elasticsearch) -> None:
    whole = es.search(index="one", retriever=_rerank(), size=20)["hits"]["hits"]
    least = whole[4]["_score"]
    over = es.search(index="one", retriever=_rerank(min_score=least), size=20)["hits"]["hits"]
    assert [hit["_id"] for hit in over] == [hit["_id"] for hit in whole if hit["_score"] >= least]
    page = es.search(index="one", retriever=_rerank(), from_=3, size=4)["hits"]["hits"]
    assert [hit["_id"] for hit in page] == [hit["_id"] for hit in whole[3:7]]


def test_only_the_window_is_reranked(es: Elasticsearch) -> None:
    found = es.search(index="one", retriever=_rerank(rank_window_size=5), size=5)["hits"]["hits"]
    top = es.search(index="one", retriever=_by_n(), size=5)["hits"]["hits"]
    assert {hit["_id"] for hit in found} == {hit["_id"] for hit in top}


def test_an_alias_and_a_routing_are_searched_as_they_say(es: Elasticsearch) -> None:
    es.indices.put_alias(index="one", name="few", filter={"range": {"n": {"lt": 4}}})
    found = es.search(index="few", retriever=_rerank(), size=10)["hits"]
    assert {hit["_id"] for hit in found["hits"]} == {"0", "1", "2", "3"}
    routed = es.search(index="one", retriever=_rerank(), size=50, routing="a")["hits"]["hits"]
    assert "routed" in {hit["_id"] for hit in routed}
    assert len(routed) < 22


def test_a_point_in_time_is_kept(es: Elasticsearch) -> None:
    es.index(index="moving", id="a", document={"body": PASSAGES[0], "n": 1}, refresh=True)
    pit = es.open_point_in_time(index="moving", keep_alive="1m")["id"]
    es.index(index="moving", id="a", document={"body": "another", "n": 1}, refresh=True)
    es.index(index="moving", id="b", document={"body": "more", "n": 2}, refresh=True)
    hits = es.search(retriever=_rerank(), pit={"id": pit})["hits"]["hits"]
    assert [hit["_source"]["body"] for hit in hits] == [PASSAGES[0]]
    es.indices.delete(index="moving")


def test_it_stands_in_others_and_others_in_it(es: Elasticsearch) -> None:
    fused = {"hybrid": {"query": "water blood bones", "fields": ["title", "body"]}}
    inside = es.search(index="one", retriever=_rerank(fused), size=3)["hits"]["hits"]
    assert inside
    parts = [_rerank(), {"standard": {"query": {"match": {"body": "water"}}}}]
    outside = {"hybrid": {"retrievers": parts, "rank_window_size": 50}}
    assert len(es.search(index="one", retriever=outside, size=5)["hits"]["hits"]) == 5
    twice = _rerank(_rerank(rank_window_size=10), encoder=LIKELY, rank_window_size=5)
    assert len(es.search(index="one", retriever=twice, size=5)["hits"]["hits"]) == 5
    both = es.msearch(
        searches=[
            {"index": "one"},
            {"retriever": _rerank()},
            {"index": "two"},
            {"retriever": _rerank()},
        ]
    )
    assert [len(each["hits"]["hits"]) for each in both["responses"]] == [10, 10]


def test_aggregations_totals_and_highlights_are_the_childs(es: Elasticsearch) -> None:
    matching = {"standard": {"query": {"match": {"body": "the"}}}}
    found = es.search(
        index="one",
        retriever=_rerank(matching, rank_window_size=3),
        size=3,
        aggs={"n": {"max": {"field": "n"}}},
        highlight={"fields": {"body": {}}},
    )
    alone = es.search(index="one", retriever=matching, aggs={"n": {"max": {"field": "n"}}})
    assert found["hits"]["total"] == alone["hits"]["total"]
    assert found["aggregations"] == alone["aggregations"]


@pytest.fixture(scope="module")
def long_text() -> str:
    return " ".join(PASSAGES[:12])


def test_chunks_are_cut_as_here_and_the_best_counts(
    es: Elasticsearch, encoders: dict[str, Encoder], long_text: str
) -> None:
    es.index(index="long", id="a", document={"body": long_text, "n": 1}, refresh=True)
    encoder = encoders[LOGITS]
    assert isinstance(encoder, CrossEncoder)
    for chunks in (1, 3, 50):
        body = _rerank(chunks=chunks)
        (hit,) = es.search(index="long", retriever=body, explain=True)["hits"]["hits"]
        parts = encoder.chunks(QUERY, long_text, chunks)
        assert len(parts) == min(chunks, len(encoder.chunks(QUERY, long_text, 100)))
        scores = encoder.score(QUERY, parts)
        assert _raw(hit) == pytest.approx(float(scores.max()), abs=2e-5)
        assert f"of chunk [{scores.argmax()}]" in str(hit["_explanation"])
        best = encoder.score_best(QUERY, [long_text], chunks).scores
        assert best.tolist() == pytest.approx([scores.max()], abs=2e-5)
    es.indices.delete(index="long")


def test_chunks_of_a_chunked_field_are_those_it_has(
    es: Elasticsearch, encoders: dict[str, Encoder], tiny: Encoder, long_text: str
) -> None:
    from densehook import Index
    from densehook.chunk import ChunkRule

    index = Index.create(es, "chunked", tiny, inputs=["body"], chunk=ChunkRule(max_tokens=24))
    index.ingest([{"id": "a", "body": long_text}])
    es.indices.refresh(index="chunked")
    passages = es.get(index="chunked", id="a")["_source"]["passages"]
    parts = [long_text[each["start"] : each["end"]].strip() for each in passages[:4]]
    child = {"standard": {"query": {"match_all": {}}}}
    body = _rerank(child, chunks=4)
    (hit,) = es.search(index="chunked", retriever=body, explain=True)["hits"]["hits"]
    expected = encoders[LOGITS].score(QUERY, parts)
    assert _raw(hit) == pytest.approx(float(expected.max()), abs=2e-5)
    index.drop()


def test_the_command_line_and_an_evaluation_rerank(
    es: Elasticsearch,
    tiny: Encoder,
    encoders: dict[str, Encoder],
    pair_bundle: Callable[[str], Bundle],
    tmp_path: Path,
) -> None:
    """Hybrid search of title, body and vectors, its best ten in the order of a cross-encoder."""
    index = Index.create(es, "fused", tiny, inputs=["title", "body"], in_cluster=True)
    try:
        rows = [{"id": f"d{n}", "title": f"T{n}", "body": text} for n, text in enumerate(PASSAGES)]
        index.ingest(rows)
        es.indices.refresh(index="fused")
        texts = {row["id"]: f"{row['title']} {row['body']}" for row in rows}
        first = [hit.id for hit in index.search(QUERY, size=10)]
        scores = encoders[LOGITS].score(QUERY, [texts[id_] for id_ in first])
        expected = [first[n] for n in (-scores).argsort(kind="stable")]
        hybrid = {"hybrid": {"query": QUERY, "fields": ["title", "body", "embedding"]}}
        body = _rerank(hybrid, field=["title", "body"], rank_window_size=10)
        hits = es.search(index="fused", retriever=body, size=10)["hits"]["hits"]
        again = encoders[LOGITS].score(QUERY, [texts[hit["_id"]] for hit in hits])
        assert list(again) == sorted(again, reverse=True)
        (address,) = es.transport.node_pool.all()
        run = running_in(tmp_path, DENSEHOOK_ES_URL=address.base_url)
        for encoder in (LOGITS, str(pair_bundle("bert").path)):  # there, and here
            asked = ("--rerank", encoder, "--rerank-window", "10", "--size", "10", "--json")
            said = json.loads(succeeded(run("search", "fused", QUERY, *asked)))
            assert [hit["id"] for hit in said["hits"]] == expected, encoder
        write_judged(tmp_path / "judged", {"q": QUERY}, {"q": expected[:1]})
        reranked = ("--systems", "rrf,rrf+rerank", "--rerank", pair_bundle("bert").path)
        succeeded(run("evaluate", "judged", "--index", "fused", *reranked, "--output", "report"))
        found = read_run(tmp_path / "report" / "runs" / "rrf+rerank.trec")["q"]
        by_id = dict(zip(texts, encoders[LOGITS].score(QUERY, list(texts.values())), strict=True))
        head = [by_id[hit.id] for hit in found]
        assert len(head) > 10 and head == sorted(head, reverse=True)
    finally:
        index.drop()


def test_a_pair_that_is_cut_is_counted(es: Elasticsearch, long_text: str) -> None:
    def counted() -> dict[str, Any]:
        nodes = es.perform_request("GET", "/_densehook", headers={"accept": "application/json"})
        (node,) = nodes.body["nodes"].values()
        return dict(node["encoders"][LOGITS]["rerank"])

    before = counted()
    es.index(index="cut", id="a", document={"body": long_text, "n": 1}, refresh=True)
    es.search(index="cut", retriever=_rerank())
    after = counted()
    assert after["texts"] == before["texts"] + 1
    assert after["truncated_texts"] == before["truncated_texts"] + 1
    assert after["lost_tokens"] > before["lost_tokens"]
    es.indices.delete(index="cut")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"rank_window_size": 10_000}, r"\[densehook.rerank.max_window\] lets 1000 be"),
        (
            {"encoder": "tiny-bert"},
            r"\[tiny-bert\] is of kind \[dense\], retriever \[rerank\] need",
        ),
        ({"encoder": "nobody"}, r"encoder \[nobody\] is not on node"),
        ({"encoder": None}, r"\[rerank\] \[encoder\] is \[null\]; it must be the name"),
        ({"text": " "}, r"\[rerank\] \[text\] is \[ \]; it must be a text to rank documents for"),
        ({"field": "bdy"}, r"\[field\] names \[bdy\], which the mapping of \[one\] has not"),
        ({"field": []}, r"\[rerank\] \[field\] is \[\[\]\]; it must be a field's name or a list"),
        ({"chunks": 0}, r"\[rerank\] \[chunks\] is \[0\]; it must be a whole number of at least 1"),
        ({"on_failure": "shrug"}, r"\[on_failure\] is \[shrug\]; it must be one of \[error, child"),
        (
            {"template": "{title}"},
            r"template names \[title\], which is no input; inputs are \[body",
        ),
        ({"top": 3}, r"\[rerank\] unknown field \[top\]"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(
    es: Elasticsearch, asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(ApiError) as refused:
        es.search(index="one", retriever=_rerank(**asked))
    assert re.search(said, str(refused.value.body)), refused.value.body
    assert 400 <= refused.value.meta.status < 500


def test_what_holds_no_text_is_not_scored_as_if_it_did(es: Elasticsearch) -> None:
    properties = {
        "photo": {"type": "binary"},
        "vector": {"type": "dense_vector", "dims": 2},
        "body": {"type": "text"},
        "n": {"type": "integer"},
    }
    es.indices.create(index="textless", mappings={"properties": properties})
    try:
        document = {"photo": "aGVsbG8=", "vector": [1, 0], "body": "hello", "n": 1}
        es.index(index="textless", id="1", document=document, refresh=True)
        for field, mapped in ("photo", "binary"), ("vector", "dense_vector"):
            said = rf"names \[{field}\], which index \[textless\] maps as \[{mapped}\]: it holds no"
            for on_failure in ("error", "child"):  # a request that cannot be is no failure
                body = _rerank(field=["body", field], on_failure=on_failure)
                with pytest.raises(BadRequestError, match=said):
                    es.search(index="textless", retriever=body)
    finally:
        es.indices.delete(index="textless")


@pytest.mark.parametrize("source", [{"enabled": False}, {"excludes": ["body"]}], ids=str)
def test_a_text_that_documents_do_not_keep_is_refused_or_borne(
    es: Elasticsearch, source: dict[str, Any]
) -> None:
    properties = {"body": {"type": "text"}, "n": {"type": "integer"}}
    mappings = {"_source": source, "properties": properties}
    es.indices.create(index="unkept", mappings=mappings)
    try:
        for n, passage in enumerate(PASSAGES[:5]):
            es.index(index="unkept", id=str(n), document={"body": passage, "n": n})
        es.indices.refresh(index="unkept")
        said = r"reads texts from _source, and index \[unkept\] does not keep \[body\] there"
        with pytest.raises(BadRequestError, match=said):
            es.search(index="unkept", retriever=_rerank())
        with pytest.warns(ElasticsearchWarning, match=f"no document was scored, .*{said}"):
            found = es.search(index="unkept", retriever=_rerank(on_failure="child"))
        child = es.search(index="unkept", retriever=_by_n())
        shown = [
            [(hit["_id"], hit["_score"]) for hit in each["hits"]["hits"]] for each in (found, child)
        ]
        assert len(shown[0]) == 5 and shown[0] == shown[1]
    finally:
        es.indices.delete(index="unkept")


def test_without_its_parts_it_is_refused(es: Elasticsearch) -> None:
    for missing in ("retriever", "text", "field"):
        body = {name: value for name, value in _rerank()["rerank"].items() if name != missing}
        with pytest.raises(BadRequestError, match=rf"\[rerank\] needs \[{missing}\]"):
            es.search(index="one", retriever={"rerank": body})


def test_a_cross_encoder_makes_no_vectors(es: Elasticsearch, encoders: dict[str, Encoder]) -> None:
    vector = {"type": "dense_vector", "dims": 32}
    stated = {"input": "body", "encoder": LOGITS, "fingerprint": encoders[LOGITS].fingerprint}
    mappings = {
        "_meta": {"densehook": {"fields": {"embedding": stated}}},
        "properties": {"body": {"type": "text"}, "embedding": vector},
    }
    with pytest.raises(
        BadRequestError, match=r"of kind \[cross\], whose outputs are written into no"
    ):
        es.indices.create(index="of-pairs", mappings=mappings)
    request = {"encoder": LOGITS, "texts": ["a"]}
    headers = {"accept": "application/json", "content-type": "application/json"}
    with pytest.raises(ApiError, match="it scores pairs of a query and a text"):
        es.perform_request("POST", "/_densehook/_encode", headers=headers, body=request)
    es.indices.create(index="of-pairs", mappings={"properties": {"embedding": vector}})
    builder = {"densehook": {"text": "a", "encoder": LOGITS}}
    knn = {"field": "embedding", "k": 1, "query_vector_builder": builder}
    with pytest.raises(
        BadRequestError, match=r"is of kind \[cross\], .* needs one of kind \[dense"
    ):
        es.search(index="of-pairs", knn=knn)
    es.indices.delete(index="of-pairs")
    for make in (Index.create, Index.add_field):
        index = "of-pairs" if make is Index.create else "one"
        with pytest.raises(RequestError, match="are written into no field"):
            make(es, index, encoders[LOGITS], inputs=["body"])


def test_where_it_may_fail_the_childs_order_stays_with_a_warning(es: Elasticsearch) -> None:
    child = es.search(index="one", retriever=_by_n(), size=10)["hits"]["hits"]
    body = _rerank(encoder="nobody", on_failure="child")
    said = "no document was scored, the others keep the order they were found in: encoder"
    with pytest.warns(ElasticsearchWarning, match=said):
        found = es.search(index="one", retriever=body, size=10)
    assert [hit["_id"] for hit in found["hits"]["hits"]] == [hit["_id"] for hit in child]
    assert [hit["_score"] for hit in found["hits"]["hits"]] == [hit["_score"] for hit in child]


def test_what_is_not_scored_in_time_falls_back_as_asked(es: Elasticsearch, long_text: str) -> None:
    lines = [line for n in range(400) for line in ({"index": {}}, {"body": long_text, "n": n % 90})]
    es.bulk(index="many", operations=lines, refresh=True)
    wait = {"densehook.rerank.max_wait": "1ms"}
    es.cluster.put_settings(persistent=wait)
    try:
        asked: dict[str, Any] = {"rank_window_size": 400}
        once = es.options(max_retries=0)
        with pytest.raises(ApiError, match="a rerank waited 1ms for its scores") as late:
            once.search(index="many", retriever=_rerank(**asked), size=20)
        assert late.value.meta.status == 429
        bearing = _rerank(on_failure="child", **asked)
        with pytest.warns(
            ElasticsearchWarning, match="scored, the others keep the order they were"
        ):
            found = once.search(index="many", retriever=bearing, size=400)
        assert len(found["hits"]["hits"]) == 400
    finally:
        es.cluster.put_settings(persistent=dict.fromkeys(wait))
        es.indices.delete(index="many")


def test_the_limit_of_the_window_is_a_setting(es: Elasticsearch) -> None:
    limit = {"densehook.rerank.max_window": 4}
    es.cluster.put_settings(persistent=limit)
    try:
        assert len(es.search(index="one", retriever=_rerank(), size=4)["hits"]["hits"]) == 4
        with pytest.raises(BadRequestError, match="lets 4 be"):
            es.search(index="one", retriever=_rerank(rank_window_size=5), size=4)
        with pytest.raises(BadRequestError, match="must be <= 10000"):  # as of any search's window
            es.cluster.put_settings(persistent={"densehook.rerank.max_window": 10_001})
    finally:
        es.cluster.put_settings(persistent=dict.fromkeys(limit))


@pytest.fixture(scope="module")
def searched(es: Elasticsearch, tiny: Encoder) -> Iterator[Any]:
    """An index with vectors, made and searched by this process's encoder."""
    from densehook import Index

    index = Index.create(es, "searched", tiny, inputs=["title", "body"], in_cluster=False)
    rows = [{"id": str(n), "title": f"T{n}", "body": each} for n, each in enumerate(PASSAGES)]
    index.ingest(rows)
    es.indices.refresh(index="searched")
    yield index
    index.drop()


@pytest.mark.parametrize("mode", ["bm25", "dense", "hybrid"])
@pytest.mark.parametrize("name", [LOGITS, LIKELY])
def test_an_index_is_reranked_alike_here_and_in_the_cluster(
    searched: Any, encoders: dict[str, Encoder], mode: str, name: str
) -> None:
    query = "water bones blood heart pressure"
    asked: dict[str, Any] = {"mode": mode, "size": 8, "from_": 2, "rerank_window": 20}
    there = searched.search(query, rerank=name, explain=True, **asked)
    here = searched.search(query, rerank=encoders[name], **asked)
    assert [hit.id for hit in there] == [hit.id for hit in here]
    assert [hit.score for hit in there] == pytest.approx([hit.score for hit in here], abs=1e-4)
    plain = searched.search(query, mode=mode, size=8)
    assert [hit.id for hit in plain] != [hit.id for hit in there]
    for one, other in zip(there, here, strict=True):
        assert one.parts["rerank"].score == pytest.approx(other.parts["rerank"].score, abs=1e-4)
        assert one.parts["rerank"].rank == other.parts["rerank"].rank
    texts = [" ".join((hit.source["title"], hit.source["body"])) for hit in here]
    raw = [hit.parts["rerank"].score for hit in here]
    assert raw == pytest.approx(encoders[name].score(query, texts).tolist(), abs=1e-4)


def test_an_index_opened_without_an_encoder_has_the_cluster_do_it_all(
    es: Elasticsearch, searched: Any, encoders: dict[str, Encoder]
) -> None:
    from densehook import Index

    opened = Index.open(es, "searched")
    there = opened.search("water blood", rerank=LOGITS, rerank_chunks=2, explain=True)
    here = searched.search("water blood", rerank=encoders[LOGITS], rerank_chunks=2)
    assert [hit.id for hit in there] == [hit.id for hit in here]
    assert set(there[0].parts) == {"bm25", "dense", "rerank"}


def test_what_cannot_rerank_an_index_is_said(searched: Any, tiny: Encoder) -> None:
    from densehook.errors import BundleError

    with pytest.raises(BundleError, match="is of kind 'dense'; this can be done with one of kind"):
        searched.search("water", rerank=tiny)
    with pytest.raises(BundleError, match="the cluster has it not in service, and no bundle"):
        searched.search("water", rerank="nobody")
    with pytest.raises(RequestError, match="give a cross-encoder that"):
        searched.search("water", rerank=3)
    with pytest.raises(RequestError, match="rerank_window is 5, hits up to 10 are wanted"):
        searched.search("water", rerank=LOGITS, rerank_window=5)
    with pytest.raises(RequestError, match="rerank_chunks is of rerank; name the cross-encoder"):
        searched.search("water", rerank_chunks=5)


async def _searched_async(url: str, encoder: Encoder, rerank: Any) -> Sequence[str]:
    from elasticsearch import AsyncElasticsearch

    from densehook import AsyncIndex

    async with AsyncElasticsearch(url) as client:
        index = await AsyncIndex.open(client, "searched", encoder)
        return [hit.id for hit in await index.search("water blood", rerank=rerank)]


def test_an_awaited_index_reranks_too(
    es: Elasticsearch, searched: Any, tiny: Encoder, encoders: dict[str, Encoder]
) -> None:
    (node,) = es.transport.node_pool.all()
    expected = [hit.id for hit in searched.search("water blood", rerank=encoders[LOGITS])]
    for rerank in (LOGITS, encoders[LOGITS]):
        assert asyncio.run(_searched_async(node.base_url, tiny, rerank)) == expected


def test_the_page_shows_what_the_node_answers(es: Elasticsearch) -> None:
    shown = importlib.util.spec_from_file_location(
        "page", ROOT / "tests/e2e/test_elasticsearch_docs.py"
    )
    assert shown is not None and shown.loader is not None
    page = importlib.util.module_from_spec(shown)
    shown.loader.exec_module(page)
    text = (ROOT / "docs" / "encoders.md").read_text()
    section = text.partition("\n## cross\n")[2].partition("\n## ")[0]
    section = section.replace("ms-marco-minilm-l12", LOGITS)
    (node,) = es.transport.node_pool.all()
    address = node.base_url.removeprefix("http://")
    examples = page.EXAMPLE.findall(section)
    assert len(examples) == 4
    for command, answer in examples:
        status, real = page.run(command, address)
        assert status in (200, 201), real
        assert not list(page.differences(page.parse(answer) if answer else {}, real)), command
    es.indices.delete(index="reranked")


def test_every_recipe_of_pairs_can_be_read() -> None:
    for name in (
        "ms-marco-minilm-l12",
        "bge-reranker-v2-m3",
        "qwen3-reranker-0.6b",
        "mxbai-rerank-base-v2",
    ):
        assert read_recipe(ROOT / "onnx_models" / f"{name}.toml").kind == "cross"
