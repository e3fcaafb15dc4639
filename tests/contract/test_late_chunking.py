"""Chunks encoded with those around them: the means of their own tokens, as PyTorch has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from densehook.bundle import Bundle, read_bundle
from densehook.chunk import ChunkRule
from densehook.encode import Encoder, cosines, load
from densehook.errors import BundleError, RecipeError
from densehook.export import export_bundle, read_recipe
from densehook.export.texts import PASSAGES, SCRIPTS
from densehook.export.variants import build_variant

LATE = 'name = "tiny-late"\nlate_chunking = true'
TEXT = " ".join([*PASSAGES[:4], "\U0001f433 \U0001f468\u200d\U0001f469", *SCRIPTS[:2]])


@pytest.fixture(scope="module", params=["bert", "xlm-roberta"])
def late(request: pytest.FixtureRequest, make_tiny_bundle: Callable[..., Bundle]) -> Bundle:
    return make_tiny_bundle(request.param, recipe=LATE, prompts={"document": "passage: "})


def pytorchs(bundle: Bundle, content: str, spans: list[tuple[int, int]]) -> np.ndarray:
    """What transformers itself gives for the parts of a text."""
    from transformers import AutoModel, AutoTokenizer

    folder = bundle.path.parent / "model"
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    read = tokenizer("passage: " + content, return_tensors="pt", return_offsets_mapping=True)
    places = [(int(start), int(end)) for start, end in read.pop("offset_mapping")[0]]
    ends = [end - len("passage: ") - 1 if end > start else -1 for start, end in places]
    with torch.inference_mode():
        hidden = model(**read).last_hidden_state[0].numpy()
    rows = []
    for first, last in spans:
        own = [n for n, end in enumerate(ends) if first <= end < last]
        rows.append(hidden[own].mean(axis=0))
    return np.stack([row / np.linalg.norm(row) for row in rows])


def test_each_chunk_has_the_mean_of_its_own_tokens_in_their_context(late: Bundle) -> None:
    encoder = load(late.path)
    chunks, _ = encoder.cut(TEXT, ChunkRule("late", 20))
    windows = encoder.windows(TEXT, chunks)
    assert 1 < len(windows) < len(chunks)
    made = encoder.encode_windows(windows)
    assert not made.failures and made.stats.lost_tokens == 0
    for place, window in enumerate(windows):
        expected = pytorchs(late, window.content, list(window.spans))
        np.testing.assert_allclose(made.vectors[place], expected, atol=1e-5)
    alone = encoder.encode_documents([chunk.content for chunk in chunks])
    in_context = np.concatenate([made.vectors[place] for place in range(len(windows))])
    assert cosines(alone, in_context).min() < 0.999


def test_a_whole_text_has_the_vector_that_it_has_without(late: Bundle, tmp_path: Path) -> None:
    recipe = tmp_path / "plain.toml"
    recipe.write_text(f'source = "{late.path.parent / "model"}"\n')
    plain = load(export_bundle(read_recipe(recipe), tmp_path / "plain").path)
    texts = [*PASSAGES, TEXT]
    np.testing.assert_allclose(
        plain.encode_documents(texts), load(late.path).encode_documents(texts), atol=1e-6
    )
    assert plain.fingerprint != load(late.path).fingerprint
    with pytest.raises(BundleError, match="write late_chunking = true into its recipe"):
        plain.windows(TEXT, plain.cut(TEXT, ChunkRule("late", 20)).chunks)


@pytest.mark.parametrize("variant", ["fp32-fused", "int8-static"])
def test_a_variant_keeps_the_parts(late: Bundle, variant: str, tmp_path: Path) -> None:
    build_variant(late, variant, tmp_path / "variant", PASSAGES)
    plain, faster = Encoder(late), Encoder(read_bundle(tmp_path / "variant"))
    chunks, _ = plain.cut(TEXT, ChunkRule("late", 20))
    windows = plain.windows(TEXT, chunks)
    one, other = plain.encode_windows(windows), faster.encode_windows(windows)
    for place in range(len(windows)):
        assert cosines(one.vectors[place], other.vectors[place]).min() > 0.98


def test_vectors_that_are_no_mean_have_no_parts(make_tiny_bundle: Callable[..., Bundle]) -> None:
    with pytest.raises(RecipeError, match="late_chunking is of vectors that are the mean"):
        make_tiny_bundle("bert", recipe=LATE, pooling="cls")
