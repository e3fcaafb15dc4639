"""Documents scored by all of their chunks, in real nodes, against numpy over the stored vectors.

Vectors come with the documents and are random from a fixed seed, but for the query's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from elasticsearch import BadRequestError, Elasticsearch
from elasticsearch.helpers import bulk

from densehook import Index
from densehook.chunk import ChunkRule
from densehook.encode import Encoder
from densehook.errors import ElasticError, RequestError

FIELD, TEXT = "passages.vector", "how do vaccines work"
SECTIONS = ("facts", "reasoning", "ruling")
DOCUMENTS = 90
ALL = {"size": DOCUMENTS, "track_total_hits": True}

Vector = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Stored:
    """A document's chunks, as they were written."""

    vectors: Vector
    sections: Sequence[str]
    lang: str


def similarity_of(name: str, query: Vector, vectors: Vector) -> Vector:
    """The scores that Elasticsearch states in its documentation for each similarity."""
    dots = vectors @ query
    if name == "l2_norm":
        return np.asarray(1 / (1 + ((vectors - query) ** 2).sum(axis=1)))
    if name == "max_inner_product":
        return np.where(dots < 0, 1 / (1 - dots), dots + 1)
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(query) if name == "cosine" else 1
    return np.asarray((1 + dots / lengths) / 2)


def stored(seed: int, dims: int, unit: bool) -> dict[str, Stored]:
    numbers = np.random.default_rng(seed)
    documents = {}
    for i in range(DOCUMENTS):
        vectors = numbers.normal(size=(numbers.integers(1, 8), dims))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        if not unit:
            vectors *= numbers.uniform(0.5, 2, size=(len(vectors), 1))
        names = [str(name) for name in numbers.choice(SECTIONS, len(vectors))]
        documents[f"d{i}"] = Stored(vectors, names, "de" if i % 5 == 0 else "en")
    return documents


def source_of(document: Stored) -> dict[str, Any]:
    chunks = [
        {"start": i * 10, "end": i * 10 + 10, "vector": vector.tolist(), "section": section}
        for i, (vector, section) in enumerate(zip(document.vectors, document.sections, strict=True))
    ]
    return {"text": "vaccines work", "lang": document.lang, "passages": chunks}


@dataclass(frozen=True)
class Filled:
    """An index of documents with known chunks, and the query's vector."""

    client: Elasticsearch
    index: str
    similarity: str
    documents: Mapping[str, Stored]
    query: Vector

    def scores(
        self,
        made: Callable[[Vector], float],
        weights: Mapping[str, float] | None = None,
        other: float = 1,
    ) -> dict[str, float]:
        """What each document has to score."""
        found = {}
        for id_, each in self.documents.items():
            chunks = similarity_of(self.similarity, self.query, each.vectors)
            chunks = chunks * [(weights or {}).get(name, other) for name in each.sections]
            found[id_] = float(made(chunks))
        return found

    def search(self, passages: Mapping[str, Any] | None, **dense: Any) -> dict[str, float]:
        """What ``dense`` finds, every document a candidate."""
        body = {"field": FIELD, "text": TEXT, "num_candidates": 1000, **dense}
        if passages is not None:
            body["passages"] = passages
        return self.found(query={"dense": body})

    def found(self, **body: Any) -> dict[str, float]:
        answer = self.client.search(index=self.index, **{**ALL, **body}, source=False)
        hits = answer["hits"]["hits"]
        assert [hit["_score"] for hit in hits] == sorted((h["_score"] for h in hits), reverse=True)
        return {hit["_id"]: hit["_score"] for hit in hits}


