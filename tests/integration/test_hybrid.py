"""The hybrid retriever of a node with the plugin: its scores, its order, its place in a search.

Vectors and texts are random from a fixed seed, the lists to compare with are real searches of the
same node, and the fusion to compare with is Pyserini's, or ours where Pyserini has none.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from elasticsearch import BadRequestError, Elasticsearch, NotFoundError
from elasticsearch.helpers import bulk

from densehook.evaluation import pyserini_fusion
from densehook.fusion import (
    FUSIONS,
    FusedHit,
    linear_combination,
    reciprocal_rank_fusion,
    within,
)
from densehook.node import NodeState
from densehook.types import ScoredDoc

DIMS = 16
DOCUMENTS = 300
SHARDS = 3
WINDOW = 50
WORDS = ["heart", "blood", "cell", "gene", "mouse", "trial", "dose", "risk", "brain", "virus"]
COLOURS = ["red", "green", "blue"]
INDEX = "hybrid-synthetic"

Body = Mapping[str, Any]


def vectors(seed: int, count: int, dims: int = DIMS) -> list[list[float]]:
    return np.random.default_rng(seed).standard_normal((count, dims)).astype(np.float32).tolist()


QUERY = vectors(7, 1)[0]
TEXT = "heart gene virus"
BM25: Body = {"standard": {"query": {"match": {"body": TEXT}}}}
KNN: Body = {
    "knn": {"field": "embedding", "query_vector": QUERY, "k": WINDOW, "num_candidates": 200}
}
TITLES = {"standard": {"query": {"match": {"title": TEXT}}}}
THREE = [BM25, KNN, TITLES]


OLDER = ("8.18.", "9.0.")
"""Versions in which no retriever becomes another, so that a text alone cannot be resolved."""
REFUSED = r"\[query\] of \[hybrid\] needs Elasticsearch 8\.19 or 9\.1"


@pytest.fixture
def shorthand(plugin_node: NodeState, plugin_client: Elasticsearch) -> None:
    """Skips the test where ``query`` in the place of ``retrievers`` is refused, as it must be."""
    if plugin_node.version.startswith(OLDER):
        with pytest.raises(BadRequestError, match=REFUSED):
            plugin_client.search(retriever={"hybrid": {"query": TEXT}})
        pytest.skip(f"{plugin_node.version} refuses [query] of [hybrid] by name")


@pytest.fixture(scope="module")
def synthetic(plugin_client: Elasticsearch) -> Iterator[Elasticsearch]:
    """A client of a node that holds 300 documents in three shards."""
    random = np.random.default_rng(3)
    keyword = {"type": "keyword"}
    plugin_client.indices.create(
        index=INDEX,
        settings={"number_of_shards": SHARDS, "number_of_replicas": 0},
        mappings={
            "properties": {
                "title": {"type": "text"},
                "body": {"type": "text"},
                "year": {"type": "integer"},
                "colour": keyword,
                "comments": {"type": "nested", "properties": {"text": {"type": "text"}}},
                "embedding": {"type": "dense_vector", "dims": DIMS, "similarity": "cosine"},
            }
        },
    )
    documents = (
        {
            "_index": INDEX,
            "_id": str(number),
            "title": " ".join(random.choice(WORDS, 2)),
            "body": " ".join(random.choice(WORDS, random.integers(4, 12))),
            "year": 1990 + number % 30,
            "colour": COLOURS[number % 3],
            "embedding": vector,
        }
        for number, vector in enumerate(vectors(5, DOCUMENTS))
    )
    bulk(plugin_client, documents, refresh=True)
    try:
        yield plugin_client
    finally:
        plugin_client.indices.delete(index=INDEX)


def hybrid(retrievers: Sequence[Body] = (BM25, KNN), **stated: Any) -> dict[str, Any]:
    return {"hybrid": {"retrievers": [*retrievers], "rank_window_size": WINDOW, **stated}}


def found(
    client: Elasticsearch, retriever: Body, size: int = WINDOW, **stated: Any
) -> list[ScoredDoc]:
    """The hits of a search, their scores as the float32 that the node holds."""
    response = client.search(index=INDEX, retriever=retriever, size=size, **stated)
    return [
        ScoredDoc(hit["_id"], float(np.float32(hit["_score"]))) for hit in response["hits"]["hits"]
    ]


def ids(hits: Sequence[ScoredDoc]) -> list[str]:
    return [hit.id for hit in hits]


def lists(client: Elasticsearch, retrievers: Sequence[Body]) -> list[list[ScoredDoc]]:
    return [found(client, retriever) for retriever in retrievers]


def of_fused(fused: Sequence[FusedHit]) -> list[ScoredDoc]:
    return [ScoredDoc(hit.id, hit.score) for hit in fused]


def explained(hit: Mapping[str, Any]) -> Mapping[str, Any]:
    """The retriever's own explanation, below the sum that a mapping with nested objects adds."""
    tree = hit["_explanation"]
    return tree["details"][0] if tree["description"] == "sum of:" else tree


