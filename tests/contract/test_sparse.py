"""A sparse bundle gives PyTorch's weights, the largest of them, by token; or there is no bundle."""

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
from densehook.bundle import Bundle, Sparse, read_bundle, write_golden, write_manifest
from densehook.encode import Encoder, Engine, load
from densehook.encode.kinds.sparse import cosine, difference, largest
from densehook.errors import (
    BundleError,
    EncodeError,
    ExportError,
    GateError,
    RecipeError,
    RequestError,
    SelfTestError,
)
from densehook.export import export_bundle, read_recipe
from densehook.export.kinds import sparse as gate
from densehook.export.kinds.compared import Compared
from densehook.export.texts import PASSAGES, QUESTIONS
from densehook.export.variants import build_variant
from tiny_sparse import MAX_TERMS, describe, make_sparse_bundle


@pytest.fixture(scope="module")
def by_transformers(sparse_bundle: Bundle) -> Callable[[str], dict[str, float]]:
    """Every weight of a text, by transformers and its formula, the largest first."""
    import torch
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    folder = sparse_bundle.path.parent / "model"
    model = AutoModelForMaskedLM.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)

    def weights(text: str) -> dict[str, float]:
        with torch.no_grad():
            batch = tokenizer(text, return_tensors="pt", truncation=True, max_length=64)
            found = torch.log1p(torch.relu(model(**batch).logits)).amax(dim=1)[0].numpy()
        found[tokenizer.all_special_ids] = 0
        named = dict(zip(tokenizer.convert_ids_to_tokens(range(len(found))), found, strict=True))
        return {t: float(w) for t, w in sorted(named.items(), key=lambda each: -each[1]) if w > 0}

    return weights


def test_weights_are_those_of_transformers_cut_to_the_largest(
    sparse_bundle: Bundle, by_transformers: Callable[[str], dict[str, float]]
) -> None:
    texts = [*PASSAGES, *QUESTIONS, "a " * 200]
    for row, text in zip(load(sparse_bundle.path).encode_documents(texts), texts, strict=True):
        whole = by_transformers(text)
        assert len(whole) > MAX_TERMS == len(row)
        assert list(row.values()) == sorted(row.values(), reverse=True)
        assert difference(row, largest(whole, MAX_TERMS), MAX_TERMS) <= 1e-5
        assert not set(row) & {"[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]"}


def test_what_the_cut_loses_is_measured_against_all_weights(
    sparse_bundle: Bundle, by_transformers: Callable[[str], dict[str, float]]
) -> None:
    parity = json.loads((sparse_bundle.path / "parity.json").read_text())
    assert parity["largest_difference"] <= 1e-5
    assert parity["neighbours_agree"] == 1
    assert parity["mean_terms"] == MAX_TERMS
    shares = []
    for text in PASSAGES:
        weights = list(by_transformers(text).values())
        shares.append(sum(weights[:MAX_TERMS]) / sum(weights))
    assert parity["lowest_mass_kept"] <= min(shares) + 1e-6  # of two runs, in other last bits
    assert min(shares) < max(shares) < 1
    assert parity["lowest_mass_kept"] < parity["mass_kept"] < 1
    assert 0 < parity["neighbours_kept"] < 1


def test_shares_are_of_every_weight(sparse_bundle: Bundle) -> None:
    part = replace(sparse_bundle.manifest.of(Sparse), max_terms=2)
    whole = rows_of({"a": 3.0, "b": 2.0, "c": 1.0}, {"c": 1.0}, {"a": 4.0, "b": 4.0})
    cut = rows_of({"a": 3.0, "b": 2.0}, {"c": 1.0}, {"a": 4.0, "b": 4.0})
    texts = [("query", "q"), ("document", "d"), ("document", "e")]
    found = gate.judged(
        replace(sparse_bundle.manifest, part=part), Compared(texts, cut, cut, whole), "theirs"
    )
    assert found.mass_kept == pytest.approx((5 / 6 + 1 + 1) / 3)
    assert found.lowest_mass_kept == pytest.approx(5 / 6)
    assert found.neighbours_kept == 0.5  # "d" is found by "c" alone
    assert found.mean_terms == pytest.approx(5 / 3)


def rows_of(*weights: dict[str, float]) -> Any:
    rows = np.empty(len(weights), dtype=object)
    for n, each in enumerate(weights):
        rows[n] = each
    return rows


def test_padding_and_company_change_no_weight(sparse_bundle: Bundle) -> None:
    encoder = load(sparse_bundle.path)
    together = encoder.encode_documents([*PASSAGES, "x"])
    for text, row in zip([*PASSAGES, "x"], together, strict=True):
        assert difference(encoder.encode_documents(text), row, MAX_TERMS) <= 1e-6
    with Engine(sparse_bundle) as engine:
        assert difference(engine.encode_query("x"), together[-1], MAX_TERMS) <= 1e-6
        assert len(engine.encode_documents(PASSAGES).vectors) == len(PASSAGES)


