"""Fields of chunks in real nodes: what each way to write makes of a long text, and its search."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elasticsearch import BadRequestError, Elasticsearch

from conftest import serving
from densehook import Index, node
from densehook.bundle import Bundle
from densehook.chunk import ChunkRule
from densehook.elastic.checks import checked
from densehook.elastic.indices import create_index, provenance_of
from densehook.encode import Encoder, load
from densehook.errors import BundleError, RequestError
from densehook.evaluate import evaluate
from densehook.hooks import note_of
from densehook.hooks.kinds.dense import parsed
from densehook.ingest import feed
from densehook.types import Document
from embedding_index import encoded
from tiny_collection import write_judged

RULE = ChunkRule("sentence", 16, 5)
WHALES = "Whales breathe air. They sleep with half of the brain. A blue whale eats krill."
BREAD = (
    "Flour and water make a dough. Yeast lets it rise for an hour. Salt is added at the end."
    " The crust turns brown in a hot oven."
)
ROWS = [
    {"_id": "whales", "title": "The sea", "text": WHALES, "lang": "en"},
    {"_id": "bread", "title": "The kitchen", "text": BREAD, "lang": "en"},
    {"_id": "brot", "title": "Die Küche", "text": BREAD, "lang": "de"},
    {"_id": "empty", "title": "", "text": " "},
]
WITH_TEXT = ("whales", "bread", "brot")
DOCUMENTS = [Document(row["_id"], {k: v for k, v in row.items() if k != "_id"}) for row in ROWS]


@pytest.fixture(params=["in the cluster", "here"])
def filled(
    request: pytest.FixtureRequest,
    plugin_client: Elasticsearch,
    plugin_index: str,
    minilm: Encoder,
) -> Iterator[Index]:
    """An index of chunks with the documents in it."""
    index = Index.create(
        plugin_client,
        plugin_index,
        minilm,
        inputs=["title", "text"],
        index_type="flat",
        in_cluster=request.param == "in the cluster",
        chunk=RULE,
    )
    report = index.ingest(ROWS)
    assert (report.indexed, report.failed) == (4, 0)
    yield index


def test_a_pipeline_makes_the_chunks_that_the_mapping_states(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder
) -> None:
    inputs = ["title", "text"]
    Index.create(plugin_client, plugin_index, minilm, inputs=inputs, in_cluster=False, chunk=RULE)
    processor = {"encoder": minilm.manifest.name, "input": inputs, "output": "passages.vector"}
    pipeline = f"densehook-{plugin_index}"
    plugin_client.ingest.put_pipeline(id=pipeline, processors=[{"densehook": processor}])
    for document in DOCUMENTS:
        plugin_client.index(
            index=plugin_index, id=document.id, document=dict(document.fields), pipeline=pipeline
        )
    plugin_client.indices.refresh(index=plugin_index)
    for id_ in WITH_TEXT:
        assert_current(plugin_client, plugin_index, minilm, id_)
    assert "passages" not in plugin_client.get(index=plugin_index, id="empty")["_source"]


def test_a_pipeline_makes_the_chunks_of_a_mapping_that_names_no_inputs(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder
) -> None:
    client, index = plugin_client, plugin_index
    stated = {
        "encoder": minilm.manifest.name,
        "fingerprint": minilm.fingerprint,
        "chunk": RULE.as_json(),
    }
    chunks = {
        "start": {"type": "integer"},
        "end": {"type": "integer"},
        "vector": {"type": "dense_vector", "dims": minilm.dims},
    }
    pipeline = f"densehook-{index}"
    processor = {
        "encoder": minilm.manifest.name,
        "input": ["title", "text"],
        "output": "passages.vector",
        "ignore_missing": True,
    }
    client.ingest.put_pipeline(id=pipeline, processors=[{"densehook": processor}])
    client.indices.create(
        index=index,
        settings={"index.default_pipeline": pipeline},  # of an update it is the only one that runs
        mappings={
            "_meta": {"densehook": {"fields": {"passages.vector": stated}}},
            "properties": {"passages": {"type": "nested", "properties": chunks}},
        },
    )

    def update(**fields: str) -> None:
        operations = [{"update": {"_id": "bulk"}}, {"doc": fields, "doc_as_upsert": True}]
        assert not client.bulk(index=index, operations=operations)["errors"]

    client.index(index=index, id="put", document={"text": WHALES})
    assert_chunks(client, index, minilm, "put")
    update(text=WHALES)
    assert_chunks(client, index, minilm, "bulk")
    assert len(passages(client, index, "bulk")) > 1
    update(title="The kitchen", text=BREAD)
    assert assert_chunks(client, index, minilm, "bulk") == f"The kitchen {BREAD}"
    assert "densehook" not in client.get(index=index, id="bulk")["_source"]


def test_what_chunks_bring_is_measured_beside_texts_that_are_cut(
    client: Elasticsearch, minilm: Encoder, tmp_path: Path
) -> None:
    long = "The kitchen is closed today. " * 60  # more than the encoder reads
    texts = {"a": f"{long}{WHALES}", "b": f"{long}{BREAD}", "c": WHALES, "d": "", "e": "Krill."}
    name = "measured-chunks"
    chunk = ChunkRule("sentence", 64)
    index = Index.create(client, name, minilm, inputs=["text"], index_type="flat", chunk=chunk)
    try:
        index.ingest([{"_id": id_, "text": text} for id_, text in texts.items()])
        queries = {"q0": "how is bread baked", "q1": "what do whales eat", "q2": " "}
        searcher = index.searcher()
        run = searcher.search(queries, "dense-cut", depth=3)
        ids = [id_ for id_ in texts if texts[id_]]
        rows = minilm.encode_documents([texts[id_] for id_ in ids])
        for query in ("q0", "q1"):
            scores = dict(zip(ids, rows @ minilm.encode_queries(queries[query]), strict=True))
            best = sorted(ids, key=lambda id_: -scores[id_])[:3]
            assert [hit.id for hit in run[query]] == best
            assert [hit.score for hit in run[query]] == pytest.approx([scores[i] for i in best])
        assert run["q2"] == []
        assert searcher.search(queries, "dense", depth=3)["q0"][0].id == "b"
        asked = {id_: queries[id_] for id_ in ("q0", "q1")}
        judged = write_judged(tmp_path / "judged", asked, {"q0": "b", "q1": "ac"})
        told = evaluate(judged, index, ["dense-cut", "dense"], output=tmp_path / "report")
        assert told.systems["dense"]["nDCG@10"] == 1 > told.systems["dense-cut"]["nDCG@10"]
        with pytest.raises(RequestError, match="dense-cut encodes all documents here, by the enc"):
            Index.open(client, name).searcher().search(queries, "dense-cut", depth=3)
    finally:
        index.drop()


def passages(client: Elasticsearch, index: str, id_: str) -> list[dict[str, Any]]:
    """What a document has for its chunks; the vectors are named, so that 9.x shows them."""
    found = client.get(index=index, id=id_, source_includes=["passages", "passages.vector"])
    # what was just written is read back as it was sent, in base64 perhaps
    chunks = found["_source"].get("passages", [])
    return [{**each, "vector": parsed(each["vector"])} for each in chunks]


def assert_chunks(client: Elasticsearch, index: str, encoder: Encoder, id_: str) -> str:
    """A document has the chunks of the text that it has, each with the encoder's vector."""
    source = client.get(index=index, id=id_)["_source"]
    text = encoder.manifest.join([source.get("title", ""), source.get("text", "")])
    chunks = encoder.cut(text, RULE).chunks
    found = passages(client, index, id_)
    assert [(each["start"], each["end"]) for each in found] == [each[:2] for each in chunks]
    expected = encoder.encode_documents([chunk.content for chunk in chunks])
    np.testing.assert_allclose([each["vector"] for each in found], expected, atol=1e-5)
    return text


