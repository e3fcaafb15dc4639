"""Searches over indices of two encoders at once, as an alias has while one takes another's place.

Vectors come with the documents and are random from a fixed seed; what is found over both indices is
compared with what each of them answers alone.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elasticsearch import BadRequestError, Elasticsearch, ElasticsearchWarning, NotFoundError
from elasticsearch.helpers import bulk

from command_line import running_in, succeeded
from densehook import Index, node
from densehook.bundle import Bundle, Dense
from densehook.elastic.cluster import reload_encoders
from densehook.encode import Encoder
from densehook.errors import EncoderMismatch, RequestError

ALIAS, OLD, NEW, PLAIN = "bridge", "bridge-old", "bridge-new", "bridge-plain"
COUNTS = {OLD: 120, NEW: 80, PLAIN: 10}
CHUNKED = "passages.vector"
TEXT = "how do vaccines work"
LEARNED = {
    "fusion": "linear",
    "normalizer": "minmax",
    "intercept": 0.3,
    "features": {"length": {"mean": 3.0, "deviation": 1.0, "coefficient": 0.5}},
}

Body = Mapping[str, Any]
Scores = dict[tuple[str, str], float]

pytestmark = pytest.mark.filterwarnings("ignore::elasticsearch.ElasticsearchWarning")


@pytest.fixture(scope="module")
def bridged(
    plugin_node: node.NodeState,
    plugin_client: Elasticsearch,
    minilm_bundle: Bundle,
    tiny_bundle: Bundle,
) -> Iterator[Elasticsearch]:
    """Indices of two encoders, of other dims and another index type, and one without vectors."""
    folder = plugin_node.config / "densehook" / tiny_bundle.manifest.name
    shutil.copytree(tiny_bundle.path, folder)
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    reload_encoders(plugin_client)
    try:
        make(plugin_client, OLD, minilm_bundle, "hnsw", number_of_shards=2)
        make(plugin_client, NEW, tiny_bundle, "int8_hnsw", learned={**LEARNED, "intercept": 0.6})
        make(plugin_client, PLAIN)
        yield plugin_client
    finally:
        plugin_client.indices.delete(index=[OLD, NEW, PLAIN], ignore_unavailable=True)
        shutil.rmtree(folder)
        reload_encoders(plugin_client)


def make(
    client: Elasticsearch,
    index: str,
    bundle: Bundle | None = None,
    index_type: str = "hnsw",
    *,
    name: str | None = None,
    learned: Body = LEARNED,
    **settings: int,
) -> None:
    """An index behind the alias: each tenth document is rare, each second half is even."""
    properties: dict[str, Any] = {
        "body": {"type": "text"},
        "kind": {"type": "keyword"},
        "number": {"type": "integer"},
        "parts": {"type": "nested", "properties": {"kind": {"type": "keyword"}}},
    }
    meta: dict[str, Any] = {"bm25": ["body"]}
    if bundle is not None:
        manifest = bundle.manifest
        dims = manifest.of(Dense).dims
        entry = {
            "encoder": name or manifest.name,
            "fingerprint": manifest.fingerprint,
            "weights": learned,
        }
        vector = {"type": "dense_vector", "dims": dims, "similarity": "cosine"}
        options = {"index_options": {"type": index_type}}
        properties["embedding"] = {**vector, **options}
        properties["parts"]["properties"]["vector"] = {**vector, **options}
        place = {"type": "integer", "index": False}
        passage = {"start": place, "end": place, "vector": {**vector, **options}}
        properties["passages"] = {"type": "nested", "properties": passage}
        chunked = {**entry, "input": ["body"], "chunk": {"by": "tokens", "max_tokens": 16}}
        meta["fields"] = {"embedding": entry, "parts.vector": entry, CHUNKED: chunked}
    client.indices.create(
        index=index,
        settings={"number_of_replicas": 0, **settings},
        mappings={"_meta": {"densehook": meta}, "properties": properties},
        aliases={ALIAS: {}},
    )
    count = COUNTS.get(index, 5)
    random = np.random.default_rng(count).standard_normal((count, dims if bundle else 1))
    words = ["vaccines", "work", "cats", "how"]
    documents = [
        {
            "_index": index,
            "_id": str(number),
            "body": " ".join(words[: 1 + number % 4] * (1 + number % 3)),
            "kind": "rare" if number % 10 == 0 else "common",
            "number": number,
            **(
                {
                    "embedding": made,
                    "parts": [{"vector": made, "kind": "even" if number % 2 == 0 else "odd"}],
                    "passages": [
                        {"start": 0, "end": 8, "vector": made},
                        {"start": 8, "end": 200, "vector": made[::-1]},
                    ],
                }
                if bundle
                else {}
            ),
        }
        for number, made in enumerate(random.astype(np.float32).tolist())
    ]
    bulk(client, documents, refresh=True)


def dense(**stated: Any) -> dict[str, Any]:
    return {"dense": {"field": "embedding", "text": TEXT, **stated}}


def hits(client: Elasticsearch, index: str, **body: Any) -> list[dict[str, Any]]:
    answer = client.search(index=index, source=False, **{"size": 50, **body})
    assert answer["_shards"]["failed"] == 0
    found: list[dict[str, Any]] = answer["hits"]["hits"]
    return found


def scores(client: Elasticsearch, index: str, query: Body, **body: Any) -> Scores:
    found = hits(client, index, query=query, **body)
    return {(hit["_index"], hit["_id"]): hit["_score"] for hit in found}


def apart(client: Elasticsearch, query: Body, **body: Any) -> Scores:
    """What each index answers alone."""
    return scores(client, OLD, query, **body) | scores(client, NEW, query, **body)


RARE = {"term": {"kind": "rare"}}
LOW = {"range": {"number": {"lt": 60}}}


@pytest.mark.parametrize(
    "query",
    [
        dense(k=5),
        dense(k=5, num_candidates=50, boost=2.5),
        dense(k=5, similarity=0.1),
        dense(k=5, rescore_vector={"oversample": 3.0}),
        dense(k=5, filter=[RARE, LOW]),
        {"bool": {"must": dense(k=5), "filter": [RARE, LOW]}},
        {"bool": {"must": dense(k=5), "must_not": {"term": {"kind": "common"}}}},
        {"bool": {"must": dense(k=5, auto_filter=False), "filter": LOW}},
        {"bool": {"filter": dense(k=5)}},
        {"constant_score": {"filter": dense(k=5)}},
        {"function_score": {"query": dense(k=5), "weight": 3}},
        {"dis_max": {"queries": [dense(k=5), RARE]}},
        {
            "nested": {
                "path": "parts",
                "query": {"dense": {**dense(k=5)["dense"], "field": "parts.vector"}},
            }
        },
    ],
    ids=lambda query: str(query)[:80],
)
def test_each_index_answers_as_it_does_alone(bridged: Elasticsearch, query: Body) -> None:
    expected = apart(bridged, query)
    assert expected and {index for index, _ in expected} == {OLD, NEW}
    for covered in (ALIAS, f"{ALIAS}-*", f"{NEW},{OLD}"):
        found = scores(bridged, covered, query)
        found = {key: score for key, score in found.items() if key[0] != PLAIN}  # of dis_max
        assert found == pytest.approx(expected, rel=1e-6), covered


def test_what_is_wanted_is_counted_over_all(bridged: Elasticsearch) -> None:
    both = apart(bridged, dense(k=7))
    best = sorted(both.values(), reverse=True)[:7]
    found = hits(bridged, ALIAS, query=dense(), size=7)
    assert [hit["_score"] for hit in found] == pytest.approx(best, rel=1e-6)
    next_page = hits(bridged, ALIAS, query=dense(k=7), size=4, from_=3)
    assert [hit["_id"] for hit in next_page] == [hit["_id"] for hit in found[3:]]
    # ten neighbours of each of three shards
    assert bridged.count(index=ALIAS, query=dense())["count"] == 30
    by_index = {"terms": {"field": "_index"}}
    aggs = {"all": by_index, "near": {"filter": dense(k=5), "aggs": {"in": by_index}}}
    answer = bridged.search(index=ALIAS, size=0, query=dense(k=5), aggs=aggs)
    assert answer["hits"]["total"]["value"] == 15
    expected = {OLD: 10, NEW: 5}
    for buckets in (
        answer["aggregations"]["all"]["buckets"],
        answer["aggregations"]["near"]["in"]["buckets"],
    ):
        assert {bucket["key"]: bucket["doc_count"] for bucket in buckets} == expected


def test_names_inner_hits_explanations_and_profiles_are_there(bridged: Elasticsearch) -> None:
    found = hits(bridged, ALIAS, query=dense(k=5, _name="mine"), explain=True)
    assert len(found) == 15
    for hit in found:
        assert hit["matched_queries"] == ["mine"]
        assert hit["_explanation"]["value"] == pytest.approx(hit["_score"], rel=1e-6)
        assert "within top" in str(hit["_explanation"])
    inner = {"dense": {"field": "parts.vector", "text": TEXT, "k": 5}}
    nested = {"path": "parts", "query": inner, "inner_hits": {"_source": ["parts.kind"]}}
    for hit in hits(bridged, ALIAS, query={"nested": nested}):
        assert hit["inner_hits"]["parts"]["hits"]["total"]["value"] == 1
    profile = bridged.search(index=ALIAS, query=dense(k=5), profile=True)["profile"]
    assert len(profile["shards"]) == 3 + (len(profile["shards"]) > 3)  # of the plain index or none
    for shard in profile["shards"]:
        knn = str(shard["searches"]).count("'type': 'DocAndScoreQuery'")
        assert knn == (PLAIN not in shard["id"]), shard["searches"]


def test_scores_of_two_encoders_come_with_a_warning(bridged: Elasticsearch) -> None:
    wrong = r"field \[embedding\] has vectors of encoders \[tiny-bert, all-minilm-l6-v2\]"
    with pytest.warns(ElasticsearchWarning, match=wrong):
        hits(bridged, ALIAS, query=dense())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hits(bridged, f"{OLD},{PLAIN}", query=dense())
        hits(bridged, ALIAS, retriever={"hybrid": {"query": TEXT}})


def test_one_encoder_of_two_names_is_one(bridged: Elasticsearch, minilm_bundle: Bundle) -> None:
    make(bridged, "bridge-renamed", minilm_bundle, name="was-called-so")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = scores(bridged, f"{OLD},bridge-renamed", dense(k=5))
        assert {index for index, _ in found} == {OLD, "bridge-renamed"}
    finally:
        bridged.indices.delete(index="bridge-renamed")


def test_an_encoder_that_is_nowhere_is_named_with_its_index(
    bridged: Elasticsearch, other_tiny_bundle: Bundle
) -> None:
    make(bridged, "bridge-lost", other_tiny_bundle, name="nobodys")
    why = r"encoder \[nobodys\] is not on node .*put its bundle"
    try:
        for body in (
            {"query": dense()},
            {"retriever": {"hybrid": {"query": TEXT, "fields": ["body", "embedding"]}}},
        ):
            with pytest.raises(
                NotFoundError, match=rf"\[embedding\] of index \[bridge-lost\]: {why}"
            ):
                bridged.search(index=ALIAS, **body)
        with pytest.raises(NotFoundError, match=why) as alone:
            bridged.search(index="bridge-lost", query=dense())
        assert "of index" not in str(alone.value)
    finally:
        bridged.indices.delete(index="bridge-lost")


def test_an_index_that_leaves_its_encoder_open_is_refused(bridged: Elasticsearch) -> None:
    vector = {"type": "dense_vector", "dims": 4}
    bridged.indices.create(
        index="bridge-open", mappings={"properties": {"embedding": vector}}, aliases={ALIAS: {}}
    )
    try:
        with pytest.raises(BadRequestError, match=r"no mapping of \[bridge-open\] says"):
            bridged.search(index=ALIAS, query=dense())
    finally:
        bridged.indices.delete(index="bridge-open")


@pytest.mark.parametrize(
    "passages", [None, {"score": "first"}, {"score": "mean", "best": 2}, {"score": "sum"}], ids=str
)
def test_chunks_of_each_encoder_are_scored_as_they_are_alone(
    bridged: Elasticsearch, passages: Body | None
) -> None:
    stated = {} if passages is None else {"passages": passages}
    query = dense(field=CHUNKED, k=5, num_candidates=100, **stated)
    filtered = {"bool": {"must": query, "filter": [RARE]}}
    every = {"size": sum(COUNTS.values())}  # where all chunks count, candidates are all hits
    for asked in (query, filtered):
        expected = apart(bridged, asked, **every)
        assert {index for index, _ in expected} == {OLD, NEW}
        assert scores(bridged, ALIAS, asked, **every) == pytest.approx(expected, rel=1e-6)


def test_the_passages_of_each_encoder_are_shown(bridged: Elasticsearch) -> None:
    body = {
        "query": dense(field=CHUNKED, k=5),
        "highlight": {"fields": {"body": {"type": "densehook", "number_of_fragments": 1}}},
    }

    def shown(index: str) -> dict[tuple[str, str], list[str]]:
        found = hits(bridged, index, **body)
        return {(hit["_index"], hit["_id"]): hit["highlight"]["body"] for hit in found}

    expected = shown(OLD) | shown(NEW)
    assert shown(ALIAS) == expected
    assert {len(each) for each in expected.values()} == {1}
    texts = {each for (each,) in expected.values()}
    assert "vaccines" in texts and any(text.startswith(("work", "vaccines w")) for text in texts)


def short(**stated: Any) -> dict[str, Any]:
    return {"hybrid": {"query": TEXT, **stated}}


def lists_of(hit: Body) -> list[str]:
    """What each list gave the hit; in an index with nested objects there is a clause beside it."""
    explanation = hit["_explanation"]
    if not explanation["description"].startswith("fused rank"):
        explanation = explanation["details"][0]
    return [each["description"] for each in explanation["details"]]


def test_short_hybrid_ranks_the_hits_of_each_encoder_apart(bridged: Elasticsearch) -> None:
    found = hits(bridged, ALIAS, retriever=short(fields=["embedding"]), explain=True)
    for index, encoder in ((OLD, "all-minilm-l6-v2"), (NEW, "tiny-bert")):
        own = [hit for hit in found if hit["_index"] == index]
        alone = hits(bridged, index, retriever=short(fields=["embedding"]))
        assert [hit["_id"] for hit in own] == [hit["_id"] for hit in alone][: len(own)]
        # the best of each has what it has alone, and so on
        expected = [hit["_score"] for hit in alone][: len(own)]
        assert [hit["_score"] for hit in own] == pytest.approx(expected, rel=1e-6)
        for rank, hit in enumerate(own, start=1):
            (given,) = [each for each in lists_of(hit) if "did not return" not in each]
            assert f"[kNN on [embedding] by [{encoder}]]: rank [{rank}]" in given
    assert abs(sum(hit["_index"] == OLD for hit in found) - 25) <= 1


@pytest.mark.parametrize("fusion", ["rrf", "linear"])
def test_short_hybrid_finds_by_text_in_all_and_by_vector_in_each(
    bridged: Elasticsearch, fusion: str
) -> None:
    retriever = short(fusion=fusion, fields=["body", "embedding"], filter=LOW)
    found = hits(bridged, ALIAS, retriever=retriever, explain=True, size=100)
    by_vector = dict.fromkeys(COUNTS, 0)
    encoders = {OLD: "all-minilm-l6-v2", NEW: "tiny-bert"}
    for hit in found:
        words, *vectors = lists_of(hit)
        assert "BM25 on [body]" in words
        assert len(vectors) == 2
        for given in vectors:
            if "did not return" not in given:
                assert f"by [{encoders[hit['_index']]}]]: rank [" in given
                by_vector[hit["_index"]] += 1
    assert by_vector[PLAIN] == 0
    # all that pass the filter: of the old one more than half, had it come after the window
    assert by_vector[OLD] + by_vector[NEW] == sum(hit["_index"] != PLAIN for hit in found)


def test_learned_weights_are_those_of_each_index(bridged: Elasticsearch) -> None:
    retriever = short(weights="learned", fields=["body", "embedding"])
    found = hits(bridged, ALIAS, retriever=retriever, explain=True)
    assert {hit["_index"] for hit in found} == {OLD, NEW, PLAIN}
    for index, encoder in ((OLD, "all-minilm-l6-v2"), (NEW, "tiny-bert")):
        own = [hit for hit in found if hit["_index"] == index]
        alone = hits(bridged, index, retriever=retriever)
        assert [hit["_id"] for hit in own] == [hit["_id"] for hit in alone][: len(own)]
        for rank, hit in enumerate(own, start=1):
            assert f"[hybrid by [{encoder}]]: rank [{rank}]" in str(hit["_explanation"])


def test_python_searches_such_an_alias_through_the_cluster(bridged: Elasticsearch) -> None:
    index = Index.open(bridged, ALIAS, field="embedding")
    assert (index.name, index.cluster_encodes) == (ALIAS, True)
    near = index.search(TEXT, mode="dense", size=7)
    assert [hit.score for hit in near] == pytest.approx(
        [hit["_score"] for hit in hits(bridged, ALIAS, query=dense(num_candidates=200), size=7)]
    )
    fused = index.search(TEXT, size=40, explain=True, filter=LOW)
    retriever = short(fields=["body", "embedding"], filter=LOW)
    raw = hits(bridged, ALIAS, retriever=retriever, size=40, explain=True)
    assert [hit.id for hit in fused] == [hit["_id"] for hit in raw]
    for hit, told in zip(fused, map(lists_of, raw), strict=True):
        given = [each for each in told[1:] if "did not return" not in each]
        rank = hit.parts["dense"].rank
        assert [f"rank [{rank}]" in each for each in given] == [rank is not None] * len(given)
    assert {hit.id for hit in index.search(TEXT, mode="bm25", size=5)}
    for option in ({"weights": {"bm25": 2}}, {"min_scores": {"dense": 0.5}}, {"num_candidates": 9}):
        with pytest.raises(RequestError, match="cannot be chosen where 'bridge' has indices of"):
            index.search(TEXT, **option)  # type: ignore[arg-type]
    for other in (index.stats, lambda: index.get("1"), lambda: index.ingest([{"_id": "1"}])):
        with pytest.raises(RequestError, match=r"stands for bridge-new, bridge-old; name one"):
            other()


def test_python_says_what_it_cannot_encode_here(
    bridged: Elasticsearch, tiny: Encoder, other_tiny_bundle: Bundle
) -> None:
    several = r"several encoders \(.*\); they are searched together only by a cluster"
    with pytest.raises(EncoderMismatch, match=several):
        Index.open(bridged, ALIAS, tiny, field="embedding")
    make(bridged, "bridge-lost", other_tiny_bundle, name="nobodys")
    try:
        index = Index.open(bridged, ALIAS, field="embedding")
        assert index.search(TEXT, mode="bm25")
        with pytest.raises(EncoderMismatch, match=several):
            index.search(TEXT)
    finally:
        bridged.indices.delete(index="bridge-lost")


def test_the_command_line_searches_it_too(
    bridged: Elasticsearch, plugin_node: node.NodeState, tmp_path: Path
) -> None:
    run = running_in(tmp_path, DENSEHOOK_ES_URL=plugin_node.url)
    found = json.loads(succeeded(run("search", ALIAS, TEXT, "--field", "embedding", "--json")))
    raw = hits(bridged, ALIAS, retriever=short(fields=["body", "embedding"]), size=10)
    assert [hit["id"] for hit in found["hits"]] == [hit["_id"] for hit in raw]


def test_an_index_of_another_cluster_is_asked_by_its_own_encoder_too(
    bridged: Elasticsearch, client: Elasticsearch, tiny_bundle: Bundle
) -> None:
    """The other cluster has no plugin; there the name of its index has the cluster's before it."""
    nodes = client.nodes.info(metric="transport")["nodes"]
    seeds = [each["transport"]["publish_address"] for each in nodes.values()]
    bridged.cluster.put_settings(persistent={"cluster.remote.far.seeds": seeds})
    make(client, NEW, tiny_bundle)
    try:
        alone = scores(bridged, f"far:{NEW}", dense(k=5))
        assert len(alone) == 5
        expected = alone | scores(bridged, OLD, dense(k=5))
        for minimised in (True, False):
            found = scores(
                bridged, f"{OLD},far:{NEW}", dense(k=5), ccs_minimize_roundtrips=minimised
            )
            assert found == pytest.approx(expected, rel=1e-6)
        both = hits(bridged, f"{OLD},far:{NEW}", retriever=short(fields=["embedding"]))
        assert sum(hit["_index"] == f"far:{NEW}" for hit in both) == 25
    finally:
        client.indices.delete(index=NEW)
        bridged.cluster.put_settings(persistent={"cluster.remote.far.seeds": None})