def test_similarity_is_the_inner_product(sparse_bundle: Bundle) -> None:
    encoder = load(sparse_bundle.path)
    rows = encoder.encode_documents(PASSAGES[:6])
    expected = [[sum(a[t] * b.get(t, 0) for t in a) for b in rows] for a in rows[:2]]
    np.testing.assert_allclose(encoder.similarity(rows[:2], rows), expected, rtol=1e-6)
    empty = np.array([{}, {}], dtype=object)
    assert not encoder.similarity(empty, rows).any()


def test_a_querys_tokens_weigh_what_the_table_says(idf_bundle: Bundle) -> None:
    table = json.loads((idf_bundle.path.parent / "model" / "idf.json").read_text())
    kept = json.loads((idf_bundle.path / "idf.json").read_text())
    assert "elephantine" in table and not {"elephantine", "the", "[CLS]"} & kept.keys()
    assert idf_bundle.manifest.of(Sparse).query == "idf"
    encoder = load(idf_bundle.path)
    (query,) = encoder.encode_queries(["water water how"])
    tokens = tokens_of(idf_bundle, "water water how")
    assert query == pytest.approx({token: table[token] for token in tokens if token in kept})
    assert list(query.values()) == sorted(query.values(), reverse=True)
    document = encoder.encode_documents("water water how")
    assert len(document) == MAX_TERMS and document != query
    mixed = encoder.encode_tokens(
        [*encoder.tokenize(["water"], "document"), *encoder.tokenize(["water"], "query")]
    )
    assert mixed[0] == encoder.encode_documents("water")
    assert mixed[1] == encoder.encode_queries("water")
    with Engine(idf_bundle) as engine:
        assert engine.encode_query("water") == encoder.encode_queries("water")


def tokens_of(bundle: Bundle, text: str) -> list[str]:
    import tokenizers

    return list(tokenizers.Tokenizer.from_file(str(bundle.tokenizer)).encode(text).tokens)


def test_another_table_is_another_encoder(idf_bundle: Bundle, tmp_path: Path) -> None:
    path = shutil.copytree(idf_bundle.path, tmp_path / "bundle")
    (path / "idf.json").write_text(json.dumps({"water": 9.0}))
    manifest = write_manifest(path, idf_bundle.manifest, idf_bundle.manifest.files)
    assert manifest.fingerprint != idf_bundle.manifest.fingerprint
    with pytest.raises(SelfTestError, match=r"cosine .* to PyTorch's weights"):
        load(path)
    (path / "idf.json").write_text('{"water": -1}')
    write_manifest(path, idf_bundle.manifest, idf_bundle.manifest.files)
    with pytest.raises(BundleError, match=r"idf.json has a weight that is no finite number from 0"):
        load(path)


def test_int8_keeps_to_its_bound_and_the_table(idf_bundle: Bundle, tmp_path: Path) -> None:
    variant = build_variant(idf_bundle, "int8-dynamic", tmp_path / "int8", list(PASSAGES))
    parity = json.loads((variant.path / "parity.json").read_text())
    assert 0.95 <= parity["lowest_cosine"] < 1
    assert variant.manifest.precision == "int8"
    plain, quantised = load(idf_bundle.path), load(variant.path)
    assert quantised.encode_queries("water") == plain.encode_queries("water")
    a, b = (each.encode_documents(PASSAGES[0]) for each in (plain, quantised))
    assert a != b and cosine(a, b) > 0.95


def test_golden_weights_are_asked_for_at_every_load(sparse_bundle: Bundle, tmp_path: Path) -> None:
    path = shutil.copytree(sparse_bundle.path, tmp_path / "bundle")
    first, *others = sparse_bundle.golden()
    (token, weight), *rest = first.output.items()
    for weights, said in (
        ({token: weight * 1.001, **dict(rest)}, "a weight of .* is 0.001 of the largest"),
        (dict(rest[:5]), r"cosine 0\.\d+ to PyTorch's weights of"),
        ({"water": 1.0}, "to PyTorch's weights of"),
    ):
        write_golden(
            path / "golden.json",
            [replace(first, output=weights), *others],
            read_bundle(sparse_bundle.path).manifest.part,
        )
        write_manifest(path, sparse_bundle.manifest, sparse_bundle.manifest.files)
        with pytest.raises(SelfTestError, match=said):
            load(path)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (
            {"water": 0},
            r"text 0: token 'water' has the weight 0; it must be a finite number over 0",
        ),
        ({"water": "much"}, "token 'water' has the weight 'much'"),
        ([1.0], r"weights is \[1.0\]; it must be an object"),
        ({str(n): 1.0 for n in range(MAX_TERMS + 1)}, "weights of 49 tokens; at most 48 can be"),
    ],
)
def test_what_is_no_golden_output_is_refused(
    sparse_bundle: Bundle, tmp_path: Path, weights: object, said: str
) -> None:
    path = tmp_path / "golden.json"
    row = {"role": "document", "text": "a", "ids": [1], "weights": weights}
    path.write_text(json.dumps([row]))
    from densehook.bundle import read_golden

    with pytest.raises(BundleError, match=said):
        read_golden(path, sparse_bundle.manifest.part)