def assert_current(client: Elasticsearch, index: str, encoder: Encoder, id_: str) -> None:
    """The same, and the document says so."""
    text = assert_chunks(client, index, encoder, id_)
    note = note_of(text, encoder.fingerprint, RULE)
    source = client.get(index=index, id=id_)["_source"]
    assert source["densehook"] == {"passages.vector": note}


def test_each_document_has_its_chunks(filled: Index, minilm: Encoder) -> None:
    for id_ in WITH_TEXT:
        assert len(passages(filled.client, filled.name, id_)) > 1
        assert_current(filled.client, filled.name, minilm, id_)
    assert passages(filled.client, filled.name, "empty") == []
    chunks = sum(len(passages(filled.client, filled.name, id_)) for id_ in WITH_TEXT)
    seen = {each.subject: each.seen for each in checked(filled.client, filled.name)}
    told = seen[f"{filled.name}, passages.vector"]
    assert f", {chunks} chunks ({chunks / 3:.1f} each)" in told
    assert filled.stats().with_vector == 3
    assert filled.stats().without_vector == 1


def ids(hits: Sequence[Any]) -> list[str]:
    return [hit.id for hit in hits]


@pytest.mark.parametrize("mode", ["dense", "hybrid"])
def test_a_document_is_found_by_its_best_chunk(filled: Index, mode: str) -> None:
    hits = filled.search("yeast makes the dough rise", mode=mode, size=3, passages=2)
    assert set(ids(hits)[:2]) == {"bread", "brot"}
    assert len(hits) == 3  # as many documents as were asked for, not as many chunks
    for hit in hits[:2]:
        assert len(hit.passages) == 2
        assert "Yeast lets it rise" in hit.passages[0].text
        assert hit.passages[0].score >= hit.passages[1].score
        joined = f"{hit.source['title']} {hit.source['text']}"
        assert joined[hit.passages[0].start : hit.passages[0].end].strip() == hit.passages[0].text
    assert "passages" not in hits[0].source


