"""Texts of letters that are no words, and encoders that read them from the first to the last."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from elasticsearch import BadRequestError, Elasticsearch, ElasticsearchWarning

import tiny_letters
import tiny_models
import without_tokens
from conftest import serving
from densehook import Index
from densehook.bundle import Bundle
from densehook.chunk import ChunkRule
from densehook.encode import Encoder, load
from densehook.errors import EncodeError, ExportError, GateError
from densehook.export import Recipe, export_bundle
from densehook.export.texts import PASSAGES
from densehook.export.variants import build_variant
from densehook.node import NodeState
from e2e.test_elasticsearch_docs import EXAMPLE, differences, parse, run

PAGE = Path(__file__).parent.parent.parent / "docs" / "encoders.md"
HEADING = "\n## Letters, nucleotides, any tokens\n"
DOCUMENTED = "dna"
LONG = 9_000
_HEADERS = {"accept": "application/json", "content-type": "application/json"}


def sequence(letters: int, seed: int = 0, alphabet: str = "ACGTNacgtn") -> str:
    return "".join(random.Random(seed).choices(alphabet, k=letters))


TEXTS = [
    *(sequence(letters, letters) for letters in (1, 2, 3, 127, 128, 129, 511, 512, 513, LONG)),
    "ACGT" * 2_000,
    "acgt" * 2_000,
    "A" * LONG,
    "AC GT\nAC\tGT",
    "🙂A\u0301C\u200bG\ud800T",
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Bundle]:
    makers = {DOCUMENTED: tiny_letters.make_bert, "mamba": tiny_letters.make_mamba}

    @functools.cache
    def make(name: str) -> Bundle:
        torch.manual_seed(0)
        folder = tmp_path_factory.mktemp(name)
        makers[name](folder / "model")
        return export_bundle(Recipe(name=name, source=str(folder / "model")), folder / "bundle")

    return make


@pytest.fixture(scope="module")
def letters(made: Callable[[str], Bundle]) -> Encoder:
    return load(made(DOCUMENTED).path)


@pytest.fixture(scope="module")
def mamba(made: Callable[[str], Bundle]) -> Encoder:
    return load(made("mamba").path)


@pytest.fixture(scope="module")
def client(plugin_node: NodeState, made: Callable[[str], Bundle]) -> Iterator[Elasticsearch]:
    with serving(plugin_node, made(DOCUMENTED), made("mamba")) as client:
        yield client


def test_a_letter_is_a_token_in_its_own_case(letters: Encoder, mamba: Encoder) -> None:
    upper, lower = (each.ids for each in letters.tokenize(["ACGT", "acgt"], "document"))
    assert len(upper) == len(lower) == 4
    assert not set(upper) & set(lower)
    (one,) = mamba.tokenize(["ACGT"], "query")
    assert [*upper, 1] == [*(each - 1 for each in one.ids[:-1]), one.ids[-1]]
    (long,) = letters.tokenize([sequence(LONG)], "document")
    assert (len(long.ids), long.lost) == (512, LONG - 512)


@pytest.mark.parametrize("name", [DOCUMENTED, "mamba"])
def test_node_and_python_read_one_long_word_alike(
    client: Elasticsearch, letters: Encoder, mamba: Encoder, name: str
) -> None:
    encoder = {DOCUMENTED: letters, "mamba": mamba}[name]
    for role in ("query", "document"):
        body = {"texts": TEXTS, "role": role, "encoder": name}
        answer = client.perform_request("POST", "/_densehook/_encode", headers=_HEADERS, body=body)
        tokens = encoder.tokenize(TEXTS, role)  # type: ignore[arg-type]
        rows = encoder.encode_tokens(tokens)
        for text, read, row, got in zip(TEXTS, tokens, rows, answer["texts"], strict=True):
            assert got["ids"] == read.ids, text[:40]
            assert got["lost_tokens"] == read.lost, text[:40]
            np.testing.assert_allclose(got["vector"], row, atol=1e-5, err_msg=text[:40])


@pytest.mark.parametrize("by", ["tokens", "sentence"])
def test_chunks_of_one_long_word_are_cut_alike_and_searched(
    client: Elasticsearch, letters: Encoder, by: str
) -> None:
    rule = ChunkRule(by=by, max_tokens=128, overlap=0)
    name = f"chunks-{by}"
    index = Index.create(client, name, letters, inputs=["text"], chunk=rule, in_cluster=True)
    documents = [{"_id": f"d{n}", "text": sequence(1_000 + n, n)} for n in range(8)]
    assert index.ingest(documents).indexed == len(documents)
    client.indices.refresh(index=name)
    path = index.field.path
    for document in documents:
        stored = client.get(index=name, id=document["_id"], source_includes=f"{path}.*")
        spans = [(each["start"], each["end"]) for each in stored["_source"][path]]
        cut = letters.cut(document["text"], rule)
        assert spans == [(each.start, each.end) for each in cut.chunks]
        assert [end - start for start, end in spans[:-1]] == [128] * (len(spans) - 1)
    part = documents[5]["text"][256:384]
    found = Index.open(client, name).search(part, mode="dense", size=1, passages=1)
    assert found[0].id == "d5"
    assert found[0].passages[0].text == part
    client.indices.delete(index=name)


def test_a_text_without_a_token_is_refused_here_and_in_the_node(
    client: Elasticsearch, letters: Encoder
) -> None:
    with pytest.raises(EncodeError, match=r"text 1 \('ΩΩ 12'\) gives no token"):
        letters.encode_documents(["ACGT", "ΩΩ 12"])
    for role in ("query", "document"):
        body = {"texts": ["ΩΩ 12"], "role": role, "encoder": DOCUMENTED}
        with pytest.raises(BadRequestError, match=r"the text \[ΩΩ 12\] gives no token"):
            client.perform_request("POST", "/_densehook/_encode", headers=_HEADERS, body=body)
    with pytest.raises(EncodeError, match=r"text 0 \('ΩΩ 12'\) gives no token"):
        letters.encode_queries("ΩΩ 12")
    index = Index.create(client, "none", letters, inputs=["text"], in_cluster=True)
    asked = {"field": "embedding", "text": "ΩΩ 12"}
    with pytest.raises(BadRequestError, match=r"the text \[ΩΩ 12\] gives no token"):
        client.search(index="none", query={"dense": asked})
    report = index.ingest([{"_id": "a", "text": "ACGT"}, {"_id": "b", "text": "ΩΩ 12"}])
    assert (report.indexed, report.failed) == (1, 1)
    assert "gives no token" in report.failures[0].reason
    client.indices.delete(index="none")


@pytest.fixture(scope="module")
def strict_bundles(
    sparse_bundle: Bundle,
    make_late_bundle: Callable[[str], Bundle],
    siglip_bundle: Bundle,
    pair_bundle: Callable[[str], Bundle],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Bundle]:
    """By kind an encoder whose tokenizer puts nothing around a text."""
    folder = tmp_path_factory.mktemp("strict")
    made = {
        "sparse": sparse_bundle,
        "multi": make_late_bundle("pylate"),
        "static": without_tokens.static(folder),
        "siglip": siglip_bundle,
        "cross": pair_bundle("bert"),
    }
    return {
        kind: without_tokens.strict(bundle, folder, f"strict-{kind}")
        for kind, bundle in made.items()
    }


@pytest.fixture(scope="module")
def strict_client(
    plugin_node: NodeState, strict_bundles: dict[str, Bundle]
) -> Iterator[Elasticsearch]:
    with serving(plugin_node, *strict_bundles.values()) as client:
        yield client


@pytest.mark.parametrize("kind", ["sparse", "multi", "static", "siglip"])
def test_encoders_of_all_kinds_refuse_a_text_without_a_token_there_too(
    strict_client: Elasticsearch, strict_bundles: dict[str, Bundle], kind: str
) -> None:
    name, path = f"strict-{kind}", "/_densehook/_encode"
    for role in ("query", "document"):
        body = {"texts": ["water"], "role": role, "encoder": name}
        (shown,) = strict_client.perform_request("POST", path, headers=_HEADERS, body=body)["texts"]
        (read,) = load(strict_bundles[kind].path).tokenize(["water"], role)  # type: ignore[arg-type]
        assert shown["ids"] == read.ids
        body["texts"] = [without_tokens.NOTHING]
        with pytest.raises(BadRequestError, match=r"the text \[ΩΩ\] gives no token"):
            strict_client.perform_request("POST", path, headers=_HEADERS, body=body)


def test_a_pair_one_half_of_which_has_no_token_is_refused_there_too(
    strict_client: Elasticsearch,
) -> None:
    """A blank document stays behind, as one without text does; one of Ω alone is a failure."""
    index = "strict-pairs"
    texts = {"a": "water boils", "b": without_tokens.NOTHING, "c": " "}
    mappings = {"properties": {"text": {"type": "text"}, "kind": {"type": "keyword"}}}
    strict_client.indices.create(index=index, mappings=mappings)
    for id_, text in texts.items():
        kind = "odd" if id_ == "b" else "plain"
        strict_client.index(index=index, id=id_, document={"text": text, "kind": kind})
    strict_client.indices.refresh(index=index)

    def found(query: str, kind: str = "*", **more: object) -> list[str]:
        matched = {"wildcard": {"kind": kind}}
        asked = {
            "retriever": {"standard": {"query": matched}},
            "text": query,
            "field": "text",
            "encoder": "strict-cross",
            **more,
        }
        answer = strict_client.search(index=index, retriever={"rerank": asked})
        return [hit["_id"] for hit in answer["hits"]["hits"]]

    try:
        with pytest.raises(BadRequestError, match="the text of a pair gives no token"):
            found("water")
        with pytest.raises(BadRequestError, match="the query of a pair gives no token"):
            found(without_tokens.NOTHING, "plain")
        assert found("water", "plain") == ["a", "c"]
        with pytest.warns(ElasticsearchWarning, match="the text of a pair gives no token"):
            assert found("water", on_failure="child")[0] == "a"
    finally:
        strict_client.indices.delete(index=index)


def test_where_a_text_is_ended_by_a_token_that_is_all_it_has(mamba: Encoder) -> None:
    blank, strange = mamba.encode_documents(["", "ΩΩ 12"])
    np.testing.assert_array_equal(blank, strange)
    assert mamba.tokenize(["ΩΩ 12"], "document")[0].ids == [1]


def test_the_page_shows_what_the_node_answers(client: Elasticsearch, letters: Encoder) -> None:
    section = PAGE.read_text().partition(HEADING)[2].partition("\n## ")[0]
    section = section.replace("sha256:" + 64 * "0", letters.manifest.space)
    (node,) = client.transport.node_pool.all()
    examples = EXAMPLE.findall(section)
    assert len(examples) == 3
    try:
        for command, answer in examples:
            status, real = run(command, node.base_url.removeprefix("http://"))
            assert status in (200, 201), real
            assert not list(differences(parse(answer) if answer else {}, real)), command
    finally:
        client.indices.delete(index="genes", ignore_unavailable=True)


def test_a_tokenizer_that_reads_nothing_of_any_text_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny_letters, "LETTERS", "ᚠᚢᚦᚨ")
    tiny_letters.make_bert(tmp_path / "model")
    with pytest.raises(GateError, match="finds no token in any of 20 questions"):
        export_bundle(Recipe(name="runes", source=str(tmp_path / "model")), tmp_path / "bundle")


def test_a_state_space_encoder_is_pytorchs_equal_at_every_length(
    made: Callable[[str], Bundle], mamba: Encoder
) -> None:
    from transformers import AutoModel

    folder = made("mamba").path.parent / "model"
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    lengths = [1, 2, 3, 4, 5, 16, 17, 100, 1023, 1024, 4094, 4095, 5000]
    texts = [sequence(length, length, tiny_letters.LETTERS) for length in lengths]
    found = mamba.encode_documents(texts)
    alone = np.vstack([mamba.encode_documents([text]) for text in texts])
    expected = []
    for tokens in mamba.tokenize(texts, "document"):
        with torch.inference_mode():
            states = model(input_ids=torch.tensor([tokens.ids])).last_hidden_state
        vector = states[0, -1].double()
        expected.append((vector / vector.norm()).numpy())
    np.testing.assert_allclose(found, np.array(expected), atol=2e-6)
    np.testing.assert_allclose(found, alone, atol=1e-6)
    assert mamba.manifest.max_tokens == 4096
    assert len(tokens.ids) == 4096 and tokens.ids[-1] == 1
    assert np.linalg.matrix_rank(found) > len(lengths) // 2  # the texts are told apart


def test_state_space_layers_that_are_not_known_are_refused_by_name(tmp_path: Path) -> None:
    from transformers import FalconMambaConfig, FalconMambaModel

    tokenizer = tiny_letters._tokenizer(end="<eos>")
    config = FalconMambaConfig(
        hidden_size=32, num_hidden_layers=1, state_size=8, vocab_size=len(tokenizer)
    )
    tiny_models._save(tmp_path / "model", FalconMambaModel(config), tokenizer)
    tiny_models.describe(tmp_path / "model", pooling="last", max_tokens=128)
    with pytest.raises(ExportError, match=r"'falcon_mamba' has layers FalconMambaMixer, which"):
        export_bundle(Recipe(name="falcon", source=str(tmp_path / "model")), tmp_path / "bundle")


def test_the_graph_has_a_scan_for_each_layer_and_no_operator_of_ours(
    made: Callable[[str], Bundle],
) -> None:
    model = onnx.load(made("mamba").model)
    assert [node.op_type for node in model.graph.node].count("Scan") == 2
    assert {each.domain for each in model.opset_import} <= {"", "ai.onnx", "com.microsoft"}
    onnx.checker.check_model(model)


def test_a_variant_keeps_what_the_steps_take_from_around_them(
    made: Callable[[str], Bundle], mamba: Encoder, tmp_path: Path
) -> None:
    variant = build_variant(made("mamba"), "int8-dynamic", tmp_path / "int8", PASSAGES)
    found = load(variant.path).encode_documents(TEXTS)
    expected = mamba.encode_documents(TEXTS)
    assert np.einsum("nd,nd->n", found, expected).min() > 0.95
