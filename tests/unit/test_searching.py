"""From what is asked of an index to its requests, and from answers to hits, without a cluster."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from densehook import Asked, AsyncIndex, Hit, Index
from densehook.chunk import ChunkRule
from densehook.elastic import rescoring
from densehook.elastic.search import Searcher
from densehook.errors import RequestError, VectorError
from densehook.hooks import Provenance, TextRule, VectorField, needs_plugin
from densehook.index.searching import OfLists, Searching
from densehook.multivector import maxsim, pack
from densehook.page import Comparison
from densehook.page.asking import search_of
from densehook.page.showing import shown_hit

DIMS = 4
MAPPED: Mapping[str, Mapping[str, Any]] = {
    "embedding": {"type": "dense_vector", "dims": DIMS},
    "weights": {"type": "sparse_vector"},
    "tokens": {"type": "binary", "doc_values": True},
}
LISTS = {"embedding": "dense", "weights": "sparse", "tokens": "maxsim"}
QUERY = "how do vaccines work"
TOKENS = [[1.0, 0, 0, 0], [0, 1.0, 0, 0]]
OUTPUTS = OfLists({"dense": [0.5] * DIMS, "sparse": {"how": 1.5}, "maxsim": TOKENS})


def field(name: str, modality: Any = "text", inputs: Sequence[str] = ("body",)) -> VectorField:
    rule = replace(TextRule.joining(inputs), modality=modality)
    return VectorField(name, rule, "m3", "sha256:" + "ab" * 32, MAPPED[name])


def provenance(*fields: VectorField, bm25: Sequence[str] = ("body",), **more: Any) -> Provenance:
    return Provenance("three", {each.name: each for each in fields}, bm25, **more)


def searching(
    *fields: VectorField, bm25: Sequence[str] = ("body",), here: bool = True, **more: Any
) -> Searching:
    first, *beside = fields
    told = provenance(*fields, bm25=bm25, **more)
    return Searching(told, first, here, not here, beside)


THREE = tuple(map(field, MAPPED))
PHOTOS = field("embedding", "image", ["photo"])
SERIES = field("embedding", "numbers", ["series"])


class Cluster:
    """Answers what is asked for in an order of ids by BM25 and by vectors; its tokens are known."""

    def __init__(self, tokens: Mapping[str, Any], **orders: Sequence[str]) -> None:
        self.tokens = {
            id_: b64encode(pack(np.array(each, np.float32), "float32")).decode()
            for id_, each in tokens.items()
        }
        self.orders = orders
        self.sent: list[Mapping[str, Any]] = []
        self.read: list[Mapping[str, Any]] = []

    def msearch(self, index: str, searches: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        self.sent += searches[1::2]
        return {"responses": [{"took": 3, **self.answer(body)} for body in searches[1::2]]}

    def answer(self, body: Mapping[str, Any]) -> dict[str, Any]:
        order = self.orders["dense" if "knn" in body else "sparse" if self.asks(body) else "bm25"]
        named = [id_ for id_ in order if f"'{id_}'" in str(body)]
        ids = named if "'ids'" in str(body) else order
        found = ids[: body.get("size", 10)]
        return {"hits": {"hits": [self.hit(id_, 9.0 - n) for n, id_ in enumerate(found)]}}

    @staticmethod
    def asks(body: Mapping[str, Any]) -> bool:
        return "'weights'" in str(body)

    @staticmethod
    def hit(id_: str, score: float) -> dict[str, Any]:
        return {"_index": "three", "_id": id_, "_score": score}

    def search(self, *, query: Any, size: int, **asked: Any) -> dict[str, Any]:
        self.read.append({"query": query, "size": size, **asked})
        (ids,) = (each["ids"]["values"] for each in query["bool"]["filter"] if "ids" in each)
        hits = [
            {
                **self.hit(id_, 0.0),
                **({"_source": {"body": id_}} if asked["source"] else {}),
                "fields": {"tokens": [self.tokens[id_]]},
            }
            for id_ in ids
            if id_ in self.tokens
        ]
        return {"hits": {"hits": hits}}

    def mget(self, index: str, ids: Sequence[str], **shown: Any) -> dict[str, Any]:
        self.read.append({"ids": ids, **shown})
        return {"docs": [{"_id": i, "found": True, "_source": {"body": i}} for i in ids]}


def documents(count: int) -> dict[str, list[list[float]]]:
    """Of which the last answers the query best."""
    return {f"d{n}": [[n / count, 0, 0, 0], [0, n / count, 0, 0]] for n in range(count)}


def opened(client: Any, encoder: Any, *fields: VectorField, **more: Any) -> Index:
    first, *beside = fields
    return Index(client, provenance(*fields, **more), first, encoder, beside=beside)


class Given:
    """An encoder whose outputs are known."""

    manifest = SimpleNamespace(
        whole=None, kind="dense", heads=("dense", "sparse", "multi"), join=" ".join
    )

    def of_kind(self, kind: str) -> Any:
        rows = np.empty(1, dtype=object)
        rows[0] = np.array(TOKENS)
        return SimpleNamespace(encode_queries=lambda texts, instruction=None: rows)

    def tokenize(self, texts: Sequence[str], role: str) -> Sequence[str]:
        return texts

    def encode_tokens_of_kinds(self, texts: Sequence[str], kinds: Sequence[str]) -> list[Any]:
        lists = {"dense": "dense", "sparse": "sparse", "multi": "maxsim"}
        made = []
        for kind in kinds:
            rows = np.empty(len(texts), dtype=object)
            for n in range(len(texts)):
                rows[n] = OUTPUTS.outputs[lists[kind]]
            made.append(rows)
        return made


# what is marked and shown


def test_words_are_marked_in_texts_alone() -> None:
    asked = Asked(mode="dense", highlight=True)
    (body,) = searching(PHOTOS, bm25=()).bodies("a cat", asked, [0.5] * DIMS)
    assert "highlight" not in body
    (body,) = searching(PHOTOS, bm25=["said"]).bodies("a cat", asked, [0.5] * DIMS)
    assert list(body["highlight"]["fields"]) == ["said"]
    assert body["highlight"]["highlight_query"]["multi_match"]["fields"] == ["said"]
    (body,) = searching(THREE[0]).bodies("a cat", asked, [0.5] * DIMS)
    assert list(body["highlight"]["fields"]) == ["body"]


def test_a_document_without_texts_can_be_shown_with_words_marked() -> None:
    assert "highlight" not in searching(PHOTOS, bm25=()).marking("a cat", "d1")
    marked = searching(PHOTOS, bm25=["said"]).marking("a cat", "d1")["highlight"]
    assert (list(marked["fields"]), marked["number_of_fragments"]) == (["said"], 0)


@pytest.mark.parametrize("unread", [PHOTOS, SERIES])
def test_hits_come_without_what_is_no_text_unless_it_is_asked_for(unread: VectorField) -> None:
    (name,) = unread.inputs
    one = searching(unread, bm25=["said"])
    (body,) = one.bodies("a cat", Asked(mode="bm25"), None)
    assert name in body["_source"]["excludes"]
    (body,) = one.bodies("a cat", Asked(mode="bm25", fields=[name]), None)
    assert name not in body["_source"]["excludes"] and body["_source"]["includes"] == [name]
    raw = {"_id": "d1", "_score": 1.0, "_source": {name: "iVBORw0KGgo=", "said": "A cat."}}
    (hit,) = one.hits("a cat", Asked(mode="bm25"), [{"hits": {"hits": [raw]}}])
    assert hit.snippet == "A cat." and str(hit) == "1.0000  d1  A cat."
    assert list(hit.source) == ["said", name]
    assert shown_hit(hit, one.read_paths)["snippet"] == [("A cat.", False)]
    assert shown_hit(replace(hit, source={name: "iVBORw0KGgo="}), ())["snippet"] == []


def test_a_text_that_is_an_input_is_shown_as_ever() -> None:
    (body,) = searching(THREE[0]).bodies("a cat", Asked(mode="bm25"), None)
    assert body["_source"]["excludes"] == ["densehook", "embedding"]
    assert Hit("d1", 1.0, {"title": "A", "body": "b"}).snippet == "A · b"


def test_the_page_shows_a_document_without_what_is_no_text() -> None:
    photo = {"photo": "iVBORw0KGgo=", "said": "A cat."}
    cluster = SimpleNamespace(
        mget=lambda **asked: {"docs": [{"_id": "d1", "found": True, "_source": photo}]}
    )
    page = Comparison(opened(cluster, None, PHOTOS), SimpleNamespace())
    assert page.document("d1") == {"fields": {"said": "A cat."}}
    assert opened(cluster, None, PHOTOS).get("d1").fields == photo


# reranking


def reranked(by: Searching, mode: str, vector: Any, **asked: Any) -> dict[str, Any]:
    options: dict[str, Any] = {"rerank": "cross", "rerank_window": 20, "filter": {"term": {"n": 1}}}
    body = by.of(mode).reranked_by_cluster(
        QUERY, Asked(mode=mode, **{**options, **asked}), vector, "cross"
    )
    assert needs_plugin(body)
    return body["retriever"]["rerank"]


@pytest.mark.parametrize("mode", ["bm25", "dense", "sparse", "maxsim", "hybrid"])
@pytest.mark.parametrize("here", [True, False], ids=["here", "cluster"])
def test_the_cluster_reranks_what_the_mode_finds(mode: str, here: bool) -> None:
    by = searching(*THREE, here=here)
    found = reranked(by, mode, OUTPUTS if here else None)["retriever"]
    told = {
        "bm25": ["standard", "match"],
        "dense": ["knn", "query_vector'" if here else "query_vector_builder"],
        "sparse": ["standard", "weights", "'term': {'weights'" if here else "'sparse'"],
        "maxsim": ["maxsim", "query_vectors" if here else "'text'", "'field': 'tokens'", "match"],
        "hybrid": ["hybrid", "match", "knn", "weights"],
    }[mode]
    assert next(iter(found)) == told[0]
    for each in told:
        assert each in str(found), each
    assert "{'term': {'n': 1}}" in str(found)
    assert "'tokens'" not in str(found) or mode == "maxsim"


def test_token_vectors_order_what_is_reranked_by_the_cluster_and_whatever_finds_it() -> None:
    found = reranked(searching(*THREE), "maxsim", OUTPUTS)["retriever"]["maxsim"]
    assert found["query_vectors"] == TOKENS and found["rank_window_size"] == 100
    rows = OfLists({"maxsim": np.array(TOKENS), "dense": np.full(DIMS, 0.5)})
    assert reranked(searching(*THREE), "maxsim", rows)["retriever"]["maxsim"] == found
    found = reranked(searching(*THREE), "maxsim", OUTPUTS, first="hybrid", weights={"sparse": 2})
    fused = found["retriever"]["maxsim"]["retriever"]["hybrid"]["retrievers"]
    assert [each.get("weight", 1) for each in fused] == [1, 1, 2]


def test_what_holds_no_text_is_reranked_by_the_fields_of_bm25_or_not_at_all() -> None:
    told = reranked(searching(PHOTOS, bm25=["said"]), "dense", [0.5] * DIMS)
    assert told["field"] == ["said"] and "template" not in told
    told = reranked(searching(PHOTOS, THREE[1], bm25=["densehook_text"]), "bm25", None)
    assert told["field"] == ["body"], "what BM25 searches may be in no document's source"
    for unread, what in ((PHOTOS, "images"), (SERIES, "numbers")):
        with pytest.raises(
            RequestError, match=rf"'embedding' of index 'three' is made of {what}, "
        ):
            reranked(searching(unread, bm25=()), "dense", [0.5] * DIMS)


class Scorer:
    """Scores a text by its number, and knows what it was given."""

    manifest = SimpleNamespace(join=" ".join, of=lambda kind: SimpleNamespace(activation=""))

    def __init__(self) -> None:
        self.texts: list[str] = []

    def score_best(self, query: str, texts: Sequence[str], chunks: int | None) -> Any:
        self.texts += texts
        return SimpleNamespace(scores=np.array([float(each[1:]) for each in texts]))


def test_a_cross_encoder_here_reads_the_texts_that_bm25_searches_some_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("densehook.index.index._TEXTS_PER_REQUEST", 8)
    ids = [f"d{n}" for n in range(20)]
    cluster, scorer = Cluster({}, bm25=ids), Scorer()
    index = opened(cluster, None, field("embedding", "image", ["photo"]))
    hits = index.search(QUERY, mode="bm25", rerank=scorer, rerank_window=20, size=3)
    assert [hit.id for hit in hits] == ["d19", "d18", "d17"]
    assert sorted(scorer.texts) == sorted(ids)
    assert [len(each["ids"]) for each in cluster.read] == [8, 8, 4]
    assert all(each["source_includes"] == ["body"] for each in cluster.read)
    bare = opened(cluster, None, field("embedding", "image", ["photo"]), bm25=())
    with pytest.raises(RequestError, match="no text to rerank by"):
        bare.search(QUERY, mode="bm25", rerank=scorer)


def test_an_index_that_keeps_no_source_says_so() -> None:
    cluster = Cluster({}, bm25=["d1"])
    index = opened(cluster, None, THREE[0], sourceless=True)
    with pytest.raises(RequestError, match=r"'three' keeps no _source .* rerank"):
        index.search(QUERY, mode="bm25", rerank=Scorer())
    assert not cluster.sent, "it is known before anything is searched"
    with pytest.raises(RequestError, match="'three' keeps no _source of its documents"):
        index.get("d1")
    with pytest.raises(RequestError, match="no _source"):
        reranked(searching(THREE[0], sourceless=True), "bm25", None)


# what finds the hits that token vectors order


def found_by(first: str | None, **more: Any) -> dict[str, Any]:
    by = searching(*THREE, here=False)
    (body,) = by.of("maxsim").bodies(QUERY, Asked(mode="maxsim", first=first, **more), None)
    assert needs_plugin(body)
    return body


def test_token_vectors_order_what_any_search_finds_in_the_cluster() -> None:
    assert found_by(None) == found_by("bm25")
    bm25 = found_by("bm25", window=50, size=5, from_=2)
    assert (bm25["size"], bm25["from"]) == (5, 2)
    retriever = bm25["retriever"]["maxsim"]
    assert retriever["retriever"] == {"standard": {"query": {"match": {"body": QUERY}}}}
    assert (retriever["field"], retriever["text"], retriever["rank_window_size"]) == (
        "tokens",
        QUERY,
        50,
    )
    dense = found_by("dense", num_candidates=300, min_scores={"dense": 0.5})
    knn = dense["retriever"]["maxsim"]["retriever"]["knn"]
    assert (knn["field"], knn["k"], knn["num_candidates"]) == ("embedding", 100, 300)
    assert knn["min_score"] == 0.5
    sparse = found_by("sparse", filter={"term": {"n": 1}})
    assert sparse["retriever"]["maxsim"]["retriever"] == {
        "standard": {
            "query": {"sparse": {"field": "weights", "text": QUERY, "filter": [{"term": {"n": 1}}]}}
        }
    }
    hybrid = found_by("hybrid", weights={"sparse": 2}, fusion="linear", window=30)
    fused = hybrid["retriever"]["maxsim"]["retriever"]["hybrid"]
    assert (fused["fusion"], fused["rank_window_size"], len(fused["retrievers"])) == (
        "linear",
        30,
        3,
    )


def test_what_finds_need_not_be_opened_and_is_of_the_same_texts_and_encoder() -> None:
    told = provenance(*THREE)
    alone = Searching(told, THREE[2], encodes_here=True, cluster_encodes=False)
    asked = Asked(mode="maxsim", first="hybrid")
    assert [each.name for each in alone.encoded(asked)] == ["tokens", "embedding", "weights"]
    others = [replace(each, fingerprint="sha256:" + "cd" * 32) for each in THREE[:2]]
    mixed = provenance(*others, THREE[2])
    here = Searching(mixed, THREE[2], encodes_here=True, cluster_encodes=False)
    with pytest.raises(RequestError, match="no dense_vector or sparse_vector field has vectors of"):
        here.encoded(asked)
    there = Searching(mixed, THREE[2], encodes_here=False, cluster_encodes=True)
    assert [each.name for each in there.finding(asked).fused(asked.finding)] == [
        "embedding",
        "weights",
    ]
    with pytest.raises(RequestError, match="no dense_vector field has vectors of the same texts"):
        Searching(provenance(THREE[2]), THREE[2], False, True).bodies(
            QUERY, Asked(mode="maxsim", first="dense"), None
        )


@pytest.mark.parametrize(
    ("first", "expected"),
    [(None, "d9"), ("bm25", "d9"), ("dense", "d19"), ("sparse", "d29"), ("hybrid", "d29")],
)
@pytest.mark.parametrize("awaited", [False, True])
def test_token_vectors_that_are_made_here_order_what_was_found(
    first: str | None, expected: str, awaited: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = list(documents(30))
    cluster = Cluster(documents(30), bm25=ids[:10], dense=ids[10:20], sparse=ids[20:])
    index = opened(cluster, Given(), *THREE)
    asked: dict[str, Any] = {"mode": "maxsim", "first": first, "size": 3, "window": 40}
    if awaited:

        async def sent(client: Any, name: str, bodies: Sequence[Any]) -> Any:
            return client.msearch(name, [line for body in bodies for line in ({}, body)])[
                "responses"
            ]

        monkeypatch.setattr("densehook.index.asynchronous.msearch_awaited", sent)
        hits = asyncio.run(AsyncIndex(cluster, index).search(QUERY, **asked))
    else:
        hits = index.search(QUERY, **asked)
    number = int(expected[1:])
    assert [hit.id for hit in hits] == [f"d{number - n}" for n in range(3)]
    assert [hit.score for hit in hits] == pytest.approx([2 * (number - n) / 30 for n in range(3)])
    assert [hit.source for hit in hits] == [{"body": hit.id} for hit in hits]
    assert all(body["_source"] is False for body in cluster.sent)
    later = index.search(QUERY, **{**asked, "from_": 1, "size": 2})
    assert [hit.id for hit in later] == [hit.id for hit in hits[1:]]


def test_token_vectors_are_read_as_many_at_a_time_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = list(documents(200))
    cluster = Cluster(documents(200), bm25=ids)
    size = len(next(iter(cluster.tokens.values())))
    monkeypatch.setattr(rescoring, "_BYTES", 50 * size)
    hits = opened(cluster, Given(), *THREE).search(QUERY, mode="maxsim", window=200, size=2)
    assert [hit.id for hit in hits] == ["d199", "d198"]
    assert [each["size"] for each in cluster.read] == [16, 50, 50, 50, 34]
    assert all(each["allow_partial_search_results"] is False for each in cluster.read)


def test_a_hit_without_token_vectors_comes_last_and_equal_ones_stay_as_they_were() -> None:
    same = [[0.5, 0, 0, 0]]
    cluster = Cluster({"a": same, "b": same}, bm25=["gone", "b", "a"])
    hits = opened(cluster, Given(), *THREE).search(QUERY, mode="maxsim")
    assert [(hit.id, hit.score) for hit in hits] == [("b", 0.5), ("a", 0.5), ("gone", 0.0)]


def test_a_value_of_other_dims_is_named_with_its_document() -> None:
    with pytest.raises(VectorError, match="token vectors have 3 dims, those of the query 4"):
        maxsim(np.ones((2, 4), np.float32), np.ones((5, 3), np.float32))
    assert maxsim(np.ones((2, 4), np.float32), np.zeros((0, 3), np.float32)) == 0
    cluster = Cluster({"d1": [[1.0, 0, 0]]}, bm25=["d1"])
    said = (
        r"field 'tokens' of document 'd1' holds no token vectors to score by: token vectors have 3"
        r" dims, those of the query 4; write"
    )
    with pytest.raises(VectorError, match=said):
        opened(cluster, Given(), *THREE).search(QUERY, mode="maxsim")
    cluster.tokens["d1"] = "bm90IG9uZQ=="
    with pytest.raises(VectorError, match="of document 'd1' holds no token vectors"):
        opened(cluster, Given(), *THREE).search(QUERY, mode="maxsim")


def test_a_search_is_explained_by_its_own_window() -> None:
    ids = list(documents(30))
    cluster = Cluster(documents(30), bm25=ids)
    index = opened(cluster, Given(), *THREE)
    asked: dict[str, Any] = {"mode": "maxsim", "window": 10, "size": 3}
    told = index.explain(QUERY, "d7", **asked)
    assert told is not None and told.parts[0].rank == 3
    assert told.parts[0].score == told.score == pytest.approx(2 * 7 / 30)
    far = index.explain(QUERY, "d25", **asked)
    assert far is not None and (far.parts[0].rank, far.score) == (None, 0)
    assert far.parts[0].score == pytest.approx(2 * 25 / 30)
    assert not any(map(needs_plugin, cluster.sent)), "the encoder here needs no plugin"
    there = searching(*THREE, here=False).of("maxsim")
    (window,), (alone,) = there.explaining(QUERY, "d7", Asked(**asked), None)
    assert window["retriever"]["maxsim"]["rank_window_size"] == window["size"] == 10
    assert alone["query"]["bool"]["filter"] == [{"ids": {"values": ["d7"]}}]


# what is not used is refused


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"first": "dense"}, "first is of maxsim, .* and mode 'hybrid' takes none"),
        ({"mode": "maxsim", "first": "maxsim"}, "first 'maxsim' is unknown; known: bm25, dense"),
        (
            {"mode": "maxsim", "weights": {"bm25": 2}},
            "weights means nothing to maxsim of what bm25",
        ),
        ({"mode": "maxsim", "fusion": "linear"}, "fusion means nothing to maxsim"),
        ({"mode": "maxsim", "rank_constant": 5}, "rank_constant means nothing"),
        ({"mode": "maxsim", "num_candidates": 50}, "num_candidates means nothing"),
        ({"mode": "maxsim", "passage_score": "mean"}, "passage_score means nothing"),
        (
            {"mode": "maxsim", "min_scores": {"dense": 0.5}},
            "min_scores has one of 'dense', and max",
        ),
        (
            {"mode": "maxsim", "first": "dense", "min_scores": {"bm25": 2}},
            "min_scores has one of 'bm25', and maxsim orders what dense finds",
        ),
        (
            {"window": 20_000},
            r"window is 20000; .* 10,000 \(Elasticsearch's index.max_result_window",
        ),
        (
            {"rerank": "x", "rerank_window": 20_000},
            r"10,000 \(Elasticsearch's index.max_result_win",
        ),
        (
            {"passages": 200},
            r"passages is 200; .* \(Elasticsearch's index.max_inner_result_window\)",
        ),
    ],
)
def test_what_a_search_would_take_no_notice_of_is_refused(asked: Any, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        Asked(**asked)


def test_what_finds_takes_its_own_options() -> None:
    Asked(mode="maxsim", min_scores={"bm25": 2.0})
    Asked(mode="maxsim", first="dense", num_candidates=50, min_scores={"dense": 0.5})
    asked = Asked(mode="maxsim", first="hybrid", fusion="linear", weights={"dense": 2}, window=20)
    assert (asked.finding.mode, asked.finding.size, asked.finding.fusion) == (
        "hybrid",
        20,
        "linear",
    )


@pytest.mark.parametrize(
    "asked",
    [
        {"instruction": "Find cats"},
        {"min_scores": {"dense": 0.5}},
        {"weights": {"dense": 2}},
        {"fusion": "linear"},
        {"rank_constant": 5},
    ],
)
def test_an_image_and_numbers_are_searched_for_without_what_is_of_texts(asked: Any) -> None:
    (name,) = asked
    for index, given in (
        (opened(None, None, PHOTOS), {"image": "iVBORw0KGgo="}),
        (opened(None, None, SERIES), {"numbers": [1, 2]}),
    ):
        index.cluster_encodes = True
        index.searching = replace(index.searching, cluster_encodes=True)
        index.asking._searching = index.searching
        with pytest.raises(RequestError, match=f"searched for without {name}, which is a text's"):
            index.search(**given, **asked)


@pytest.mark.parametrize("mode", ["dense", "maxsim"])
def test_an_image_is_searched_for_by_what_one_run_gives_of_it(mode: str) -> None:
    asked_for: list[Any] = []

    def encode(images: Sequence[Any], kinds: Sequence[str]) -> list[Any]:
        asked_for.append(kinds)
        outputs = {"image-text": [0.5] * DIMS, "multi": TOKENS}
        rows = [np.empty(1, dtype=object) for _ in kinds]
        for row, kind in zip(rows, kinds, strict=True):
            row[0] = np.array(outputs[kind], np.float32)
        return [SimpleNamespace(vectors=row, failures={}) for row in rows]

    heads = ("image-text", "multi")
    manifest = SimpleNamespace(whole=None, kind="image-text", heads=heads)
    clip = SimpleNamespace(manifest=manifest, encode_each_image_of_kinds=encode)
    cluster = Cluster(documents(30), dense=list(documents(30)))
    patches = field("tokens", "image", ["photo"])
    index = opened(cluster, clip, PHOTOS, patches, bm25=())
    hits = index.search(image="iVBORw0KGgo=", mode=mode, size=2, window=10)
    assert [hit.id for hit in hits] == (["d0", "d1"] if mode == "dense" else ["d9", "d8"])
    assert asked_for == [["image-text"] if mode == "dense" else ["multi", "image-text"]]
    (body,) = cluster.sent
    assert body["knn"]["query_vector"] == [0.5] * DIMS
    assert body["knn"]["k"] == (2 if mode == "dense" else 10)
    there = searching(PHOTOS, patches, bm25=(), here=False).of(mode)
    first = {"first": "dense"} if mode == "maxsim" else {}
    asked = Asked(mode=mode, window=10, size=2, **first)
    body = there.image_body("iVBORw0KGgo=", asked, None)
    assert "'dense': {'image': 'iVBORw0KGgo='" in str(body)
    if mode == "maxsim":
        assert body["retriever"]["maxsim"]["image"] == "iVBORw0KGgo="
        with pytest.raises(RequestError, match="first is 'sparse', and an image is found by dense"):
            index.search(image="iVBORw0KGgo=", mode=mode, first="sparse")


def test_the_pages_columns_ask_for_what_they_use() -> None:
    for mode in ("bm25", "dense", "maxsim"):
        asked = search_of({"q": "cats", "mode": mode, "fusion": "linear", "bm25": 2}).asked
        assert (asked.fusion, asked.weights) == ("rrf", None)
    asked = search_of({"q": "cats", "mode": "hybrid", "fusion": "linear", "bm25": 2}).asked
    assert (asked.fusion, asked.weights) == ("linear", {"bm25": 2.0, "dense": 1.0})


# what is evaluated


def searcher(cluster: Any, encoder: Any, *fields: VectorField, **more: Any) -> Searcher:
    made = Searcher.__new__(Searcher)
    made._client, made._index = cluster, "three"
    made._provenance, made._field = provenance(*fields, **more), fields[0]
    made._encoder, made._instruction = encoder, None
    made._cluster_encodes = False
    return made


def test_maxsim_is_measured_of_the_index_s_only_field_for_it() -> None:
    ids = list(documents(10))
    cluster = Cluster(documents(10), bm25=ids)
    by = searcher(cluster, Given(), *THREE)
    by._hits = lambda ids, **shown: [Cluster.hit(id_, 0.0) for id_ in ids]  # type: ignore[method-assign]
    found = by.search({"q": QUERY, "blank": " "}, "maxsim", 5)
    assert [hit.id for hit in found["q"]] == ["d4", "d3", "d2", "d1", "d0"]
    assert found["blank"] == []
    run = {"q": [Cluster_scored(id_) for id_ in ids], "blank": [Cluster_scored("d1")]}
    ordered = by.rescored({"q": QUERY, "blank": " "}, run)
    assert [hit.id for hit in ordered["q"]] == ids[::-1]
    assert ordered["blank"] == run["blank"]


def Cluster_scored(id_: str) -> Any:  # noqa: N802
    from densehook.types import ScoredDoc

    return ScoredDoc(id_, 1.0)


@pytest.mark.parametrize("mode", ["dense", "sparse", "maxsim"])
def test_who_lacks_the_encoder_is_told_which_search_needs_it(mode: str) -> None:
    by = searcher(None, None, *THREE)
    by._rankings = lambda bodies, numbering: [[]]  # type: ignore[method-assign]
    for ask in (
        lambda: by.search({"q": QUERY}, mode, 5),
        lambda: by.require_askable({"q": QUERY}, [mode]),
    ):
        with pytest.raises(RequestError, match=f"^{mode} search needs the encoder 'm3'; give"):
            ask()


def test_judged_queries_are_read_as_the_field_reads_documents() -> None:
    cluster = Cluster({}, dense=["d1"], bm25=[])
    here = Given()
    here.of_kind = lambda kind: SimpleNamespace(  # type: ignore[method-assign]
        encode_numbers=lambda lists: np.array([[*each, 0, 0] for each in lists])
    )
    by = searcher(cluster, here, SERIES, bm25=())
    by.require_askable({"q": "[0.5, 1]", "blank": ""}, ["dense"])
    (body,) = by._bodies(["[0.5, 1]"], "dense", 5)
    assert body["knn"]["query_vector"] == [0.5, 1, 0, 0]
    by._encoder, by._cluster_encodes = None, True
    (body,) = by._bodies(["[0.5, 1]"], "dense", 5)
    assert body["query"]["dense"]["numbers"] == [0.5, 1]
    with pytest.raises(RequestError, match=r"query 'q1' .* no list of them in JSON: .* \[0.5, 1, "):
        by.require_askable({"q": "[1]", "q1": "cats"}, ["dense"])
    with pytest.raises(RequestError, match="names no field for BM25"):
        by.require_askable({"q": "[1]"}, ["bm25", "dense"])
    patches = field("tokens", "image", ["photo"])
    by = searcher(cluster, None, patches)
    by._cluster_encodes = True
    with pytest.raises(RequestError, match="has vectors of images' patches, and a judged query is"):
        by.require_askable({"q": "cats"}, ["bm25", "maxsim"])
    by = searcher(cluster, None, PHOTOS)
    by._cluster_encodes = True
    by.require_askable({"q": "a cat"}, ["dense"])


def test_an_image_is_no_text_of_a_document() -> None:
    from densehook.types import Document

    document = Document("d1", {"photo": "iVBORw0KGgo=", "said": "A cat."})
    assert searcher(None, None, PHOTOS, bm25=["said"]).text_of(document) == "A cat."
    bare = searcher(None, None, PHOTOS, bm25=())
    assert bare.text_of(document) == ""
    with pytest.raises(RequestError, match="no text to rerank by"):
        bare.require_texts()
    bare._hits = lambda ids, **shown: [{"_id": id_} for id_ in ids]  # type: ignore[method-assign]
    assert bare.texts_of(["d1"]) == {"d1": ""}, "of an index without _source, too"


def test_one_vector_of_each_text_is_made_behind_the_prompt_that_the_document_chooses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from densehook.elastic import whole_texts
    from densehook.hooks import Input
    from densehook.hooks.prompts import DocumentPrompts

    rule = replace(
        TextRule.joining(["body"]),
        prompts=DocumentPrompts("lang", {"de": "Dokument: "}),
        chosen_by=Input("lang", ("lang",)),
    )
    given: list[Any] = []

    def encode_each(texts: Sequence[str], role: str, prompts: Any = None) -> Any:
        given.append((list(texts), role, prompts))
        return SimpleNamespace(vectors=np.ones((len(texts), DIMS)), failures={})

    hits = [
        {"_id": "a", "_source": {"body": "eins", "lang": "de"}},
        {"_id": "b", "_source": {"body": "one"}},
        {"_id": "c", "_source": {"body": "two", "lang": {"no": "text"}}},
    ]
    monkeypatch.setattr(whole_texts, "pages", lambda *asked: iter([hits]))
    monkeypatch.setattr(whole_texts, "count_in", lambda *asked: 3)
    encoder = SimpleNamespace(
        manifest=SimpleNamespace(join=" ".join),
        encode_each=encode_each,
        similarity=lambda queries, rows: np.ones((len(queries), len(rows))),
    )
    whole_texts.cut_rankings(
        None,
        "three",
        replace(THREE[0], text=rule),
        encoder,
        np.ones((1, DIMS)),
        5,
        lambda done: None,
    )
    assert given == [(["eins", "one"], "document", ["Dokument: ", None])]


def test_a_field_of_chunks_finds_what_token_vectors_order() -> None:
    chunked = replace(THREE[0], name="passages.vector", chunk=ChunkRule("sentence"))
    told = provenance(chunked, THREE[2])
    by = Searching(told, THREE[2], encodes_here=True, cluster_encodes=False)
    (body,) = by.bodies(QUERY, Asked(mode="maxsim", first="dense"), OUTPUTS)
    assert body["knn"]["field"] == "passages.vector" and body["size"] == 100
