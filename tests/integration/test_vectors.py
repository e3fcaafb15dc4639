"""Vectors made elsewhere go in as the encoder's own and come out to the bit, on 8.19 and 9."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elasticsearch import Elasticsearch

import densehook
from command_line import running_in, succeeded
from densehook.bundle import Bundle
from densehook.collections.vectors import MadeBy, VectorBatch, open_vectors, write_vectors
from densehook.elastic.checks import State, checked
from densehook.encode import Encoder
from densehook.errors import CollectionError, EncoderMismatch, RequestError
from densehook.export.texts import PASSAGES
from densehook.hooks import note_of
from embedding_index import encoded

TEXTS = PASSAGES[:20]
ROWS = [{"id": f"d{n}", "text": text} for n, text in enumerate(TEXTS)]
IDS = [row["id"] for row in ROWS]
FORMS = ("v.jsonl", "v.jsonl.gz", "v.parquet", "v")


def made_elsewhere(encoder: Encoder) -> np.ndarray:
    """The encoder's vectors as another program has them: close, and of other bits."""
    noise = np.random.default_rng(7).normal(size=(len(TEXTS), encoder.dims)) / 1000
    vectors = encoder.encode_documents(TEXTS) + noise
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def as_pyserini_writes(path: Path, vectors: np.ndarray) -> Path:
    rows = [
        {"id": row["id"], "contents": row["text"], "vector": vector.tolist()}
        for row, vector in zip(ROWS, vectors, strict=True)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def vectors_in(path: Path) -> dict[str, bytes]:
    return {row.id: row.vector.tobytes() for row in open_vectors(path).rows()}


def notes_in(index: densehook.Index) -> dict[str, Any]:
    found = index.client.mget(index=index.name, ids=IDS, source=["densehook"])
    return {doc["_id"]: doc["_source"]["densehook"] for doc in found["docs"]}


@pytest.fixture
def source(tiny: Encoder, tmp_path: Path) -> Path:
    return as_pyserini_writes(tmp_path / "embeddings.jsonl", made_elsewhere(tiny))


@pytest.fixture
def empty(client: Elasticsearch, index: str, tiny: Encoder) -> Iterator[densehook.Index]:
    yield densehook.Index.create(client, index, tiny, inputs=["text"])


def test_vectors_come_back_to_the_bit_in_every_form_and_are_current(
    plugin_client: Elasticsearch, plugin_index: str, tiny: Encoder, tmp_path: Path
) -> None:
    vectors = made_elsewhere(tiny)
    expected = {id_: vector.tobytes() for id_, vector in zip(IDS, vectors, strict=True)}
    form = as_pyserini_writes(tmp_path / "embeddings.jsonl", vectors)
    for turn, name in enumerate(FORMS):
        index = densehook.Index.create(
            plugin_client, plugin_index, tiny, inputs=["text"], in_cluster=False
        )
        if turn % 2:  # the documents are there, and have no vector yet
            operations = [each for row in ROWS for each in ({"index": {"_id": row["id"]}}, row)]
            plugin_client.bulk(index=plugin_index, operations=operations, refresh=True)
            report = index.import_vectors(form)
        else:
            report = index.import_vectors(form, form, rename={"contents": "text"})
        assert (report.indexed, report.brought, report.failed) == (len(IDS), len(IDS), 0)
        told = index.export_vectors(tmp_path / name)
        assert (told.vectors, told.without_vector, told.of_one_encoder) == (len(IDS), 0, True)
        form = tmp_path / name
        assert vectors_in(form) == expected
        made_by = MadeBy(tiny.manifest.name, tiny.manifest.fingerprint, ("text",))
        assert {row.made_by for row in open_vectors(form).rows()} == {made_by}
        assert notes_in(index) == {
            row["id"]: {"embedding": note_of(row["text"], tiny.manifest.fingerprint)}
            for row in ROWS
        }
        (finding,) = [f for f in checked(plugin_client, plugin_index) if plugin_index in f.subject]
        assert (finding.state, "20 documents, 0 without" in finding.seen) == (State.GOOD, True)
        again = index.ingest(ROWS, replace=True)
        assert (again.reused, again.encoded.texts) == (len(IDS), 0)
        assert index.search(TEXTS[3], mode="dense", size=1)[0].id == "d3"
        index.drop()


def test_a_node_that_makes_vectors_itself_keeps_those_that_are_imported(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder, tmp_path: Path
) -> None:
    vectors = made_elsewhere(minilm)
    form = as_pyserini_writes(tmp_path / "embeddings.jsonl", vectors)
    index = densehook.Index.create(
        plugin_client, plugin_index, minilm, inputs=["text"], in_cluster=True
    )
    before = encoded(plugin_client)
    report = index.encoded_by(minilm).import_vectors(form, ROWS)
    assert (report.brought, encoded(plugin_client)) == (len(IDS), before)
    index.export_vectors(tmp_path / "first.parquet")
    other = as_pyserini_writes(tmp_path / "other.jsonl", minilm.encode_documents(TEXTS))
    assert index.encoded_by(minilm).import_vectors(other).brought == len(IDS)
    assert encoded(plugin_client) == before
    index.export_vectors(tmp_path / "second.parquet")
    assert vectors_in(tmp_path / "first.parquet") == vectors_in(form)
    assert vectors_in(tmp_path / "second.parquet") == vectors_in(other)


def test_vectors_of_another_model_or_text_are_refused_before_anything_is_written(
    empty: densehook.Index, source: Path, tmp_path: Path, tiny: Encoder
) -> None:
    shuffled = made_elsewhere(tiny)[::-1]
    wrong = as_pyserini_writes(tmp_path / "wrong.jsonl", np.ascontiguousarray(shuffled))
    with pytest.raises(EncoderMismatch, match=r"the vector of 'd0' is not what .* of text: cosine"):
        empty.import_vectors(wrong, ROWS)
    empty.client.bulk(
        index=empty.name, operations=[{"index": {"_id": "d0"}}, ROWS[0]], refresh=True
    )
    with pytest.raises(EncoderMismatch, match="another model made it, or another text"):
        empty.import_vectors(wrong)
    maker = {"encoder": "other", "fingerprint": "sha256:123456789", "input": ["text"]}
    others = [{**json.loads(line), "made_by": maker} for line in source.read_text().splitlines()]
    theirs = tmp_path / "theirs.jsonl"
    theirs.write_text("".join(json.dumps(row) + "\n" for row in others))
    with pytest.raises(
        EncoderMismatch, match=r"holds vectors of encoder 'other' \(sha256:12345678"
    ):
        empty.import_vectors(theirs, ROWS)
    bad = tmp_path / "bad.jsonl"
    last = json.dumps({"id": "z", "vector": [1.0]})
    bad.write_text(source.read_text() + last)
    with pytest.raises(CollectionError, match=r"bad.jsonl:21: the vector of 'z' has 1 dims, and"):
        empty.import_vectors(bad, ROWS)
    strangers = [{"id": "x", "text": "of another collection"}]
    with pytest.raises(
        CollectionError, match=r"no document has a vector in .*'d0', 'd1', 'd10'; a"
    ):
        empty.import_vectors(source, strangers)
    with pytest.raises(RequestError, match="open the index with its bundle"):
        densehook.Index.open(empty.client, empty.name).import_vectors(source)
    assert empty.stats().with_vector == 0


def test_what_lacks_its_other_half_is_named(empty: densehook.Index, source: Path) -> None:
    documents = [*ROWS[1:], ROWS[1], {"id": "x", "text": "new"}, {"id": "y", "text": {"a": 1}}]
    report = empty.import_vectors(source, documents)
    assert report.indexed == len(ROWS) - 1
    assert [str(failure).partition(": ")[2] for failure in report.failures] == [
        "document 'd1' is there twice",
        f"document 'x' has no vector in {source}",
        f"document 'y' has no vector in {source}",
        "'d0' has a vector, and no document",
    ]
    again = empty.import_vectors(source)
    assert again.indexed == len(ROWS) - 1
    (failure,) = again.failures
    assert failure.document is None  # nothing of it is here that could be fed again
    assert failure.origin == f"{source}:1"
    assert "document 'd0': the index" in failure.reason
    assert "has no such document; give it (--documents)" in failure.reason


def test_vectors_that_nobody_vouches_for_are_exported_without_a_maker(
    empty: densehook.Index, tmp_path: Path, tiny: Encoder
) -> None:
    vector = made_elsewhere(tiny)[0]
    stale = {"embedding": {"text": "0" * 32, "fingerprint": "sha256:of-before"}}
    documents = [{"text": "a", "embedding": vector.tolist()}, {"text": ""}]
    operations = [
        {"index": {"_id": "client"}},
        documents[0],
        {"index": {"_id": "none"}},
        documents[1],
        {"index": {"_id": "stale"}},
        {**documents[0], "densehook": stale},
    ]
    empty.client.bulk(index=empty.name, operations=operations, refresh=True)
    told = empty.export_vectors(tmp_path / "v.parquet")
    assert (told.vectors, told.without_vector, told.foreign, told.stale) == (2, 1, 1, 1)
    assert {row.made_by for row in open_vectors(tmp_path / "v.parquet").rows()} == {None}
    assert set(vectors_in(tmp_path / "v.parquet").values()) == {vector.tobytes()}


def test_the_command_takes_and_gives_vectors(
    client: Elasticsearch,
    node_url: str,
    index: str,
    tiny_bundle: Bundle,
    source: Path,
    tmp_path: Path,
) -> None:
    run = running_in(tmp_path, DENSEHOOK_ES_URL=node_url)
    encoder = ("--encoder", tiny_bundle.path)
    succeeded(run("create", index, *encoder, "--input", "text"))
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS[:-1]))
    done = run("vectors", "import", index, source, "--documents", "corpus.jsonl", *encoder)
    assert done.returncode == 1
    assert f"{source}: 'd19' has a vector, and no document" in done.stderr
    assert f"indexed 19 documents into {index}, 1 failed" in done.stdout
    said = succeeded(run("vectors", "export", index, "made/vectors"))
    assert "19 vectors of embedding are in made/vectors" in said
    assert len(vectors_in(tmp_path / "made" / "vectors")) == 19
    refused = run("vectors", "export", index, "made/vectors")
    assert "error: made/vectors exists already; remove it, or name another" in refused.stderr


def test_many_vectors_are_read_page_by_page(
    client: Elasticsearch, index: str, tiny: Encoder, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("densehook.elastic.vectors._DOCUMENTS_PER_PAGE", 7)
    made = densehook.Index.create(client, index, tiny, inputs=["text"], shards=3)
    vectors = made_elsewhere(tiny)
    write_vectors(tmp_path / "v", [VectorBatch(IDS, TEXTS, vectors, [None] * len(IDS))])
    made.import_vectors(tmp_path / "v", ROWS)
    heard: list[int] = []
    made.export_vectors(tmp_path / "v.jsonl", on_progress=heard.append)
    assert heard == [7, 14, 20]
    assert vectors_in(tmp_path / "v.jsonl") == vectors_in(tmp_path / "v")
