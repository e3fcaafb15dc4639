"""Late interaction on real nodes: fields of token vectors, written and scored here and there."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from elasticsearch import BadRequestError, Elasticsearch

from conftest import serving
from densehook import Index
from densehook.bundle import Bundle
from densehook.chunk import ChunkRule
from densehook.collections import Collection
from densehook.elastic.search import Searcher
from densehook.encode import Encoder, load
from densehook.errors import EncoderMismatch, RequestError
from densehook.evaluate import evaluate
from densehook.export.texts import PASSAGES, QUESTIONS
from densehook.multivector import header_of, maxsim, pack, pooled, unpack
from e2e.test_elasticsearch_docs import EXAMPLE, differences, parse, run

if TYPE_CHECKING:
    from densehook.node import NodeState

SECTION = Path(__file__).parent.parent.parent / "docs" / "encoders.md"
DOCUMENTED = "answerai-colbert-small-v1"
"""What the page calls its encoder."""
DOCUMENTS = [{"_id": f"d{n}", "text": text} for n, text in enumerate(PASSAGES[:20])]
QUERY = "how do vaccines work"
WORDS = "vaccine boils vitamin compiler lithium chlorophyll caffeine ice Pacific climate printed"
"""A query by which BM25 finds half of them."""


@pytest.fixture(scope="module")
def tokens(plugin_node: NodeState, make_late_bundle: Callable[..., Bundle]) -> Iterator[Encoder]:
    """A late-interaction encoder, in service on the node."""
    bundle = make_late_bundle("colbert")
    with serving(plugin_node, bundle, named={DOCUMENTED: bundle}):
        yield load(bundle.path)


@pytest.fixture
def filled(
    plugin_client: Elasticsearch, plugin_index: str, tokens: Encoder
) -> Callable[..., Index]:
    def fill(index_type: str = "float32", *, in_cluster: bool = True) -> Index:
        index = Index.create(
            plugin_client,
            plugin_index,
            tokens,
            inputs=["text"],
            field="tokens",
            index_type=index_type,
            in_cluster=in_cluster,
        )
        report = index.ingest(DOCUMENTS)
        assert (report.indexed, report.failed) == (len(DOCUMENTS), 0)
        plugin_client.indices.refresh(index=plugin_index)
        return index

    return fill


def test_the_requests_of_the_page_answer_what_it_shows(
    plugin_node: NodeState, plugin_client: Elasticsearch, tokens: Encoder
) -> None:
    page = SECTION.read_text().partition("\n## multi")[2].partition("\n## ")[0]
    page = page.partition("\n## ")[0].replace("sha256:" + 64 * "0", tokens.fingerprint)
    address = plugin_node.url.removeprefix("http://")
    try:
        found = EXAMPLE.findall(page)
        assert len(found) == 4
        for command, shown in found:
            status, answer = run(command, address)
            assert status in (200, 201), (command, answer)
            assert not list(differences(parse(shown) if shown else {}, answer)), answer
    finally:
        plugin_client.indices.delete(index="lines", ignore_unavailable=True)


def stored(client: Elasticsearch, index: str, field: str = "tokens") -> dict[str, bytes]:
    hits = client.search(index=index, size=100)["hits"]["hits"]
    return {hit["_id"]: b64decode(hit["_source"][field]) for hit in hits}


def ranked(client: Elasticsearch, index: str, **body: Any) -> list[tuple[str, float]]:
    hits = client.search(index=index, **{"size": 100, **body})["hits"]["hits"]
    return [(hit["_id"], hit["_score"]) for hit in hits]


def scores(encoder: Encoder, query: str, values: dict[str, bytes]) -> dict[str, float]:
    vectors = encoder.encode_queries(query)
    return {id_: maxsim(vectors, unpack(value)) for id_, value in values.items()}


def assert_scored(found: list[tuple[str, float]], expected: dict[str, float]) -> None:
    assert {id_ for id_, _ in found} == expected.keys()
    for id_, score in found:
        assert score == pytest.approx(expected[id_], abs=1e-4), id_
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


def test_node_and_python_read_the_same_tokens_and_give_the_same_vectors(
    plugin_client: Elasticsearch, tokens: Encoder
) -> None:
    for role in ("query", "document"):
        texts = [*QUESTIONS, *PASSAGES, "", "?!", "x " * 100]
        answer = plugin_client.perform_request(
            "POST",
            "/_densehook/_encode",
            headers={"accept": "application/json", "content-type": "application/json"},
            body={"texts": texts, "role": role, "encoder": tokens.manifest.name},
        ).body
        read = tokens.tokenize(texts, role)  # type: ignore[arg-type]
        rows = tokens.encode_tokens(read)
        for text, own, row, got in zip(texts, read, rows, answer["texts"], strict=True):
            assert got["ids"] == own.ids, text
            assert got["lost_tokens"] == own.lost, text
            np.testing.assert_allclose(got["token_vectors"], row, atol=1e-5, err_msg=text)


@pytest.mark.parametrize("index_type", ["float32", "int8", "1bit", "float32-pool2", "int8-pool3"])
def test_the_cluster_stores_and_scores_as_python_does(
    plugin_client: Elasticsearch,
    filled: Callable[..., Index],
    tokens: Encoder,
    index_type: str,
) -> None:
    index = filled(index_type)
    values = stored(plugin_client, index.name)
    precision, _, pool = index_type.partition("-pool")
    for document in DOCUMENTS:
        vectors = tokens.encode_documents(document["text"])
        fewer = pooled(vectors, int(pool)) if pool else vectors
        value = values[document["_id"]]
        assert header_of(value) == (precision, 16, len(fewer))
        if precision != "1bit":
            np.testing.assert_allclose(
                unpack(value),
                unpack(pack(fewer, precision)),
                atol=0.01 if "int8" in precision else 1e-5,
            )
    found = ranked(plugin_client, index.name, query={"maxsim": {"field": "tokens", "text": QUERY}})
    assert_scored(found, scores(tokens, QUERY, values))


def test_float32_scores_are_pytorchs(
    plugin_client: Elasticsearch, filled: Callable[..., Index], tokens: Encoder
) -> None:
    index = filled("float32")
    found = dict(
        ranked(plugin_client, index.name, query={"maxsim": {"field": "tokens", "text": QUERY}})
    )
    query = tokens.encode_queries(QUERY)
    for document in DOCUMENTS:
        expected = maxsim(query, tokens.encode_documents(document["text"]))
        assert found[document["_id"]] == pytest.approx(expected, abs=1e-3)


def children(index: Index) -> dict[str, dict[str, Any]]:
    words = {"standard": {"query": {"match": {"text": WORDS}}}}
    return {
        "standard": words,
        "hybrid": {"hybrid": {"retrievers": [words], "rank_window_size": 100}},
    }


@pytest.mark.parametrize("child", ["standard", "hybrid"])
def test_the_retriever_orders_the_window_of_any_other_by_maxsim(
    plugin_client: Elasticsearch, filled: Callable[..., Index], tokens: Encoder, child: str
) -> None:
    index = filled("int8")
    first = ranked(plugin_client, index.name, retriever=children(index)[child])
    assert 5 < len(first) <= len(DOCUMENTS)
    everything = scores(tokens, QUERY, stored(plugin_client, index.name))
    for window in (5, 100):
        retriever = {
            "maxsim": {
                "retriever": children(index)[child],
                "field": "tokens",
                "text": QUERY,
                "rank_window_size": window,
            }
        }
        found = ranked(
            plugin_client, index.name, retriever=retriever, size=min(window, len(DOCUMENTS))
        )
        inside = [id_ for id_, _ in first[:window]]
        assert_scored(found, {id_: everything[id_] for id_ in inside})


def test_query_vectors_may_be_given_and_explain_says_how_many_there_are(
    plugin_client: Elasticsearch, filled: Callable[..., Index], tokens: Encoder
) -> None:
    index = filled()
    vectors = tokens.encode_queries(QUERY)
    query = {"maxsim": {"field": "tokens", "query_vectors": vectors.tolist()}}
    found = ranked(plugin_client, index.name, query=query)
    assert_scored(found, scores(tokens, QUERY, stored(plugin_client, index.name)))
    told = plugin_client.explain(index=index.name, id="d0", query=query)
    shown = str(told["explanation"])
    count = len(tokens.encode_documents(DOCUMENTS[0]["text"]))
    assert f"MaxSim of [{len(vectors)}] query tokens over [{count}] token vectors" in shown


def test_index_search_by_maxsim_is_one_here_and_in_the_cluster(
    plugin_client: Elasticsearch, filled: Callable[..., Index], tokens: Encoder, tmp_path: Path
) -> None:
    index = filled("int8").name
    there = Index.open(plugin_client, index)
    here = Index.open(plugin_client, index, tokens)
    one = there.search(WORDS, mode="maxsim", size=5, window=15)
    other = here.search(WORDS, mode="maxsim", size=5, window=15)
    assert [hit.id for hit in one] == [hit.id for hit in other]
    for a, b in zip(one, other, strict=True):
        assert a.score == pytest.approx(b.score, abs=1e-4)
        assert "tokens" not in a.source
        assert a.source == b.source
    rankings = [
        Searcher(plugin_client, index, each).search({"q": WORDS}, "maxsim", 1000)["q"]
        for each in (None, tokens)
    ]
    assert [hit.id for hit in rankings[0]] == [hit.id for hit in rankings[1]]
    assert [hit.id for hit in rankings[0]][:5] == [hit.id for hit in one]
    collection = Collection("one", lambda: iter(()), {"q": WORDS}, {"q": {one[0].id: 1}})
    told = evaluate(collection, here, ["bm25", "maxsim"], output=tmp_path / "report")
    assert told.systems["maxsim"]["nDCG@10"] == 1
    assert [hit.id for hit in told.runs["maxsim"]["q"]] == [hit.id for hit in rankings[1]]
    filtered = {"ids": {"values": ["d1", "d3"]}}
    for each in (there, here):
        hits = each.search(WORDS, mode="maxsim", filter=filtered)
        assert {hit.id for hit in hits} <= {"d1", "d3"}
        second = each.search(WORDS, mode="maxsim", size=3, from_=2)
        assert [hit.id for hit in second] == [
            hit.id for hit in each.search(WORDS, mode="maxsim", size=5)[2:]
        ]


def test_python_feeds_what_the_cluster_would(
    plugin_client: Elasticsearch, filled: Callable[..., Index], tokens: Encoder
) -> None:
    index = filled("int8-pool2", in_cluster=False)
    values = stored(plugin_client, index.name)
    vectors = tokens.encode_documents([each["text"] for each in DOCUMENTS])
    for document, own in zip(DOCUMENTS, vectors, strict=True):
        assert header_of(values[document["_id"]]).tokens == len(pooled(own, 2))
    # unchanged texts are not encoded again, and keep what they have
    report = index.ingest(DOCUMENTS, replace=True)
    assert (report.indexed, report.encoded.texts) == (len(DOCUMENTS), 0)
    assert stored(plugin_client, index.name) == values


def test_an_update_gets_the_vectors_of_its_text(
    plugin_client: Elasticsearch, filled: Callable[..., Index], tokens: Encoder
) -> None:
    index = filled("float32")
    before = stored(plugin_client, index.name)
    plugin_client.update(index=index.name, id="d3", doc={"text": "Whales sing."}, refresh=True)
    after = stored(plugin_client, index.name)
    np.testing.assert_allclose(
        unpack(after["d3"]), tokens.encode_documents("Whales sing."), atol=1e-5
    )
    assert {id_ for id_ in before if before[id_] != after[id_]} == {"d3"}


def test_an_index_of_token_vectors_opens_by_plain_fields_alone(
    plugin_client: Elasticsearch, filled: Callable[..., Index]
) -> None:
    index = filled("int8")
    mapped = plugin_client.indices.get_mapping(index=index.name)[index.name]["mappings"]
    assert mapped["properties"]["tokens"] == {
        "type": "binary",
        "doc_values": True,
        "meta": {"precision": "int8", "pool": "1"},
    }


def refused(client: Elasticsearch, index: str, **body: Any) -> str:
    with pytest.raises(BadRequestError) as error:
        client.search(index=index, **body)
    return str(error.value.body)


def test_kinds_and_fields_that_do_not_fit_are_refused_in_a_line(
    plugin_client: Elasticsearch,
    plugin_index: str,
    filled: Callable[..., Index],
    tokens: Encoder,
    minilm: Encoder,
) -> None:
    index = filled("int8")
    client = plugin_client
    for query, needed in (("dense", "dense_vector"), ("sparse", "sparse_vector")):
        said = (
            f"field [tokens] of index [{index.name}] is mapped as [binary], and query [{query}]"
            f" needs a [{needed}]; it is searched by query [maxsim]"
        )
        asked = {query: {"field": "tokens", "text": QUERY}}
        assert said in refused(client, index.name, query=asked)
    assert "has type [binary]" in refused(
        client, index.name, retriever={"hybrid": {"query": QUERY, "fields": ["tokens"]}}
    )
    assert "needs [text], [image] or [query_vectors]" in refused(
        client, index.name, query={"maxsim": {"field": "tokens"}}
    )
    assert "[text] of [maxsim] is blank" in refused(
        client, index.name, query={"maxsim": {"field": "tokens", "text": " "}}
    )
    assert "which is mapped as [text]; it must be a [binary] field" in refused(
        client,
        index.name,
        query={"maxsim": {"field": "text", "query_vectors": [[1.0] * 16]}},
    )
    assert "all of one length" in refused(
        client, index.name, query={"maxsim": {"field": "tokens", "query_vectors": [[1], [1, 2]]}}
    )
    assert "token vectors have 16 dims, those of the query 2" in refused(
        client, index.name, query={"maxsim": {"field": "tokens", "query_vectors": [[1, 2]]}}
    )
    window = {"retriever": {"standard": {}}, "field": "tokens", "text": QUERY}
    assert "must be from 1 to [densehook.maxsim.max_window], which is 1000" in refused(
        client, index.name, retriever={"maxsim": {**window, "rank_window_size": 10_000}}
    )
    assert "needs [retriever], whose hits it scores" in refused(
        client, index.name, retriever={"maxsim": {"field": "tokens", "text": QUERY}}
    )
    assert "[maxsim] unknown field [window]" in refused(
        client, index.name, retriever={"maxsim": {**window, "window": 5}}
    )
    few = {"maxsim": {**window, "rank_window_size": 10}}
    assert "[maxsim] requires [rank_window_size: 10] be greater than or equal to [size: 20]" in (
        refused(client, index.name, retriever=few, size=20)
    )
    made = Index.create(client, f"{plugin_index}-dense", minilm, inputs=["text"], in_cluster=True)
    for asked in (
        {"query": {"maxsim": {"field": "embedding", "text": QUERY}}},
        {"retriever": {"maxsim": {**window, "field": "embedding"}}},
    ):
        said = "is mapped as [dense_vector], and [maxsim] needs a [binary]; it is searched by query"
        assert f"{said} [dense]" in refused(client, made.name, **asked)
    builder = {"densehook": {"text": QUERY, "encoder": tokens.manifest.name}}
    knn = {"field": "embedding", "k": 3, "num_candidates": 9, "query_vector_builder": builder}
    kind = f"encoder [{tokens.manifest.name}] is of kind [multi], "
    builders = "query_vector_builder [densehook] needs one of kind [dense]"
    assert kind + builders in refused(client, made.name, knn=knn)
    rerank = {"retriever": {"standard": {}}, "field": "text", "text": QUERY}
    assert kind + "retriever [rerank] needs one of kind [cross]" in refused(
        client, index.name, retriever={"rerank": {**rerank, "encoder": tokens.manifest.name}}
    )
    with pytest.raises(EncoderMismatch, match=r"mapped as binary, encoder .* of kind dense writes"):
        Index.open(client, index.name, minilm)
    with pytest.raises(RequestError, match="of which no chunks are made"):
        Index.create(
            client, f"{plugin_index}-chunks", tokens, inputs=["text"], chunk=ChunkRule("sentence")
        )
    with pytest.raises(RequestError, match="index type 'hnsw' is unknown; known: int8, int8-pool2"):
        Index.create(client, f"{plugin_index}-hnsw", tokens, inputs=["text"], index_type="hnsw")


def test_a_field_of_numbers_has_no_tokens(plugin_client: Elasticsearch, plugin_index: str) -> None:
    entry = {"input": "samples", "modality": "numbers", "encoder": "series", "fingerprint": "f"}
    plugin_client.indices.create(
        index=plugin_index,
        mappings={
            "_meta": {"densehook": {"fields": {"embedding": entry}}},
            "properties": {
                "samples": {"type": "float"},
                "embedding": {"type": "dense_vector", "dims": 16},
            },
        },
    )
    for query, asker, needed in (
        ("maxsim", "[maxsim]", "binary"),
        ("sparse", "query [sparse]", "sparse_vector"),
    ):
        said = f"is mapped as [dense_vector], and {asker} needs a [{needed}]"
        asked = {query: {"field": "embedding", "text": QUERY}}
        assert said in refused(plugin_client, plugin_index, query=asked)


def test_a_pipeline_writes_token_vectors_into_no_other_field(
    plugin_client: Elasticsearch, plugin_index: str, tokens: Encoder
) -> None:
    client, pipeline = plugin_client, f"densehook-{plugin_index}"
    processor = {"encoder": tokens.manifest.name, "input": "text", "output": "tokens"}
    client.ingest.put_pipeline(id=pipeline, processors=[{"densehook": processor}])
    kind = f"encoder [{tokens.manifest.name}]"
    writes = f"and {kind} is of kind [multi], which writes [binary]; map it so"
    for mapped, said in (
        ({"type": "keyword"}, f"field [tokens] is mapped as [keyword], {writes}"),
        ({"type": "dense_vector", "dims": 16}, f"is mapped as [dense_vector], {writes}"),
        ({"type": "binary"}, "field [tokens] has no doc values, which [maxsim] reads"),
        (None, f"is not mapped in index [{plugin_index}], and Elasticsearch by itself does not"),
    ):
        properties = {"text": {"type": "text"}} | ({"tokens": mapped} if mapped else {})
        client.indices.create(index=plugin_index, mappings={"properties": properties})
        with pytest.raises(BadRequestError) as error:
            client.index(index=plugin_index, document={"text": "a"}, pipeline=pipeline)
        assert said in str(error.value.body)
        client.indices.delete(index=plugin_index)
    kept = {"type": "binary", "doc_values": True}
    client.indices.create(index=plugin_index, mappings={"properties": {"tokens": kept}})
    document = {"text": "a"}
    client.index(index=plugin_index, id="1", document=document, pipeline=pipeline, refresh=True)
    assert header_of(stored(client, plugin_index)["1"]).dims == 16


def test_mappings_that_cannot_hold_token_vectors_are_refused_in_a_line(
    plugin_client: Elasticsearch, plugin_index: str, tokens: Encoder, minilm: Encoder
) -> None:
    def put(encoder: Encoder, field: dict[str, Any], **more: Any) -> str:
        entry = {
            "input": ["text"],
            "encoder": encoder.manifest.name,
            "fingerprint": encoder.fingerprint,
            **more,
        }
        mappings = {
            "_meta": {"densehook": {"fields": {"tokens": entry}}},
            "properties": {"text": {"type": "text"}, "tokens": field},
        }
        with pytest.raises(BadRequestError) as error:
            plugin_client.indices.create(index=plugin_index, mappings=mappings)
        return str(error.value.body)

    kept = {"type": "binary", "doc_values": True}
    assert "has no doc values, which [maxsim] reads" in put(tokens, {"type": "binary"})
    assert "has [meta.precision] [int3]; it must be one of [float32, int8, 1bit]" in put(
        tokens, {**kept, "meta": {"precision": "int3"}}
    )
    assert "has [meta.pool] [9]; it must be one of [1, 2, 3, 4]" in put(
        tokens, {**kept, "meta": {"pool": "9"}}
    )
    assert "is mapped as [binary], and encoder [all-minilm-l6-v2] is of kind [dense]" in put(
        minilm, kept
    )
    vector = {"type": "dense_vector", "dims": 16}
    assert "is mapped as [dense_vector], and encoder [tiny-colbert] is of kind [multi]" in put(
        tokens, vector
    )
    assert "of which no chunks are made; leave [chunk] out" in put(
        tokens, kept, chunk={"by": "sentence"}
    )


def test_a_damaged_value_is_named_with_its_document_and_made_anew_when_written_again(
    plugin_client: Elasticsearch, plugin_index: str, tokens: Encoder
) -> None:
    client = plugin_client
    kept = {"type": "binary", "doc_values": True}
    client.indices.create(index=plugin_index, mappings={"properties": {"tokens": kept}})
    whole = b64encode(pack(tokens.encode_documents("whole"), "int8")).decode()
    spoiled = b64encode(b64decode(whole)[:-3]).decode()
    query = {"maxsim": {"field": "tokens", "query_vectors": tokens.encode_queries("x").tolist()}}
    client.index(index=plugin_index, id="good", document={"tokens": whole}, refresh=True)
    assert [id_ for id_, _ in ranked(client, plugin_index, query=query)] == ["good"]
    client.index(index=plugin_index, id="bad", document={"tokens": spoiled}, refresh=True)
    said = refused(client, plugin_index, query=query)
    assert "field [tokens] of document [bad] holds no token vectors that can be compared" in said
    client.index(index=plugin_index, id="bad", document={"tokens": [whole, spoiled]}, refresh=True)
    assert "there are 2 values, not one" in refused(client, plugin_index, query=query)


def test_maxsim_in_a_cluster_that_cannot_is_refused_in_a_line(
    client: Elasticsearch, index: str, make_late_bundle: Callable[..., Bundle]
) -> None:
    encoder = load(make_late_bundle("pylate").path)
    made = Index.create(client, index, encoder, inputs=["text"], in_cluster=False)
    made.ingest(DOCUMENTS)
    client.indices.refresh(index=index)
    hits = made.search(WORDS, mode="maxsim", size=5)
    vectors = encoder.encode_queries(WORDS)
    for hit in hits:
        expected = maxsim(vectors, encoder.encode_documents(hit.source["text"]))
        assert hit.score == pytest.approx(expected, abs=0.05)
    with pytest.raises(RequestError, match=r"maxsim search of index .* needs the encoder"):
        Index.open(client, index).search(WORDS, mode="maxsim")
    with pytest.raises(RequestError, match="search it by maxsim, not by dense"):
        made.search(WORDS, mode="dense")
