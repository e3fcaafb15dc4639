"""Late-interaction encoders: read as their folders say, exported as PyTorch's equal."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import tiny_models
from densehook.bundle import Bundle, Manifest, Multi, write_golden, write_manifest
from densehook.bundle.kinds.multi import TokenSample, sample_of, sampled_places
from densehook.encode import Encoder, Engine, load
from densehook.errors import (
    BundleError,
    ExportError,
    RecipeError,
    RequestError,
    SelfTestError,
)
from densehook.export import export_bundle, read_recipe
from densehook.export.texts import PASSAGES, QUESTIONS

MakeLate = Callable[[str], Bundle]


@pytest.fixture(scope="module")
def colbert(make_late_bundle: MakeLate) -> Encoder:
    return load(make_late_bundle("colbert").path)


@pytest.fixture(scope="module")
def pylate(make_late_bundle: MakeLate) -> Encoder:
    return load(make_late_bundle("pylate").path)


@pytest.fixture
def copied(make_late_bundle: MakeLate, tmp_path: Path) -> Bundle:
    bundle = make_late_bundle("colbert")
    return Bundle(shutil.copytree(bundle.path, tmp_path / "bundle"), bundle.manifest)


def test_a_colbert_folder_says_markers_lengths_masks_and_skipped_tokens(
    colbert: Encoder, make_late_bundle: MakeLate
) -> None:
    part = colbert.manifest.of(Multi)
    tokenizer = json.loads(make_late_bundle("colbert").tokenizer.read_text())
    vocabulary = tokenizer["model"]["vocab"]
    assert part.markers == {
        "query": vocabulary["[unused0]"],
        "document": vocabulary["[unused1]"],
    }
    assert part.expansion == {"mask_id": vocabulary["[MASK]"], "attended": False}
    assert {vocabulary["."], vocabulary["?"], vocabulary["!"]} <= set(part.skipped_ids)
    assert (part.dims, part.query_tokens, colbert.manifest.max_tokens) == (16, 16, 48)
    assert repr(colbert) == "<Encoder 'tiny-colbert': 16 dims a token>"


def test_a_pylate_folder_says_the_same_in_its_own_words(pylate: Encoder) -> None:
    part = pylate.manifest.of(Multi)
    assert part.expansion["attended"] is True
    assert len(part.skipped_ids) == 3
    assert (part.dims, part.query_tokens, pylate.manifest.max_tokens) == (16, 12, 40)


def test_a_query_is_filled_up_and_a_documents_punctuation_has_no_vector(colbert: Encoder) -> None:
    part = colbert.manifest.of(Multi)
    (query,) = colbert.tokenize(["how do vaccines work"], "query")
    assert len(query.ids) == 16
    assert query.ids[1] == part.markers["query"]
    masks = query.ids.count(part.expansion["mask_id"])
    assert query.ids[-masks:] == [part.expansion["mask_id"]] * masks
    assert query.unattended == masks > 0
    assert not query.dropped
    (document,) = colbert.tokenize(["water, water."], "document")
    assert document.ids[1] == part.markers["document"]
    assert [document.ids[place] in part.skipped_ids for place in document.dropped] == [True, True]
    vectors = colbert.encode_documents("water, water.")
    assert vectors.shape == (len(document.ids) - 2, 16)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert colbert.encode_queries("?!").shape == (16, 16)


def test_what_is_too_long_is_cut_at_each_roles_limit_and_counted(colbert: Encoder) -> None:
    long = " ".join(PASSAGES)
    for role, most in (("query", 16), ("document", 48)):
        (tokens,) = colbert.tokenize([long], role)  # type: ignore[arg-type]
        assert len(tokens.ids) == most
        assert tokens.lost > 100
        assert tokens.unattended == 0
    assert colbert.encode_counted([long], "document").stats.truncated_texts == 1


@pytest.mark.parametrize("name", ["colbert", "pylate"])
def test_vectors_and_scores_are_pytorchs(name: str, make_late_bundle: MakeLate) -> None:
    """By transformers alone: its tokenizer, its model, and the projection as a matrix product."""
    from safetensors.torch import load_file
    from transformers import AutoModel, AutoTokenizer

    bundle = make_late_bundle(name)
    encoder = load(bundle.path)
    folder = bundle.path.parent / "model"
    part = encoder.manifest.of(Multi)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    weights = folder if name == "colbert" else folder / "1_Dense"
    projection = load_file(weights / "model.safetensors")["linear.weight"]

    def vectors(text: str, role: str) -> Any:
        most = (part.query_tokens if role == "query" else encoder.manifest.max_tokens) - 1
        ids = tokenizer(text, truncation=True, max_length=most)["input_ids"]
        ids = [ids[0], part.markers[role], *ids[1:]]
        seen = len(ids)
        if role == "query":
            ids += [tokenizer.mask_token_id] * (part.query_tokens - len(ids))
        attended = len(ids) if part.expansion["attended"] else seen
        mask = torch.tensor([[1] * attended + [0] * (len(ids) - attended)])
        with torch.inference_mode():
            hidden = model(input_ids=torch.tensor([ids]), attention_mask=mask).last_hidden_state[0]
        found = torch.nn.functional.normalize(hidden @ projection.T, dim=-1)
        kept = [role == "query" or each not in part.skipped_ids for each in ids]
        return found[torch.tensor(kept)]

    queries = [vectors(text, "query") for text in QUESTIONS]
    documents = [vectors(text, "document") for text in PASSAGES]
    found = encoder.encode_documents(PASSAGES)
    for own, expected in zip(found, documents, strict=True):
        np.testing.assert_allclose(own, expected.numpy(), atol=1e-4)
    expected_scores = [[float((q @ d.T).amax(1).sum()) for d in documents] for q in queries]
    scores = encoder.similarity(encoder.encode_queries(QUESTIONS), found)
    np.testing.assert_allclose(scores, expected_scores, atol=1e-3)


def test_the_gate_wrote_what_it_measured(make_late_bundle: MakeLate) -> None:
    for name in ("colbert", "pylate"):
        measured = json.loads((make_late_bundle(name).path / "parity.json").read_text())
        assert measured["lowest_cosine"] >= 0.9999
        assert measured["largest_score_difference"] <= 1e-3
        assert measured["neighbours_agree"] == 1


def test_vectors_are_one_in_any_company_and_by_the_engine(make_late_bundle: MakeLate) -> None:
    bundle = make_late_bundle("colbert")
    encoder = load(bundle.path)
    together = encoder.encode_documents(PASSAGES)
    with Engine(bundle) as engine:
        served = engine.encode_documents(PASSAGES[:5]).vectors
        query = engine.encode_query(QUESTIONS[0])
    for text, own in zip(PASSAGES[:5], together, strict=False):
        np.testing.assert_allclose(encoder.encode_documents(text), own, atol=1e-5)
    for own, other in zip(together, served, strict=False):
        np.testing.assert_allclose(own, other, atol=1e-5)
    np.testing.assert_allclose(query, encoder.encode_queries(QUESTIONS[0]), atol=1e-5)


def test_a_text_that_cannot_be_encoded_has_no_tokens_and_its_reason(colbert: Encoder) -> None:
    each = colbert.encode_each(["water", 5, "fire"], "document")  # type: ignore[list-item]
    assert list(each.failures) == [1]
    assert [len(rows) > 0 for rows in each.vectors] == [True, False, True]


def test_what_is_of_one_vector_is_refused(colbert: Encoder) -> None:
    alone = "'tiny-colbert' is of kind 'multi'; this can be done with one of kind 'dense' alone"
    with pytest.raises(RequestError, match="truncate_dim and normalize_embeddings are for vectors"):
        colbert.encode(["a"], truncate_dim=8)
    with pytest.raises(BundleError, match=alone):
        _ = colbert.dims
    with pytest.raises(BundleError, match="gives no vectors of parts of a text"):
        colbert.windows("a text", [])


def test_golden_outputs_are_compared_at_every_load(copied: Bundle) -> None:
    first, *others = copied.golden()
    turned = TokenSample(first.output.tokens, [[-x for x in v] for v in first.output.vectors])
    fewer = sample_of(np.eye(16, dtype=np.float32)[:3])
    for output, said in ((turned, "cosine -1.0"), (fewer, "PyTorch gave 3")):
        golden = [replace(first, output=output), *others]
        write_golden(copied.path / "golden.json", golden, copied.manifest.part)
        write_manifest(copied.path, copied.manifest, copied.manifest.files)
        with pytest.raises(SelfTestError, match=said):
            load(copied.path)


def test_a_graph_of_another_width_is_refused_in_a_line(copied: Bundle) -> None:
    part = replace(copied.manifest.of(Multi), dims=8)
    golden = [
        replace(g, output=TokenSample(g.output.tokens, [v[:8] for v in g.output.vectors]))
        for g in copied.golden()
    ]
    write_golden(copied.path / "golden.json", golden, part)
    write_manifest(copied.path, replace(copied.manifest, part=part), copied.manifest.files)
    with pytest.raises(SelfTestError, match=r"not \[batch, tokens, 8\]"):
        load(copied.path)


def test_golden_texts_keep_eight_tokens_with_the_first_and_the_last() -> None:
    assert sampled_places(0) == []
    assert sampled_places(5) == [0, 1, 2, 3, 4]
    assert sampled_places(48) == [0, 6, 13, 20, 26, 33, 40, 47]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"query_tokens": 16', '"query_tokens": 3', "query_tokens is 3; it must be 4 or more"),
        ('"attended": false', '"attended": 0', "attended is 0; it must be true or false"),
        ('"mask_id"', '"mask"', "expansion has not the keys it must have"),
        ('"markers": {', '"markers": {"other": 3,', "markers has not the keys it must have"),
        ('"skipped_ids": [', '"skipped_ids": [-1,', "it must be a list of token ids"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused_in_a_line(
    copied: Bundle, old: str, new: str, said: str
) -> None:
    text = copied.manifest.dumps()
    assert old in text
    with pytest.raises(BundleError, match=said):
        Manifest.loads(text.replace(old, new))


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {}
    for name, make in tiny_models.LATE_INTERACTION.items():
        folders[name] = tmp_path_factory.mktemp("original") / "model"
        make(folders[name])
    return folders


def changed(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


REFUSED: dict[str, tuple[str, Callable[[Path], Any], type[Exception], str]] = {
    "says nothing": (
        "colbert",
        lambda folder: (folder / "artifact.metadata").unlink(),
        RecipeError,
        "says nothing of late interaction",
    ),
    "another width": (
        "colbert",
        lambda folder: changed(folder / "artifact.metadata", dim=8),
        ExportError,
        r"linear.weight is \[16, 32\], it must be \[8, 32\]",
    ),
    "a marker that is no token": (
        "colbert",
        lambda folder: changed(folder / "artifact.metadata", query_token_id="[nobody]"),
        RecipeError,
        r"the query marker '\[nobody\]' is no token of its tokenizer",
    ),
    "a length that is none": (
        "colbert",
        lambda folder: changed(folder / "artifact.metadata", query_maxlen="long"),
        RecipeError,
        "query_maxlen is 'long'; it must be a positive number",
    ),
    "more tokens than positions": (
        "colbert",
        lambda folder: changed(folder / "artifact.metadata", doc_maxlen=100),
        RecipeError,
        "max_tokens is 100, the model has positions for 64 at most",
    ),
    "no projection": (
        "pylate",
        lambda folder: (folder / "1_Dense" / "model.safetensors").unlink(),
        ExportError,
        "has no weights",
    ),
    "a projection with a bias": (
        "pylate",
        lambda folder: changed(folder / "1_Dense" / "config.json", bias=True),
        RecipeError,
        "the projection has a bias",
    ),
    "more modules": (
        "pylate",
        lambda folder: (folder / "modules.json").write_text('[{"type": "x.Transformer"}]'),
        RecipeError,
        "lists Transformer; a late-interaction model has a Transformer and one Dense",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_folder_that_cannot_be_is_refused_in_a_line(
    originals: dict[str, Path], tmp_path: Path, case: str
) -> None:
    name, spoil, error, said = REFUSED[case]
    shutil.copytree(originals[name], tmp_path / "model")
    spoil(tmp_path / "model")
    (tmp_path / "late.toml").write_text('source = "model"\nkind = "multi"\n')
    with pytest.raises(error, match=said):
        export_bundle(read_recipe(tmp_path / "late.toml"), tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_a_recipe_says_nothing_of_one_vector(tmp_path: Path) -> None:
    (tmp_path / "late.toml").write_text('source = "m"\nkind = "multi"\npooling = "mean"\n')
    with pytest.raises(RecipeError, match="pooling is of a kind that gives one vector"):
        export_bundle(read_recipe(tmp_path / "late.toml"), tmp_path / "bundle")