def test_an_evaluation_ranks_documents_by_their_best_chunk(filled: Index) -> None:
    query = "yeast makes the dough rise"
    hits = filled.search(query, mode="dense", size=10)
    run = filled.searcher().search({"q": query}, "dense", depth=500)
    assert [hit.id for hit in run["q"]] == ids(hits)
    assert [hit.score for hit in run["q"]] == pytest.approx([hit.score for hit in hits])
    assert len(run["q"]) == 3


def test_filters_are_of_documents(filled: Index) -> None:
    german = {"term": {"lang": "de"}}
    assert ids(filled.search("how bread is made", mode="dense", filter=german)) == ["brot"]
    assert ids(filled.search("krill", mode="bm25", passages=1)) == ["whales"]
    (hit,) = filled.search(
        "what do whales eat", mode="bm25", filter={"ids": {"values": ["whales"]}}, passages=1
    )
    assert "krill" in hit.passages[0].text


def found(client: Elasticsearch, index: str, **body: Any) -> list[str]:
    return [hit["_id"] for hit in client.search(index=index, **body)["hits"]["hits"]]


def test_the_node_finds_documents_by_their_best_chunk(filled: Index) -> None:
    client, index = filled.client, filled.name
    german = {"term": {"lang": "de"}}
    bread: dict[str, Any] = {"field": "passages.vector", "text": "yeast makes the dough rise"}
    dense = {"dense": bread}
    assert found(client, index, query=dense, size=3)[2:] == ["whales"]
    vector = {"query_vector_builder": {"densehook": {"text": bread["text"]}}}
    knn = {"knn": {"field": "passages.vector", "k": 2, **vector}}
    nearest = {"nested": {"path": "passages", "query": knn, "score_mode": "max"}}
    two = found(client, index, query={"dense": {**bread, "k": 2}}, size=10)
    assert set(two[:2]) == {"bread", "brot"}
    assert two == found(client, index, query=nearest, size=10)  # 9.5 gives as many of each segment
    assert found(client, index, query={"dense": {**bread, "filter": german}}) == ["brot"]
    assert found(client, index, query={"bool": {"must": dense, "filter": german}}) == ["brot"]
    # a filter over nested objects, which a kNN search in them cannot have, holds all the same
    nested = {"nested": {"path": "passages", "query": {"match_all": {}}, "ignore_unmapped": True}}
    assert len(found(client, index, query={"dense": {**bread, "filter": [german, nested]}})) == 1
    none = {"nested": {"path": "passages", "query": {"match_none": {}}}}
    assert found(client, index, query={"dense": {**bread, "filter": none}}) == []
    # said in a nested query it stays where it stands, and says which chunk was best
    inner = {"path": "passages", "query": dense, "inner_hits": {"_source": ["passages.start"]}}
    assert found(client, index, query={"nested": inner})[0] in ("bread", "brot")
    for fields in (["text", "passages.vector"], ["passages.vector"]):
        hybrid = {"query": bread["text"], "fields": fields}
        hits = found(client, index, retriever={"hybrid": hybrid}, size=2)
        assert set(hits) == {"bread", "brot"}
    assert client.count(index=index, query=dense)["count"] == 3


