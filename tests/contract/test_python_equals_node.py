"""One truth in both languages: the node reads and encodes texts as the Python package does."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elasticsearch import BadRequestError, Elasticsearch

import node_texts
from conftest import made_once, own_node
from densehook.bundle import Bundle, Role, is_blank, read_bundle
from densehook.chunk import ChunkRule
from densehook.elastic.connect import connect
from densehook.elastic.indices import create_index, provenance_of
from densehook.encode import Encoder, Vectors, load
from densehook.encode.tokenizer import Tokens
from densehook.errors import RequestError
from densehook.hooks import field_text
from densehook.hooks.kinds.dense import parsed
from densehook.hooks.paths import without
from densehook.ingest import feed
from densehook.tune import speed, tune_bundle
from densehook.tune.speed import Setting
from densehook.types import Document
from tiny_collection import small_collection
from versions import VERSIONS

_HEADERS = {"accept": "application/json", "content-type": "application/json"}


@pytest.fixture(scope="module")
def tuned_bundle(minilm_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """all-MiniLM-L6-v2, tuned: another graph in its place, the plain one inside."""
    name = minilm_bundle.manifest.name

    def tune(folder: Path) -> None:
        shutil.copytree(minilm_bundle.path, folder / name)
        with pytest.MonkeyPatch.context() as patch:  # how it is run best is asked elsewhere
            patch.setattr(speed, "settings", lambda provider: [Setting(provider, 1024, 1)])
            tune_bundle(folder / name, small_collection(), max_loss=1, only=["int8-static-nopad"])

    tuned = read_bundle(made_once(tmp_path_factory, "tuned", tune) / name)
    assert tuned.manifest.variant == "int8-static-nopad"
    return tuned


@pytest.fixture(scope="module")
def instructed_bundle(make_tiny_bundle: Callable[..., Bundle]) -> Bundle:
    """A tiny encoder whose vectors are pooled of all tokens but the prompt's."""
    return make_tiny_bundle(
        pooling="cls+mean",
        prompts={"query": "find what answers this question: ", "document": "a passage: "},
        include_prompt=False,
    )


@pytest.fixture(scope="module", params=VERSIONS)
def tuned_node(
    request: pytest.FixtureRequest, tuned_bundle: Bundle, instructed_bundle: Bundle
) -> Iterator[Elasticsearch]:
    """A node with the tuned bundle in service, and with the instructed one."""
    with own_node(request.param, tuned_bundle, instructed_bundle) as started:
        yield connect(started.url)


def answer_of(client: Elasticsearch, role: Role, encoder: str) -> Any:
    body = {"texts": node_texts.texts(), "role": role, "encoder": encoder}
    path = "/_densehook/_encode"
    return client.perform_request("POST", path, headers=_HEADERS, body=body).body


@dataclass(frozen=True)
class Here:
    """What Python makes of the texts, once for the nodes of all versions."""

    tokens: Sequence[Tokens]
    vectors: Vectors


@pytest.fixture(scope="session")
def made_here() -> Callable[[Encoder, Role], Here]:
    made: dict[tuple[str, Role], Here] = {}

    def make(encoder: Encoder, role: Role) -> Here:
        key = (encoder.fingerprint, role)
        if key not in made:
            tokens = encoder.tokenize(node_texts.texts(), role)
            made[key] = Here(tokens, encoder.encode_tokens(tokens))
        return made[key]

    return make


def compare(answer: Any, encoder: Encoder, here: Here) -> None:
    """Fingerprint, token ids, cuts and vectors are Python's."""
    texts, tokens, vectors = node_texts.texts(), here.tokens, here.vectors
    assert answer["fingerprint"] == encoder.fingerprint
    assert len(answer["texts"]) == len(texts) == 500
    for text, read, vector, got in zip(texts, tokens, vectors, answer["texts"], strict=True):
        assert got["ids"] == read.ids, text[:40]
        assert got["lost_tokens"] == read.lost, text[:40]
        np.testing.assert_allclose(got["vector"], vector, atol=1e-5, err_msg=repr(text[:40]))
    assert sum(read.lost > 0 for read in tokens) > 40


def test_500_texts_have_the_same_ids_cuts_and_vectors_while_both_roles_run_at_the_same_time(
    plugin_client: Elasticsearch, minilm: Encoder, made_here: Callable[[Encoder, Role], Here]
) -> None:
    roles: list[Role] = ["query", "document"]

    def answer(role: Role) -> Any:
        return answer_of(plugin_client, role, minilm.manifest.name)

    with ThreadPoolExecutor(2) as callers:
        for role, answered in zip(roles, callers.map(answer, roles), strict=True):
            compare(answered, minilm, made_here(minilm, role))


@pytest.mark.parametrize("role", ["query", "document"])
def test_so_they_have_by_the_tuned_variant(
    tuned_node: Elasticsearch,
    tuned_bundle: Bundle,
    role: Role,
    made_here: Callable[[Encoder, Role], Here],
) -> None:
    encoder = load(tuned_bundle.path)
    answer = answer_of(tuned_node, role, encoder.manifest.name)
    compare(answer, encoder, made_here(encoder, role))