def test_the_folder_of_sentence_transformers_says_length_and_activation(tmp_path: Path) -> None:
    import torch

    torch.manual_seed(3)
    tiny_models.make_masked_bert(tmp_path / "model")
    described = ("MLMTransformer", "SpladePooling")
    describe(tmp_path / "model", *described, activation="log1p_relu")
    recipe = tmp_path / "tiny.toml"
    recipe.write_text('source = "model"\nkind = "sparse"\n')
    bundle = export_bundle(read_recipe(recipe), tmp_path / "bundle")
    assert bundle.manifest.max_tokens == 32
    assert bundle.manifest.of(Sparse).activation == "log1p_relu"
    assert bundle.manifest.of(Sparse).max_terms == 256
    recipe.write_text('source = "model"\nkind = "sparse"\nactivation = "relu"\n')
    with pytest.raises(
        RecipeError, match="activation is 'relu', the model folder says 'log1p_relu"
    ):
        export_bundle(read_recipe(recipe), tmp_path / "bundle")
    describe(tmp_path / "model", *described, strategy="sum")
    with pytest.raises(RecipeError, match="pooling_strategy is 'sum'; the sparse kind has 'max'"):
        export_bundle(read_recipe(recipe), tmp_path / "bundle")
    describe(tmp_path / "model", "Transformer", "Pooling")
    with pytest.raises(RecipeError, match="lists Transformer, Pooling; the sparse kind has MLMTr"):
        export_bundle(read_recipe(recipe), tmp_path / "bundle")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('kind = "dense"\nmax_terms = 3', "max_terms is for kind sparse alone; leave it out"),
        ('kind = "sparse"\nactivation = "gelu"', "activation is 'gelu'; known: relu, log1p_relu"),
        ('kind = "sparse"\nmax_terms = 0', "max_terms is 0; it must be at least 1"),
        ('kind = "sparse"\npooling = "mean"', "pooling is for kind dense alone; leave it out"),
        ('kind = "sparse"\ndims = 8', "dims is for kind dense alone; leave it out"),
        ('kind = "sparse"\nidf = "config.json"', r"token 'architectures' has the weight \["),
        ('kind = "sparse"\nidf = "none.json"', "none.json is no table of weights by token"),
        ('kind = "sparse"\nidf = "other.json"', "none of the 1 tokens of the idf table is one of"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused_in_a_line(
    sparse_bundle: Bundle, tmp_path: Path, lines: str, said: str
) -> None:
    shutil.copytree(sparse_bundle.path.parent / "model", tmp_path / "model")
    (tmp_path / "model" / "other.json").write_text('{"elephantine": 1}')
    path = tmp_path / "tiny.toml"
    path.write_text(f'source = "model"\n{lines}\n')
    with pytest.raises((RecipeError, ExportError), match=said):
        export_bundle(read_recipe(path), tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_a_model_without_the_head_is_refused_by_its_weights(tmp_path: Path) -> None:
    tiny_models.make_bert(tmp_path / "model")
    path = tmp_path / "tiny.toml"
    path.write_text('source = "model"\nkind = "sparse"\n')
    with pytest.raises(ExportError, match=r"not in the checkpoint: cls\.predictions"):
        export_bundle(read_recipe(path), tmp_path / "bundle")


def test_a_graph_of_other_weights_does_not_pass_the_gate(
    sparse_bundle: Bundle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import densehook.export.sparse_graph as graph

    monkeypatch.setitem(graph._ACTIVATED, "relu", lambda logits: logits)  # type: ignore[index]
    with pytest.raises(GateError, match="the fp32 graph is not PyTorch's equal: the weights of"):
        make_sparse_bundle(tmp_path)


def test_what_vectors_have_is_refused_to_weights(sparse_bundle: Bundle) -> None:
    encoder = load(sparse_bundle.path)
    with pytest.raises(BundleError, match="'sparse-0' is of kind 'sparse'; this can be done with"):
        _ = encoder.dims
    with pytest.raises(RequestError, match="truncate_dim and normalize_embeddings are for vectors"):
        encoder.encode(["a"], truncate_dim=8)
    assert repr(encoder) == "<Encoder 'sparse-0': 48 terms>"


def test_a_graph_of_other_sizes_is_refused_in_a_line(sparse_bundle: Bundle) -> None:
    part = replace(sparse_bundle.manifest.of(Sparse), max_terms=47)
    other = Bundle(sparse_bundle.path, replace(sparse_bundle.manifest, part=part))
    with pytest.raises(EncodeError, match=r"gave \[1, 2, 48\] numbers, not \[batch, 2, 47\]"):
        Encoder(other).encode_documents("a")


def test_ties_at_the_cut_are_no_difference() -> None:
    found, expected = {"a": 2.0, "b": 1.0}, {"a": 2.0, "c": 1.0}
    assert difference(found, expected, 2) == 0
    assert difference(found, expected, 3) == 0.5
    assert difference({"a": 2.0, "b": 1.5}, expected, 2) == 0.25
    assert cosine({}, {}) == 1 and cosine({"a": 1.0}, {}) == 0
    assert gate.NEIGHBOURS == 10
