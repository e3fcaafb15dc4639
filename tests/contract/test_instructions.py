"""A query's own instruction changes its vector, here and in the node alike, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elasticsearch import BadRequestError, Elasticsearch
from typer.testing import CliRunner

from conftest import serving
from densehook import Index
from densehook.bundle import Bundle, read_bundle, write_manifest
from densehook.cli.app import app
from densehook.elastic.remote import remote_encoder
from densehook.encode import Encoder, Engine, load
from densehook.errors import ElasticError, RecipeError, RequestError
from densehook.export import export_bundle, read_recipe
from densehook.export.texts import PASSAGES, QUESTIONS
from densehook.node import NodeState
from e2e.test_elasticsearch_docs import EXAMPLE, differences, parse, run

sentence_transformers = pytest.importorskip("sentence_transformers")

ROOT = Path(__file__).parent.parent.parent
DOCUMENTED = "qwen3-embedding-0.6b"
TEMPLATE = "Instruct: {instruction}\nQuery:"
INSTRUCTION = "find what refutes this"
PROMPT = f"Instruct: {INSTRUCTION}\nQuery:"
DOCUMENTS = [{"_id": f"d{n}", "text": text} for n, text in enumerate(PASSAGES)]
_HEADERS = {"accept": "application/json", "content-type": "application/json"}


def renamed(bundle: Bundle, folder: Path, name: str) -> Bundle:
    path = Path(shutil.copytree(bundle.path, folder / name))
    write_manifest(path, replace(bundle.manifest, name=name), bundle.manifest.files)
    return read_bundle(path)


@pytest.fixture(scope="module")
def decoder(
    make_tiny_bundle: Callable[..., Bundle], tmp_path_factory: pytest.TempPathFactory
) -> Bundle:
    """As Qwen3-Embedding, tiny."""
    made = make_tiny_bundle(
        "qwen3",
        pooling="last",
        prompts={"query": "Instruct: find passages\nQuery:", "document": ""},
        recipe=f"instruction = {TEMPLATE!r}".replace("'", '"'),
    )
    return renamed(made, tmp_path_factory.mktemp("decoder"), DOCUMENTED)


@pytest.fixture(scope="module")
def unpooled(
    make_tiny_bundle: Callable[..., Bundle], tmp_path_factory: pytest.TempPathFactory
) -> Bundle:
    """As Instructor: vectors are pooled without the instruction; no prompt of its own."""
    made = make_tiny_bundle(include_prompt=False, recipe='instruction = "{instruction}: "')
    return renamed(made, tmp_path_factory.mktemp("unpooled"), "unpooled")


@pytest.fixture(scope="module")
def client(
    plugin_node: NodeState, decoder: Bundle, unpooled: Bundle, tiny_bundle: Bundle
) -> Iterator[Elasticsearch]:
    with serving(plugin_node, decoder, unpooled, tiny_bundle) as client:
        yield client


@pytest.fixture(scope="module")
def index(client: Elasticsearch, decoder: Bundle) -> Index:
    """An index whose vectors the node makes."""
    made = Index.create(client, "claims", load(decoder.path), inputs=["text"], in_cluster=True)
    assert made.ingest(DOCUMENTS).indexed == len(DOCUMENTS)
    client.indices.refresh(index="claims")
    return Index.open(client, "claims")


@pytest.mark.parametrize(
    ("architecture", "described", "template", "prompt"),
    [
        ("qwen3", {"pooling": "last"}, TEMPLATE, PROMPT),
        ("bert", {"include_prompt": False}, "{instruction}: ", f"{INSTRUCTION}: "),
    ],
)
def test_it_takes_the_prompts_place_as_in_sentence_transformers(
    make_tiny_bundle: Callable[..., Bundle],
    architecture: str,
    described: dict[str, Any],
    template: str,
    prompt: str,
) -> None:
    recipe = f"instruction = {template!r}".replace("'", '"')
    bundle = make_tiny_bundle(architecture, recipe=recipe, **described)
    model = sentence_transformers.SentenceTransformer(str(bundle.path.parent / "model"))
    texts = [*QUESTIONS[:8], "a", "water " * 80]
    found = load(bundle.path).encode_queries(texts, instruction=INSTRUCTION)
    expected = np.asarray(model.encode(texts, prompt=prompt, batch_size=1))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=3e-6)
    assert np.abs(found - load(bundle.path).encode_queries(texts)).max() > 1e-3


def test_neither_documents_nor_the_field_s_fingerprint_know_of_it(decoder: Bundle) -> None:
    plain = replace(decoder.manifest, instruction="")
    assert plain.space == decoder.manifest.space == plain.fingerprint
    assert plain.fingerprint != decoder.manifest.fingerprint
    with pytest.raises(RequestError, match=r'instruction is for queries, .* prompt_name="query"'):
        load(decoder.path).encode(["a"], "document", instruction=INSTRUCTION)


def test_an_engine_keeps_queries_of_two_instructions_apart(decoder: Bundle) -> None:
    encoder = load(decoder.path)
    with Engine(decoder) as engine:
        for instruction in (None, INSTRUCTION, None, "find others", INSTRUCTION):
            expected = encoder.encode_queries("water", instruction)
            np.testing.assert_allclose(
                engine.encode_query("water", instruction), expected, atol=1e-6
            )


@pytest.mark.parametrize(
    ("instruction", "says"),
    [
        (" \t", r"the instruction ' \\t' is blank; leave it out"),
        ("water " * 60, r"makes a prompt of \d+ tokens, and may make one of at most 32, half of"),
    ],
)
def test_a_blank_and_a_long_one_are_refused(decoder: Bundle, instruction: str, says: str) -> None:
    with pytest.raises(RequestError, match=says):
        load(decoder.path).encode_queries(["a"], instruction)


def test_the_longest_leaves_half_of_what_is_read_to_the_query(decoder: Bundle) -> None:
    encoder = load(decoder.path)
    words = 1
    while True:
        instruction = " ".join(["water"] * words)
        try:
            encoder.encode_queries("a", instruction)
        except RequestError:
            break
        longest, words = instruction, words + 1
    longer = encoder.encode_queries("vaccines " * 9, longest)
    assert np.abs(longer - encoder.encode_queries("chlorophyll " * 9, longest)).max() > 1e-4


def test_an_encoder_without_refuses_it_here_and_in_the_node(
    client: Elasticsearch, tiny: Encoder
) -> None:
    with pytest.raises(RequestError, match="'tiny-bert' takes no instruction with a query, since"):
        tiny.encode_queries(["a"], instruction=INSTRUCTION)
    with pytest.raises(ElasticError, match=r"\[tiny-bert\]: it takes no \[instruction\] with a"):
        remote_encoder(client, "tiny-bert").encode_queries(["a"], instruction=INSTRUCTION)


@pytest.mark.parametrize("name", [DOCUMENTED, "unpooled"])
def test_node_and_python_give_the_same_vectors(
    client: Elasticsearch, decoder: Bundle, unpooled: Bundle, name: str
) -> None:
    bundle = {DOCUMENTED: decoder, "unpooled": unpooled}[name]
    texts = [*QUESTIONS, "a", "water " * 80]
    for instruction in (None, INSTRUCTION, "Ω ﬁnd\nlines {query}"):
        found = remote_encoder(client, name).encode_queries(texts, instruction)
        expected = load(bundle.path).encode_queries(texts, instruction)
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"instruction": " "}, r"\[instruction\] is blank; leave it out"),
        ({"instruction": "water " * 60}, r"at most 32, half of what the encoder reads; shorten it"),
        ({"instruction": "x", "role": "document"}, r"\[instruction\] is for \[role\] \[query\]"),
    ],
)
def test_the_node_refuses_what_python_refuses(
    client: Elasticsearch, more: dict[str, str], says: str
) -> None:
    body = {"encoder": DOCUMENTED, "role": "query", "texts": ["a"], **more}
    with pytest.raises(BadRequestError, match=says):
        client.perform_request("POST", "/_densehook/_encode", headers=_HEADERS, body=body)


def test_every_search_takes_it(client: Elasticsearch, index: Index, decoder: Bundle) -> None:
    here = index.encoded_by(load(decoder.path))
    vectors = load(decoder.path)
    query = vectors.encode_queries(QUESTIONS[0], INSTRUCTION)
    scores = vectors.encode_documents(list(PASSAGES)) @ query
    expected = [f"d{place}" for place in np.argsort(-scores, kind="stable")[:10]]
    plain = [hit.id for hit in index.search(QUESTIONS[0], mode="dense")]
    assert plain != expected
    field = index.field.name
    for opened in (index, here):
        found = opened.search(QUESTIONS[0], mode="dense", instruction=INSTRUCTION)
        assert [hit.id for hit in found] == expected
    by_query = client.search(
        index="claims",
        query={"dense": {"field": field, "text": QUESTIONS[0], "instruction": INSTRUCTION}},
    )
    assert [hit["_id"] for hit in by_query["hits"]["hits"]] == expected
    one, other = (
        [(hit.id, pytest.approx(hit.score, abs=1e-6)) for hit in each]
        for each in (
            index.search(QUESTIONS[0], instruction=INSTRUCTION),
            here.search(QUESTIONS[0], instruction=INSTRUCTION),
        )
    )
    assert one == other
    short = client.search(
        index="claims",
        retriever={
            "hybrid": {
                "query": QUESTIONS[0],
                "fields": ["text", field],
                "instruction": INSTRUCTION,
            }
        },
    )
    assert [hit["_id"] for hit in short["hits"]["hits"]] == [id_ for id_, _ in one]
    run_ = index.searcher(INSTRUCTION).search({"q": QUESTIONS[0]}, "dense", depth=10)
    assert [hit.id for hit in run_["q"]] == expected


def test_what_cannot_take_one_says_so(client: Elasticsearch, index: Index) -> None:
    with pytest.raises(RequestError, match="an instruction is for an encoder, and bm25 has none"):
        index.search("water", mode="bm25", instruction=INSTRUCTION)
    with pytest.raises(RequestError, match="the instruction ' ' is blank"):
        index.search("water", instruction=" ")
    body = {"query": "water", "fields": ["text"], "instruction": INSTRUCTION}
    with pytest.raises(BadRequestError, match=r"\[instruction\] is for the encoder of a dense_"):
        client.search(index="claims", retriever={"hybrid": body})


def test_the_command_line_takes_it(client: Elasticsearch, index: Index) -> None:
    (node,) = client.transport.node_pool.all()
    asked = ["search", "claims", QUESTIONS[0], "--mode", "dense", "--json", "--url", node.base_url]
    commands = app(["search"])
    plain = CliRunner().invoke(commands, asked)
    told = CliRunner().invoke(commands, [*asked, "--instruction", INSTRUCTION])
    assert plain.exit_code == told.exit_code == 0, told.output
    expected = index.search(QUESTIONS[0], mode="dense", instruction=INSTRUCTION)
    assert [each["id"] for each in parse(told.output)["hits"]] == [hit.id for hit in expected]
    assert parse(plain.output) != parse(told.output)


def test_the_page_shows_what_the_node_answers(client: Elasticsearch, decoder: Bundle) -> None:
    text = (ROOT / "docs" / "encoders.md").read_text()
    section = text.partition("\n## Instructions\n")[2].partition("\n## ")[0]
    section = section.replace("sha256:" + 64 * "0", decoder.manifest.space)
    section = section.replace('"dims": 1024', '"dims": 32')
    (node,) = client.transport.node_pool.all()
    examples = EXAMPLE.findall(section)
    assert len(examples) == 4
    try:
        for command, answer in examples:
            status, real = run(command, node.base_url.removeprefix("http://"))
            assert status in (200, 201), real
            assert not list(differences(parse(answer) if answer else {}, real)), command
    finally:
        client.indices.delete(index="instructed", ignore_unavailable=True)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('instruction = "Instruct: "', "instruction is 'Instruct: '; it must have {instruction}"),
        ('kind = "sparse"\ninstruction = "{instruction}"', "instruction is for kind dense alone"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(lines: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "tiny.toml"
    path.write_text(f'source = "model"\n{lines}\n')
    with pytest.raises(RecipeError, match=says):
        export_bundle(read_recipe(path), tmp_path / "bundle")


def test_every_recipe_with_instructions_can_be_read() -> None:
    for name in ("qwen3-embedding-0.6b", "embeddinggemma-300m", "e5-mistral-7b-instruct"):
        recipe = read_recipe(ROOT / "onnx_models" / f"{name}.toml")
        before, _, after = recipe.instruction.partition("{instruction}")
        assert recipe.prompts["query"].startswith(before)
        assert recipe.prompts["query"].endswith(after)
