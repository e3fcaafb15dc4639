"""Documents go in once with the right vector, and what cannot go in is said by name."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from elasticsearch import Elasticsearch

import embedding_index
from command_line import running_in, succeeded
from densehook.bundle import Bundle
from densehook.collections import BadLine, documents_from, read_documents
from densehook.elastic.cluster import has_encoder, require_encoder
from densehook.elastic.connect import connect
from densehook.elastic.indices import count_in, create_index, provenance_of
from densehook.elastic.patience import Patience
from densehook.elastic.search import Searcher
from densehook.encode import Encoder, load
from densehook.errors import (
    ClusterUnavailable,
    ClusterUnreachable,
    CollectionError,
    ElasticError,
    EncoderMismatch,
    IndexExists,
    IndexNotFound,
    NoProvenance,
    RequestError,
)
from densehook.export.texts import PASSAGES, QUESTIONS
from densehook.fusion import FUSIONS, reciprocal_rank_fusion
from densehook.hooks import note_of
from densehook.hooks.kinds.dense import INDEX_TYPES
from densehook.index import Index
from densehook.ingest import Failure, FeedReport, feed
from densehook.ingest.feed import WINDOW, WINDOWS_AHEAD
from densehook.node import NodeState
from densehook.types import Document
from embedding_index import encoded, same

DOCUMENTS = [Document(f"d{n}", {"title": "", "text": text}) for n, text in enumerate(PASSAGES)]
INPUTS = ("title", "text")


def failures_of(
    client: Elasticsearch,
    index: str,
    documents: list[Document | BadLine],
    encoder: Encoder,
    replace: bool = False,
) -> list[Failure]:
    failures: list[Failure] = []
    report = feed(client, index, documents, encoder, replace=replace, on_failure=failures.append)
    assert report.failed == len(failures)
    assert report.indexed + report.failed == len(documents)
    return failures


@pytest.mark.parametrize("index_type", INDEX_TYPES)
def test_every_index_type_takes_vectors_and_finds_them(
    client: Elasticsearch,
    index: str,
    make_tiny_bundle: object,
    tiny: Encoder,
    minilm: Encoder,
    index_type: str,
) -> None:
    # bbq takes 64 dims or more
    encoder = minilm if index_type == "bbq_hnsw" else tiny
    create_index(client, index, encoder.manifest, inputs=INPUTS, index_type=index_type)
    assert not failures_of(client, index, [*DOCUMENTS], encoder)
    searcher = Searcher(client, index, encoder)
    queries = {document.id: str(document.fields["text"]) for document in DOCUMENTS}
    run = searcher.search(queries, "dense", 10)
    found = sum(run[query][0].id == query for query in queries)
    assert found >= 0.9 * len(queries)  # a document is its own nearest neighbour


def test_vectors_in_the_index_are_the_encoders(
    client: Elasticsearch, index: str, tiny: Encoder
) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS, index_type="flat", shards=3)
    feed(client, index, DOCUMENTS, tiny)
    expected = tiny.encode_documents([str(d.fields["text"]) for d in DOCUMENTS])
    for document, vector in zip(DOCUMENTS, expected, strict=True):
        stored = client.get(index=index, id=document.id)["_source"]["embedding"]
        np.testing.assert_allclose(stored, vector, atol=1e-6)


def test_dense_search_of_a_flat_index_is_the_exact_search(
    client: Elasticsearch, index: str, tiny: Encoder
) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS, index_type="flat", shards=2)
    feed(client, index, DOCUMENTS, tiny)
    scores = (
        tiny.encode_queries(QUESTIONS)
        @ tiny.encode_documents([str(d.fields["text"]) for d in DOCUMENTS]).T
    )
    run = Searcher(client, index, tiny).search(dict(enumerate_ids(QUESTIONS)), "dense", 47)
    for row, (query, _) in zip(scores, enumerate_ids(QUESTIONS), strict=True):
        found = {hit.id: hit.score for hit in run[query]}
        assert len(found) == len(DOCUMENTS)
        for n, score in enumerate(row):
            assert found[f"d{n}"] == pytest.approx((1 + score) / 2, abs=1e-5)


def enumerate_ids(texts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    return ((f"q{n}", text) for n, text in enumerate(texts))


@pytest.mark.parametrize("fusion", FUSIONS)
def test_hybrid_search_is_the_fusion_of_its_two_lists(
    client: Elasticsearch, index: str, tiny: Encoder, fusion: str
) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS, index_type="flat")
    feed(client, index, DOCUMENTS, tiny)
    searcher = Searcher(client, index, tiny)
    text = "blood pressure in the heart"
    lists = [searcher.search({"q": text}, mode, 100)["q"] for mode in ("bm25", "dense")]
    assert all(lists)
    opened = Index.open(client, index, tiny)
    found = opened.search(text, fusion=fusion, size=len(DOCUMENTS))
    fused = FUSIONS[fusion](lists)
    assert [(hit.id, hit.score) for hit in found] == [(hit.id, hit.score) for hit in fused]
    assert [tuple(hit.parts.values()) for hit in found] == [hit.parts for hit in fused]
    documents = opened.mget(["d0", "no such id"])
    assert documents == {"d0": Document("d0", {"title": "", "text": PASSAGES[0]})}


def test_another_encoder_is_refused_on_ingest_and_on_search(
    client: Elasticsearch, index: str, tiny: Encoder, other_tiny_bundle: Bundle
) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    other = load(other_tiny_bundle.path)
    with pytest.raises(EncoderMismatch, match="holds vectors of encoder 'tiny-bert'"):
        feed(client, index, DOCUMENTS, other)
    with pytest.raises(EncoderMismatch, match="not of 'tiny-bert'"):
        Searcher(client, index, other)
    assert count_in(client, index) == 0


def test_wrong_dims_are_refused_on_ingest_and_on_search(
    client: Elasticsearch, index: str, tiny: Encoder, minilm: Encoder
) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    message = "has 32 dims, encoder 'all-minilm-l6-v2' gives 384"
    with pytest.raises(EncoderMismatch, match=message):
        feed(client, index, DOCUMENTS, minilm)
    with pytest.raises(EncoderMismatch, match=message):
        Searcher(client, index, minilm)


def test_an_unknown_index_is_named_with_what_to_do(client: Elasticsearch, tiny: Encoder) -> None:
    for use in (
        lambda: feed(client, "no-such-index", DOCUMENTS, tiny),
        lambda: Searcher(client, "no-such-index", tiny),
        lambda: provenance_of(client, "no-such-index"),
    ):
        with pytest.raises(IndexNotFound, match=r"no-such-index.*densehook create"):
            use()


def test_a_cluster_has_an_encoder_or_not(plugin_client: Elasticsearch, minilm: Encoder) -> None:
    name, fingerprint = minilm.manifest.name, minilm.fingerprint
    assert has_encoder(plugin_client, name, fingerprint)
    other = dataclasses.replace(minilm.manifest, max_tokens=17)
    assert not has_encoder(plugin_client, name, other.fingerprint)
    with pytest.raises(EncoderMismatch, match="put the same bundle on every node"):
        require_encoder(plugin_client, other)
    assert not has_encoder(plugin_client, "nobody", fingerprint)


def test_a_cluster_that_is_gone_is_not_one_without_the_encoder(minilm: Encoder) -> None:
    gone = Elasticsearch("http://127.0.0.1:9", max_retries=0)
    with pytest.raises(ClusterUnreachable):
        has_encoder(gone, minilm.manifest.name, minilm.fingerprint)


def test_an_index_that_is_refused_leaves_no_pipeline(
    plugin_client: Elasticsearch, minilm: Encoder
) -> None:
    for refused in ({"index": "Upper"}, {"index": "refused", "shards": 5000}):
        with pytest.raises(ElasticError, match="refused: 400"):
            create_index(
                plugin_client,
                inputs=INPUTS,
                manifest=minilm.manifest,
                in_cluster=True,
                **refused,  # type: ignore[arg-type]
            )
        found = plugin_client.options(ignore_status=404).ingest.get_pipeline(id="densehook-*")
        assert f"densehook-{refused['index']}" not in found.body


def test_an_index_that_is_not_ours_is_refused(
    client: Elasticsearch, index: str, tiny: Encoder
) -> None:
    client.indices.create(index=index)
    with pytest.raises(NoProvenance, match="does not say which encoder"):
        feed(client, index, DOCUMENTS, tiny)


def test_an_index_is_not_created_twice(client: Elasticsearch, index: str, tiny: Encoder) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    with pytest.raises(IndexExists, match="exists already"):
        create_index(client, index, tiny.manifest, inputs=INPUTS)


@pytest.mark.parametrize(
    ("inputs", "index_type", "message"),
    [
        (INPUTS, "ivf", "index type 'ivf' is unknown; known: hnsw, int8_hnsw"),
        (("embedding",), "flat", "none of them the vector field 'embedding'"),
        (("title", "title.en"), "flat", "'title' cannot hold a value and the field 'title.en'"),
    ],
)
def test_a_create_that_makes_no_sense_is_refused(
    client: Elasticsearch,
    index: str,
    tiny: Encoder,
    inputs: tuple[str, ...],
    index_type: str,
    message: str,
) -> None:
    with pytest.raises(RequestError, match=message):
        create_index(client, index, tiny.manifest, inputs=inputs, index_type=index_type)
    assert not client.indices.exists(index=index)


def test_a_malformed_line_is_named_by_its_number_and_the_rest_goes_on(
    client: Elasticsearch, index: str, tiny: Encoder, tmp_path: Path
) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    path = tmp_path / "corpus.jsonl"
    rows = [json.dumps({"_id": f"{n}", "text": "water"}) for n in range(600)]
    rows[299] = '{"_id": "299", "text": '
    path.write_text("\n".join(rows))
    (failure,) = failures_of(client, index, list(read_documents(path)), tiny)
    assert str(failure).startswith(f"{path}:300: ")
    assert count_in(client, index) == 599


def test_a_duplicate_id_is_named_and_the_first_document_stays(
    client: Elasticsearch, index: str, tiny: Encoder, tmp_path: Path
) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    path = tmp_path / "corpus.jsonl"
    rows = [{"_id": "a", "text": "first"}, {"_id": "b", "text": "b"}, {"_id": "a", "text": "last"}]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    (failure,) = failures_of(client, index, list(read_documents(path)), tiny)
    assert str(failure).startswith(f"{path}:3: id 'a' is in the index already")
    assert client.get(index=index, id="a")["_source"]["text"] == "first"
    assert not failures_of(client, index, list(read_documents(path)), tiny, replace=True)
    assert client.get(index=index, id="a")["_source"]["text"] == "last"


def test_a_document_that_cannot_be_indexed_fails_alone_with_its_reason(
    client: Elasticsearch, index: str, tiny: Encoder
) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    bad = [
        Document("object", {"text": {"a": 1}}, "a.jsonl:2"),
        Document("vector", {"text": "x", "embedding": [1.0]}, "a.jsonl:3"),
        Document("x" * 600, {"text": "an id Elasticsearch refuses"}, "a.jsonl:4"),
        Document("day", {"text": "x", "when": "not a day"}, "a.jsonl:5"),
        Document("notes", {"text": "x", "densehook": "mine"}, "a.jsonl:6"),
        Document("value", {"text": "x", "more": object()}, "a.jsonl:7"),
    ]
    client.indices.put_mapping(index=index, properties={"when": {"type": "date"}})
    failures = {f.id: str(f) for f in failures_of(client, index, [*DOCUMENTS, *bad], tiny)}
    assert set(failures) == {document.id for document in bad}
    assert "input field 'text' is an object, not text" in failures["object"]
    assert "has a different number of dimensions [1]" in failures["vector"]
    assert "failed to parse field [when]" in failures["day"]
    assert "must be no longer than 512 bytes" in failures["x" * 600]
    assert "field 'densehook' is kept for notes" in failures["notes"]
    assert "a value that JSON cannot hold" in failures["value"]
    assert count_in(client, index) == len(DOCUMENTS)


def test_a_text_the_model_cannot_run_fails_alone(
    client: Elasticsearch, index: str, guilty_bundle: Bundle
) -> None:
    encoder = load(guilty_bundle.path)
    create_index(client, index, encoder.manifest, inputs=INPUTS)
    guilty = [Document(f"g{n}", {"text": "a guiltyword"}) for n in range(3)]
    failures = failures_of(client, index, [guilty[0], *DOCUMENTS, *guilty[1:]], encoder)
    assert {failure.id for failure in failures} == {"g0", "g1", "g2"}
    for failure in failures:
        assert "the model cannot run it: " in failure.reason
    assert count_in(client, index) == len(DOCUMENTS)


def test_many_documents_that_are_refused_do_not_pile_up(
    client: Elasticsearch, index: str, tiny: Encoder, tmp_path: Path
) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    read = heard = ahead = 0

    def lines() -> Iterator[BadLine]:
        nonlocal read
        for read in range(1, 5001):
            yield BadLine(f"{tmp_path}:{read}", "unreadable")

    def count(failure: Failure) -> None:
        nonlocal heard, ahead
        heard += 1
        ahead = max(ahead, read - heard)

    assert feed(client, index, lines(), tiny, on_failure=count).failed == heard == 5000
    assert ahead <= WINDOW * (WINDOWS_AHEAD + 3)


def test_a_cluster_that_goes_away_says_how_far_the_feed_came(
    client: Elasticsearch, node_url: str, index: str, tiny: Encoder
) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    with Forwarder(node_url) as forwarder:
        through = connect(forwarder.url)

        def documents() -> Iterator[Document]:
            for n in range(2000):
                if n == 1500:
                    forwarder.close()
                yield Document(str(n), {"text": "water"})

        failures: list[Failure] = []
        with pytest.raises(ClusterUnavailable, match="documents were indexed before") as caught:
            feed(
                through,
                index,
                documents(),
                tiny,
                patience=Patience(1),
                on_failure=failures.append,
            )
    assert "stayed busy or gone: no answer came" in str(caught.value)
    assert "--replace" in str(caught.value)
    # what was sent is kept, to be fed again; what was not is not
    assert 0 < len(failures) <= 2 * WINDOW
    assert all(failure.again and failure.document for failure in failures)
    assert not failures_of(
        client, index, [Document(str(n), {"text": "water"}) for n in range(2000)], tiny, True
    )
    assert count_in(client, index) == 2000


def test_a_source_that_breaks_says_how_many_were_indexed_before(
    client: Elasticsearch, index: str, tiny: Encoder, tmp_path: Path
) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    path = tmp_path / "a.json"
    # the second window is begun and broken
    path.write_text(json.dumps([{"id": n, "text": "water"} for n in range(WINDOW + 2)])[:-9])
    with pytest.raises(CollectionError) as error:
        feed(client, index, read_documents(path), tiny)
    assert str(error.value).startswith(f"{path} cannot be read to its end: ")
    assert f"; {WINDOW} documents were indexed before that: mend the source" in str(error.value)
    client.indices.refresh(index=index)
    assert count_in(client, index) == WINDOW


def test_with_a_checkpoint_windows_are_encoded_as_they_are_whatever_is_there_already(
    client: Elasticsearch, index: str, tiny: Encoder, tmp_path: Path
) -> None:
    opened = Index.create(client, index, tiny, inputs=INPUTS, in_cluster=False)
    opened.ingest([Document("d3", {"text": "there before"})])
    kept = opened.ingest(DOCUMENTS[:9], checkpoint=tmp_path / "feed.json")
    assert [failure.id for failure in kept.failures] == ["d3"]
    assert (kept.indexed, kept.encoded.texts) == (8, 9)
    assert opened.ingest(DOCUMENTS[:9]).encoded.texts == 0


def test_a_table_without_any_input_is_refused_before_anything_is_written(
    client: Elasticsearch, index: str, tiny: Encoder, tmp_path: Path
) -> None:
    create_index(client, index, tiny.manifest, inputs=["meta.title", "text"])
    path = tmp_path / "a.csv"
    path.write_text("id,body\n1,water\n")
    with pytest.raises(CollectionError, match=r"no column 'meta\.title' or 'text' or 'embedding'"):
        feed(client, index, read_documents(path), tiny)
    assert count_in(client, index) == 0
    # what brings its vectors needs no text
    frame = [{"id": "1", "embedding": tiny.encode_documents(["water"])[0].tolist()}]
    report = feed(client, index, documents_from(pa.Table.from_pylist(frame)), tiny)
    assert (report.indexed, report.brought) == (1, 1)


@pytest.mark.parametrize("replace", [False, True])
def test_documents_whose_answer_was_lost_are_not_taken_for_duplicates(
    client: Elasticsearch, node_url: str, index: str, tiny: Encoder, replace: bool
) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    assert feed(client, index, DOCUMENTS[:1], tiny).indexed == 1
    with Forwarder(node_url) as forwarder:
        through = connect(forwarder.url)
        documents = [*DOCUMENTS[:20], Document("d5", {"text": "the second"}, "a.jsonl:21")]

        def losing() -> Iterator[Document]:
            for n, document in enumerate(documents):
                if n == 10:
                    forwarder.lose_the_answer_to(b"_bulk")
                yield document

        failures: list[Failure] = []
        report = feed(through, index, losing(), tiny, replace=replace, on_failure=failures.append)
    assert forwarder.lost
    # the one that was there before, and the one that comes twice
    assert [failure.id for failure in failures] == ([] if replace else ["d0", "d5"])
    assert report.indexed == len(documents) - len(failures)
    text = client.get(index=index, id="d5")["_source"]["text"]
    assert text == ("the second" if replace else PASSAGES[5])


class Forwarder:
    """A TCP address in front of the node's, which a test can take away."""

    def __init__(self, url: str) -> None:
        self.lost = False
        self._losing: bytes | None = None
        self._target = ("127.0.0.1", int(url.rpartition(":")[2]))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = [self._listener]
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Forwarder:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def lose_the_answer_to(self, request: bytes) -> None:
        """Closes the connection, once, when such a request has been answered."""
        self._losing = request

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                incoming, _ = self._listener.accept()
                outgoing = socket.create_connection(self._target)
                self._open += [incoming, outgoing]
                for back in (False, True):
                    pair = (outgoing, incoming) if back else (incoming, outgoing)
                    threading.Thread(target=self._pump, args=(*pair, back), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, back: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if back and self._losing == b"":
                    self._losing, self.lost = None, True
                    for end in (sink, source):
                        end.shutdown(socket.SHUT_RDWR)
                    return
                if not back and self._losing and self._losing in data:
                    self._losing = b""  # it has come: what goes back now is its answer
                sink.sendall(data)


def test_a_missing_input_field_is_counted(client: Elasticsearch, index: str, tiny: Encoder) -> None:
    create_index(client, index, tiny.manifest, inputs=("titel", "text"))
    report = feed(client, index, DOCUMENTS, tiny)
    assert report.missing == {"titel": len(DOCUMENTS)}


def test_a_document_without_text_is_indexed_without_a_vector_and_counted(
    client: Elasticsearch, index: str, tiny: Encoder
) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    blank = [
        Document("none", {"other": "x"}),
        Document("empty", {"title": "", "text": []}),
        Document("blank", {"title": "\u00a0\t", "text": "\ufeff \u200b"}),
    ]
    report = feed(client, index, [*DOCUMENTS, *blank], tiny)
    assert (report.indexed, report.failed) == (len(DOCUMENTS) + 3, 0)
    assert report.without_text == 3
    assert report.missing == {"title": len(DOCUMENTS) + 3, "text": 3}
    assert vectors_in(client, index) == len(DOCUMENTS)
    # a text that is gone takes its vector along
    report = feed(client, index, [Document("d0", {"text": " "})], tiny, replace=True)
    assert report.without_text == 1
    assert vectors_in(client, index) == len(DOCUMENTS) - 1


def vectors_in(client: Elasticsearch, index: str) -> int:
    return int(client.count(index=index, query={"exists": {"field": "embedding"}})["count"])


def stored(client: Elasticsearch, index: str, id_: str) -> dict[str, Any]:
    names = ["title", "text", "embedding", "densehook"]
    found = client.get(index=index, id=id_, source_includes=names)
    return dict(found["_source"])


def refed(client: Elasticsearch, index: str, encoder: Encoder, *documents: Document) -> FeedReport:
    report = feed(client, index, documents, encoder, replace=True)
    assert report.failed == 0
    for document in documents:  # the promise: what is stored is the vector of what is stored
        found = stored(client, index, document.id)
        (expected,) = encoder.encode_documents([found["text"]])
        np.testing.assert_allclose(found["embedding"], expected, atol=1e-6)
        note = found["densehook"]["embedding"]
        assert note == note_of(found["text"], encoder.fingerprint)
    return report


@pytest.mark.parametrize("field", ["embedding"])
def test_unchanged_texts_are_not_encoded_again(
    plugin_client: Elasticsearch, plugin_index: str, tiny: Encoder, field: str
) -> None:
    create_index(plugin_client, plugin_index, tiny.manifest, inputs=INPUTS)
    assert feed(plugin_client, plugin_index, DOCUMENTS, tiny).encoded.texts == len(DOCUMENTS)
    report = refed(plugin_client, plugin_index, tiny, *DOCUMENTS)
    assert (report.encoded.texts, report.reused) == (0, len(DOCUMENTS))
    # another field is no reason to encode; another text is, and so is a note that is gone
    changed = [
        Document("d0", {**DOCUMENTS[0].fields, "lang": "en"}),
        Document("d1", {"text": "another text"}),
        Document("new", {"text": "a new one"}),
    ]
    report = refed(plugin_client, plugin_index, tiny, *changed)
    assert (report.encoded.texts, report.reused) == (2, 1)
    plugin_client.index(index=plugin_index, id="d2", document={"text": PASSAGES[2]})
    assert refed(plugin_client, plugin_index, tiny, DOCUMENTS[2]).encoded.texts == 1
    # and a vector that an encoder of another fingerprint made, or says it did
    forged = stored(plugin_client, plugin_index, "d3")
    forged["embedding"] = [1.0] + [0.0] * (tiny.dims - 1)
    forged["densehook"]["embedding"]["fingerprint"] = "sha256:" + "0" * 64
    plugin_client.index(index=plugin_index, id="d3", document=forged)
    assert refed(plugin_client, plugin_index, tiny, DOCUMENTS[3]).encoded.texts == 1


def test_what_is_there_already_is_not_encoded_before_it_is_refused(
    client: Elasticsearch, index: str, tiny: Encoder
) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    feed(client, index, DOCUMENTS[1:], tiny)
    report = feed(client, index, DOCUMENTS, tiny)
    assert (report.indexed, report.failed) == (1, len(DOCUMENTS) - 1)
    assert report.encoded.texts == 1


def test_a_vector_that_a_document_brings_is_kept_as_the_clients_own(
    plugin_client: Elasticsearch, plugin_index: str, tiny: Encoder
) -> None:
    create_index(plugin_client, plugin_index, tiny.manifest, inputs=["text"])
    mine = [1.0] + [0.0] * (tiny.dims - 1)
    report = feed(
        plugin_client, plugin_index, [Document("a", {"text": "x", "embedding": mine})], tiny
    )
    assert (report.indexed, report.brought, report.encoded.texts) == (1, 1, 0)
    found = stored(plugin_client, plugin_index, "a")
    assert found["embedding"] == mine
    assert found["densehook"] == {"embedding": note_of("x")}
    # read as the index shows it, 9.2 and newer without its vector, and put back: still the client's
    shown = dict(plugin_client.get(index=plugin_index, id="a")["_source"])
    feed(plugin_client, plugin_index, [Document("a", shown)], tiny, replace=True)
    assert stored(plugin_client, plugin_index, "a") == found
    # read with its vector, edited, put back: the vector of the earlier text does not stay
    edited = {**found, "text": "y"}
    report = feed(plugin_client, plugin_index, [Document("a", edited)], tiny, replace=True)
    assert (report.brought, report.encoded.texts) == (0, 1)
    assert stored(plugin_client, plugin_index, "a")["densehook"]["embedding"] == note_of(
        "y", tiny.fingerprint
    )


@pytest.mark.parametrize("field", ["meta.vector", "a.b.c"])
def test_a_vector_field_may_lie_in_an_object(
    plugin_client: Elasticsearch, plugin_index: str, tiny: Encoder, field: str
) -> None:
    create_index(plugin_client, plugin_index, tiny.manifest, inputs=["text"], field=field)
    documents = [Document(d.id, {**d.fields, "meta": {"n": 1}}) for d in DOCUMENTS]
    assert not failures_of(plugin_client, plugin_index, [*documents], tiny)
    report = feed(plugin_client, plugin_index, documents, tiny, replace=True)
    assert (report.encoded.texts, report.reused) == (0, len(documents))
    searcher = Searcher(plugin_client, plugin_index, tiny, field)
    (best, *_) = searcher.search({"q": PASSAGES[4]}, "dense", 3)["q"]
    assert best.id == "d4"
    source = Index.open(plugin_client, plugin_index, field=field).mget(["d4"])["d4"].fields
    assert {key: value for key, value in source.items() if value != {}} == {
        "title": "",
        "text": PASSAGES[4],
        "meta": {"n": 1},
    } or source["a"] == {"b": {}}


METADATA: list[dict[str, Any]] = [
    {"metadata": {"date": "2020-01-01"}, "year": 2020, "flag": True},
    {"metadata": {"date": "unknown"}, "year": "n.d.", "flag": "perhaps"},
    {"metadata": "none", "year": 2020.5, "flag": [1, "x", {"y": []}]},
    {"metadata": {}, "year": {"from": 1, "to": None}},
    {"metadata": {"date": ""}, "year": []},
    {"metadata": [{"date": "2021-02-03"}, {"date": ["x", {"x": 1}]}], "year": 10**30},
    {"deep": json.loads('{"a":' * 30 + "1" + "}" * 30), "long": "x" * 40_000},
]


@pytest.mark.parametrize("order", [1, -1])
def test_no_metadata_keeps_a_document_out(
    plugin_client: Elasticsearch, plugin_index: str, tiny: Encoder, order: int
) -> None:
    create_index(plugin_client, plugin_index, tiny.manifest, inputs=["text"])
    documents = [
        Document(f"m{n}", {"text": PASSAGES[n], **fields}) for n, fields in enumerate(METADATA)
    ]
    assert not failures_of(plugin_client, plugin_index, documents[::order], tiny)
    many = Document("many", {"text": "x", **{f"k{n}": n for n in range(1200)}})
    assert not failures_of(plugin_client, plugin_index, [many], tiny)  # more than an index maps
    # and it can be filtered by, whatever came first
    (vector,) = tiny.encode_queries(["water"]).tolist()
    for query, ids in (
        ({"term": {"metadata.date": "unknown"}}, {"m1"}),
        ({"range": {"metadata.date": {"gte": "2020", "lt": "2022"}}}, {"m0", "m5"}),
        ({"term": {"metadata": "none"}}, {"m2"}),
    ):
        knn = {"field": "embedding", "query_vector": vector, "k": 9, "num_candidates": 9}
        found = plugin_client.search(index=plugin_index, knn={**knn, "filter": query}, source=False)
        assert {hit["_id"] for hit in found["hits"]["hits"]} == ids


def test_an_index_that_cannot_be_refreshed_costs_no_report(
    client: Elasticsearch, node_url: str, index: str, tiny: Encoder
) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    with Forwarder(node_url) as forwarder:
        through = connect(forwarder.url).options(max_retries=0)
        forwarder.lose_the_answer_to(b"_refresh")
        report = feed(through, index, DOCUMENTS, tiny)
    assert report.indexed == len(DOCUMENTS)
    assert "nothing answers at" in report.unrefreshed
    client.indices.refresh(index=index)
    assert count_in(client, index) == len(DOCUMENTS)
    assert feed(client, index, [], tiny).unrefreshed == ""


def test_truncation_is_reported(client: Elasticsearch, index: str, tiny: Encoder) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    report = feed(client, index, [Document("long", {"text": "water " * 100})], tiny)
    assert (report.encoded.truncated_texts, report.encoded.lost_tokens) == (1, 38)


def test_indices_of_one_name_are_searched_together(
    client: Elasticsearch, index: str, tiny: Encoder
) -> None:
    for name, id_ in ((index, "a"), (f"{index}-2", "b")):
        create_index(client, name, tiny.manifest, inputs=INPUTS)
        feed(client, name, [Document(id_, {"text": f"water {id_}"})], tiny)
    searcher = Searcher(client, f"{index}*", tiny)
    (found,) = searcher.search({"q": "water"}, "dense", 10).values()
    assert {hit.id for hit in found} == {"a", "b"}
    assert searcher.lacking(["a", "b", "c"]) == ["c"]
    assert searcher.texts_of(["a", "c"]) == {"a": "water a"}
    feed(client, f"{index}-2", [Document("a", {"text": "water, too"})], tiny)
    with pytest.raises(RequestError, match=r"have a document 'a', .*; name one index"):
        searcher.search({"q": "water"}, "dense", 10)
    client.indices.delete(index=f"{index}-2")


@pytest.mark.parametrize(
    ("stated", "bm25_fields"),
    [
        ({"input": ["title", "text"], "bm25": ["title", "text"]}, ("title", "text")),
        ({"input": "text", "bm25": "text"}, ("text",)),
        ({"input": "text"}, ()),
    ],
)
def test_an_index_made_by_hand_is_fed_and_searched(
    client: Elasticsearch,
    index: str,
    tiny: Encoder,
    stated: dict[str, Any],
    bm25_fields: tuple[str, ...],
) -> None:
    bm25 = {"bm25": stated.pop("bm25")} if "bm25" in stated else {}
    entry = {**stated, "encoder": tiny.manifest.name, "fingerprint": tiny.fingerprint}
    vector = {"type": "dense_vector", "dims": tiny.dims, "similarity": "dot_product"}
    client.indices.create(
        index=index,
        mappings={
            "_meta": {"densehook": {"fields": {"embedding": entry}, **bm25}},
            "properties": {"title": {"type": "text"}, "embedding": vector},
        },
    )
    documents = [Document("a", {"title": "Cats", "text": "They sleep"}), *DOCUMENTS]
    assert not failures_of(client, index, documents, tiny)
    searcher = Searcher(client, index, tiny)
    assert len(searcher.search({"q": "water"}, "dense", 5)["q"]) == 5
    if bm25_fields:
        found = [hit.id for hit in searcher.search({"q": "cats"}, "bm25", 5)["q"]]
        assert found == (["a"] if "title" in bm25_fields else [])
        assert Index.open(client, index, tiny).search("sleep")[0].id == "a"
    else:
        for search in (
            lambda: searcher.search({"q": "cats"}, "bm25", 5),
            lambda: Index.open(client, index, tiny).search("cats"),
        ):
            with pytest.raises(RequestError, match=r"names no field for BM25.*_meta\.densehook"):
                search()


def test_an_index_that_names_no_input_is_searched_and_not_fed(
    client: Elasticsearch, index: str, tiny: Encoder
) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    feed(client, index, DOCUMENTS, tiny)
    entry = {"encoder": tiny.manifest.name, "fingerprint": tiny.fingerprint}
    client.indices.put_mapping(index=index, meta={"densehook": {"fields": {"embedding": entry}}})
    assert Searcher(client, index, tiny).search({"q": "water"}, "dense", 5)["q"]
    with pytest.raises(RequestError, match="does not say what the vectors of 'embedding' are made"):
        feed(client, index, DOCUMENTS, tiny)


def test_what_a_search_cannot_be_is_said(client: Elasticsearch, index: str, tiny: Encoder) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    feed(client, index, DOCUMENTS, tiny)
    searcher = Searcher(client, index, tiny)
    for mode, hint in (
        ("knn", "known: bm25, dense, sparse, maxsim$"),
        ("hybrid", r"there is Index\.search$"),
    ):
        with pytest.raises(RequestError, match=f"mode '{mode}' is unknown; .*{hint}"):
            searcher.search({"q": "water"}, mode, 5)


def test_a_query_of_blanks_finds_nothing_and_spoils_no_other(
    client: Elasticsearch, index: str, tiny: Encoder
) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    feed(client, index, DOCUMENTS, tiny)
    searcher = Searcher(client, index, tiny)
    for mode in ("bm25", "dense"):
        run = searcher.search({"a": "\ufeff ", "b": "water boils", "c": ""}, mode, 5)
        assert list(run) == ["a", "b", "c"]
        assert run["b"]
        assert run["a"] == run["c"] == []
        assert searcher.search({"a": " "}, mode, 5) == {"a": []}


@pytest.mark.parametrize("way", ["pipeline", "index setting"])
def test_what_was_encoded_here_is_not_encoded_in_the_node_again(
    plugin_client: Elasticsearch,
    plugin_node: NodeState,
    plugin_index: str,
    minilm: Encoder,
    minilm_bundle: Bundle,
    tmp_path: Path,
    way: str,
) -> None:
    by_pipeline = way == "pipeline"
    create_index(
        plugin_client, plugin_index, minilm.manifest, inputs=INPUTS, in_cluster=by_pipeline
    )
    if not by_pipeline:
        setting = {"index.densehook.embed": True}
        plugin_client.indices.put_settings(index=plugin_index, settings=setting)
    rows = [{"_id": f"{n}", "title": "", "text": text} for n, text in enumerate(PASSAGES[:20])]
    corpus = tmp_path / "corpus.jsonl"
    ingest = ("ingest", plugin_index, corpus, "--url", plugin_node.url)
    here = ("--encoder", minilm_bundle.path)
    before = encoded(plugin_client)
    for change, arguments in (("", here), (" changed", (*here, "--replace"))):
        for row in rows:
            row["text"] += change
        corpus.write_text("\n".join(map(json.dumps, rows)))
        assert "indexed 20 documents" in succeeded(running_in(tmp_path)(*ingest, *arguments))
        assert encoded(plugin_client) == before
        for row, vector in zip(
            rows, minilm.encode_documents([row["text"] for row in rows]), strict=True
        ):
            assert same(embedding_index.stored(plugin_client, plugin_index, row["_id"]), vector)
    for row in rows:
        row["text"] += " again"
    corpus.write_text("\n".join(map(json.dumps, rows)))
    assert "indexed 20 documents" in succeeded(running_in(tmp_path)(*ingest, "--replace"))
    assert encoded(plugin_client) == before + 20  # the node does look after the index


def test_the_rank_constant_weighs_the_ranks(
    client: Elasticsearch, index: str, tiny: Encoder
) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS, index_type="flat")
    feed(client, index, DOCUMENTS, tiny)
    searcher = Searcher(client, index, tiny)
    opened = Index.open(client, index, tiny)
    text = "blood pressure in the heart"
    lists = [searcher.search({"q": text}, mode, 100)["q"] for mode in ("bm25", "dense")]
    for constant in (1, 60):
        expected = reciprocal_rank_fusion(lists, rank_constant=constant)
        found = opened.search(text, rank_constant=constant, size=len(DOCUMENTS))
        assert [hit.score for hit in found] == [hit.score for hit in expected]


def test_an_alias_stands_for_its_index(client: Elasticsearch, index: str, tiny: Encoder) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    client.indices.put_alias(index=index, name="the-alias")
    assert not failures_of(client, "the-alias", [*DOCUMENTS], tiny)
    assert Searcher(client, "the-alias", tiny).search({"q": "water"}, "bm25", 3)["q"]