def test_unchanged_documents_are_not_encoded_again(
    filled: Index, plugin_client: Elasticsearch
) -> None:
    before = encoded(plugin_client)
    report = filled.ingest(ROWS, replace=True)
    assert (report.indexed, report.failed) == (4, 0)
    assert report.encoded.texts == 0
    assert encoded(plugin_client) == before
    assert len(passages(plugin_client, filled.name, "whales")) > 1


def test_no_way_to_write_leaves_a_stale_chunk(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder
) -> None:
    create_index(
        plugin_client,
        plugin_index,
        minilm.manifest,
        inputs=["title", "text"],
        in_cluster=True,
        chunk=RULE,
    )
    client, index = plugin_client, plugin_index
    client.index(index=index, id="put", document={"title": "The sea", "text": WHALES})
    operations: list[dict[str, Any]] = [
        {"index": {"_id": "bulk"}},
        {"text": BREAD},
        {"update": {"_id": "upserted"}},
        {"doc": {"text": WHALES}, "doc_as_upsert": True},
    ]
    assert not client.bulk(index=index, operations=operations)["errors"]
    for id_ in ("put", "bulk", "upserted"):
        assert_current(client, index, minilm, id_)
    client.update(index=index, id="put", doc={"text": BREAD})
    operations = [{"update": {"_id": "bulk"}}, {"doc": {"title": "Bread"}}]
    assert not client.bulk(index=index, operations=operations)["errors"]
    # read, changed and put back, with the chunks of the text before
    got = client.get(index=index, id="upserted", source_includes=["*", "passages.vector"])
    client.index(index=index, id="upserted", document={**got["_source"], "text": "One. Two."})
    for id_ in ("put", "bulk", "upserted"):
        assert_current(client, index, minilm, id_)
    before = encoded(client)
    client.update(index=index, id="put", doc={"lang": "en"})
    client.index(index=index, id="bulk", document={"title": "Bread", "text": BREAD})
    assert encoded(client) == before
    for id_ in ("put", "bulk"):
        assert_current(client, index, minilm, id_)
    client.update(index=index, id="bulk", doc={"title": "", "text": ""})
    assert passages(client, index, "bulk") == []


REPORT = (
    "# Whales\nThey breathe air. They come up for it.\n"
    "## Food\nFour tonnes of krill a day. Fish, too."
)
REVIEWS = [
    {"by": "Ada", "text": "A fine book on whales."},
    {"by": "Bo"},
    {"text": WHALES},
    {"by": "", "text": " "},
    {"by": "Cy", "text": ["Too long.", "And too dear."]},
]
ORDERS = [
    {"items": [{"title": "A", "text": "a text"}, {"title": "B", "text": "b text"}]},
    [{"items": {"title": "C", "text": "c text"}}],
]
CUT_OTHERWISE = {
    "section": (
        ChunkRule("section", 32, 8, prefix=("title",)),
        ["text", "notes"],
        [("Whales", 0), ("Food", 48), ("notes", 95)],
    ),
    "given strings": (ChunkRule("given", 32), ["title", "pages"], [(0, 0), (0, 8), (3, 13)]),
    "given objects": (
        ChunkRule("given", 16, prefix=("title",)),
        ["reviews.by", "reviews.text"],
        [(0, 0), (1, 27), (2, 30), (2, 85), (4, 110)],
    ),
    "given objects in objects": (
        ChunkRule("given", 32),
        ["orders.items.title", "orders.items.text"],
        [(0, 0), (1, 9), (2, 18)],
    ),
    "cut short": (ChunkRule("sentence", 16, 0, 1, "cut", ("title",)), ["text"], [(None, 0)]),
}