@pytest.mark.parametrize("role", ["query", "document"])
def test_so_they_have_where_the_prompt_is_left_out_of_the_pooling(
    tuned_node: Elasticsearch,
    instructed_bundle: Bundle,
    role: Role,
    made_here: Callable[[Encoder, Role], Here],
) -> None:
    encoder = load(instructed_bundle.path)
    assert {read.unpooled for read in encoder.tokenize(["water"], role)} != {0}
    answer = answer_of(tuned_node, role, encoder.manifest.name)
    compare(answer, encoder, made_here(encoder, role))


def long_document(rule: ChunkRule, text: str, other: str) -> Any:
    """What a field holds of two texts, for a rule that tells them apart, else the first."""
    if rule.by == "given":
        return [text, other]
    return f"# One\n{text}\n## Two\n{other}" if rule.by == "section" else text


@pytest.mark.parametrize(
    "rule",
    [
        ChunkRule("sentence", 64, 16, 20_000),
        ChunkRule("tokens", 48, 16, 20_000),
        ChunkRule("section", 64, 0, 20_000),
        ChunkRule("given", 64, 16, 20_000),
    ],
    ids=str,
)
def test_500_texts_are_cut_into_the_same_chunks_with_the_same_vectors(
    tuned_node: Elasticsearch, instructed_bundle: Bundle, rule: ChunkRule
) -> None:
    encoder = load(instructed_bundle.path)
    texts = [text for text in node_texts.texts() if not is_blank(text)]
    others = [*texts[1:], texts[0]]
    documents = [
        Document(str(n), {"text": long_document(rule, *pair)})
        for n, pair in enumerate(zip(texts, others, strict=True))
    ]
    stored = []
    lengths: list[int] = []
    for in_cluster in (True, False):
        index = f"chunks-{uuid.uuid4().hex[:8]}"
        create_index(
            tuned_node,
            index,
            encoder.manifest,
            inputs=["text"],
            index_type="flat",
            in_cluster=in_cluster,
            chunk=rule,
        )
        report = feed(tuned_node, index, documents, None if in_cluster else encoder)
        assert (report.indexed, report.failed) == (len(documents), 0)
        ids = [each.id for each in documents]
        found = tuned_node.mget(index=index, ids=ids, source=["passages"])
        stored.append([doc["_source"]["passages"] for doc in found["docs"]])
        (field,) = provenance_of(tuned_node, index).vector_fields.values()
        join = encoder.manifest.join
        lengths = [len(field_text(each, field, join)[0]) for each in documents]
        tuned_node.indices.delete(index=index)
    for text, length, node_made, made_here in zip(texts, lengths, *stored, strict=True):
        without_vectors = [
            [without(each, "vector") for each in of] for of in (node_made, made_here)
        ]
        assert without_vectors[0] == without_vectors[1], text[:40]
        spans = [(each["start"], each["end"]) for each in node_made]
        assert spans[0][0] == 0 and spans[-1][1] == length
        assert all(after[0] <= before[1] for before, after in pairwise(spans))
        np.testing.assert_allclose(
            [parsed(each["vector"]) for each in node_made],
            [parsed(each["vector"]) for each in made_here],
            atol=1e-5,
            err_msg=repr(text[:40]),
        )


def test_a_prompt_that_a_document_chooses_is_left_out_of_the_pooling_or_refused(
    tuned_node: Elasticsearch, instructed_bundle: Bundle
) -> None:
    encoder = load(instructed_bundle.path)
    index = f"prompts-{uuid.uuid4().hex[:8]}"
    prompts = {"question": encoder.manifest.prompts["query"], "other": "another prompt: "}
    entry = {
        "input": "text",
        "prompt": {"field": "kind", "prompts": prompts},
        "encoder": encoder.manifest.name,
        "fingerprint": encoder.fingerprint,
    }
    vector = {"type": "dense_vector", "dims": encoder.dims, "index_options": {"type": "flat"}}
    tuned_node.indices.create(
        index=index,
        settings={"index.densehook.embed": True},
        mappings={
            "_meta": {"densehook": {"fields": {"embedding": entry}}},
            "properties": {"text": {"type": "text"}, "embedding": vector},
        },
    )
    try:
        for role, fields in (("query", {"kind": "question"}), ("document", {"kind": "none"})):
            tuned_node.index(index=index, id=role, document={"text": "water", **fields})
            found = tuned_node.get(index=index, id=role, source_includes=["embedding"])["_source"]
            expected = encoder.encode("water", role)
            np.testing.assert_allclose(parsed(found["embedding"]), expected, atol=1e-5)
        with pytest.raises(BadRequestError, match="it is not known which they are; state one of"):
            tuned_node.index(index=index, document={"text": "water", "kind": "other"})
        with pytest.raises(RequestError, match="it is not known which they are; name one"):
            feed(tuned_node, index, [Document("1", {"text": "w", "kind": "other"})], encoder)
    finally:
        tuned_node.indices.delete(index=index)