def require_same(
    ours: Sequence[ScoredDoc], reference: Sequence[ScoredDoc], raised: float = 0.0
) -> None:
    """The same scores to the last bit of a float32, and so the same order but for exact ties."""
    expected = {hit.id: np.float32(hit.score + raised) for hit in reference}
    best = sorted(expected.values(), reverse=True)[:WINDOW]
    assert [np.float32(hit.score) for hit in ours] == best
    assert len(set(ids(ours))) == len(ours)
    for hit in ours:
        assert np.float32(hit.score) == expected[hit.id]


@pytest.mark.parametrize("method", ["rrf", "linear"])
@pytest.mark.parametrize("retrievers", [[BM25, KNN], THREE], ids=["two", "three"])
def test_scores_are_pyserinis(synthetic: Elasticsearch, method: str, retrievers: list) -> None:
    pytest.importorskip("pyserini.fusion", reason="Pyserini is not installed")
    inputs = [{"q": hits} for hits in lists(synthetic, retrievers)]
    fused = found(synthetic, hybrid(retrievers, fusion=method))
    require_same(fused, pyserini_fusion(method, inputs)["q"])


@pytest.mark.parametrize("rank_constant", [1, 60, 1000])
def test_rank_constant_and_weights_are_used(synthetic: Elasticsearch, rank_constant: int) -> None:
    weights = [0.3, 2.5, 0.0]
    entries = [
        {"retriever": retriever, "weight": weight}
        for retriever, weight in zip(THREE, weights, strict=True)
    ]
    expected = reciprocal_rank_fusion(
        lists(synthetic, THREE), rank_constant=rank_constant, weights=weights
    )
    fused = found(synthetic, hybrid(entries, rank_constant=rank_constant))
    require_same(fused, [ScoredDoc(id_, max(score, 1e-45)) for id_, score in of_fused(expected)])


@pytest.mark.parametrize("normalizer", ["minmax", "l2_norm", "dbsf", "tmm", "none"])
def test_each_normalizer_scores_as_in_python(synthetic: Elasticsearch, normalizer: str) -> None:
    weights = [1.5, 0.5]
    entries = [
        {"retriever": retriever, "weight": weight, "normalizer": normalizer}
        for retriever, weight in zip([BM25, KNN], weights, strict=True)
    ]
    expected = linear_combination(
        lists(synthetic, [BM25, KNN]), weights=weights, normalizer=normalizer
    )
    fused = found(synthetic, hybrid(entries, fusion="linear"))
    require_same(fused, [ScoredDoc(id_, max(score, 1e-45)) for id_, score in of_fused(expected)])


def test_zscores_are_raised_by_the_lowest_since_no_score_may_be_negative(
    synthetic: Elasticsearch,
) -> None:
    expected = linear_combination(lists(synthetic, THREE), normalizer="zscore")
    lowest = min(hit.score for hit in expected)
    assert lowest < 0
    fused = found(synthetic, hybrid(THREE, fusion="linear", normalizer="zscore"))
    require_same(fused, of_fused(expected), raised=-lowest)


