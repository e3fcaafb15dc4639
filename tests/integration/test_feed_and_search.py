"""Documents go in once with the right vector, and what cannot go in is said by name."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from elasticsearch import Elasticsearch

from densehook.bundle import Bundle
from densehook.elastic.connect import connect
from densehook.elastic.documents import BadLine, read_documents
from densehook.elastic.feed import Failure, feed
from densehook.elastic.indices import count_in, create_index, provenance_of
from densehook.elastic.search import Searcher
from densehook.encode import Encoder, load
from densehook.errors import ClusterUnreachable, ElasticError, EncoderMismatch, IndexNotFound
from densehook.export.texts import PASSAGES, QUESTIONS
from densehook.fusion import FUSIONS
from densehook.hooks import INDEX_TYPES
from densehook.types import Document

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
    assert searcher.hybrid(text, fusion) == FUSIONS[fusion](lists)
    sources = searcher.sources(["d0", "no such id"])
    assert sources == {"d0": {"title": "", "text": PASSAGES[0]}}


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


def test_an_index_that_is_not_ours_is_refused(
    client: Elasticsearch, index: str, tiny: Encoder
) -> None:
    client.indices.create(index=index)
    with pytest.raises(ElasticError, match="does not say which encoder"):
        feed(client, index, DOCUMENTS, tiny)


def test_an_index_is_not_created_twice(client: Elasticsearch, index: str, tiny: Encoder) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    with pytest.raises(ElasticError, match="exists already"):
        create_index(client, index, tiny.manifest, inputs=INPUTS)


@pytest.mark.parametrize(
    ("inputs", "index_type", "message"),
    [
        (INPUTS, "ivf", "index type 'ivf' is unknown; known: hnsw, int8_hnsw"),
        ((), "flat", r"inputs \(none\) must be different text fields"),
        (("a", "a"), "flat", "inputs a, a must be different"),
        (("embedding",), "flat", "none of them the vector field 'embedding'"),
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
    with pytest.raises(ElasticError, match=message):
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
        Document("none", {"other": "x"}, "a.jsonl:1"),
        Document("object", {"text": {"a": 1}}, "a.jsonl:2"),
        Document("vector", {"text": "x", "embedding": [1.0]}, "a.jsonl:3"),
        Document("x" * 600, {"text": "an id Elasticsearch refuses"}, "a.jsonl:4"),
        Document("day", {"text": "x", "when": "not a day"}, "a.jsonl:5"),
    ]
    client.indices.put_mapping(index=index, properties={"when": {"type": "date"}})
    failures = {f.id: str(f) for f in failures_of(client, index, [*DOCUMENTS, *bad], tiny)}
    assert set(failures) == {document.id for document in bad}
    assert failures["none"] == "a.jsonl:1: document 'none': no text in its input fields title, text"
    assert "input field 'text' is an object, not text" in failures["object"]
    assert "brings a vector of its own in 'embedding'" in failures["vector"]
    assert "failed to parse field [when]" in failures["day"]
    assert "must be no longer than 512 bytes" in failures["x" * 600]
    assert count_in(client, index) == len(DOCUMENTS)


def test_a_text_that_gives_no_token_fails_alone(
    client: Elasticsearch, index: str, tiny: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from densehook.errors import EncodeError

    original = Encoder.encode

    def refusing(self: Encoder, texts: list[str], role: str) -> object:
        for position, text in enumerate(texts):
            if "guilty" in text:
                raise EncodeError(f"text {position} gives no token", position)
        return original(self, texts, role)  # type: ignore[arg-type]

    monkeypatch.setattr(Encoder, "encode", refusing)
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    guilty = [Document(f"g{n}", {"text": "guilty"}) for n in range(3)]
    failures = failures_of(client, index, [guilty[0], *DOCUMENTS, *guilty[1:]], tiny)
    assert {failure.id for failure in failures} == {"g0", "g1", "g2"}
    assert count_in(client, index) == len(DOCUMENTS)


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

        with pytest.raises(ClusterUnreachable, match="documents were indexed before") as caught:
            feed(through, index, documents(), tiny)
    assert "--replace" in str(caught.value)
    assert not failures_of(
        client, index, [Document(str(n), {"text": "water"}) for n in range(2000)], tiny, True
    )
    assert count_in(client, index) == 2000


class Forwarder:
    """A TCP address in front of the node's, which a test can take away."""

    def __init__(self, url: str) -> None:
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

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                incoming, _ = self._listener.accept()
                outgoing = socket.create_connection(self._target)
                self._open += [incoming, outgoing]
                for source, sink in ((incoming, outgoing), (outgoing, incoming)):
                    threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)


def test_a_missing_input_field_is_counted(client: Elasticsearch, index: str, tiny: Encoder) -> None:
    create_index(client, index, tiny.manifest, inputs=("titel", "text"))
    report = feed(client, index, DOCUMENTS, tiny)
    assert report.missing == {"titel": len(DOCUMENTS)}


def test_truncation_is_reported(client: Elasticsearch, index: str, tiny: Encoder) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    report = feed(client, index, [Document("long", {"text": "water " * 100})], tiny)
    assert (report.encoded.truncated_texts, report.encoded.lost_tokens) == (1, 38)


def test_an_index_of_many_names_is_not_guessed(
    client: Elasticsearch, index: str, tiny: Encoder
) -> None:
    for name in (index, f"{index}-2"):
        create_index(client, name, tiny.manifest, inputs=INPUTS)
    with pytest.raises(ElasticError, match="name one index"):
        Searcher(client, f"{index}*", tiny)
    client.indices.delete(index=f"{index}-2")


def test_an_alias_stands_for_its_index(client: Elasticsearch, index: str, tiny: Encoder) -> None:
    create_index(client, index, tiny.manifest, inputs=INPUTS)
    client.indices.put_alias(index=index, name="the-alias")
    assert not failures_of(client, "the-alias", [*DOCUMENTS], tiny)
    assert Searcher(client, "the-alias", tiny).search({"q": "water"}, "bm25", 3)["q"]
