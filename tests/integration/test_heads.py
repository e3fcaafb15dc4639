"""One bundle, one run, three fields: on real nodes, and the same as here."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from elasticsearch import BadRequestError, Elasticsearch
from typer.testing import CliRunner

import densehook
from conftest import serving
from densehook import Index
from densehook.bundle import Bundle
from densehook.cli.app import app
from densehook.elastic.search import Searcher
from densehook.encode import Encoder, load
from densehook.encode.kinds.sparse import difference, dot
from densehook.errors import EncoderMismatch, RequestError
from densehook.export.texts import PASSAGES, QUESTIONS
from densehook.multivector import maxsim, unpack
from e2e.test_elasticsearch_docs import EXAMPLE, differences, parse, run
from tiny_m3 import MAX_TERMS

if TYPE_CHECKING:
    from densehook.node import NodeState

PAGE = Path(__file__).parent.parent.parent / "docs" / "encoders.md"
DOCUMENTED = "bge-m3"
"""What the page calls its encoder."""
DOCUMENTS = [{"_id": f"d{n}", "body": text} for n, text in enumerate(PASSAGES[:12])]
QUERY = "how do vaccines work"
ROUNDING = 1 / 256
"""An index that shows no vectors in its documents gives weights as Lucene keeps them."""
FIELDS = {"embedding": "dense", "weights": "sparse", "tokens": "multi"}
TYPES = {"embedding": "dense_vector", "weights": "sparse_vector", "tokens": "binary"}
QUERIES = {"dense": "embedding", "sparse": "weights", "maxsim": "tokens"}
"""By query the field that it searches."""


@pytest.fixture(scope="module")
def three(plugin_node: NodeState, m3_bundle: Bundle) -> Iterator[Encoder]:
    """An encoder of three kinds, in service on the node."""
    with serving(plugin_node, m3_bundle, named={DOCUMENTED: m3_bundle}):
        yield load(m3_bundle.path)


@pytest.fixture
def made(plugin_client: Elasticsearch, plugin_index: str, three: Encoder) -> Callable[..., Index]:
    """An index of the three fields."""

    def make(*, in_cluster: bool) -> Index:
        own = {"in_cluster": in_cluster, "inputs": ["body"]}
        Index.create(plugin_client, plugin_index, three, field="embedding", **own)
        for field in ("weights", "tokens"):
            Index.add_field(
                plugin_client,
                plugin_index,
                three.of_kind(FIELDS[field]),
                field=field,
                index_type="float32" if field == "tokens" else None,
                **own,
            )
        here = None if in_cluster else three
        return Index.open(plugin_client, plugin_index, here, field="embedding")

    return make


@pytest.fixture
def together(
    plugin_client: Elasticsearch, plugin_index: str, three: Encoder
) -> Callable[..., Index]:
    """The same, of one command."""

    def make(*, in_cluster: bool) -> Index:
        return Index.create(
            plugin_client,
            plugin_index,
            three,
            inputs=["body"],
            kinds=list(FIELDS.values()),
            index_type=["hnsw", "float32"],
            in_cluster=in_cluster,
        )

    return make


def stored(client: Elasticsearch, index: str) -> dict[str, dict[str, Any]]:
    client.indices.refresh(index=index)
    found = client.search(index=index, size=100, source=[*FIELDS, "body", "densehook"])
    return {hit["_id"]: hit["_source"] for hit in found["hits"]["hits"]}


def as_vector(client: Elasticsearch, value: Any) -> Any:
    if isinstance(value, str):
        return np.frombuffer(b64decode(value), dtype=">f4").astype(np.float32)
    return np.array(value, dtype=np.float32)


def assert_current(client: Elasticsearch, index: str, encoder: Encoder) -> None:
    """Every document has what the encoder gives for its text, in three fields."""
    found = stored(client, index)
    texts = [each["body"] for each in found.values()]
    dense, sparse, multi = encoder.encode_each_of_kinds(
        texts, "document", ["dense", "sparse", "multi"]
    )
    for n, (id_, source) in enumerate(found.items()):
        vector = as_vector(client, source["embedding"])
        np.testing.assert_allclose(vector, dense.vectors[n], atol=1e-5, err_msg=id_)
        assert difference(source["weights"], sparse.vectors[n], MAX_TERMS) <= ROUNDING, id_
        tokens = unpack(b64decode(source["tokens"]))
        np.testing.assert_allclose(tokens, multi.vectors[n], atol=1e-5, err_msg=id_)
        assert {note["fingerprint"] for note in source["densehook"].values()} == {
            encoder.manifest.space
        }
        assert source["densehook"].keys() == FIELDS.keys()


def counted(client: Elasticsearch, name: str, lane: str) -> dict[str, Any]:
    answer = client.perform_request(
        "GET", "/_densehook", headers={"accept": "application/json"}
    ).body
    (node,) = answer["nodes"].values()
    counts: dict[str, Any] = node["encoders"][name][lane]
    return counts


def test_the_requests_of_the_page_answer_what_it_shows(
    plugin_node: NodeState, plugin_client: Elasticsearch, three: Encoder
) -> None:
    page = PAGE.read_text().partition("\n## Several kinds at once")[2].partition("\n## ")[0]
    page = page.replace("sha256:" + 64 * "0", three.fingerprint)
    address = plugin_node.url.removeprefix("http://")
    try:
        found = EXAMPLE.findall(page)
        assert len(found) == 3
        for command, shown in found:
            status, answer = run(command, address)
            assert status in (200, 201), (command, answer)
            assert not list(differences(parse(shown) if shown else {}, answer)), answer
    finally:
        plugin_client.indices.delete(index="three", ignore_unavailable=True)


def test_the_node_gives_the_three_that_python_gives(
    plugin_client: Elasticsearch, three: Encoder
) -> None:
    texts = [*PASSAGES[:8], *QUESTIONS[:4], "the the the", "x " * 100]
    for role in ("query", "document"):
        answer = plugin_client.perform_request(
            "POST",
            "/_densehook/_encode",
            headers={"accept": "application/json", "content-type": "application/json"},
            body={"texts": texts, "role": role, "encoder": three.manifest.name},
        ).body
        rows = three.encode_each_of_kinds(texts, role, list(FIELDS.values()))  # type: ignore[arg-type]
        for n, got in enumerate(answer["texts"]):
            np.testing.assert_allclose(got["vector"], rows[0].vectors[n], atol=1e-5)
            assert difference(got["weights"], rows[1].vectors[n], MAX_TERMS) <= 1e-4
            np.testing.assert_allclose(got["token_vectors"], rows[2].vectors[n], atol=1e-5)


def test_a_cluster_says_what_an_encoder_gives(plugin_client: Elasticsearch, three: Encoder) -> None:
    answer = plugin_client.perform_request(
        "GET", "/_densehook", headers={"accept": "application/json"}
    ).body
    (node,) = answer["nodes"].values()
    shown = node["encoders"][three.manifest.name]
    assert shown["kind"] == "dense"
    assert shown["also"] == {"sparse": {}, "multi": {"dims": 16}}
    remote = densehook.load(three.manifest.name, es=plugin_client)
    weights = remote.of_kind("sparse").encode_queries(QUERY)
    assert difference(weights, three.of_kind("sparse").encode_queries(QUERY), MAX_TERMS) <= 1e-4


def test_a_document_is_run_once_for_its_three_fields(
    plugin_client: Elasticsearch, plugin_index: str, made: Callable[..., Index], three: Encoder
) -> None:
    index = made(in_cluster=True)
    before = counted(plugin_client, three.manifest.name, "ingest")["texts"]
    report = index.ingest(DOCUMENTS)
    assert (report.indexed, report.failed) == (len(DOCUMENTS), 0)
    after = counted(plugin_client, three.manifest.name, "ingest")["texts"]
    assert after - before == len(DOCUMENTS)
    assert_current(plugin_client, plugin_index, three)


def test_an_update_makes_the_three_anew_in_one_run(
    plugin_client: Elasticsearch, plugin_index: str, made: Callable[..., Index], three: Encoder
) -> None:
    made(in_cluster=True)
    plugin_client.index(index=plugin_index, id="1", document={"body": PASSAGES[0], "n": 1})
    before = counted(plugin_client, three.manifest.name, "ingest")["texts"]
    plugin_client.update(index=plugin_index, id="1", doc={"body": PASSAGES[1]})
    plugin_client.bulk(
        index=plugin_index,
        operations=[{"update": {"_id": "1"}}, {"doc": {"body": PASSAGES[2]}}],
    )
    assert counted(plugin_client, three.manifest.name, "ingest")["texts"] - before == 2
    plugin_client.update(index=plugin_index, id="1", doc={"n": 2})
    assert counted(plugin_client, three.manifest.name, "ingest")["texts"] - before == 2
    assert_current(plugin_client, plugin_index, three)


def test_a_pipeline_that_names_one_field_fills_the_three_in_one_run(
    plugin_client: Elasticsearch, plugin_index: str, made: Callable[..., Index], three: Encoder
) -> None:
    made(in_cluster=False)
    processors = [
        {"densehook": {"encoder": three.manifest.name, "input": ["body"], "output": field}}
        for field in FIELDS
    ]
    pipeline = f"densehook-{plugin_index}"
    plugin_client.ingest.put_pipeline(id=pipeline, processors=processors)
    before = counted(plugin_client, three.manifest.name, "ingest")["texts"]
    for each in DOCUMENTS[:3]:
        plugin_client.index(
            index=plugin_index, id=each["_id"], document={"body": each["body"]}, pipeline=pipeline
        )
    assert counted(plugin_client, three.manifest.name, "ingest")["texts"] - before == 3
    assert_current(plugin_client, plugin_index, three)


def test_python_feeds_the_three_in_one_run(
    plugin_client: Elasticsearch,
    plugin_index: str,
    made: Callable[..., Index],
    three: Encoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index = made(in_cluster=False)
    runs: list[list[str]] = []
    run_each = three._running.session.run_each
    monkeypatch.setattr(
        three._running.session,
        "run_each",
        lambda batch, outputs: runs.append(list(outputs)) or run_each(batch, outputs),
    )
    report = index.ingest(DOCUMENTS)
    assert (report.indexed, report.failed) == (len(DOCUMENTS), 0)
    assert runs and all(len(outputs) == 3 for outputs in runs)
    assert_current(plugin_client, plugin_index, three)
    runs.clear()
    changed = [*DOCUMENTS[1:], {"_id": "d0", "body": PASSAGES[20]}]
    again = index.ingest(changed, replace=True)
    assert (again.indexed, again.failed) == (len(DOCUMENTS), 0)
    assert len(runs) == 1
    assert_current(plugin_client, plugin_index, three)


def test_each_field_is_searched_as_one_of_its_kind(
    plugin_client: Elasticsearch, plugin_index: str, made: Callable[..., Index], three: Encoder
) -> None:
    made(in_cluster=True).ingest(DOCUMENTS)
    found = stored(plugin_client, plugin_index)
    ids = list(found)
    weights = three.of_kind("sparse").encode_queries(QUERY)
    tokens = three.of_kind("multi").encode_queries(QUERY)
    vector = three.encode_queries(QUERY)
    expected = {
        "sparse": {id_: dot(weights, found[id_]["weights"]) for id_ in ids},
        "maxsim": {id_: maxsim(tokens, unpack(b64decode(found[id_]["tokens"]))) for id_ in ids},
        "dense": {
            id_: (1 + float(vector @ as_vector(plugin_client, found[id_]["embedding"]))) / 2
            for id_ in ids
        },
    }
    queries = {
        "sparse": {"sparse": {"field": "weights", "text": QUERY}},
        "maxsim": {"maxsim": {"field": "tokens", "text": QUERY}},
        "dense": {"dense": {"field": "embedding", "text": QUERY, "k": 20}},
    }
    for name, query in queries.items():
        answer = plugin_client.search(index=plugin_index, query=query, size=20)
        for hit in answer["hits"]["hits"]:
            wanted = expected[name][hit["_id"]]
            assert hit["_score"] == pytest.approx(wanted, rel=5e-3, abs=1e-4), name
        assert len(answer["hits"]["hits"]) == sum(score > 0 for score in expected[name].values())


def test_the_three_of_a_search_cost_one_run(
    plugin_client: Elasticsearch, plugin_index: str, made: Callable[..., Index], three: Encoder
) -> None:
    made(in_cluster=True).ingest(DOCUMENTS)
    plugin_client.indices.refresh(index=plugin_index)
    before = counted(plugin_client, three.manifest.name, "query")["texts"]
    answer = plugin_client.search(
        index=plugin_index,
        retriever={
            "maxsim": {
                "retriever": {
                    "hybrid": {
                        "query": "a query that nobody asked",
                        "fields": ["body", "embedding", "weights"],
                    }
                },
                "field": "tokens",
                "text": "a query that nobody asked",
            }
        },
    )
    assert answer["hits"]["hits"]
    assert counted(plugin_client, three.manifest.name, "query")["texts"] - before == 1


def test_searches_by_the_encoder_here_find_what_the_cluster_finds(
    plugin_client: Elasticsearch, plugin_index: str, made: Callable[..., Index], three: Encoder
) -> None:
    made(in_cluster=True).ingest(DOCUMENTS)
    plugin_client.indices.refresh(index=plugin_index)
    for field, mode in (("embedding", "dense"), ("weights", "sparse"), ("tokens", "maxsim")):
        here = Index.open(plugin_client, plugin_index, three, field=field).search(QUERY, mode=mode)
        there = Index.open(plugin_client, plugin_index, field=field).search(QUERY, mode=mode)
        assert [hit.id for hit in here] == [hit.id for hit in there], mode
        assert [hit.score for hit in here] == pytest.approx(
            [hit.score for hit in there], rel=5e-3
        ), mode
    searcher = Searcher(plugin_client, plugin_index, three, "embedding")
    for mode in ("dense", "sparse"):
        assert len(searcher.search({"q": QUERY}, mode, 5)["q"]) == 5


def test_a_field_of_none_of_its_kinds_is_refused(
    plugin_client: Elasticsearch,
    plugin_index: str,
    made: Callable[..., Index],
    three: Encoder,
    sparse_bundle: Bundle,
) -> None:
    entry = {
        "input": "body",
        "encoder": three.manifest.name,
        "fingerprint": three.fingerprint,
    }
    with pytest.raises(BadRequestError, match="must be a binary or dense_vector or sparse_vector"):
        plugin_client.indices.create(
            index=plugin_index,
            mappings={
                "_meta": {"densehook": {"fields": {"weights": entry}}},
                "properties": {"body": {"type": "text"}, "weights": {"type": "rank_features"}},
            },
        )
    with pytest.raises(BadRequestError, match=r"has \[dims\] \[16\], vectors of encoder .* \[32\]"):
        plugin_client.indices.create(
            index=plugin_index,
            mappings={
                "_meta": {"densehook": {"fields": {"e": entry}}},
                "properties": {"body": {"type": "text"}, "e": {"type": "dense_vector", "dims": 16}},
            },
        )
    made(in_cluster=True)
    with pytest.raises(EncoderMismatch):
        Index.open(plugin_client, plugin_index, load(sparse_bundle.path), field="weights")
    with pytest.raises(EncoderMismatch, match="is mapped as dense_vector"):
        Index.open(plugin_client, plugin_index, three.of_kind("sparse"), field="embedding")


def refused(client: Elasticsearch, index: str, **body: Any) -> str:
    with pytest.raises(BadRequestError) as error:
        client.search(index=index, **body)
    return str(error.value.body)


def test_a_field_of_another_of_its_kinds_is_refused_before_anything_is_encoded(
    plugin_client: Elasticsearch, plugin_index: str, made: Callable[..., Index], three: Encoder
) -> None:
    made(in_cluster=True)
    before = counted(plugin_client, three.manifest.name, "query")["texts"]
    for query, own in QUERIES.items():
        for field in TYPES.keys() - {own}:
            asked = {query: {"field": field, "text": f"what is {query} of {field}"}}
            said = (
                f"field [{field}] of index [{plugin_index}] is mapped as [{TYPES[field]}], and"
                f" {'[maxsim]' if query == 'maxsim' else f'query [{query}]'} needs a [{TYPES[own]}]"
            )
            found = refused(plugin_client, plugin_index, query=asked)
            assert said in found
            searched_by = next(name for name, each in QUERIES.items() if each == field)
            assert f"; it is searched by query [{searched_by}]" in found
    image = {"dense": {"field": "tokens", "image": "iVBORw0KGgo="}}
    assert "query [dense] needs a [dense_vector]" in refused(
        plugin_client, plugin_index, query=image
    )
    hybrid = {"hybrid": {"query": "what is hybrid of tokens", "fields": ["tokens"]}}
    assert "field [tokens] of index" in refused(plugin_client, plugin_index, retriever=hybrid)
    options = {"text": "what is shown of weights", "field": "weights"}
    highlight = {"fields": {"body": {"type": "densehook", "options": options}}}
    assert "highlighter [densehook] of [body] needs a [dense_vector]" in refused(
        plugin_client, plugin_index, highlight=highlight
    )
    assert counted(plugin_client, three.manifest.name, "query")["texts"] == before


@pytest.mark.parametrize("in_cluster", [True, False])
def test_an_index_of_the_three_is_made_and_fed_and_searched_as_one(
    plugin_client: Elasticsearch,
    plugin_index: str,
    together: Callable[..., Index],
    three: Encoder,
    in_cluster: bool,
) -> None:
    index = together(in_cluster=in_cluster)
    assert [each.name for each in (index.field, *index.beside)] == list(FIELDS)
    mapped = plugin_client.indices.get_mapping(index=plugin_index)[plugin_index]["mappings"]
    assert mapped["properties"]["embedding"]["index_options"]["type"] == "hnsw"
    assert mapped["properties"]["tokens"]["meta"] == {"precision": "float32", "pool": "1"}
    before = counted(plugin_client, three.manifest.name, "ingest")["texts"]
    report = index.ingest(DOCUMENTS)
    assert (report.indexed, report.failed) == (len(DOCUMENTS), 0)
    after = counted(plugin_client, three.manifest.name, "ingest")["texts"]
    assert after - before == (len(DOCUMENTS) if in_cluster else 0)
    assert_current(plugin_client, plugin_index, three)
    fields = {"dense": "embedding", "sparse": "weights", "maxsim": "tokens"}
    for opened in (Index.open(plugin_client, plugin_index), index.encoded_by(three)):
        for mode, field in fields.items():
            alone = Index.open(plugin_client, plugin_index, opened.encoder, field=field)
            found, expected = (each.search(QUERY, mode=mode) for each in (opened, alone))
            assert [hit.id for hit in found] == [hit.id for hit in expected], mode
        hits = opened.search(QUERY, explain=True, size=5)
        assert set(hits[0].parts) == {"bm25", "dense", "sparse"}
        for hit in hits:
            assert hit.score == pytest.approx(sum(p.contribution for p in hit.parts.values()))
        told = opened.explain(QUERY, hits[0].id)
        assert told is not None and len(told.parts) == 3
        assert told.score == pytest.approx(hits[0].score)


def test_an_encoder_of_the_cluster_makes_the_three_too(
    plugin_client: Elasticsearch, plugin_index: str, three: Encoder
) -> None:
    index = Index.create(
        plugin_client,
        plugin_index,
        densehook.load(three.manifest.name, es=plugin_client),
        inputs=["body"],
        kinds=list(FIELDS.values()),
        index_type="float32",
    )
    assert index.encoder is None and index.ingest(DOCUMENTS[:3]).indexed == 3
    assert_current(plugin_client, plugin_index, three)
    assert index.search(QUERY) and index.search(QUERY, mode="maxsim")


def test_what_is_fused_here_is_what_the_cluster_fuses(
    plugin_client: Elasticsearch, plugin_index: str, together: Callable[..., Index], three: Encoder
) -> None:
    together(in_cluster=True).ingest(DOCUMENTS)
    plugin_client.indices.refresh(index=plugin_index)
    here = Index.open(plugin_client, plugin_index, three)
    there = Index.open(plugin_client, plugin_index)
    for asked in (
        {},
        {"weights": {"bm25": 0.5, "sparse": 3}},
        {"fusion": "linear", "normalizer": "minmax", "weights": {"dense": 0}},
        {"min_scores": {"dense": 0.6}},
        {"filter": {"ids": {"values": ["d1", "d2", "d3"]}}},
    ):
        one, other = (each.search(QUERY, explain=True, **asked) for each in (here, there))
        assert one and {hit.id for hit in one} == {hit.id for hit in other}, asked
        scores = {hit.id: hit.score for hit in other}
        for hit in one:
            assert hit.score == pytest.approx(scores[hit.id], rel=5e-3), asked


def test_the_hybrid_search_of_the_three_costs_one_run_here(
    plugin_client: Elasticsearch,
    plugin_index: str,
    together: Callable[..., Index],
    three: Encoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index = together(in_cluster=False)
    index.ingest(DOCUMENTS[:3])
    runs: list[list[str]] = []
    run_each = three._running.session.run_each
    monkeypatch.setattr(
        three._running.session,
        "run_each",
        lambda batch, outputs: runs.append(list(outputs)) or run_each(batch, outputs),
    )
    assert index.search(QUERY)
    assert [len(outputs) for outputs in runs] == [2]


def test_an_instruction_is_for_one_kind(
    plugin_client: Elasticsearch, plugin_index: str, together: Callable[..., Index], three: Encoder
) -> None:
    index = together(in_cluster=False)
    with pytest.raises(RequestError, match="'weights' is a sparse_vector, whose encoder takes no"):
        index.search(QUERY, instruction="find it")


def test_one_of_several_fields_is_named_where_one_is_worked_on(
    plugin_client: Elasticsearch, plugin_index: str, together: Callable[..., Index], tmp_path: Path
) -> None:
    index = together(in_cluster=False)
    several = r"has several vector fields \(embedding, weights, tokens\); name one: --field"
    with pytest.raises(RequestError, match=several):
        index.embed()
    with pytest.raises(RequestError, match=several):
        index.export_vectors(tmp_path / "vectors.jsonl")
    with pytest.raises(RequestError, match=several):
        index.import_vectors(tmp_path / "vectors.jsonl")


def test_the_command_line_makes_and_feeds_and_searches_the_three(
    plugin_node: NodeState,
    plugin_client: Elasticsearch,
    plugin_index: str,
    three: Encoder,
    m3_bundle: Bundle,
    tmp_path: Path,
) -> None:
    lines = [json.dumps({"_id": each["_id"], "text": each["body"]}) for each in DOCUMENTS]
    (tmp_path / "corpus.jsonl").write_text("\n".join(lines))
    url, bundle = ("--url", plugin_node.url), str(m3_bundle.path)

    def run_command(*arguments: str) -> str:
        done = CliRunner().invoke(app([arguments[0]]), [*arguments, *url])
        assert done.exit_code == 0, done.output
        return " ".join(done.stdout.split())

    made = run_command(
        *("create", plugin_index, "--encoder", bundle, "--input", "text", "--not-in-cluster"),
        *("--kinds", "multi,dense,sparse=splade", "--index-type", "int8-pool2"),
    )
    assert "embedding (hnsw, 32 dims)" in made and "tokens (int8-pool2, 16 dims a token)" in made
    assert "splade (inverted," in made and "are made from text by m3-0" in made
    fed = run_command("ingest", plugin_index, str(tmp_path / "corpus.jsonl"), "--encoder", bundle)
    assert f"{len(DOCUMENTS)} documents" in fed
    plugin_client.indices.refresh(index=plugin_index)
    found = plugin_client.search(index=plugin_index, size=100, source=["*"])["hits"]["hits"]
    assert all({"embedding", "splade", "tokens"} <= each["_source"].keys() for each in found)
    for mode in ("hybrid", "dense", "sparse", "maxsim"):
        asked = ("search", plugin_index, QUERY, "--mode", mode, "--encoder", bundle, "--json")
        assert '"id"' in run_command(*asked), mode
    plain = "plain-texts"
    for each in DOCUMENTS:
        plugin_client.index(index=plain, id=each["_id"], document={"text": each["body"]})
    plugin_client.indices.refresh(index=plain)
    for kind, field in (("sparse", "weights"), ("dense", "embedding")):
        added = ("embed", plain, "--encoder", bundle, "--input", "text", "--kind", kind)
        said = run_command(*added, "--not-in-cluster")
        assert f"{plain}, {field}: {len(DOCUMENTS)} documents embedded here" in said
    assert '"id"' in run_command("search", plain, QUERY, "--encoder", bundle, "--json")
    wrong = ["embed", plain, "--encoder", bundle, "--input", "text", "--kind", "cross"]
    refused = CliRunner().invoke(app(["embed"]), [*wrong, *url])
    assert refused.exit_code == 2
    assert "'cross' has no field; known: dense" in " ".join(refused.stderr.split())
    plugin_client.indices.delete(index=plain)
