"""Weights of tokens in a real node: made alike by both languages, current, searched exactly."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import BadRequestError, Elasticsearch

from command_line import running_in, succeeded
from conftest import serving
from densehook import Index
from densehook.bundle import Bundle
from densehook.chunk import ChunkRule
from densehook.collections.impacts import read_impacts
from densehook.elastic.coverage import coverage_of
from densehook.elastic.indices import hides_vectors
from densehook.elastic.remote import remote_encoder
from densehook.elastic.search import Searcher
from densehook.encode import Encoder, load
from densehook.errors import ElasticError, EncoderMismatch, RequestError
from densehook.export.texts import PASSAGES, QUESTIONS
from densehook.fusion import FUSIONS
from densehook.hooks import NOTES
from densehook.hooks.kinds.sparse import terms_query
from densehook.node import NodeState
from page_requests import answers_of
from tiny_sparse import score

INPUTS = ["title", "body"]
PAGE = (Path(__file__).parent.parent.parent / "docs" / "encoders.md").read_text()
FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Sparse:
    """A node with a sparse encoder, one with a table for queries, and a dense one."""

    url: str
    client: Elasticsearch
    sparse: Encoder
    idf: Encoder
    dense: Encoder


@pytest.fixture(scope="module")
def there(
    plugin_node: NodeState, sparse_bundle: Bundle, idf_bundle: Bundle, tiny_bundle: Bundle
) -> Iterator[Sparse]:
    bundles = (sparse_bundle, idf_bundle, tiny_bundle)
    with serving(plugin_node, *bundles) as client:
        encoders = [load(each.path) for each in bundles]
        yield Sparse(plugin_node.url, client, *encoders)


@pytest.fixture
def name(there: Sparse, request: pytest.FixtureRequest) -> Iterator[str]:
    name = request.node.originalname.replace("_", "-")[:40]
    yield name
    for index in there.client.indices.get(index=f"{name}*"):
        there.client.indices.delete(index=index)


def documents() -> list[dict[str, str]]:
    return [
        {"id": f"d{n}", "title": text.split()[0], "body": text} for n, text in enumerate(PASSAGES)
    ]


def whole(fields: Mapping[str, Any]) -> str:
    return f"{fields['title']} {fields['body']}"


def stored(there: Sparse, index: str) -> dict[str, dict[str, Any]]:
    """The documents of an index, their weights too where a version hides them."""
    there.client.indices.refresh(index=index)
    shown = {"exclude_vectors": False} if hides_vectors(there.client, index) else True
    found = there.client.search(index=index, size=1000, source=shown)
    return {hit["_id"]: hit["_source"] for hit in found["hits"]["hits"]}


def weights_of(value: Any) -> dict[str, float]:
    """What a document has, also in a list."""
    (weights,) = value if isinstance(value, list) else [value]
    return dict(weights)


def are_current(there: Sparse, index: str, encoder: Encoder, field: str = "embedding") -> None:
    """Every document of an index has the weights that this encoder gives for its text now."""
    found = stored(there, index)
    hidden = hides_vectors(there.client, index)
    expected = encoder.encode_documents([whole(each) for each in found.values()])
    for (id_, fields), row in zip(found.items(), expected, strict=True):
        weights = weights_of(fields[field])
        assert weights.keys() == row.keys(), id_
        for token, weight in row.items():
            bound = weight / 256 if hidden else 1e-5
            assert abs(weights[token] - weight) <= bound, (id_, token)
        assert fields[NOTES][field]["fingerprint"] == encoder.fingerprint


def hits(there: Sparse, index: str, **search: Any) -> list[tuple[str, float]]:
    there.client.indices.refresh(index=index)
    found = there.client.search(index=index, size=100, **search)
    return [(hit["_id"], hit["_score"]) for hit in found["hits"]["hits"]]


@pytest.mark.parametrize("encoder", ["sparse", "idf"])
def test_every_door_writes_pythons_weights_and_scores_are_their_product(
    there: Sparse, name: str, encoder: str
) -> None:
    own: Encoder = getattr(there, encoder)
    rows = dict(
        zip(
            [each["id"] for each in documents()],
            own.encode_documents([whole(each) for each in documents()]),
            strict=True,
        )
    )
    for door, in_cluster in ("node", True), ("python", False):
        index = f"{name}-{door}"
        made = Index.create(there.client, index, own, inputs=INPUTS, in_cluster=in_cluster)
        assert made.ingest(documents()).indexed == len(PASSAGES)
        are_current(there, index, own)
        for text in QUESTIONS[:5]:
            query: Any = own.encode_queries(text)
            exact = {id_: score(query, row) for id_, row in rows.items()}
            found = hits(there, index, query={"sparse": {"field": "embedding", "text": text}})
            assert {id_ for id_, _ in found} == {id_ for id_, each in exact.items() if each > 0}
            for id_, each in found:
                assert each == pytest.approx(exact[id_], rel=1e-5)
                bare = sum(weight * rows[id_].get(token, 0) for token, weight in query.items())
                assert bare * (1 - 1 / 256) <= each * (1 + 1e-6) <= bare * (1 + 1e-5)
            for opened in (made, Index.open(there.client, index)):
                ranked = opened.search(text, mode="sparse", size=100)
                assert [hit.id for hit in ranked] == [id_ for id_, _ in found]
                scores = [each for _, each in found]
                assert [hit.score for hit in ranked] == pytest.approx(scores)


def test_the_node_shows_pythons_weights(there: Sparse) -> None:
    texts = ["How do vaccines work?", "water " * 100, "猫"]
    for own in (there.sparse, there.idf):
        remote = remote_encoder(there.client, own.manifest.name)
        for here, in_node in (
            (own.encode_queries(texts), remote.encode_queries(texts)),
            (own.encode_documents(texts), remote.encode_documents(texts)),
        ):
            for one, other in zip(here, in_node, strict=True):
                assert dict(other) == pytest.approx(one, abs=1e-5)


def two_fields(there: Sparse, index: str) -> None:
    """An index with a dense and a sparse field, which the node fills."""
    made = Index.create(there.client, index, there.dense, inputs=INPUTS, in_cluster=True)
    made.ingest(documents()[:2])
    both = Index.add_field(
        there.client, index, there.sparse, inputs=INPUTS, field="splade", in_cluster=True
    )
    assert both.embed().written == 2
    there.client.bulk(
        index=index,
        operations=[
            line
            for each in documents()[2:]
            for line in ({"index": {"_id": each["id"]}}, {k: each[k] for k in INPUTS})
        ],
        refresh=True,
    )


def test_hybrid_search_fuses_three_lists_of_one_text(there: Sparse, name: str) -> None:
    two_fields(there, name)
    are_current(there, name, there.sparse, "splade")
    assert all("embedding" in each for each in stored(there, name).values())
    text = QUESTIONS[2]
    fields = ["title", "body", "embedding", "splade"]
    hybrid = {"query": text, "fields": fields, "rank_window_size": 100, "rank_constant": 60}
    (best, *_), *_ = (hits(there, name, retriever={"hybrid": hybrid}),)
    explained = there.client.search(index=name, retriever={"hybrid": hybrid}, explain=True, size=1)
    told = str(explained["hits"]["hits"][0]["_explanation"])
    assert explained["hits"]["hits"][0]["_id"] == best[0]
    assert all(each in told for each in ("kNN on [embedding]", "tokens on [splade]", "BM25 on"))

    searcher = Searcher(there.client, name, vector_field="embedding", cluster_encodes=True)
    lists = [searcher.search({"q": text}, mode, 100)["q"] for mode in ("bm25", "dense", "sparse")]
    assert all(lists)
    asked = [
        {"match": {"densehook_text": text}},
        {"dense": {"field": "embedding", "text": text, "k": 100, "num_candidates": 200}},
        sparse("splade", text),
    ]
    retrievers = [{"standard": {"query": query}} for query in asked]
    fused = {"fusion": "rrf", "rank_window_size": 100, "retrievers": retrievers}
    expected = {hit.id: hit.score for hit in FUSIONS["rrf"].ranking(lists)}
    assert dict(hits(there, name, retriever={"hybrid": fused})) == pytest.approx(expected)


def test_weights_stay_current_through_writes_of_every_sort(there: Sparse, name: str) -> None:
    two_fields(there, name)
    chance = random.Random(11)
    client = there.client
    for step in range(25):
        id_ = f"d{chance.randrange(12)}"
        text = chance.choice(PASSAGES)
        match chance.randrange(4):
            case 0:
                client.index(index=name, id=id_, document={"title": "new", "body": text})
            case 1:
                client.update(index=name, id=id_, doc={"body": text})
            case 2:
                client.update(index=name, id=id_, doc={"title": f"t{step}"}, doc_as_upsert=False)
            case _:
                lines = [{"update": {"_id": id_}}, {"doc": {"body": text, "title": "b"}}]
                client.bulk(index=name, operations=lines)
    are_current(there, name, there.sparse, "splade")


def test_a_pipeline_alone_fills_a_field_that_nobody_stated(there: Sparse, name: str) -> None:
    processor = {"encoder": "sparse-0", "input": INPUTS, "output": "splade"}
    there.client.ingest.put_pipeline(id=name, processors=[{"densehook": processor}])
    try:
        properties = {"splade": {"type": "sparse_vector"}}
        there.client.indices.create(index=name, mappings={"properties": properties})
        rows = [{key: each[key] for key in INPUTS} for each in documents()[:4]]
        lines = [line for row in rows for line in ({"index": {}}, row)]
        assert not there.client.bulk(index=name, operations=lines, pipeline=name)["errors"]
        found = stored(there, name).values()
        expected = there.sparse.encode_documents([whole(each) for each in found])
        for fields, row in zip(found, expected, strict=True):
            assert fields["splade"].keys() == row.keys()
            assert fields["splade"] == pytest.approx(row, rel=1 / 256)
    finally:
        there.client.ingest.delete_pipeline(id=name)


@pytest.fixture
def embeds(there: Sparse, name: str) -> Iterator[Callable[[str], str]]:
    """Makes a pipeline whose encoder of that name writes into the field "made"."""

    def make(encoder: str) -> str:
        processor = {"encoder": encoder, "input": "body", "output": "made"}
        there.client.ingest.put_pipeline(id=name, processors=[{"densehook": processor}])
        return name

    yield make
    there.client.options(ignore_status=404).ingest.delete_pipeline(id=name)


def refusals(there: Sparse, index: str) -> list[str]:
    """Why documents are refused, one that is put and one by an update; nothing of what is taken."""
    operations: list[Mapping[str, Any]] = [
        *({"index": {"_id": "put"}}, {"body": PASSAGES[0]}),
        *({"update": {"_id": "updated"}}, {"doc": {"body": PASSAGES[1]}, "doc_as_upsert": True}),
    ]
    answer = there.client.bulk(index=index, operations=operations)
    items = [next(iter(item.values())) for item in answer["items"]]
    return [each["error"]["reason"] for each in items if "error" in each]


def test_a_pipeline_writes_into_no_field_that_holds_something_else(
    there: Sparse, name: str, embeds: Callable[[str], str]
) -> None:
    weights = "and encoder [sparse-0] is of kind [sparse], which writes [sparse_vector]; map it so"
    vectors = "and encoder [tiny-bert] is of kind [dense], which writes [dense_vector]; map it so"
    dims = there.dense.dims
    for encoder, mapped, said in (
        (there.sparse, {"type": "dense_vector", "dims": dims}, f"[dense_vector], {weights}"),
        (there.sparse, {"type": "keyword"}, f"field [made] is mapped as [keyword], {weights}"),
        (there.sparse, {"type": "object"}, f"field [made] is mapped as [object], {weights}"),
        (there.dense, {"type": "float"}, f"field [made] is mapped as [float], {vectors}"),
        (there.dense, {"type": "sparse_vector"}, f"[sparse_vector], {vectors}"),
        (
            there.dense,
            {"type": "dense_vector", "dims": 16},
            f"has [dims] [16], vectors of encoder [tiny-bert] have [{dims}]; map it with those",
        ),
        (there.dense, {"type": "dense_vector", "element_type": "byte"}, "encoders give float"),
    ):
        there.client.indices.create(
            index=name,
            settings={"index.default_pipeline": embeds(encoder.manifest.name)},
            mappings={"properties": {"made": mapped, "body": {"type": "text"}}},
        )
        found = refusals(there, name)
        assert len(found) == 2 and all(said in each for each in found), found
        there.client.indices.delete(index=name)


def test_a_pipeline_has_no_field_mapped_for_each_token(
    there: Sparse, name: str, embeds: Callable[[str], str]
) -> None:
    client = there.client
    client.indices.create(index=name, mappings={"properties": {"body": {"type": "text"}}})
    for encoder, type_ in ((there.sparse, "sparse_vector"), (there.dense, "dense_vector")):
        with pytest.raises(BadRequestError) as refused:
            client.index(
                index=name, document={"body": "water"}, pipeline=embeds(encoder.manifest.name)
            )
        said = (
            f"field [made] is not mapped in index [{name}], and Elasticsearch by itself does not"
            f" map it as [{type_}], which encoder [{encoder.manifest.name}] writes; map it so"
        )
        assert said in str(refused.value.body)
    mapped = client.indices.get_mapping(index=name)[name]["mappings"]["properties"]
    assert mapped.keys() == {"body"}


def test_a_pipeline_writes_what_gets_its_type_elsewhere(
    there: Sparse, name: str, embeds: Callable[[str], str]
) -> None:
    client, document = there.client, {"body": "water is wet"}
    pipeline = embeds(there.sparse.manifest.name)
    # nobody knows where it goes, or it goes where nothing is mapped unasked
    (simulated,) = client.ingest.simulate(id=pipeline, docs=[{"_source": document}])["docs"]
    expected = dict(there.sparse.encode_documents(document["body"]))
    assert simulated["doc"]["_source"]["made"] == pytest.approx(expected, rel=1e-4)
    client.indices.create(index=f"{name}-kept", mappings={"dynamic": False})
    client.index(index=f"{name}-kept", id="1", document=document, pipeline=pipeline)
    assert client.get(index=f"{name}-kept", id="1")["_source"]["made"].keys() == expected.keys()
    # Elasticsearch itself maps long arrays of floats as vectors
    client.indices.create(index=f"{name}-long", mappings={"properties": {}})
    long = embeds("all-minilm-l6-v2")
    client.index(index=f"{name}-long", id="1", document=document, pipeline=long)
    mapped = client.indices.get_mapping(index=f"{name}-long")[f"{name}-long"]["mappings"]
    assert mapped["properties"]["made"]["type"] == "dense_vector"


def test_an_unchanged_document_is_not_encoded_again(there: Sparse, name: str) -> None:
    made = Index.create(there.client, name, there.sparse, inputs=INPUTS, in_cluster=True)
    made.ingest(documents())
    again = made.ingest(documents(), replace=True)
    assert again.indexed == len(PASSAGES)
    assert again.in_cluster is not None and again.in_cluster.texts == 0
    are_current(there, name, there.sparse)


@pytest.mark.parametrize("in_cluster", [True, False])
def test_embedding_in_place_leaves_no_weight_of_the_encoder_before(
    there: Sparse, name: str, in_cluster: bool
) -> None:
    Index.create(there.client, name, there.sparse, inputs=INPUTS, in_cluster=False).ingest(
        documents()
    )
    meta = there.client.indices.get_mapping(index=name)[name]["mappings"]["_meta"]
    entry = meta["densehook"]["fields"]["embedding"]
    entry |= {"encoder": there.idf.manifest.name, "fingerprint": there.idf.fingerprint}
    there.client.indices.put_mapping(index=name, meta=meta)
    opened = Index.open(there.client, name, there.idf)
    if in_cluster:
        opened = Index.add_field(there.client, name, there.idf, in_cluster=True)
    coverage = coverage_of(there.client, name, opened.field)
    assert coverage.to_embed == len(PASSAGES)
    assert opened.embed().written == len(PASSAGES)
    are_current(there, name, there.idf)
    query = there.idf.encode_queries(QUESTIONS[0])
    expected = {
        id_
        for id_, fields in stored(there, name).items()
        if score(query, weights_of(fields["embedding"])) > 0
    }
    found = opened.search(QUESTIONS[0], mode="sparse", size=len(PASSAGES))
    assert {hit.id for hit in found} == expected


def test_documents_of_chunks_score_by_their_best(there: Sparse, name: str) -> None:
    rule = ChunkRule(by="sentence", max_tokens=24)
    long = [{**each, "body": " ".join(PASSAGES[n : n + 3])} for n, each in enumerate(documents())]
    text = QUESTIONS[0]
    query = there.sparse.encode_queries(text)
    ranked = []
    for door, in_cluster in ("node", True), ("python", False):
        index = f"{name}-{door}"
        made = Index.create(
            there.client, index, there.sparse, inputs=INPUTS, in_cluster=in_cluster, chunk=rule
        )
        assert made.ingest(long).indexed == len(long)
        for id_, fields in stored(there, index).items():
            chunks = fields["passages"]
            best = max(score(query, each["vector"]) for each in chunks)
            assert len(chunks) > 1
            (hit,) = made.search(text, mode="sparse", filter={"ids": {"values": [id_]}})
            assert hit.score == pytest.approx(best, rel=1e-5)
        ranked.append([hit.id for hit in made.search(text, mode="sparse", size=20)])
        ranked.append(
            [id_ for id_, _ in hits(there, index, query=sparse("passages.vector", text))][:20]
        )
        with pytest.raises(RequestError, match="whose hits are shown without their chunks"):
            made.search(text, mode="sparse", passages=2)
    assert ranked[0] == ranked[1] == ranked[2] == ranked[3]
    inside = {"nested": {"path": "passages", "query": sparse("passages.vector", text)}}
    assert hits(there, f"{name}-node", query=inside)
    for option in ({"passage_score": "mean"},):
        with pytest.raises((RequestError, ElasticError), match="scored by their best one"):
            Index.open(there.client, f"{name}-node").search(text, mode="sparse", **option)


def sparse(field: str, text: str, **more: Any) -> dict[str, Any]:
    return {"sparse": {"field": field, "text": text, **more}}


def test_indices_of_two_encoders_are_each_searched_by_their_own(there: Sparse, name: str) -> None:
    for each, own in ("one", there.sparse), ("two", there.idf):
        made = Index.create(there.client, f"{name}-{each}", own, inputs=INPUTS, in_cluster=True)
        made.ingest(documents()[:8])
    text = QUESTIONS[1]
    found = hits(there, f"{name}-*", query=sparse("embedding", text))
    apart = [
        hit
        for each in ("one", "two")
        for hit in hits(there, f"{name}-{each}", query=sparse("embedding", text))
    ]
    assert sorted(id_ for id_, _ in found) == sorted(id_ for id_, _ in apart)
    assert sorted(each for _, each in found) == pytest.approx(sorted(each for _, each in apart))
    hybrid = {"query": text, "fields": ["body", "embedding"]}
    assert hits(there, f"{name}-*", retriever={"hybrid": hybrid})


def test_filters_boost_and_a_bool_around_it(there: Sparse, name: str) -> None:
    made = Index.create(there.client, name, there.sparse, inputs=INPUTS, in_cluster=True)
    made.ingest(documents())
    text = QUESTIONS[0]
    plain = dict(hits(there, name, query=sparse("embedding", text)))
    few = {"ids": {"values": ["d1", "d2"]}}
    filtered = dict(hits(there, name, query=sparse("embedding", text, filter=few, boost=2)))
    assert filtered == pytest.approx({id_: 2 * plain[id_] for id_ in ("d1", "d2")})
    assert made.search(text, mode="sparse", filter=few).hits[0].id in ("d1", "d2")
    within = {"bool": {"must": [sparse("embedding", text)], "filter": [few]}}
    assert dict(hits(there, name, query=within)).keys() == {"d1", "d2"}
    prefixed = {"densehook_sparse": {"field": "embedding", "text": text}}
    assert dict(hits(there, name, query=prefixed)) == plain
    from elasticsearch.dsl import Search

    from densehook.integrations.dsl import Sparse as Query

    dsl = Search().query(Query(field="embedding", text=text)).to_dict()
    assert dict(hits(there, name, query=dsl["query"])) == plain
    explained = there.client.explain(index=name, id="d1", query=sparse("embedding", text))
    assert explained["explanation"]["value"] == pytest.approx(plain["d1"])


def test_given_tokens_need_no_x_pack(there: Sparse, name: str) -> None:
    there.client.indices.create(
        index=name, mappings={"properties": {"tokens": {"type": "sparse_vector"}}}
    )
    there.client.index(index=name, id="a", document={"tokens": {"cat": 1.5, "u.s.": 0.5}})
    field = {"field": "tokens", "query_vector": {"cat": 2, "u.s.": 1, "dog": 1}}
    hybrid = {"query": "cat", "fields": [field], "fusion": "linear", "normalizer": "none"}
    ((id_, found),) = hits(there, name, retriever={"hybrid": hybrid})
    assert (id_, found) == ("a", pytest.approx(3.5))


def test_a_text_without_terms_has_none_and_finds_none(there: Sparse, name: str) -> None:
    made = Index.create(there.client, name, there.idf, inputs=INPUTS, in_cluster=True)
    made.ingest([*documents()[:3], {"id": "blank", "title": " ", "body": "\u200b"}])
    found = stored(there, name)
    assert "embedding" not in found["blank"]
    assert there.idf.encode_queries("the") == {}
    assert hits(there, name, query=sparse("embedding", "the")) == []
    assert not made.search("the", mode="sparse").hits
    assert not Index.open(there.client, name, there.idf).search("the", mode="sparse").hits
    with pytest.raises(BadRequestError) as refused:
        hits(there, name, query=sparse("embedding", " "))
    assert "[text] of [sparse] is blank; give a text" in str(refused.value.body)


def test_mixtures_of_kinds_are_refused_in_a_line(there: Sparse, name: str) -> None:
    two_fields(there, name)
    client = there.client
    dense = {"dense": {"field": "splade", "text": "water"}}
    splade = {"field": "splade"}
    own = there.sparse.manifest.name
    builder = {"densehook": {"text": "water", "encoder": own}}
    knn = {"field": "embedding", "k": 3, "num_candidates": 9, "query_vector_builder": builder}
    rerank = {"retriever": {"standard": {}}, "text": "water", "field": "body", "encoder": own}
    maxsim = {"maxsim": {"field": "splade", "text": "water"}}
    for said, search in (
        (
            r"\[embedding\] .* mapped as \[dense_vector\], and query \[sparse\] needs a \[sparse_v",
            {"query": sparse("embedding", "water")},
        ),
        (
            r"\[splade\] .* mapped as \[sparse_vector\], and query \[dense\] needs a \[dense_v",
            {"query": dense},
        ),
        (r"and \[maxsim\] needs a \[binary\]; it is searched by query \[sparse", {"query": maxsim}),
        (
            r"is of kind \[sparse\], query_vector_builder \[densehook\] needs one of kind",
            {"knn": knn},
        ),
        (
            r"is of kind \[sparse\], retriever \[rerank\] needs one of kind \[cross\]",
            {"retriever": {"rerank": rerank}},
        ),
        ("says which encoder made field", {"query": sparse("body", "water")}),
        (
            "scored by their best one",
            {"retriever": {"hybrid": {"query": "w", "fields": [{**splade, "passages": {}}]}}},
        ),
        (
            "is an object of tokens and weights, not a list",
            {"retriever": {"hybrid": {"query": "w", "fields": [{**splade, "query_vector": [1]}]}}},
        ),
    ):
        with pytest.raises(BadRequestError, match=said):
            client.search(index=name, **search)
    meta = client.indices.get_mapping(index=name)[name]["mappings"]["_meta"]
    fields = meta["densehook"]["fields"]
    fields["splade"], fields["embedding"] = fields["embedding"], fields["splade"]
    for field, mapped in ("splade", "sparse_vector"), ("embedding", "dense_vector"):
        properties = {field: {"type": mapped}, "title": {"type": "text"}, "body": {"type": "text"}}
        only = {"densehook": {"fields": {field: fields[field]}}}
        with pytest.raises(BadRequestError, match=f"\\[{field}\\] .*{mapped}"):
            client.indices.create(
                index=f"{name}-no", mappings={"properties": properties, "_meta": only}
            )
    with pytest.raises(EncoderMismatch, match="is mapped as dense_vector, encoder 'sparse-0' of"):
        Index.open(client, name, there.sparse, field="embedding")
    with pytest.raises(EncoderMismatch, match="is mapped as sparse_vector, encoder 'tiny-bert' of"):
        Index.open(client, name, there.dense, field="splade")
    with pytest.raises(RequestError, match=r"'splade' .* is a sparse_vector; search it by sparse"):
        Index.open(client, name, field="splade").search("water", mode="dense")
    with pytest.raises(RequestError, match="index type 'flat' is unknown; known: inverted"):
        Index.create(client, f"{name}-no", there.sparse, inputs=INPUTS, index_type="flat")


def test_the_command_line_creates_feeds_and_searches(
    there: Sparse, name: str, sparse_bundle: Bundle, tmp_path: Path
) -> None:

    rows = [
        json.dumps({"_id": each["id"], "title": each["title"], "text": each["body"]})
        for each in documents()
    ]
    (tmp_path / "corpus.jsonl").write_text("\n".join(rows))
    run = running_in(tmp_path, DENSEHOOK_ES_URL=there.url)
    bundle = str(sparse_bundle.path)
    said = succeeded(run("create", name, "--encoder", bundle))
    assert "embedding (inverted, 48 terms) is made from title,text" in said
    assert "in the cluster" in said
    succeeded(run("ingest", name, "corpus.jsonl"))
    found = json.loads(
        succeeded(run("search", name, QUESTIONS[0], "--mode", "sparse", "--size", "3", "--json"))
    )
    assert found["mode"] == "sparse" and len(found["hits"]) == 3
    fused = succeeded(run("search", name, QUESTIONS[0], "--explain"))
    assert "sparse" in fused and "bm25" in fused
    assert run("doctor", name).returncode == 0


def test_weights_go_out_as_pyserinis_impacts_and_in_again(
    there: Sparse, name: str, tmp_path: Path
) -> None:
    made = Index.create(there.client, name, there.sparse, inputs=INPUTS, in_cluster=True)
    made.ingest(documents())
    run = running_in(tmp_path, DENSEHOOK_ES_URL=there.url)
    succeeded(run("impacts", "export", name, "out.jsonl", "--field", "embedding"))
    rows = {row.id: row for row in read_impacts(tmp_path / "out.jsonl")}
    assert rows["d0"].contents == whole(documents()[0])
    query = there.sparse.encode_queries(QUESTIONS[3])
    found = hits(there, name, query=sparse("embedding", QUESTIONS[3]))
    for id_, each in found:
        assert each == pytest.approx(score(query, rows[id_].weights), rel=1e-5)
    succeeded(run("impacts", "import", f"{name}-again", "out.jsonl"))
    again = hits(there, f"{name}-again", query=terms_query("impacts", query))
    assert dict(again) == pytest.approx(dict(found))


def test_the_requests_of_the_page_answer(there: Sparse) -> None:
    section = PAGE.partition("## sparse\n")[2].partition("\n## ")[0]
    section = FINGERPRINT.sub(there.sparse.fingerprint, section)
    section = section.replace('"encoder": "splade"', f'"encoder": "{there.sparse.manifest.name}"')
    try:
        answers = answers_of(section, there.url)
    finally:
        there.client.indices.delete(index="weighed", ignore_unavailable=True)
    _, _, by_query, fused, shown = answers
    assert [hit["_id"] for hit in by_query["hits"]["hits"]] == ["1"]
    assert [hit["_id"] for hit in fused["hits"]["hits"]] == ["1"]
    (text,) = shown["texts"]
    query = there.sparse.encode_queries("how do vaccines work")
    assert text["weights"] == pytest.approx(query, abs=1e-5)