def test_repeated_calls_give_the_same_order(synthetic: Elasticsearch) -> None:
    constant = {"standard": {"query": {"constant_score": {"filter": {"match": {"body": TEXT}}}}}}
    body = hybrid([constant, KNN], fusion="linear")
    orders = {tuple(ids(found(synthetic, body))) for _ in range(20)}
    assert len(orders) == 1


@pytest.mark.parametrize("retriever", [{"query": TEXT}, {"retrievers": [BM25, KNN]}])
def test_without_a_size_there_are_ten_hits(
    request: pytest.FixtureRequest, synthetic: Elasticsearch, retriever: Body
) -> None:
    if "query" in retriever:
        request.getfixturevalue("shorthand")
    for name in ("hybrid", "densehook_hybrid"):
        response = synthetic.search(index=INDEX, retriever={name: dict(retriever)})
        assert len(response["hits"]["hits"]) == 10
    small = {"hybrid": {**retriever, "rank_window_size": 3}}
    assert len(synthetic.search(index=INDEX, retriever=small)["hits"]["hits"]) == 3


def test_a_child_without_a_window_takes_its_parents(synthetic: Elasticsearch) -> None:
    everything = {"standard": {"query": {"match_all": {}}}}
    body = hybrid([{"hybrid": {"retrievers": [everything]}}], rank_window_size=150)
    assert len(found(synthetic, body, size=150)) == 150


@pytest.mark.parametrize("method", ["rrf", "linear"])
def test_a_rescorer_rescores_the_fused(synthetic: Elasticsearch, method: str) -> None:
    inner = hybrid([BM25, KNN], fusion=method)
    red = {"constant_score": {"filter": {"term": {"colour": "red"}}}}  # one score on every shard
    query = {"rescore_query": red, "rescore_query_weight": 9.0}
    body = {"rescorer": {"rescore": {"window_size": WINDOW, "query": query}, "retriever": inner}}
    fused = {hit.id: hit.score for hit in found(synthetic, inner)}
    rescored = found(synthetic, body, size=10)
    assert {hit.id for hit in rescored} <= {*fused}
    assert all(int(hit.id) % 3 == 0 for hit in rescored), "red ones first"
    order = [fused[hit.id] for hit in rescored]
    assert order == sorted(order, reverse=True), "and among them by their fused scores"


@pytest.mark.usefixtures("shorthand")
def test_text_is_searched_leniently_where_dates_and_numbers_are_among_the_fields(
    synthetic: Elasticsearch,
) -> None:
    wide = {"hybrid": {"query": TEXT, "fields": ["body", "year", "colour"]}}
    narrow = {"hybrid": {"query": TEXT, "fields": ["body"]}}
    assert found(synthetic, wide) == found(synthetic, narrow)
    years = found(synthetic, {"hybrid": {"query": "1999", "fields": ["body", "year"]}})
    assert years
    assert all(int(hit.id) % 30 == 9 for hit in years)


@pytest.mark.usefixtures("shorthand")
@pytest.mark.parametrize("fields", [["*"], ["bo*", "tit*"], None])
def test_patterns_and_default_fields(synthetic: Elasticsearch, fields: list[str] | None) -> None:
    stated = {} if fields is None else {"fields": fields}
    text = {"multi_match": {"query": TEXT, "fields": fields or ["*"], "type": "most_fields"}}
    text["multi_match"]["lenient"] = True
    expected = ids(found(synthetic, {"standard": {"query": text}}))
    assert ids(found(synthetic, {"hybrid": {"query": TEXT, **stated}})) == expected
    if fields is None:
        setting = {"index.query.default_field": ["title"]}
        synthetic.indices.put_settings(index=INDEX, settings=setting)
        try:
            assert ids(found(synthetic, {"hybrid": {"query": TEXT}})) == ids(
                found(synthetic, TITLES)
            )
        finally:
            synthetic.indices.put_settings(
                index=INDEX, settings={"index.query.default_field": None}
            )


