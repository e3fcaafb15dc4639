"""Bundles of each make give in the node what they give here: static, T5, two files, imported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from elasticsearch import Elasticsearch
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import StaticEmbedding
from tokenizers import Tokenizer
from transformers import AutoModelForMaskedLM, AutoModelForSequenceClassification

import tiny_models
import tiny_pairs
from conftest import serving
from densehook.bundle import Bundle, read_bundle
from densehook.bundle.manifest import Role
from densehook.encode import Encoder, load
from densehook.encode.kinds.sparse import difference
from densehook.errors import BundleError
from densehook.export import Recipe, export_bundle
from densehook.export.texts import AWKWARD, PASSAGES, QUESTIONS
from densehook.export.variants import graphs
from densehook.node import NodeState
from renamed import renamed
from tiny_sparse import MAX_TERMS
from traced import Logits, exported, imported

AWKWARD_ONES = [text for text in AWKWARD if text.strip()][:8]
TEXTS = [*PASSAGES[:12], *QUESTIONS[:6], *AWKWARD_ONES, "x " * 100]
ROLES: tuple[Role, ...] = ("query", "document")
_HEADERS = {"accept": "application/json", "content-type": "application/json"}


@pytest.fixture(scope="module")
def bundles(
    shared_tiny_bundle: Callable[..., Bundle], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Bundle]:
    torch.manual_seed(11)
    folder = tmp_path_factory.mktemp("bundles")
    made = {"tiny-t5": shared_tiny_bundle("t5"), "static": _static(folder / "static")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graphs, "_LARGEST_FILE", 1000)
        made["two-files"] = _of_bert(folder / "two")
    assert (made["two-files"].path / "model.onnx_data").is_file()
    for name, make, of, output in (
        ("dense", tiny_models.make_bert, None, "last_hidden_state"),
        ("sparse", tiny_models.make_masked_bert, AutoModelForMaskedLM, "logits"),
        ("cross", tiny_pairs.make_bert, AutoModelForSequenceClassification, "logits"),
        ("multi", tiny_models.LATE_INTERACTION["colbert"], None, "last_hidden_state"),
    ):
        model = folder / f"imported-{name}"
        make(model)
        exported(model, **({} if of is None else {"head": Logits, "of": of}), output=output)
        stated: dict[str, Any] = {"pooling": "mean"} if name == "dense" else {}
        if name == "sparse":
            stated = {"max_terms": MAX_TERMS}
        made[model.name] = imported(model, folder / name, kind=name, **stated)
    assert {each.manifest.name for each in made.values()} == made.keys()
    return made


def _static(folder: Path) -> Bundle:
    tiny_models.make_bert(folder / "bert")
    tokenizer = Tokenizer.from_file(str(folder / "bert" / "tokenizer.json"))
    rows = (tokenizer.get_vocab_size(), 24)
    table = np.random.default_rng(5).normal(size=rows).astype(np.float32)
    module = StaticEmbedding(tokenizer, embedding_weights=table)
    SentenceTransformer(modules=[module]).save(str(folder / "model"))
    return export_bundle(Recipe("static", str(folder / "model")), folder / "bundle")


def _of_bert(folder: Path) -> Bundle:
    tiny_models.make_bert(folder / "model")
    tiny_models.describe(folder / "model")
    return export_bundle(Recipe("two-files", str(folder / "model")), folder / "bundle")


@pytest.fixture(scope="module")
def client(plugin_node: NodeState, bundles: Mapping[str, Bundle]) -> Iterator[Elasticsearch]:
    with serving(plugin_node, *bundles.values()) as client:
        yield client


def answers(client: Elasticsearch, encoder: Encoder, role: Role) -> Any:
    body = {"texts": TEXTS, "role": role, "encoder": encoder.manifest.name}
    answer = client.perform_request("POST", "/_densehook/_encode", headers=_HEADERS, body=body)
    assert answer.body["fingerprint"] == encoder.fingerprint
    return answer.body["texts"]


@pytest.mark.parametrize("name", ["tiny-t5", "static", "two-files", "imported-dense"])
@pytest.mark.parametrize("role", ROLES)
def test_a_text_has_one_vector_here_and_there(
    client: Elasticsearch, bundles: Mapping[str, Bundle], name: str, role: Role
) -> None:
    encoder = load(bundles[name].path)
    tokens = encoder.tokenize(TEXTS, role)
    for read, row, got in zip(
        tokens, encoder.encode_tokens(tokens), answers(client, encoder, role), strict=True
    ):
        assert (got["ids"], got["lost_tokens"]) == (read.ids, read.lost)
        np.testing.assert_allclose(got["vector"], row, atol=1e-5)


@pytest.mark.parametrize("role", ROLES)
def test_imported_weights_are_the_same_here_and_there(
    client: Elasticsearch, bundles: Mapping[str, Bundle], role: Role
) -> None:
    encoder = load(bundles["imported-sparse"].path)
    rows = encoder.encode_counted(TEXTS, role).vectors
    assert max(map(len, rows)) > 3
    for row, got in zip(rows, answers(client, encoder, role), strict=True):
        assert difference(got["weights"], row, MAX_TERMS) <= 1e-4


@pytest.mark.parametrize("role", ROLES)
def test_imported_token_vectors_are_the_same_here_and_there(
    client: Elasticsearch, bundles: Mapping[str, Bundle], role: Role
) -> None:
    encoder = load(bundles["imported-multi"].path)
    rows = encoder.encode_counted(TEXTS, role).vectors
    for row, got in zip(rows, answers(client, encoder, role), strict=True):
        np.testing.assert_allclose(got["token_vectors"], row, atol=1e-5)


def test_an_imported_graph_scores_pairs_alike_here_and_there(
    client: Elasticsearch, bundles: Mapping[str, Bundle]
) -> None:
    encoder = load(bundles["imported-cross"].path)
    for n, text in enumerate(PASSAGES[:10]):
        client.index(index="pairs", id=str(n), document={"text": text})
    client.indices.refresh(index="pairs")
    retriever = {
        "rerank": {
            "retriever": {"standard": {"query": {"match_all": {}}}},
            "encoder": encoder.manifest.name,
            "text": QUESTIONS[0],
            "field": "text",
            "rank_window_size": 10,
        }
    }
    hits = client.search(index="pairs", retriever=retriever, source=False)["hits"]["hits"]
    scores = encoder.score(QUESTIONS[0], PASSAGES[:10])
    assert [hit["_id"] for hit in hits] == [str(n) for n in np.argsort(-scores, kind="stable")]


def test_a_graph_whose_weights_are_gone_is_refused(
    plugin_node: NodeState, bundles: Mapping[str, Bundle], tmp_path: Path
) -> None:
    damaged = renamed(bundles["two-files"], tmp_path, "damaged")
    (damaged.path / "model.onnx_data").unlink()
    with pytest.raises(BundleError, match=r"model\.onnx_data"):
        read_bundle(damaged.path)
    with (
        pytest.raises(AssertionError, match=r"model\.onnx_data"),
        serving(plugin_node, damaged),
    ):
        pass
