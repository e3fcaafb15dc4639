"""One run gives what PyTorch gives for three kinds; or there is no bundle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_models
from densehook.bundle import (
    Bundle,
    Head,
    Manifest,
    Multi,
    Sparse,
    read_bundle,
    require_one_space,
    write_manifest,
)
from densehook.encode import cosines, load
from densehook.encode.kinds.sparse import difference, largest
from densehook.errors import BundleError, ExportError, GateError, RecipeError, SelfTestError
from densehook.export import export_bundle, read_recipe
from densehook.export.texts import AWKWARD, PASSAGES, QUESTIONS
from densehook.export.variants import build_variant
from tiny_m3 import MAX_TERMS

JAVA = Path(__file__).parent.parent.parent / "plugin/elasticsearch/src/test/resources"
JAVA /= "org/densehook/bundle"
KINDS = ["dense", "sparse", "multi"]
TEXTS = [*PASSAGES, *QUESTIONS, "the the the vaccine the", "x", "a cell " * 60]


@pytest.fixture(scope="module")
def by_flag_embedding(m3_bundle: Bundle) -> Callable[[str], tuple[Any, dict[str, float], Any]]:
    """What FlagEmbedding's BGEM3FlagModel makes of a text, by its formulas, in PyTorch."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = m3_bundle.path.parent / "model"
    model = AutoModel.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    sparse = torch.load(folder / "sparse_linear.pt")
    colbert = torch.load(folder / "colbert_linear.pt")

    def three(text: str) -> tuple[Any, dict[str, float], Any]:
        with torch.no_grad():
            batch = tokenizer(text, return_tensors="pt", truncation=True, max_length=64)
            hidden = model(**batch).last_hidden_state[0]
            dense = torch.nn.functional.normalize(hidden[0], dim=-1)
            weights = torch.relu(hidden @ sparse["weight"].T + sparse["bias"])[:, 0]
            tokens = torch.nn.functional.normalize(
                hidden[1:] @ colbert["weight"].T + colbert["bias"], dim=-1
            )
        found: dict[str, float] = {}
        unused = {*tokenizer.all_special_tokens}
        named = tokenizer.convert_ids_to_tokens(batch["input_ids"][0])
        for token, weight in zip(named, weights.tolist(), strict=True):
            if token not in unused and weight > 1e-6:
                found[token] = max(weight, found.get(token, 0.0))
        return dense.numpy(), found, tokens.numpy()

    return three


def test_the_three_are_those_of_pytorch(
    m3_bundle: Bundle, by_flag_embedding: Callable[[str], tuple[Any, dict[str, float], Any]]
) -> None:
    encoder = load(m3_bundle.path)
    rows = [encoder.of_kind(kind).encode_documents(TEXTS) for kind in KINDS]
    for text, dense, weights, vectors in zip(TEXTS, *rows, strict=True):
        ours, theirs, tokens = by_flag_embedding(text)
        assert cosines(dense[None], ours[None])[0] >= 0.99999, text
        assert difference(weights, largest(theirs, MAX_TERMS), MAX_TERMS) <= 1e-4, text
        assert vectors.shape == tokens.shape, text
        assert cosines(vectors, tokens).min() >= 0.99999, text
        assert not set(weights) & {"<s>", "</s>", "<pad>", "<unk>", "<mask>"}


def test_a_token_that_is_there_twice_weighs_its_most(m3_bundle: Bundle) -> None:
    encoder = load(m3_bundle.path).of_kind("sparse")
    once, often = encoder.encode_documents(["the vaccine", "the vaccine the the"])
    assert list(often.values()) == sorted(often.values(), reverse=True)
    assert len(often) == len(set(often)) <= len(once) + 2