@pytest.mark.usefixtures("shorthand")
def test_a_given_vector_needs_no_encoder(synthetic: Elasticsearch) -> None:
    given = {"field": "embedding", "query_vector": QUERY}
    short = {"hybrid": {"query": TEXT, "fields": ["body", given], "rank_window_size": WINDOW}}
    knn = {"knn": {**KNN["knn"], "num_candidates": 100}}
    assert found(synthetic, short) == found(synthetic, hybrid([BM25, knn]))


def test_one_retriever_keeps_its_order(synthetic: Elasticsearch) -> None:
    assert ids(found(synthetic, hybrid([KNN]))) == ids(found(synthetic, KNN))


def test_pages_join_to_the_whole(synthetic: Elasticsearch) -> None:
    body = hybrid(THREE)
    pages = [found(synthetic, body, size=7, from_=start) for start in range(0, WINDOW + 7, 7)]
    assert [*itertools.chain(*pages)] == found(synthetic, body)


def test_the_window_is_100_and_a_larger_size_is_refused(synthetic: Elasticsearch) -> None:
    everything = {"standard": {"query": {"match_all": {}}}}
    assert len(found(synthetic, {"hybrid": {"retrievers": [everything]}}, size=100)) == 100
    with pytest.raises(BadRequestError, match=r"rank_window_size: 100\].*size: 101"):
        found(synthetic, {"hybrid": {"retrievers": [everything]}}, size=101)


@pytest.mark.parametrize("method", ["rrf", "linear"])
def test_nesting_fuses_the_fused(synthetic: Elasticsearch, method: str) -> None:
    inner = hybrid([BM25, TITLES], fusion=method)
    inputs = [{"q": found(synthetic, inner)}, {"q": found(synthetic, KNN)}]
    fused = found(synthetic, hybrid([inner, KNN], fusion=method))
    require_same(fused, pyserini_fusion(method, inputs)["q"])


def test_a_filter_holds_for_every_child_before_its_list_is_cut(synthetic: Elasticsearch) -> None:
    red = {"term": {"colour": "red"}}
    recent = {"range": {"year": {"gte": 2000}}}
    filtered = [
        {"standard": {**BM25["standard"], "filter": [red, recent]}},
        {"knn": {**KNN["knn"], "filter": [red, recent]}},
    ]
    expected = reciprocal_rank_fusion(lists(synthetic, filtered))
    fused = found(synthetic, hybrid(filter=[red, recent]))
    require_same(fused, of_fused(expected))
    assert found(synthetic, hybrid([hybrid()], filter=[red, recent])) != []
    assert set(ids(found(synthetic, hybrid([hybrid()], filter=[red, recent])))) == set(ids(fused))


def test_min_score_drops_what_is_below(synthetic: Elasticsearch) -> None:
    whole = found(synthetic, hybrid())
    least = whole[9].score
    assert found(synthetic, hybrid(min_score=least)) == [hit for hit in whole if hit.score >= least]
    inner = hybrid(min_score=least)
    assert set(ids(found(synthetic, hybrid([inner])))) == {
        hit.id for hit in whole if hit.score >= least
    }


@pytest.mark.parametrize("method", ["rrf", "linear"])
def test_hits_of_a_list_below_its_own_min_score_are_not_fused(
    synthetic: Elasticsearch, method: str
) -> None:
    words, near = lists(synthetic, [BM25, KNN])
    least = [words[20].score, near[10].score]
    bounded = [
        {kind: {**body, "min_score": score}}
        for retriever, score in zip([BM25, KNN], least, strict=True)
        for kind, body in retriever.items()
    ]
    cut = [within(words, WINDOW, least[0]), within(near, WINDOW, least[1])]
    assert [len(each) < WINDOW for each in cut] == [True, True]
    fused = found(synthetic, hybrid(bounded, fusion=method))
    # the last of a list has 0 by min-max, and Lucene makes the least there is of that
    expected = [ScoredDoc(id_, max(score, 1e-45)) for id_, score in of_fused(FUSIONS[method](cut))]
    require_same(fused, expected)