@pytest.mark.parametrize("way", CUT_OTHERWISE)
def test_documents_are_cut_alike_here_and_in_the_cluster(
    way: str, plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder
) -> None:
    rule, inputs, expected = CUT_OTHERWISE[way]
    client, here = plugin_client, f"{plugin_index}-here"
    document = {
        "title": "The sea",
        "text": REPORT,
        "notes": "Seen in May.",
        "pages": ["One.", " ", None, 2],
        "reviews": REVIEWS,
        "orders": ORDERS,
    }
    try:
        made = {}
        for index, in_cluster in ((plugin_index, True), (here, False)):
            Index.create(client, index, minilm, inputs=inputs, in_cluster=in_cluster, chunk=rule)
            opened = Index.open(client, index, None if in_cluster else minilm)
            rows = [
                {"_id": "a", **document},
                {"_id": "none", **({} if "title" in inputs else {"title": "Untold"}), "text": ""},
            ]
            report = opened.ingest(rows)
            assert (report.indexed, report.failed) == (2, 0)
            told = report.in_cluster if in_cluster else report.encoded
            assert told.short_texts == (way == "cut short")
            made[index] = passages(client, index, "a")
            key = rule.name_key
            assert [(each.get(key), each["start"]) for each in made[index]] == expected
            assert passages(client, index, "none") == []
            again = opened.ingest(rows, replace=True)
            told = again.in_cluster if in_cluster else again.encoded
            assert (again.failed, told.texts) == (0, 0)
            (hit,) = opened.search("whales", mode="dense", size=1, passages=1)
            assert hit.passages[0].text
        spans = [
            [{**each, "vector": None} for each in made[index]] for index in (plugin_index, here)
        ]
        assert spans[0] == spans[1]
        vectors = [[each["vector"] for each in made[index]] for index in (plugin_index, here)]
        np.testing.assert_allclose(*vectors, atol=1e-5)
        notes = [
            client.get(index=index, id="a")["_source"]["densehook"]
            for index in (plugin_index, here)
        ]
        assert notes[0] == notes[1]
        # what is put before chunks is a part of what their vectors are of
        client.update(index=plugin_index, id="a", doc={"title": "The kitchen", "n": 1})
        other = passages(client, plugin_index, "a")
        changed = bool(rule.prefix) or "title" in inputs
        assert changed is ([each["vector"] for each in other] != vectors[0])
    finally:
        client.indices.delete(index=here, ignore_unavailable=True)


def test_a_cross_encoder_reads_the_chunks_that_documents_have(
    plugin_node: node.NodeState,
    plugin_client: Elasticsearch,
    plugin_index: str,
    minilm: Encoder,
    pair_bundle: Callable[[str], Bundle],
) -> None:
    inputs = ["reviews.by", "reviews.text"]
    reviews = [
        {"by": "Ada", "text": "A fine book on whales."},
        {"by": "Bo", "text": "Four tonnes of krill."},
    ]
    rule = ChunkRule("given", 32)
    index = Index.create(plugin_client, plugin_index, minilm, inputs=inputs, chunk=rule)
    assert index.ingest([{"_id": "a", "reviews": reviews}]).indexed == 1
    plugin_client.indices.refresh(index=plugin_index)
    bundle = pair_bundle("bert")
    asked = {
        "retriever": {"standard": {"query": {"match_all": {}}}},
        "text": "what do whales eat",
        "field": inputs,
        "encoder": bundle.manifest.name,
        "chunks": 5,
    }
    with serving(plugin_node, bundle) as client:
        found = client.search(index=plugin_index, retriever={"rerank": asked}, explain=True)
    (hit,) = found["hits"]["hits"]
    told = re.search(r"score \[([^\]]+)\]", str(hit["_explanation"]))
    assert told
    texts = [f"{each['by']} {each['text']}" for each in reviews]
    scores = load(bundle.path).score("what do whales eat", texts)
    assert float(told[1]) == pytest.approx(float(scores.max()), abs=2e-5)


@pytest.fixture(scope="module")
def late(plugin_node: node.NodeState, make_tiny_bundle: Callable[..., Bundle]) -> Iterator[Encoder]:
    """An encoder of parts of texts, in service on the node."""
    bundle = make_tiny_bundle("bert", recipe='name = "tiny-late"\nlate_chunking = true')
    with serving(plugin_node, bundle):
        yield Encoder(bundle)