def test_one_run_gives_what_each_kind_gives_alone(
    m3_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = load(m3_bundle.path)
    alone = [encoder.of_kind(kind).encode_each(TEXTS, "document").vectors for kind in KINDS]
    asked: list[list[str]] = []
    run = encoder._running.session.run_each
    monkeypatch.setattr(
        encoder._running.session,
        "run_each",
        lambda batch, outputs: asked.append(list(outputs)) or run(batch, outputs),
    )
    together = encoder.encode_each_of_kinds(TEXTS, "document", KINDS)
    assert asked
    assert all(each == ["embedding", "weights", "token_vectors"] for each in asked)
    np.testing.assert_allclose(together[0].vectors, alone[0], atol=1e-6)
    for text, here, there in zip(TEXTS, together[1].vectors, alone[1], strict=True):
        assert difference(here, there, MAX_TERMS) <= 1e-5, text
    for here, there in zip(together[2].vectors, alone[2], strict=True):
        np.testing.assert_allclose(here, there, atol=1e-5)
    asked.clear()
    encoder.encode_documents(TEXTS[:3])
    assert all(each == ["embedding"] for each in asked)


def test_padding_and_company_change_nothing(m3_bundle: Bundle) -> None:
    encoder = load(m3_bundle.path)
    together = encoder.encode_each_of_kinds(TEXTS, "document", KINDS)
    for place in (0, len(TEXTS) - 2, len(TEXTS) - 1):
        alone = encoder.encode_each_of_kinds([TEXTS[place]], "document", KINDS)
        np.testing.assert_allclose(together[0].vectors[place], alone[0].vectors[0], atol=1e-6)
        assert difference(together[1].vectors[place], alone[1].vectors[0], MAX_TERMS) <= 1e-5
        np.testing.assert_allclose(together[2].vectors[place], alone[2].vectors[0], atol=1e-5)


def test_texts_without_a_token_fail_alone(m3_bundle: Bundle) -> None:
    encoder = load(m3_bundle.path)
    for rows in encoder.encode_each_of_kinds(["a", 3, "b"], "document", KINDS):  # type: ignore[list-item]
        assert list(rows.failures) == [1]
        assert rows.stats.texts == 2


def test_what_is_said_of_each_is_in_the_manifest_and_of_one_fingerprint(
    m3_bundle: Bundle,
) -> None:
    manifest = m3_bundle.manifest
    assert list(manifest.heads) == KINDS
    assert Manifest.loads(manifest.dumps()) == manifest
    for kind in KINDS:
        one = manifest.of_kind(kind)
        assert (one.kind, one.fingerprint, one.space) == (
            kind,
            manifest.fingerprint,
            manifest.space,
        )
        assert one.of_kind("dense") == manifest
    assert manifest.of_kind("sparse").of(Sparse).max_terms == MAX_TERMS
    assert manifest.of_kind("multi").of(Multi).query_tokens == manifest.max_tokens
    with pytest.raises(BundleError, match=r"kind dense and sparse and multi; .* kind 'cross'"):
        manifest.of_kind("cross")
    parity = json.loads((m3_bundle.path / "parity.json").read_text())
    assert parity["also"]["sparse"]["largest_difference"] <= 1e-4
    assert parity["also"]["multi"]["lowest_cosine"] >= 0.9999


def test_a_bundle_of_one_kind_says_nothing_of_others(tiny_bundle: Bundle) -> None:
    assert "also" not in json.loads(tiny_bundle.manifest.dumps())
    assert list(tiny_bundle.manifest.heads) == ["dense"]


@pytest.mark.parametrize(
    ("also", "message"),
    [
        ({"cross": {}}, "also.'cross' must be another kind .* of sparse, multi"),
        ({"dense": {}}, "also.'dense' must be another kind"),
        ({"sparse": {"output": "weights"}}, "also.'sparse' has not the keys .* missing"),
        ({"sparse": 3}, "also.'sparse' is 3; it must be an object"),
    ],
)
def test_heads_that_cannot_be_are_refused(
    m3_bundle: Bundle, also: dict[str, Any], message: str
) -> None:
    content = json.loads(m3_bundle.manifest.dumps())
    with pytest.raises(BundleError, match=message):
        Manifest.loads(json.dumps({**content, "also": also}))


def test_a_head_that_reads_texts_otherwise_is_refused(m3_bundle: Bundle) -> None:
    part = replace(m3_bundle.manifest.of_kind("multi").of(Multi), query_tokens=32)
    manifest = replace(m3_bundle.manifest, also={"multi": Head("token_vectors", part)})
    with pytest.raises(BundleError, match=r"also.'multi' reads a text otherwise than kind 'dense'"):
        Manifest.loads(manifest.dumps())


def test_both_languages_read_one_manifest() -> None:
    text = (JAVA / "manifest_of_heads.json").read_text()
    manifest = Manifest.loads(text)
    assert list(manifest.heads) == KINDS
    assert manifest.dumps() == text


@pytest.fixture
def copied(m3_bundle: Bundle, tmp_path: Path) -> Bundle:
    shutil.copytree(m3_bundle.path, tmp_path / "copy")
    return read_bundle(tmp_path / "copy")


def _negated(numbers: list[float]) -> list[float]:
    return [-number for number in numbers]


WRONG: dict[str, Callable[[Any], Any]] = {
    "vector": _negated,
    "weights": lambda weights: {token: 2 / weight for token, weight in weights.items()},
    "token_vectors": lambda found: {**found, "vectors": _negated(found["vectors"])},
}


@pytest.mark.parametrize("key", WRONG)
def test_each_golden_output_is_compared_at_every_load(copied: Bundle, key: str) -> None:
    path = copied.path / "golden.json"
    rows = json.loads(path.read_text())
    rows[0][key] = WRONG[key](rows[0][key])
    path.write_text(json.dumps(rows))
    write_manifest(copied.path, copied.manifest, copied.manifest.files)
    with pytest.raises(SelfTestError, match="PyTorch"):
        load(copied.path)


def test_golden_texts_without_an_output_are_refused(copied: Bundle) -> None:
    path = copied.path / "golden.json"
    rows = json.loads(path.read_text())
    del rows[0]["weights"]
    path.write_text(json.dumps(rows))
    write_manifest(copied.path, copied.manifest, copied.manifest.files)
    with pytest.raises(
        BundleError, match="text 0 has not the keys it must have: missing 'weights'"
    ):
        load(copied.path)


def test_a_variant_is_judged_in_every_kind(m3_bundle: Bundle, tmp_path: Path) -> None:
    made = build_variant(m3_bundle, "fp16", tmp_path / "fp16", PASSAGES)
    parity = json.loads((made.path / "parity.json").read_text())
    assert parity["also"]["multi"]["lowest_cosine"] >= 0.999
    assert parity["also"]["sparse"]["lowest_cosine"] >= 0.9999
    assert list(made.manifest.heads) == KINDS
    load(made.path)


def test_it_is_no_tower_of_a_pair(m3_bundle: Bundle, tiny_bundle: Bundle) -> None:
    with pytest.raises(
        BundleError, match=r"kind dense and sparse and multi: .* no tower of a pair"
    ):
        require_one_space(m3_bundle.manifest, tiny_bundle.manifest)


@pytest.fixture
def model(m3_bundle: Bundle, tmp_path: Path) -> Path:
    shutil.copytree(m3_bundle.path.parent / "model", tmp_path / "model")
    return tmp_path / "model"


def exported(model: Path, *lines: str) -> Bundle:
    path = model.parent / "recipe.toml"
    path.write_text("\n".join(['source = "model"', 'also = ["sparse", "multi"]', *lines]) + "\n")
    return export_bundle(read_recipe(path), model.parent / "bundle")


def test_a_head_that_is_not_in_the_folder_is_named(model: Path) -> None:
    (model / "colbert_linear.pt").unlink()
    with pytest.raises(ExportError, match=r"colbert_linear\.pt cannot be read"):
        exported(model)


def test_a_head_of_another_model_is_refused(model: Path) -> None:
    import torch

    torch.save(torch.nn.Linear(tiny_models.HIDDEN + 1, 1).state_dict(), model / "sparse_linear.pt")
    with pytest.raises(ExportError, match=r"weight is \[1, 33\] .* must be \[1, 32\] and \[1\]"):
        exported(model)
    torch.save({"weight": torch.zeros(1, tiny_models.HIDDEN)}, model / "sparse_linear.pt")
    with pytest.raises(ExportError, match=r"sparse_linear\.pt has weight; it must have the weight"):
        exported(model)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("late_chunking = true", "late_chunking is for one vector"),
        ("activation = 'relu'", "activation is for kind cross, sparse alone"),
    ],
)
def test_keys_that_do_not_go_with_heads_are_refused(model: Path, line: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        exported(model, line)


@pytest.mark.parametrize("also", ['["dense"]', '["sparse", "sparse"]', "[]", "[3]"])
def test_also_names_kinds_of_heads_once(tmp_path: Path, also: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(f'source = "model"\nalso = {also}\n')
    with pytest.raises(RecipeError, match=r"also is .*; it must name some of sparse, multi"):
        read_recipe(path)


def test_a_head_with_other_numbers_stops_at_the_gate(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from densehook.export import heads_reference

    applied = heads_reference._applied
    monkeypatch.setattr(
        heads_reference, "_applied", lambda layer, hidden: 1.1 * applied(layer, hidden) + 0.01
    )
    with pytest.raises(GateError, match="not PyTorch's equal"):
        exported(model)
    assert not (model.parent / "bundle").exists()


def test_awkward_texts_have_weights_of_tokens_alone(m3_bundle: Bundle) -> None:
    encoder = load(m3_bundle.path).of_kind("sparse")
    vocabulary = json.loads(m3_bundle.tokenizer.read_text())["model"]["vocab"]
    known = {token for token, _ in vocabulary}
    for row in encoder.encode_documents([text for text in AWKWARD if text.strip()]):
        assert set(row) <= known
        assert all(0 < weight < float("inf") for weight in row.values())