def test_a_child_that_sorts_by_a_field_is_fused_by_its_rank(synthetic: Elasticsearch) -> None:
    by_year = {"standard": {"query": BM25["standard"]["query"], "sort": [{"year": "desc"}]}}
    response = synthetic.search(
        index=INDEX,
        query=BM25["standard"]["query"],
        sort=[{"year": "desc"}, "_score"],
        size=WINDOW,
    )
    years = {hit["_id"]: hit["sort"][0] for hit in response["hits"]["hits"]}
    fused = synthetic.search(index=INDEX, retriever=hybrid([by_year]), size=WINDOW, explain=True)[
        "hits"
    ]["hits"]
    order = [hit["_source"]["year"] for hit in fused]
    assert order == sorted(years.values(), reverse=True)
    assert all(hit["_score"] > 0 for hit in fused)
    part = explained(fused[0])["details"][0]["description"]
    assert "rank [1], weight [" in part, "ranks need no scores, and Elasticsearch makes none"
    assert len(found(synthetic, hybrid([by_year, KNN], fusion="linear"))) == WINDOW


def test_aggregations_count_all_matches_and_hits_are_highlighted(synthetic: Elasticsearch) -> None:
    response = synthetic.search(
        index=INDEX,
        retriever=hybrid([BM25]),
        aggs={"colours": {"terms": {"field": "colour"}}},
        highlight={"fields": {"body": {}}},
        size=5,
    )
    matches = synthetic.count(index=INDEX, query=BM25["standard"]["query"])["count"]
    assert matches > WINDOW
    assert response["hits"]["total"]["value"] == matches
    buckets = response["aggregations"]["colours"]["buckets"]
    assert sum(bucket["doc_count"] for bucket in buckets) == matches
    assert all("<em>" in hit["highlight"]["body"][0] for hit in response["hits"]["hits"])


def test_collapse_keeps_the_best_of_each(synthetic: Elasticsearch) -> None:
    response = synthetic.search(
        index=INDEX, retriever=hybrid(), collapse={"field": "colour"}, size=10
    )
    colour = {str(number): COLOURS[number % 3] for number in range(DOCUMENTS)}
    best: dict[str, str] = {}
    for hit in found(synthetic, hybrid()):
        best.setdefault(colour[hit.id], hit.id)
    assert [hit["_id"] for hit in response["hits"]["hits"]] == [*best.values()]


def test_a_point_in_time_and_a_multi_search_give_the_same(synthetic: Elasticsearch) -> None:
    expected = found(synthetic, hybrid(), size=20)
    pit = synthetic.open_point_in_time(index=INDEX, keep_alive="1m")["id"]
    try:
        response = synthetic.search(
            pit={"id": pit, "keep_alive": "1m"}, retriever=hybrid(), size=20
        )
    finally:
        synthetic.close_point_in_time(id=pit)
    assert [hit["_id"] for hit in response["hits"]["hits"]] == ids(expected)
    searches = [{"index": INDEX}, {"retriever": hybrid(), "size": 20}] * 2
    for item in synthetic.msearch(searches=searches)["responses"]:
        assert [hit["_id"] for hit in item["hits"]["hits"]] == ids(expected)


@pytest.mark.parametrize("method", ["rrf", "linear"])
def test_explain_adds_up_and_says_who_gave_what(synthetic: Elasticsearch, method: str) -> None:
    inputs = lists(synthetic, [BM25, KNN])
    fuse = {"rrf": reciprocal_rank_fusion, "linear": linear_combination}[method]
    parts = {hit.id: hit.parts for hit in fuse(inputs, weights=[1.0, 2.0])}
    named = {"standard": {**BM25["standard"], "_name": "words"}}
    body = hybrid([named, {"retriever": KNN, "weight": 2}], fusion=method)
    response = synthetic.search(index=INDEX, retriever=body, size=WINDOW, explain=True)
    absent = 0
    for place, hit in enumerate(response["hits"]["hits"], start=1):
        tree = explained(hit)
        assert tree["value"] == pytest.approx(hit["_score"])
        assert tree["description"].startswith(f"fused rank [{place}], sum [")
        assert len(tree["details"]) == 2
        total = 0.0
        pairs = zip(parts[hit["_id"]], tree["details"], ["standard words", "knn"], strict=True)
        for number, (part, detail, label) in enumerate(pairs):
            text = detail["description"]
            assert text.startswith(f"list [{number}] [{label}]: ")
            assert detail["details"], "the inner retriever's own explanation"
            assert f"weight [{part.weight}]" in text
            if part.rank is None:
                absent += 1
                assert "did not return this document" in text
                continue
            assert f"rank [{part.rank}]" in text
            score = re.search(r"score \[([^]]+)\]", text)
            assert score and float(score[1]) == pytest.approx(part.score, rel=1e-6)
            assert f"contribution [{part.contribution!r}]".lower() in text.lower()
            if method == "linear":
                assert "normalised by minmax to [" in text
            total += part.contribution
        assert tree["value"] == pytest.approx(total)
    assert absent


