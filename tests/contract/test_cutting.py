"""An encoder with fewer layers and dimensions is the front part of the whole one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tiny_models
from densehook.bundle import Bundle, Dense
from densehook.encode import load
from densehook.errors import RecipeError
from densehook.export import Recipe, export_bundle, model_size, read_recipe
from densehook.export.sources import model_folder
from densehook.export.texts import PASSAGES

RECIPES = Path(__file__).parent.parent.parent / "onnx_models"
# the others put a normalisation after their last layer, which their hidden states lack
BARE = ("bert", "xlm-roberta", "distilbert", "mpnet")


def cut(folder: Path, **keys: object) -> Recipe:
    return Recipe(name="tiny", source="model", folder=folder, **keys)  # type: ignore[arg-type]


def mean_after(folder: Path, layers: int, texts: list[str], max_tokens: int) -> np.ndarray:
    """float32 [n, hidden]: transformers' hidden states after a layer of the whole model."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    found = []
    with torch.inference_mode():
        for text in texts:
            ids = tokenizer(text, truncation=True, max_length=max_tokens)["input_ids"]
            output = model(input_ids=torch.tensor([ids]), output_hidden_states=True)
            found.append(output.hidden_states[layers][0].mean(0).numpy())
    return np.array(found)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("architecture", BARE)
def test_layers_are_those_before_the_cut(
    shared_tiny_bundle: Callable[..., Bundle], architecture: str, tmp_path: Path
) -> None:
    whole = shared_tiny_bundle(architecture)
    bundle = export_bundle(cut(whole.path.parent, layers=1), tmp_path / "one")
    texts = list(PASSAGES[:10])
    expected = unit(mean_after(whole.path.parent / "model", 1, texts, tiny_models.POSITIONS))
    np.testing.assert_allclose(load(bundle.path).encode_documents(texts), expected, atol=2e-6)
    assert bundle.model.stat().st_size < whole.model.stat().st_size


@pytest.mark.parametrize(
    ("architecture", "normalise"), [("bert", True), ("bert", False), ("modernbert", True)]
)
def test_dimensions_are_the_first_ones(
    shared_tiny_bundle: Callable[..., Bundle], architecture: str, normalise: bool, tmp_path: Path
) -> None:
    origin = shared_tiny_bundle(architecture, normalise=normalise).path
    whole = load(origin)
    recipe = cut(origin.parent, layers=2, dims=12)
    short = load(export_bundle(recipe, tmp_path / "short").path)
    assert short.dims == short.manifest.of(Dense).dims == 12
    assert short.fingerprint != whole.fingerprint
    expected = whole.encode_documents(PASSAGES)[:, :12]
    found = short.encode_documents(PASSAGES)
    np.testing.assert_allclose(found, unit(expected) if normalise else expected, atol=2e-6)


def test_the_real_model_is_cut_both_ways(tmp_path: Path) -> None:
    recipe = read_recipe(RECIPES / "all-minilm-l6-v2.toml")
    assert model_size(recipe) == (6, 384)
    short = dataclasses.replace(recipe, layers=4, dims=128)
    encoder = load(export_bundle(short, tmp_path / "short").path)
    assert encoder.dims == 128
    texts = list(PASSAGES[::4])
    expected = unit(mean_after(model_folder(recipe), 4, texts, 256)[:, :128])
    np.testing.assert_allclose(encoder.encode_documents(texts), expected, atol=5e-6)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"layers": 3}, "layers is 3, the model has 2"),
        ({"dims": 33}, "dims is 33, the model has 32"),
    ],
)
def test_no_more_can_be_kept_than_there_is(
    tiny_bundle: Bundle, keys: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match=message):
        export_bundle(cut(tiny_bundle.path.parent, **keys), tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []
