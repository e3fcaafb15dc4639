"""Documents whose text lies elsewhere than under the names of its inputs, and is not only joined:
the node and Python make the same of them, whichever way they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from elasticsearch import BadRequestError, Elasticsearch

from conftest import CrowdedNode
from densehook import Index
from densehook.elastic.coverage import count_texts, coverage_of
from densehook.elastic.indices import provenance_of
from densehook.encode import Encoder
from densehook.errors import RequestError
from densehook.hooks import note_of, prompt_of, text_of, value_at
from densehook.hooks.kinds.dense import parsed
from densehook.types import Document

INDEX, OTHER = "inputs", "inputs-other"
OFFSETS = {key: {"type": "integer"} for key in ("start", "end")}
TEXT = {"type": "text"}
COPIED = {**TEXT, "copy_to": "all"}
PROPERTIES: Mapping[str, Any] = {
    "all": TEXT,
    "title": {**COPIED, "fields": {"raw": {"type": "keyword", "ignore_above": 9}}},
    "body": COPIED,
    "heading": {"type": "alias", "path": "title"},
    "meta": {"properties": {"tags": {"type": "keyword", "copy_to": ["all"]}}},
    "year": {"type": "integer"},
    "score": {"type": "float"},
    "day": {"type": "date"},
    "open": {"type": "boolean"},
    "lang": {"type": "keyword"},
}
PROMPT = {"field": "lang", "prompts": {"de": "Dokument: ", "none": ""}, "default": "passage: "}
RULES: Mapping[str, Mapping[str, Any]] = {
    "copied": {"input": ["all"]},
    "multi": {"input": "title.raw"},
    "alias": {"input": ["heading", "body"]},
    "values": {"input": ["year", "score", "day", "open"]},
    "template": {"input": ["heading", "all"], "template": "{heading}: {all}\n", "prompt": PROMPT},
}
DOCUMENT: Mapping[str, Any] = {
    "title": "A long title",
    "body": ["Whales breathe air.", "They sleep."],
    "meta": {"tags": ["sea", "mammals"]},
    "year": 1984,
    "score": 1e7,
    "day": "2024-02-29",
    "open": True,
    "lang": "de",
}
TEXTS = {
    "copied": "Whales breathe air. They sleep. sea mammals A long title",
    "multi": "A long title",
    "alias": "A long title Whales breathe air. They sleep.",
    "values": "1984 10000000.0 2024-02-29 true",
    "template": "A long title: Whales breathe air. They sleep. sea mammals A long title\n",
}


@pytest.fixture
def es(crowded_node: CrowdedNode) -> Iterator[Elasticsearch]:
    """The node's client; what a test made is gone after it."""
    yield crowded_node.client
    for index in (INDEX, OTHER):
        crowded_node.client.indices.delete(index=index, ignore_unavailable=True)
    crowded_node.client.options(ignore_status=404).ingest.delete_pipeline(id=INDEX)


def make(
    es: Elasticsearch, encoder: Encoder, rules: Mapping[str, Any] = RULES, **settings: Any
) -> None:
    made_by = {"encoder": encoder.manifest.name, "fingerprint": encoder.fingerprint}
    vector = {"type": "dense_vector", "dims": encoder.dims, "index_options": {"type": "flat"}}
    es.indices.create(
        index=INDEX,
        settings={"number_of_shards": 1, "number_of_replicas": 0, **settings},
        mappings={
            "dynamic": "strict",
            "_meta": {
                "densehook": {"fields": {name: {**rules[name], **made_by} for name in rules}}
            },
            "properties": {
                **PROPERTIES,
                **dict.fromkeys([name for name in rules if "." not in name], vector),
                "parts": {"type": "nested", "properties": {**OFFSETS, "vector": vector}},
                "densehook": {"type": "flattened", "doc_values": False},
            },
        },
    )


def source_of(es: Elasticsearch, id_: str) -> Mapping[str, Any]:
    """A document with its vectors, which 9.x shows where they are named."""
    found = es.get(index=INDEX, id=id_, source_includes=["*", *RULES])["_source"]
    return dict(found)


def assert_current(es: Elasticsearch, encoder: Encoder, id_: str) -> dict[str, str]:
    """Every field of a document has the vector of the text that Python reads of it; the texts."""
    source = source_of(es, id_)
    texts = {}
    for field in provenance_of(es, INDEX).vector_fields.values():
        document = Document(id_, source)
        text, _ = text_of(document, field.text, encoder.manifest.join)
        prompt = prompt_of(document, field.text)
        note = note_of(text, encoder.fingerprint, prompt=prompt)
        assert source["densehook"][field.name] == note, field.name
        made = parsed(value_at(source, field.name))
        np.testing.assert_allclose(made, encoder.encode(text, prompt=prompt), atol=1e-5)
        texts[field.name] = text
    return texts


def test_every_way_to_write_a_document_gives_it_the_vectors_of_its_texts(
    es: Elasticsearch, crowded_node: CrowdedNode
) -> None:
    encoder = crowded_node.encoder
    make(es, encoder, **{"index.densehook.embed": True})
    es.index(index=INDEX, id="put", document=DOCUMENT)
    assert assert_current(es, encoder, "put") == TEXTS
    operations: list[Mapping[str, Any]] = [
        {"index": {"_id": "bulk"}},
        DOCUMENT,
        {"update": {"_id": "upserted"}},
        {"doc": {**DOCUMENT, "all": "Its own."}, "doc_as_upsert": True},
        {"update": {"_id": "put"}},
        {"doc": {"meta": {"tags": "land"}}},
    ]
    assert not es.bulk(index=INDEX, operations=operations)["errors"]
    assert assert_current(es, encoder, "bulk") == TEXTS
    own = assert_current(es, encoder, "upserted")
    assert own == {
        **TEXTS,
        "copied": f"Its own. {TEXTS['copied']}",
        "template": f"A long title: Its own. {TEXTS['copied']}\n",
    }
    changed = assert_current(es, encoder, "put")
    assert changed["copied"] == "Whales breathe air. They sleep. land A long title"
    assert {**changed, "copied": "", "template": ""} == {**TEXTS, "copied": "", "template": ""}
    es.update(index=INDEX, id="put", doc={"title": "Short"})
    assert assert_current(es, encoder, "put")["multi"] == "Short"
    es.update(index=INDEX, id="put", doc={"year": 2.50})
    assert assert_current(es, encoder, "put")["values"] == "2.5 10000000.0 2024-02-29 true"
    before = source_of(es, "put")["densehook"]
    for lang in ("none", "en", ["de", "en"]):
        es.update(index=INDEX, id="put", doc={"lang": lang})
        assert_current(es, encoder, "put")
        after = source_of(es, "put")["densehook"]
        assert [name for name in after if after[name] != before[name]] == ["template"]
        before = after
    script = {"lang": "edit", "source": "edit", "params": {"set": {"body": "Fish."}}}
    es.update(index=INDEX, id="bulk", script=script)
    assert assert_current(es, encoder, "bulk")["copied"] == "Fish. sea mammals A long title"


def test_a_field_that_is_copied_later_and_a_template_that_changes_are_another_text(
    es: Elasticsearch, crowded_node: CrowdedNode
) -> None:
    encoder = crowded_node.encoder
    rules = {name: RULES[name] for name in ("copied", "template")}
    make(es, encoder, rules, **{"index.densehook.embed": True})
    es.index(index=INDEX, id="1", document=DOCUMENT, refresh=True)
    before = source_of(es, "1")["densehook"]
    es.indices.put_mapping(index=INDEX, properties={"after": COPIED})
    fields = es.indices.get_mapping(index=INDEX)[INDEX]["mappings"]["_meta"]["densehook"]["fields"]
    entry = {**fields["template"], "template": "{all} ({heading})"}
    es.indices.put_mapping(
        index=INDEX, meta={"densehook": {"fields": {**fields, "template": entry}}}
    )
    stated = provenance_of(es, INDEX).vector_fields
    template = stated["template"]
    assert count_texts(es, INDEX, stated["copied"]).of_other_text == 0
    assert count_texts(es, INDEX, template).of_other_text == 1
    es.index(index=INDEX, id="1", document={**DOCUMENT, "after": "the end"}, refresh=True)
    after = source_of(es, "1")["densehook"]
    assert after["copied"] != before["copied"] and after["template"] != before["template"]
    texts = assert_current(es, encoder, "1")
    assert texts["template"] == f"the end {TEXTS['copied']} (A long title)"
    assert count_texts(es, INDEX, template).of_other_text == 0


@pytest.mark.parametrize("in_cluster", [True, False], ids=["in the cluster", "here"])
def test_documents_that_are_there_are_counted_and_embedded_by_their_texts(
    es: Elasticsearch, crowded_node: CrowdedNode, in_cluster: bool
) -> None:
    encoder = crowded_node.encoder
    make(es, encoder)
    documents = [DOCUMENT, {"title": "Only"}, {"meta": {"tags": ["sea"]}}, {"year": 0}, {}]
    for number, document in enumerate(documents):
        es.index(index=INDEX, id=str(number), document=document)
    es.indices.refresh(index=INDEX)
    es.indices.put_settings(index=INDEX, settings={"index.densehook.embed": True})
    fields = provenance_of(es, INDEX).vector_fields
    lacking = {name: coverage_of(es, INDEX, field).lacking for name, field in fields.items()}
    assert lacking == {"copied": 3, "multi": 2, "alias": 2, "values": 2, "template": 3}
    for name, field in fields.items():
        index = Index.open(es, INDEX, None if in_cluster else encoder, field=name)
        coverage = index.embed().coverage
        assert (coverage.lacking, coverage.without_text) == (0, 5 - lacking[name]), name
        assert count_texts(es, INDEX, field).of_other_text == 0
    assert assert_current(es, encoder, "0") == TEXTS


def test_what_python_feeds_the_node_finds_current(
    es: Elasticsearch, crowded_node: CrowdedNode
) -> None:
    encoder = crowded_node.encoder
    make(es, encoder, {"template": RULES["template"]})
    report = Index.open(es, INDEX, encoder).ingest([{"_id": "1", **DOCUMENT}, {"_id": "2"}])
    assert (report.indexed, report.without_text) == (2, 1)
    assert assert_current(es, encoder, "1") == {"template": TEXTS["template"]}
    before = source_of(es, "1")
    es.indices.put_settings(index=INDEX, settings={"index.densehook.embed": True})
    es.index(index=INDEX, id="1", document=before)
    assert source_of(es, "1")["densehook"] == before["densehook"]
    hits = Index.open(es, INDEX, encoder).search("whales", mode="dense", size=1)
    assert list(hits[0].source)[:3] == ["title", "body", "meta"]


@pytest.mark.parametrize("stated", [True, False], ids=["stated", "not stated"])
def test_a_pipeline_reads_inputs_where_the_index_that_it_writes_to_has_them(
    es: Elasticsearch, crowded_node: CrowdedNode, stated: bool
) -> None:
    encoder = crowded_node.encoder
    make(es, encoder, {"template": RULES["template"]}, **{"index.default_pipeline": INDEX})
    if not stated:
        es.indices.put_mapping(index=INDEX, meta={"densehook": None})
    processor = {**RULES["template"], "output": "template"}
    es.ingest.put_pipeline(id=INDEX, processors=[{"densehook": processor}])
    es.index(index=INDEX, id="1", document=DOCUMENT)
    operations: list[Mapping[str, Any]] = [
        {"update": {"_id": "2"}},
        {"doc": DOCUMENT, "doc_as_upsert": True},
    ]
    assert not es.bulk(index=INDEX, operations=operations)["errors"]
    expected = encoder.encode(TEXTS["template"], prompt="Dokument: ")
    for id_ in ("1", "2"):
        np.testing.assert_allclose(
            parsed(source_of(es, id_)["template"]), expected, atol=1e-5, err_msg=id_
        )
    with pytest.raises(BadRequestError, match=r"field \[heading\] is null|\[title\] not present"):
        es.index(index=INDEX, document={"body": "b"})
    if stated:
        del processor["prompt"]
    else:
        processor.update(input=["all"], template="{all}")
    es.ingest.put_pipeline(id=INDEX, processors=[{"densehook": processor}])
    with pytest.raises(BadRequestError) as refused:
        es.index(index=INDEX, document=DOCUMENT if stated else {"year": 1})
    said = (
        "by another [template], [prompt] or [modality]" if stated else "has no text: none of [all, "
    )
    assert said in str(refused.value)