def test_explain_of_nested_hybrids_goes_down_to_the_terms(synthetic: Elasticsearch) -> None:
    body = hybrid([hybrid([BM25, TITLES], fusion="linear"), KNN])
    response = synthetic.search(index=INDEX, retriever=body, size=1, explain=True)
    text = str(response["hits"]["hits"][0]["_explanation"])
    assert "list [0] [hybrid]: rank [" in text
    assert "list [1] [standard]: " in text
    assert "normalised by minmax" in text


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, r"needs \[retrievers\].*or \[query\]"),
        ({"retrievers": []}, r"\[retrievers\] is \[\[\]\]; it must be a list of at least one"),
        ({"retrievers": BM25}, r"\[retrievers\] is \[an object\]"),
        ({"retrievers": ["bm25"]}, r"\[retrievers\]\[0\] is \[bm25\]; it must be a retriever"),
        ({"retrievers": [{}]}, r"\[retrievers\]\[0\] is \[\{\}\]"),
        ({"retrievers": [{"knm": {}}]}, r"unknown retriever \[knm\] did you mean \[knn\]"),
        ({"retrievers": [{"weight": 2}]}, r"\[retrievers\]\[0\] has no \[retriever\]"),
        (
            {"retrievers": [{"retriever": BM25, "wieght": 2}]},
            r"\[hybrid\] unknown field \[wieght\] did you mean \[weight\]",
        ),
        (
            {"retrievers": [{"retriever": BM25, "weight": -1}]},
            r"\[weight\] is \[-1\]; it must be a number of at least 0",
        ),
        (
            {"retrievers": [{"retriever": BM25, "weight": "much"}]},
            r"\[weight\] is \[much\]; it must be a number",
        ),
        (
            {"retrievers": [{"retriever": BM25, "normalizer": "minmax"}]},
            r"\[normalizer\] of \[retrievers\]\[0\] is for \[fusion\] \[linear\]",
        ),
        (
            {"fusion": "linear", "retrievers": [{"retriever": BM25, "normalizer": "l2"}]},
            r"\[normalizer\] is \[l2\]; it must be one of"
            r" \[minmax, l2_norm, zscore, dbsf, tmm, none\]",
        ),
        ({"retrievers": [BM25], "fusion": "rff"}, r"\[fusion\] is \[rff\].*\[rrf, linear\]"),
        ({"retrievers": [BM25], "rank_constant": 0}, r"\[rank_constant\] is \[0\].*at least 1"),
        ({"retrievers": [BM25], "rank_constant": 1.5}, r"\[rank_constant\] is \[1.5\].*whole"),
        (
            {"retrievers": [BM25], "fusion": "linear", "rank_constant": 60},
            r"\[rank_constant\] is for \[fusion\] \[rrf\]",
        ),
        ({"retrievers": [BM25], "rank_window_size": 0}, r"\[rank_window_size\] is \[0\]"),
        ({"retrievers": [BM25], "min_score": "x"}, r"\[min_score\] is \[x\]"),
        ({"retrievers": [BM25], "filter": "red"}, r"\[filter\] is \[red\]; it must be a query"),
        ({"retrievers": [BM25], "weights": [1]}, r"\[weights\] is \[a list\].*\[learned\]; the"),
        (
            {"retrievers": [BM25], "weights": "learned"},
            r"\[weights\] \[learned\] are for \[query\]",
        ),
        (
            {"query": TEXT, "fusion": "rrf", "weights": "learned"},
            r"\[fusion\] is kept with the \[learned\] \[weights\]",
        ),
        ({"retrievers": [BM25], "query": TEXT}, r"takes \[retrievers\], or \[query\].*not both"),
        ({"fields": ["body"]}, r"has \[fields\] without \[query\]"),
        ({"query": " "}, r"\[query\] is \[ \]; it must be a text to search for"),
        ({"query": "\u00a0\t\u200b"}, r"\[query\] is .*; it must be a text to search for"),
        ({"query": TEXT, "fields": []}, r"\[fields\] is \[\[\]\]"),
        ({"query": TEXT, "fields": ["body^x"]}, r"\[fields\] holds \[body\^x\].*name\^boost"),
        ({"query": TEXT, "fields": ["body", "body^2"]}, r"names \[body\] twice"),
        ({"query": TEXT, "normalizer": "minmax"}, r"\[normalizer\] is for \[fusion\] \[linear\]"),
        ({"query": TEXT, "rank_window_size": 10_001}, r"\[rank_window_size\].*at most 10000"),
        # what only the mapping can tell
        ({"query": TEXT, "fields": ["nowhere"]}, rf"\[nowhere\] is not mapped in index \[{INDEX}"),
        ({"query": TEXT, "fields": ["comments"]}, r"\[comments\] of index.*has type \[nested\]"),
        ({"query": TEXT, "fields": ["comments.text"]}, r"inside the nested object \[comments\]"),
        (
            {"query": TEXT, "fields": ["body", "embedding"]},
            r"dense_vector field \[embedding\].*not in its mapping.+s _meta.densehook.fields",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    request: pytest.FixtureRequest, synthetic: Elasticsearch, body: Body, message: str
) -> None:
    with pytest.raises(BadRequestError) as refused:
        synthetic.search(index=INDEX, retriever={"hybrid": dict(body)})
    reason = refused.value.body["error"]["reason"]
    if re.search(REFUSED, reason):  # before the mappings are looked at
        request.getfixturevalue("shorthand")
    assert re.search(message, reason), "the outermost line says it"
    assert "\n" not in reason