def test_late_chunks_are_pooled_alike_here_and_in_the_cluster(
    late: Encoder, minilm: Encoder, plugin_client: Elasticsearch, plugin_index: str
) -> None:
    client, here = plugin_client, f"{plugin_index}-here"
    rule = ChunkRule("late", 16)
    rows = [
        {"_id": "long", "text": f"{WHALES} \U0001f433 {BREAD} " * 4},
        {"_id": "short", "text": "One. Two."},
    ]
    try:
        made = []
        for index, in_cluster in ((plugin_index, True), (here, False)):
            Index.create(client, index, late, inputs=["text"], in_cluster=in_cluster, chunk=rule)
            report = Index.open(client, index, None if in_cluster else late).ingest(rows)
            assert (report.indexed, report.failed) == (2, 0)
            made.append([passages(client, index, id_) for id_ in ("long", "short")])
        windows = late.windows(rows[0]["text"], late.cut(rows[0]["text"], rule).chunks)
        assert 1 < len(windows) < len(made[0][0])
        for cluster, local in zip(*made, strict=True):
            spans = [[(each["start"], each["end"]) for each in one] for one in (cluster, local)]
            assert spans[0] == spans[1]
            vectors = [[each["vector"] for each in one] for one in (cluster, local)]
            np.testing.assert_allclose(*vectors, atol=1e-5)
    finally:
        client.indices.delete(index=here, ignore_unavailable=True)
    with pytest.raises(BundleError, match="gives no vectors of parts of a text"):
        Index.create(client, here, minilm, inputs=["text"], chunk=rule)


def test_a_text_of_too_many_chunks_is_refused_alone(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder
) -> None:
    rule = ChunkRule("tokens", 8, 0, 3)
    for in_cluster in (True, False):
        create_index(
            plugin_client,
            plugin_index,
            minilm.manifest,
            inputs=["text"],
            in_cluster=in_cluster,
            chunk=rule,
        )
        encoder = None if in_cluster else minilm
        report = feed(
            plugin_client, plugin_index, [DOCUMENTS[1], Document("x", {"text": "One."})], encoder
        )
        assert (report.indexed, report.failed) == (1, 1)
        assert "has more than 3 chunks" in report.failures[0].reason
        plugin_client.indices.delete(index=plugin_index)


def test_what_a_mapping_may_say_of_chunks(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder
) -> None:
    create_index(
        plugin_client, plugin_index, minilm.manifest, inputs=["text"], chunk=RULE, in_cluster=True
    )
    field = provenance_of(plugin_client, plugin_index).vector_field()
    assert (field.name, field.path, field.chunk) == ("passages.vector", "passages", RULE)
    entry = {
        "input": "text",
        "encoder": minilm.manifest.name,
        "fingerprint": minilm.fingerprint,
        "chunk": {"by": "page"},
    }
    vector = {"type": "dense_vector", "dims": minilm.dims}
    for path, stated, message in (
        ("passages.vector", entry, r"chunk\.by is \[page\]; it is one of sentence, tokens"),
        ("embedding", {**entry, "chunk": {}}, "map the object that holds .embedding. as nested"),
    ):
        with pytest.raises(BadRequestError, match=message):
            plugin_client.indices.create(
                index="chunks-refused",
                mappings={
                    "_meta": {"densehook": {"fields": {path: stated}}},
                    "properties": {
                        "text": {"type": "text"},
                        "embedding": vector,
                        "passages": {"type": "nested", "properties": {"vector": vector}},
                    },
                },
            )


def test_passages_of_an_index_without_chunks_are_refused(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder
) -> None:
    index = Index.create(plugin_client, plugin_index, minilm, inputs=["text"])
    index.ingest([{"_id": "a", "text": WHALES}])
    with pytest.raises(RequestError, match="one vector of a document and no passages"):
        index.search("whales", passages=1)
    plugin_client.indices.put_alias(index=plugin_index, name="both")
    other = f"{plugin_index}-other"
    Index.create(plugin_client, other, minilm, inputs=["text"], in_cluster=False)
    try:
        plugin_client.indices.put_alias(index=other, name="both")
        with pytest.raises(RequestError, match=r"stands for .*; name one index"):
            Index.open(plugin_client, "both").search("whales", passages=1)
    finally:
        plugin_client.indices.delete(index=other)
    with pytest.raises(RequestError, match=r"is to lie in an object for each chunk"):
        Index.create(plugin_client, "x", minilm, inputs=["text"], field="vector", chunk=RULE)
