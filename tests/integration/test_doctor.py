"""What is wrong with a cluster is said in a line, with what mends it; a fault is really caused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elasticsearch import Elasticsearch

import densehook
from command_line import running_in, succeeded
from densehook.bundle import Bundle
from densehook.chunk import ChunkRule
from densehook.elastic.checks import Finding, State, checked
from densehook.elastic.coverage import ChunkCounts, count_chunks
from densehook.encode import Encoder
from lost_shards import lost


def found(client: Elasticsearch, index: str) -> dict[str, Finding]:
    """The findings by subject; of several the last."""
    return {finding.subject: finding for finding in checked(client, index)}


def test_a_cluster_in_order_is_good_in_every_line(
    plugin_client: Elasticsearch, plugin_index: str, minilm: Encoder
) -> None:
    index = densehook.Index.create(plugin_client, plugin_index, minilm, inputs=["text"])
    index.ingest([{"_id": "1", "text": "cats"}])
    findings = found(plugin_client, plugin_index)
    subjects = ["cluster", "licence", "plugin", "encoder all-minilm-l6-v2"]
    assert list(findings) == [*subjects, f"{plugin_index}, embedding"]
    assert {finding.state for finding in findings.values()} == {State.GOOD}
    assert findings["encoder all-minilm-l6-v2"].seen == "sha256:3c009362, in service on 1 nodes"
    seen = findings[f"{plugin_index}, embedding"].seen
    assert seen == "1 documents, 0 without a vector, by all-minilm-l6-v2"


def test_documents_without_a_vector_and_of_another_encoder_are_counted(
    client: Elasticsearch, index: str, node_url: str, tiny: Encoder, tmp_path: Path
) -> None:
    # without the plugin, which would make the stale vector anew
    made = densehook.Index.create(client, index, tiny, inputs=["text"])
    made.ingest([{"_id": "1", "text": "cats"}, {"_id": "2", "n": 1}])
    run = running_in(tmp_path, DENSEHOOK_ES_URL=node_url)
    subject = f"{index}, embedding"
    finding = found(client, index)[subject]
    seen = "2 documents, 0 without a vector, 1 without text, by tiny-bert"
    assert (finding.state, finding.seen) == (State.GOOD, seen)
    assert run("doctor", index).returncode == 0
    stale = {"embedding": {"text": "0" * 32, "fingerprint": "sha256:another"}}
    vector = tiny.encode_documents("dogs").tolist()
    for id_, document in {
        "3": {"text": "dogs", "embedding": vector, "densehook": stale},
        "4": {"text": "birds"},
        "5": {"text": "fish", "embedding": vector},
    }.items():
        client.index(index=index, id=id_, document=document, refresh=True)
    finding = found(client, index)[subject]
    assert finding.state is State.BAD
    counted = "5 documents, 1 without a vector, 1 of another encoder, 1 that a client brought"
    assert finding.seen == f"{counted}, 1 without text"
    assert finding.mend == f"densehook embed {index} --field embedding"
    done = run("doctor", index)
    assert done.returncode == 1
    assert "✗" in done.stdout and "→ densehook embed" in done.stdout


def test_vectors_of_another_text_are_found_when_documents_are_read_and_all_can_be_mended(
    client: Elasticsearch,
    index: str,
    node_url: str,
    tiny: Encoder,
    tiny_bundle: Bundle,
    tmp_path: Path,
) -> None:
    made = densehook.Index.create(client, index, tiny, inputs=["text"])
    made.ingest([{"_id": "1", "text": "cats"}, {"_id": "2", "text": "dogs " * 100}])
    # without the plugin an update changes a text and leaves its vector
    client.update(index=index, id="1", doc={"text": "lions"})
    client.index(index=index, id="3", document={"text": "birds"}, refresh=True)
    before = client.get(index=index, id="2")
    (tmp_path / tiny_bundle.manifest.name).symlink_to(tiny_bundle.path)
    run = running_in(
        tmp_path, DENSEHOOK_ES_URL=node_url, DENSEHOOK_MODELS=str(tmp_path), COLUMNS="400"
    )
    said = run("doctor", index).stdout
    assert "3 documents, 1 without a vector" in said and "of another text" not in said
    said = run("doctor", index, "--texts").stdout
    assert "3 documents, 1 without a vector, 1 of another text" in said
    assert "1 (50%) longer than the encoder reads" in said
    assert f"→ densehook embed {index} --field embedding --texts" in said
    mended = succeeded(run("doctor", index, "--texts", "--repair"))
    assert f"{index}, embedding: 2 documents embedded here, from text by tiny-bert" in mended
    assert "3 documents, 0 without a vector, 1 (33%) longer than the encoder reads, by" in mended
    assert succeeded(run("doctor", index, "--texts"))
    expected = tiny.encode_documents(["lions", "birds"])
    for id_, vector in zip(("1", "3"), expected, strict=True):
        stored = client.get(index=index, id=id_)["_source"]["embedding"]
        assert np.abs(np.array(stored) - vector).max() < 1e-6
    assert client.get(index=index, id="2") == before


@pytest.mark.parametrize(
    ("field", "mapped", "said"),
    [
        ({"input": [], "encoder": "all-minilm-l6-v2"}, True, "no inputs are stated"),
        ({"input": ["text"], "encoder": "all-minilm-l6-v2"}, False, "does not map it"),
        ({"input": ["text"], "encoder": "gone"}, True, "its encoder gone is in service on no node"),
    ],
)
def test_a_field_nobody_can_fill_is_a_fault(
    client: Elasticsearch, index: str, field: Mapping[str, Any], mapped: bool, said: str
) -> None:
    # on a node without the plugin, which would refuse such a mapping
    vector = {"embedding": {"type": "dense_vector", "dims": 4}} if mapped else {}
    client.indices.create(
        index=index,
        settings={"index.default_pipeline": "densehook-gone"},
        mappings={
            "_meta": {"densehook": {"fields": {"embedding": {**field, "fingerprint": "sha256:x"}}}},
            "properties": {"text": {"type": "text"}, **vector},
        },
    )
    faults = [each.seen for each in checked(client, index) if each.state is State.BAD]
    assert any(said in fault for fault in faults), faults
    assert found(client, index)["plugin"].state is State.NOTE


def test_an_index_with_a_shard_that_is_away_is_a_fault_and_others_are_looked_at(
    client: Elasticsearch, index: str, tiny: Encoder
) -> None:
    names = {kind: f"{index}-{kind}" for kind in ("bm25", "closed", "good", "red")}
    try:
        for kind in ("closed", "good", "red"):
            made = densehook.Index.create(client, names[kind], tiny, inputs=["text"], shards=2)
            made.ingest([{"_id": str(n), "text": f"text {n}"} for n in range(20)])
        meta = {"densehook": {"bm25": ["text"]}}
        client.indices.create(index=names["bm25"], mappings={"_meta": meta})
        client.indices.close(index=names["closed"])
        with lost(client, names["red"], shard=1):
            seen = found(client, ",".join(names.values()))
        states = {kind: seen.get(f"{name}, embedding") for kind, name in names.items()}
        assert {kind: each.state for kind, each in states.items() if each is not None} == {
            "closed": State.BAD,
            "good": State.GOOD,
            "red": State.BAD,
        }
        assert states["red"] is not None and "503 " in states["red"].seen
        assert seen[names["bm25"]].state is State.BAD
        assert found(client, names["red"])[f"{names['red']}, embedding"].state is State.GOOD
    finally:
        client.indices.delete(index=list(names.values()), ignore_unavailable=True)


def test_how_many_chunks_the_longest_documents_have_is_told(
    client: Elasticsearch, index: str, tiny: Encoder
) -> None:
    rule = ChunkRule("sentence", 16)
    made = densehook.Index.create(client, index, tiny, inputs=["text"], chunk=rule, shards=2)
    assert count_chunks(client, index, made.field) is None
    sentence = "Water falls from clouds, and it runs down the hills to the sea."
    texts = [*[sentence] * 38, " ".join([sentence] * 3), " ".join([sentence] * 9)]
    made.ingest([{"_id": str(n), "text": text} for n, text in enumerate(texts)])
    made.ingest([{"_id": "none", "n": 1}])
    counts = sorted(len(tiny.cut(text, rule).chunks) for text in texts)
    assert counts[0] < counts[-2] < counts[-1]
    assert count_chunks(client, index, made.field) == ChunkCounts(counts[37], counts[-1])
    seen = found(client, index)[f"{index}, passages.vector"].seen
    assert (
        f", {sum(counts)} chunks ({sum(counts) / 40:.1f} each), at most {counts[37]} in 95% of the"
        f" documents, {counts[-1]} in the longest" in seen
    )


def test_that_nobody_here_knows_how_much_the_encoder_reads_is_told(
    client: Elasticsearch,
    index: str,
    tiny: Encoder,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("DENSEHOOK_MODELS", str(tmp_path))
    densehook.Index.create(client, index, tiny, inputs=["text"]).ingest([{"_id": "1", "text": "a"}])
    said = "how many are longer than the encoder reads is not known"
    for texts in (False, True):
        seen = {each.subject: each.seen for each in checked(client, index, texts=texts)}
        assert (said in seen[f"{index}, embedding"]) is texts