ENCODER = "all-minilm-l6-v2"


@pytest.fixture(scope="module")
def encoder(plugin_client: Elasticsearch) -> dict[str, Any]:
    """Name, fingerprint and dims of the encoder in service."""
    response = plugin_client.perform_request(
        "GET", "/_densehook", headers={"accept": "application/json"}
    )
    node = next(iter(response.body["nodes"].values()))
    return {"name": ENCODER, **node["encoders"][ENCODER]}


def stated_index(
    client: Elasticsearch, name: str, encoder: Mapping[str, Any], **changed: Any
) -> None:
    """An index whose mapping says that ``embedding`` holds the encoder's vectors."""
    entry = {"input": ["title", "body"], "encoder": changed.get("named", encoder["name"])}
    entry["fingerprint"] = changed.get("fingerprint", encoder["fingerprint"])
    text = {"type": "text", "fields": {"exact": {"type": "keyword"}}}
    dense = {"type": "dense_vector", "dims": encoder["dims"], "similarity": "cosine"}
    client.indices.create(
        index=name,
        settings={"number_of_shards": 2, "number_of_replicas": 0},
        mappings={
            "_meta": {"densehook": {"fields": {"embedding": entry}, "bm25": "body"}},
            "properties": {"title": text, "body": text, "embedding": dense},
        },
    )
    random = np.random.default_rng(11)
    documents = (
        {
            "_index": name,
            "_id": str(number),
            "title": " ".join(random.choice(WORDS, 2)),
            "body": " ".join(random.choice(WORDS, 6)),
            "embedding": vector,
        }
        for number, vector in enumerate(vectors(13, 100, encoder["dims"]))
    )
    # the vectors come with the documents: whatever embeds, they are the same at every run
    bulk(client, documents, refresh=True)