def test_a_template_that_cannot_be_is_refused_by_whoever_puts_it(
    es: Elasticsearch, crowded_node: CrowdedNode
) -> None:
    encoder = crowded_node.encoder
    said = "template names .title., which is no input; inputs are"
    with pytest.raises(BadRequestError, match=said):
        make(es, encoder, {"template": {"input": ["all"], "template": "{title}"}})
    processor = {"input": "all", "output": "v", "template": "{title}"}
    with pytest.raises(BadRequestError, match=said):
        es.ingest.put_pipeline(id=INDEX, processors=[{"densehook": processor}])
    with pytest.raises(RequestError, match=said):
        Index.create(es, INDEX, encoder, inputs=["all"], template="{title}")
    assert not es.indices.exists(index=INDEX)


def test_a_prompt_that_cannot_be_is_refused_by_whoever_puts_it(
    es: Elasticsearch, crowded_node: CrowdedNode
) -> None:
    said = r"prompt.prompts is \[de\]; it is an object with a prompt for each value"
    prompt = {"field": "lang", "prompts": "de"}
    with pytest.raises(BadRequestError, match=said):
        make(es, crowded_node.encoder, {"v": {"input": "all", "prompt": prompt}})
    processor = {"input": "all", "output": "v", "prompt": prompt}
    with pytest.raises(BadRequestError, match=said):
        es.ingest.put_pipeline(id=INDEX, processors=[{"densehook": processor}])


def test_each_chunk_has_the_prompt_of_its_document(
    es: Elasticsearch, crowded_node: CrowdedNode
) -> None:
    encoder = crowded_node.encoder
    rule = {**RULES["template"], "chunk": {"by": "tokens", "max_tokens": 16}}
    made = []
    for embeds in (True, False):
        make(es, encoder, {"parts.vector": rule}, **{"index.densehook.embed": embeds})
        es.index(index=INDEX, id="1", document=DOCUMENT, refresh=True)
        if not embeds:
            Index.open(es, INDEX, encoder).embed()
        found = es.get(index=INDEX, id="1", source_includes=["densehook", "parts.*"])["_source"]
        made.append(found)
        es.indices.delete(index=INDEX)
    assert made[0]["densehook"] == made[1]["densehook"]
    assert len(made[0]["parts"]) > 1
    for one, other in zip(*(each["parts"] for each in made), strict=True):
        piece = TEXTS["template"][one["start"] : one["end"]].strip()
        expected = encoder.encode(piece, prompt="Dokument: ")
        assert (one["start"], one["end"]) == (other["start"], other["end"])
        np.testing.assert_allclose(parsed(one["vector"]), expected, atol=1e-5)
        np.testing.assert_allclose(parsed(other["vector"]), expected, atol=1e-5)


def test_an_index_is_made_with_a_template(es: Elasticsearch, crowded_node: CrowdedNode) -> None:
    encoder = crowded_node.encoder
    rows = [{"_id": "1", "title": "Whales", "text": "They sleep."}, {"_id": "2", "title": " "}]
    notes = []
    for name, in_cluster in ((INDEX, True), (OTHER, False)):
        index = Index.create(
            es,
            name,
            encoder,
            inputs=["title", "text"],
            template="{title}\n{text}",
            in_cluster=in_cluster,
        )
        assert index.ingest(rows).without_text == 1
        notes.append(es.get(index=name, id="1")["_source"]["densehook"])
    note = note_of("Whales\nThey sleep.", encoder.fingerprint)
    assert notes == [{"embedding": note}] * 2