KINDS = [("dot_product", "hnsw"), ("cosine", "int8_hnsw"), ("l2_norm", "flat")]
KINDS += [("max_inner_product", "bbq_hnsw")]


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: "-".join(kind))
def filled(
    request: pytest.FixtureRequest, plugin_client: Elasticsearch, minilm: Encoder
) -> Iterator[Filled]:
    """Two shards of several segments, with deleted and replaced documents among the others."""
    similarity, index_type = request.param
    index = f"passages-{similarity}"
    plugin_client.indices.delete(index=index, ignore_unavailable=True)
    make_index(plugin_client, index, minilm, similarity, index_type)
    documents = stored(7, minilm.dims, similarity == "dot_product")
    for seed, last in ((1, DOCUMENTS), (7, DOCUMENTS // 2), (7, DOCUMENTS)):
        others = stored(seed, minilm.dims, similarity == "dot_product")
        write(plugin_client, index, dict(list(others.items())[:last]))
    gone = [id_ for id_ in documents if int(id_[1:]) % 9 == 4]
    bulk(plugin_client, ({"_op_type": "delete", "_index": index, "_id": i} for i in gone))
    plugin_client.indices.refresh(index=index)
    kept = {id_: each for id_, each in documents.items() if id_ not in gone}
    query = np.asarray(minilm.encode_queries([TEXT])[0], dtype=float)
    yield Filled(plugin_client, index, similarity, kept, query)
    plugin_client.indices.delete(index=index)


def make_index(
    client: Elasticsearch, index: str, encoder: Encoder, similarity: str, index_type: str
) -> None:
    stated = {
        "input": "text",
        "encoder": encoder.manifest.name,
        "fingerprint": encoder.fingerprint,
        "chunk": {"by": "sentence"},
    }
    vector = {
        "type": "dense_vector",
        "dims": encoder.dims,
        "similarity": similarity,
        "index_options": {"type": index_type},
    }
    place = {"type": "integer", "index": False}
    chunk = {"start": place, "end": place, "vector": vector, "section": {"type": "keyword"}}
    client.indices.create(
        index=index,
        settings={"number_of_shards": 2, "number_of_replicas": 0},
        mappings={
            "_meta": {"densehook": {"bm25": "text", "fields": {FIELD: stated}}},
            "properties": {
                "text": {"type": "text"},
                "lang": {"type": "keyword"},
                "passages": {"type": "nested", "properties": chunk},
            },
        },
    )


def write(client: Elasticsearch, index: str, documents: Mapping[str, Stored]) -> None:
    actions = ({"_index": index, "_id": i, **source_of(d)} for i, d in documents.items())
    bulk(client, actions, refresh=True)


def best(n: int) -> Callable[[Vector], Vector]:
    return lambda scores: np.sort(scores)[::-1][:n]


MADE: dict[str, tuple[dict[str, Any], Callable[[Vector], float]]] = {
    "first": ({"score": "first"}, lambda scores: scores[0]),
    "sum": ({"score": "sum"}, np.sum),
    "mean": ({"score": "mean"}, np.mean),
    "sum of 3": ({"score": "sum", "best": 3}, lambda scores: best(3)(scores).sum()),
    "mean of 2": ({"score": "mean", "best": 2}, lambda scores: best(2)(scores).mean()),
}


def assert_equal(found: Mapping[str, float], expected: Mapping[str, float]) -> None:
    assert found == pytest.approx(dict(expected), rel=2e-5)


@pytest.mark.parametrize("index_type", ["hnsw", "int8_hnsw"])
def test_k_documents_come_though_one_has_the_eighty_best_chunks(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder, index_type: str
) -> None:
    make_index(plugin_client, plugin_index, minilm, "dot_product", index_type)
    query = np.asarray(minilm.encode_queries([TEXT])[0], dtype=float)
    drawn = np.random.default_rng(5)

    def near(count: int, far: float) -> Stored:
        vectors = query + far * drawn.normal(size=(count, minilm.dims)) / minilm.dims**0.5
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return Stored(vectors, [SECTIONS[0]] * count, "en")

    crowd = {f"crowd{n}": near(80, 0.1) for n in range(2)}
    others = {f"d{n}": near(1, 1 + n / 10) for n in range(40)}
    write(plugin_client, plugin_index, {**crowd, **others})
    every = {**crowd, **others}
    exact = sorted(every, key=lambda id_: -float((every[id_].vectors @ query).max()))
    index = Index.open(plugin_client, plugin_index)
    for candidates in (12, 20):  # fewer than chunks of either of the two
        hits = index.search(TEXT, mode="dense", size=12, num_candidates=candidates)
        assert {hit.id for hit in hits[:2]} == set(crowd)
        assert len({hit.id for hit in hits}) == 12
        assert len(set(exact[:12]) & {hit.id for hit in hits}) >= 10
    fused = index.search(TEXT, mode="hybrid", size=12, fields=[])
    assert len({hit.id for hit in fused}) == 12


def test_a_document_scores_what_its_chunks_make(filled: Filled) -> None:
    for stated, made in MADE.values():
        assert_equal(filled.search(stated), filled.scores(made))
    # as it is without being asked for, and by the vectors as the index keeps them
    assert filled.search({"score": "max"}) == filled.search(None)


def test_sections_weigh_before_a_documents_score_is_made(filled: Filled) -> None:
    weights = {"facts": 2.0, "reasoning": 0.0}
    sections = {"sections": weights, "other": 0.5}
    for stated, made in [*MADE.values(), ({"score": "max"}, np.max)]:
        found = filled.search({**stated, **sections})
        assert_equal(found, filled.scores(made, weights, 0.5))
    assert_equal(filled.search({"sections": weights}), filled.scores(np.max, weights))


def test_candidates_are_those_that_filters_leave(filled: Filled) -> None:
    stated, made = MADE["mean of 2"]
    german = {"term": {"lang": "de"}}
    expected = {
        id_: score
        for id_, score in filled.scores(made).items()
        if filled.documents[id_].lang == "de"
    }
    assert_equal(filled.search(stated, filter=german), expected)
    dense = {"dense": {"field": FIELD, "text": TEXT, "passages": stated, "num_candidates": 20}}
    beside = filled.found(query={"bool": {"must": dense, "filter": german}})
    assert_equal(beside, expected)  # it filters before the search: 20 of each shard would miss some
    doubled = filled.search(stated, filter=german, boost=2.0)
    assert_equal(doubled, {id_: 2 * score for id_, score in expected.items()})


def test_hybrid_fuses_such_scores(filled: Filled) -> None:
    if filled.similarity != "dot_product":
        pytest.skip("the same for every similarity")
    stated, made = MADE["sum of 3"]
    german = {"term": {"lang": "de"}}
    scores = filled.scores(made)
    expected = {i: s for i, s in scores.items() if filled.documents[i].lang == "de"}
    field = {"field": FIELD, "passages": stated}
    short = {"query": TEXT, "fields": [field], "filter": german, "rank_window_size": 100}
    by_scores = {**short, "fusion": "linear", "normalizer": "none"}
    assert_equal(filled.found(retriever={"hybrid": by_scores}), expected)
    ranked = sorted(expected, key=lambda id_: -expected[id_])
    assert list(filled.found(retriever={"hybrid": short})) == ranked
    nested = {
        "hybrid": {
            "retrievers": [{"hybrid": {**by_scores, "filter": []}}],
            "fusion": "linear",
            "normalizer": "none",
            "filter": german,
        }
    }
    assert_equal(filled.found(retriever=nested, size=10), dict(list_of_best(expected, 10)))
    both = {**short, "fields": ["text", field]}
    assert set(filled.found(retriever={"hybrid": both})) == set(expected)


def list_of_best(scores: Mapping[str, float], n: int) -> list[tuple[str, float]]:
    return sorted(scores.items(), key=lambda each: -each[1])[:n]


def test_an_explanation_shows_each_chunks_score(filled: Filled) -> None:
    if filled.similarity != "dot_product":
        pytest.skip("the same for every similarity")
    weights = {"facts": 2.0}
    passages = {"score": "mean", "best": 2, "sections": weights}
    query = {"dense": {"field": FIELD, "text": TEXT, "passages": passages}}
    answer = filled.client.search(index=filled.index, query=query, explain=True, size=1)
    hit = answer["hits"]["hits"][0]
    of = filled.documents[hit["_id"]]
    told = explained(hit["_explanation"], "mean of the best 2 of")
    assert told["value"] == pytest.approx(hit["_score"])
    assert told["description"].endswith(f"of {len(of.vectors)} chunks of [{FIELD}]")
    chunks = similarity_of(filled.similarity, filled.query, of.vectors)
    chunks = chunks * [weights.get(name, 1) for name in of.sections]
    assert [each["value"] for each in told["details"]] == pytest.approx(list(chunks), rel=1e-5)
    for detail, section in zip(told["details"], of.sections, strict=True):
        shown = "weight [2.0] of section [facts]" in detail["description"]
        assert shown == (section == "facts")


def test_python_asks_for_the_same(filled: Filled) -> None:
    if filled.similarity != "dot_product":
        pytest.skip("the same for every similarity")
    index = Index.open(filled.client, filled.index)
    scores = filled.scores(MADE["mean of 2"][1])
    every: dict[str, Any] = {"size": DOCUMENTS, "num_candidates": 1000}
    for stated in ("mean-2", {"score": "mean", "best": 2}):
        hits = index.search(TEXT, mode="dense", passage_score=stated, passages=1, **every)
        assert_equal({hit.id: hit.score for hit in hits}, scores)
        assert all(len(hit.passages) == 1 for hit in hits)
    german = {"term": {"lang": "de"}}
    expected = {i: s for i, s in scores.items() if filled.documents[i].lang == "de"}
    linear: dict[str, Any] = {"fusion": "linear", "normalizer": "none", "weights": {"bm25": 0}}
    hits = index.search(TEXT, passage_score="mean-2", filter=german, **linear, **every)
    assert_equal({hit.id: hit.score for hit in hits}, expected)
    run = index.searcher().search({"q": TEXT}, "dense-mean-2", depth=200)
    assert_equal({hit.id: hit.score for hit in run["q"]}, scores)
    first = next(iter(run["q"]))
    told = index.explain(TEXT, first.id, mode="dense", passage_score="mean-2")
    assert told is not None and told.parts[0].rank == 1
    assert told.score == pytest.approx(first.score)
    weighed = {"sections": {"facts": 2, "reasoning": 0}, "other": 0.5}
    hits = index.search(TEXT, mode="dense", passage_score=weighed, **every)
    expected = filled.scores(np.max, {"facts": 2, "reasoning": 0}, 0.5)
    assert_equal({hit.id: hit.score for hit in hits}, expected)


def test_sections_that_are_cut_have_their_weights(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder
) -> None:
    index = Index.create(
        plugin_client,
        plugin_index,
        minilm,
        inputs=["facts", "ruling"],
        in_cluster=True,
        chunk=ChunkRule("section", 32),
    )
    cat, dog = "A cat sat on the mat.", "The dog barked at night."
    index.ingest(
        [{"_id": "a", "facts": cat, "ruling": dog}, {"_id": "b", "facts": dog, "ruling": cat}]
    )
    for heavy, light, best in (("facts", "ruling", "a"), ("ruling", "facts", "b")):
        weights = {"sections": {heavy: 1, light: 0.1}}
        hits = index.search("a cat", mode="dense", passage_score=weights)
        assert hits[0].id == best
    with pytest.raises(
        ElasticError, match=r"\[dense\] has \[sections\], and no searched index maps"
    ):
        other = f"{plugin_index}-other"
        try:
            Index.create(plugin_client, other, minilm, inputs=["facts"], chunk=ChunkRule())
            Index.open(plugin_client, other).search("a", mode="dense", passage_score=weights)
        finally:
            plugin_client.indices.delete(index=other)


def test_python_says_what_scores_passages(filled: Filled, minilm: Encoder) -> None:
    if filled.similarity != "dot_product":
        pytest.skip("the same for every similarity")
    here = Index.open(filled.client, filled.index, minilm)
    with pytest.raises(RequestError, match=r"by all of their passages by the cluster alone"):
        here.search(TEXT, passage_score="sum")
    with pytest.raises(RequestError, match=r"passages are scored by the cluster's plugin"):
        here.searcher().search({"q": TEXT}, "dense-sum", depth=10)


def encoded_tokens(client: Elasticsearch, encoder: Encoder) -> int:
    """How many tokens of documents the node has encoded."""
    headers = {"accept": "application/json"}
    shown = client.perform_request("GET", "/_densehook", headers=headers).body
    (node,) = shown["nodes"].values()
    return int(node["encoders"][encoder.manifest.name]["ingest"]["tokens"])


def test_sentences_are_compared_behind_the_prompt_that_their_document_chooses(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder
) -> None:
    client, prompt = plugin_client, "Ein Satz aus einem langen Brief: "
    stated = {
        "input": "text",
        "prompt": {"field": "lang", "prompts": {"de": prompt}},
        "encoder": minilm.manifest.name,
        "fingerprint": minilm.fingerprint,
    }
    client.indices.create(
        index=plugin_index,
        settings={"index.densehook.embed": True},
        mappings={
            "_meta": {"densehook": {"fields": {"embedding": stated}}},
            "properties": {
                "text": {"type": "text"},
                "lang": {"type": "keyword"},
                "embedding": {"type": "dense_vector", "dims": minilm.dims},
            },
        },
    )
    sentences = ["Whales breathe air.", "They eat krill."]
    for lang in ("de", "en"):
        document = {"lang": lang, "text": " ".join(sentences)}
        client.index(index=plugin_index, id=lang, document=document, refresh=True)
    options = {"text": "what do whales eat", "field": "embedding"}
    highlight = {"fields": {"text": {"type": "densehook", "options": options}}}
    spent = {}
    for lang in ("de", "en"):
        before = encoded_tokens(client, minilm)
        query = {"term": {"lang": lang}}
        (hit,) = client.search(index=plugin_index, query=query, highlight=highlight)["hits"]["hits"]
        assert sorted(hit["highlight"]["text"]) == sorted(sentences)
        spent[lang] = encoded_tokens(client, minilm) - before
    prompted = minilm.tokenize([prompt + each for each in sentences], "document")
    plain = minilm.tokenize(sentences, "document")
    counts = [sum(len(tokens.ids) for tokens in texts) for texts in (prompted, plain)]
    assert spent["de"] - spent["en"] == counts[0] - counts[1] > 0


def explained(explanation: Mapping[str, Any], begins: str) -> Mapping[str, Any]:
    """The first part of an explanation whose description begins so."""
    if explanation["description"].startswith(begins):
        return explanation
    return next(filter(None, (explained(d, begins) for d in explanation["details"])), {})


def test_what_cannot_be_is_refused_in_a_line(filled: Filled) -> None:
    if filled.similarity != "dot_product":
        pytest.skip("the same for every similarity")
    refused: list[tuple[dict[str, Any], str]] = [
        ({"score": "median"}, r"\[score\] of \[passages\] is \[median\]; it is one of \[max, f"),
        ({"score": "sum", "best": 0}, r"\[best\] of \[passages\] is \[0\]; at least 1"),
        ({"score": "first", "best": 2}, r"\[best\] of \[passages\] is \[2\]; it is for \[score\]"),
        ({"sections": {"facts": -1}}, r"\[sections\] of \[passages\] is \[-1.0\]; a weight is"),
        ({"other": -0.5}, r"\[other\] of \[passages\] is \[-0.5\]; a weight is"),
    ]
    for passages, message in refused:
        with pytest.raises(BadRequestError, match=message):
            filled.search(passages)
    inside = {"dense": {"field": FIELD, "text": TEXT, "passages": {"score": "sum"}}}
    with pytest.raises(BadRequestError, match="take the query out of its nested query"):
        filled.found(query={"nested": {"path": "passages", "query": inside}})
    with pytest.raises(BadRequestError, match=r"\[passages\] is for vector fields of chunks"):
        hybrid = {"query": TEXT, "fields": [{"field": "text", "passages": {"score": "sum"}}]}
        filled.found(retriever={"hybrid": hybrid})