@pytest.fixture(scope="module")
def stated(plugin_client: Elasticsearch, encoder: Mapping[str, Any]) -> Iterator[Elasticsearch]:
    names = ["hybrid-stated", "hybrid-elsewhere"]
    stated_index(plugin_client, names[0], encoder)
    other = {"named": f"{ENCODER}-elsewhere", "fingerprint": "sha256:" + 64 * "0"}
    stated_index(plugin_client, names[1], encoder, **other)
    try:
        yield plugin_client
    finally:
        plugin_client.indices.delete(index=names)


def scores_in(client: Elasticsearch, retriever: Body, index: str = "hybrid-stated") -> dict:
    response = client.search(index=index, retriever=retriever, size=100)
    return {hit["_id"]: hit["_score"] for hit in response["hits"]["hits"]}


def written_out(client: Elasticsearch, text: Body, weight: float = 1.0, **stated: Any) -> dict:
    """The same as a shorthand, with the vector of the query's text searched by the encoder."""
    builder = {"densehook": {"text": TEXT, "encoder": ENCODER}}
    knn = {
        "field": "embedding",
        "query_vector_builder": builder,
        "k": 100,
        "num_candidates": 200,
    }
    entries = [
        {"retriever": {"standard": {"query": text}}},
        {"retriever": {"knn": knn}, "weight": weight},
    ]
    return scores_in(client, {"hybrid": {"retrievers": entries, **stated}})


@pytest.mark.usefixtures("shorthand")
def test_a_text_alone_searches_what_the_mapping_states(stated: Elasticsearch) -> None:
    expected = written_out(stated, {"match": {"body": TEXT}})
    assert scores_in(stated, {"hybrid": {"query": TEXT}}) == expected


@pytest.mark.usefixtures("shorthand")
@pytest.mark.parametrize("method", ["rrf", "linear"])
def test_named_fields_are_searched_with_their_boosts(stated: Elasticsearch, method: str) -> None:
    fields = ["title^2", "body", "body.exact", "embedding^3"]
    text = {"multi_match": {"query": TEXT, "fields": fields[:3], "type": "most_fields"}}
    expected = written_out(stated, text, fusion=method)  # one vector field is a group of its own
    body = {"hybrid": {"query": TEXT, "fields": fields, "fusion": method}}
    assert scores_in(stated, body) == expected


@pytest.mark.usefixtures("shorthand")
def test_a_shorthand_takes_filters_and_nests(stated: Elasticsearch) -> None:
    only = {"ids": {"values": ["1", "2", "3"]}}
    body = {"hybrid": {"query": TEXT, "filter": only}}
    assert set(scores_in(stated, body)) == {"1", "2", "3"}
    outer = {"hybrid": {"retrievers": [{"hybrid": {"query": TEXT}}], "filter": [only]}}
    assert set(scores_in(stated, outer)) == {"1", "2", "3"}


@pytest.mark.usefixtures("shorthand")
def test_the_lists_of_a_shorthand_are_explained_by_their_fields(stated: Elasticsearch) -> None:
    response = stated.search(
        index="hybrid-stated", retriever={"hybrid": {"query": TEXT}}, explain=True, size=1
    )
    text = str(response["hits"]["hits"][0]["_explanation"])
    assert "list [0] [BM25 on [body]]: " in text
    assert "list [1] [kNN on [embedding]]: " in text


@pytest.mark.usefixtures("shorthand")
def test_of_several_encoders_the_one_that_is_nowhere_is_named_with_its_index(
    stated: Elasticsearch,
) -> None:
    body = {"hybrid": {"query": TEXT}}
    with pytest.raises(NotFoundError) as refused:
        scores_in(stated, body, index="hybrid-stated,hybrid-elsewhere")
    reason = refused.value.body["error"]["reason"]
    for told in (f"encoder [{ENCODER}-elsewhere] is not on node", "of index [hybrid-elsewhere]"):
        assert told in reason


@pytest.mark.usefixtures("shorthand")
def test_no_index_gives_no_hits(stated: Elasticsearch) -> None:
    assert scores_in(stated, {"hybrid": {"query": TEXT}}, index="hybrid-none-*") == {}
