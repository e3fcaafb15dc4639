"""Vectors of an image's patches beside its own: PyTorch's, and proven at every load."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import tiny_image_text
from densehook.bundle import Bundle, Manifest, Multi, read_bundle, write_manifest
from densehook.encode import cosines, load
from densehook.errors import BundleError, GateError, RecipeError, SelfTestError
from densehook.export import export_bundle, read_recipe
from densehook.export.images import file_of
from densehook.export.kinds.multi import judged_patches
from densehook.export.texts import QUESTIONS
from densehook.export.variants import build_variant
from densehook.images import pixels_of
from densehook.multivector import maxsim

JAVA = Path(__file__).parent.parent.parent / "plugin/elasticsearch/src/test/resources"
JAVA /= "org/densehook/bundle"
IMAGES = [b64encode(file_of(number)).decode() for number in range(50)]
PATCHES = (tiny_image_text.IMAGE_SIZE // tiny_image_text.PATCH_SIZE) ** 2
BOTH = ["image-text", "multi"]


@pytest.fixture(params=["patches", "siglip"])
def bundle(request: pytest.FixtureRequest) -> Bundle:
    found: Bundle = request.getfixturevalue(f"{request.param}_bundle")
    return found


def by_transformers(bundle: Bundle) -> tuple[Any, Any]:
    """Of each image its vector and those of its patches, as the model's own layers give them."""
    import torch
    from transformers import AutoImageProcessor, AutoModel

    folder = bundle.path.parent / "model"
    model = AutoModel.from_pretrained(folder).eval()
    processor = AutoImageProcessor.from_pretrained(folder, use_fast=False)
    images = [Image.fromarray(pixels_of(each)) for each in IMAGES]
    with torch.no_grad():
        values = processor(images=images, return_tensors="pt")["pixel_values"]
        hidden = model.vision_model(pixel_values=values).last_hidden_state
        if model.config.model_type == "clip":
            hidden = model.visual_projection(model.vision_model.post_layernorm(hidden[:, 1:]))
        return model.get_image_features(pixel_values=values).numpy(), hidden.numpy()


def test_patches_are_transformers(bundle: Bundle) -> None:
    vectors, patches = by_transformers(bundle)
    encoder = load(bundle.path)
    dims = encoder.manifest.of_kind("multi").of(Multi).dims
    whole, local = encoder.encode_each_image_of_kinds(IMAGES, BOTH)
    assert cosines(whole.vectors, vectors).min() >= 0.9999
    for found, expected in zip(local.vectors, patches, strict=True):
        assert found.shape == (PATCHES, dims)
        assert cosines(found, expected).min() >= 0.9999
        assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_the_gate_has_measured_fifty_images(bundle: Bundle) -> None:
    measured = tiny_image_text.shown(bundle)["also"]["multi"]
    assert (measured["images"], measured["patch_vectors"]) == (50, 50 * PATCHES)
    assert measured["lowest_cosine"] >= 0.9999
    assert measured["largest_score_difference"] <= 1e-2 * PATCHES


def test_patches_of_another_model_are_refused(
    patches_bundle: Bundle, siglip_bundle: Bundle
) -> None:
    files = [file_of(number) for number in range(4)]
    found = load(patches_bundle.path).of_kind("multi")
    expected = list(found.encode_images(files))
    assert judged_patches(found, files, expected, "its own").lowest_cosine == pytest.approx(1)
    with pytest.raises(GateError, match=r"of a patch's vector, the bound is 0\.9999"):
        judged_patches(found, files, [-each for each in expected], "its own")
    other = load(siglip_bundle.path).of_kind("multi")
    with pytest.raises(GateError, match=r"the patches of image 0, its own are \[16, 24\]"):
        judged_patches(other, files, expected, "its own")


def test_one_run_gives_what_each_kind_gives_alone(bundle: Bundle) -> None:
    encoder = load(bundle.path)
    whole, local = encoder.encode_each_image_of_kinds([*IMAGES[:3], "no image"], BOTH)
    assert np.array_equal(whole.vectors[:3], encoder.encode_images(IMAGES[:3]))
    alone = encoder.of_kind("multi").encode_images(IMAGES[:3])
    for one, other in zip(local.vectors[:3], alone, strict=True):
        assert np.array_equal(one, other)
    assert list(whole.failures) == list(local.failures) == [3]
    assert len(local.vectors[3]) == 0
    assert local.stats.tokens == 3 * PATCHES


def test_an_image_is_likest_itself_by_maxsim(patches_bundle: Bundle) -> None:
    encoder = load(patches_bundle.path).of_kind("multi")
    rows = encoder.encode_images(IMAGES[:8])
    scores = encoder.similarity(rows, rows)
    assert np.allclose(scores.diagonal(), PATCHES, atol=1e-4)
    assert (scores.argmax(axis=1) == np.arange(8)).all()
    assert scores[2, 5] == pytest.approx(maxsim(rows[2], rows[5]))


def test_the_manifest_says_what_is_of_texts_and_what_of_images(patches_bundle: Bundle) -> None:
    manifest = Manifest.loads(patches_bundle.manifest.dumps())
    local = manifest.of_kind("multi")
    assert list(manifest.heads) == BOTH
    assert list(manifest.token_heads) == ["image-text"]
    assert list(manifest.image_heads) == BOTH
    assert local.modalities == ("image",) and local.output == "patches"
    assert local.fingerprint == manifest.fingerprint
    assert list(local.token_heads) == []


def test_an_encoder_without_patches_stays_as_it_was(clip_bundle: Bundle) -> None:
    assert "also" not in json.loads(clip_bundle.manifest.dumps())
    with pytest.raises(BundleError, match="this can be done with one of kind 'multi' alone"):
        load(clip_bundle.path).of_kind("multi")


def test_both_languages_read_one_manifest() -> None:
    text = (JAVA / "manifest_of_images.json").read_text()
    assert Manifest.loads(text).dumps() == text


@pytest.fixture
def copied(patches_bundle: Bundle, tmp_path: Path) -> Bundle:
    shutil.copytree(patches_bundle.path, tmp_path / "copy")
    return read_bundle(tmp_path / "copy")


def _without(row: Any) -> None:
    del row["token_vectors"]


def _negated(row: Any) -> None:
    found = row["token_vectors"]
    found["vectors"] = [-number for number in found["vectors"]]


def _fewer(row: Any) -> None:
    row["token_vectors"]["count"] = 8


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (_without, BundleError, "image 1 has not the keys it must have: missing 'token_vectors'"),
        (_negated, SelfTestError, "PyTorch's vector of a token of 'image 1' is under"),
        (_fewer, SelfTestError, "'image 1' has 16 token vectors, PyTorch gave 8"),
    ],
)
def test_golden_patches_are_compared_at_every_load(
    copied: Bundle, damage: Callable[[Any], None], error: type[Exception], message: str
) -> None:
    path = copied.path / "images.json"
    rows = json.loads(path.read_text())
    damage(rows[1])
    path.write_text(json.dumps(rows))
    write_manifest(copied.path, copied.manifest, copied.manifest.files)
    with pytest.raises(error, match=message):
        load(copied.path)


def test_texts_have_no_patches(patches_bundle: Bundle) -> None:
    encoder = load(patches_bundle.path)
    said = "of kind 'multi' for images alone, not for texts"
    with pytest.raises(BundleError, match=said):
        encoder.of_kind("multi").encode_queries("a cat")
    with pytest.raises(BundleError, match=said):
        encoder.encode_each_of_kinds(["a cat"], "document", BOTH)
    assert encoder.encode_queries("a cat").shape == (encoder.dims,)


def test_token_vectors_of_texts_are_none_of_images(m3_bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="for texts alone, not for images"):
        load(m3_bundle.path).of_kind("multi").encode_images([IMAGES[0]])


def test_a_variant_has_patches_near_the_plain_ones(patches_bundle: Bundle, tmp_path: Path) -> None:
    variant = build_variant(patches_bundle, "int8-dynamic", tmp_path / "int8", QUESTIONS)
    assert list(variant.manifest.heads) == BOTH
    found = load(variant.path).of_kind("multi").encode_images(IMAGES[:2])
    plain = load(patches_bundle.path).of_kind("multi").encode_images(IMAGES[:2])
    lowest = min(cosines(*pair).min() for pair in zip(found, plain, strict=True))
    measured = tiny_image_text.shown(variant)["also"]["multi"]
    assert 0.8 <= measured["lowest_cosine"] <= lowest + 1e-6 and lowest < 0.999999


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('kind = "image-text"\nalso = ["sparse"]', "beside kind image-text there can be multi"),
        ('kind = "image-text"\nalso = ["multi", "multi"]', "must name some of .*, each once"),
        ('kind = "cross"\nalso = ["multi"]', "also is for kind dense, image-text alone"),
    ],
)
def test_a_head_that_cannot_be_is_refused(tmp_path: Path, lines: str, message: str) -> None:
    recipe = tmp_path / "bad.toml"
    recipe.write_text(f'source = "model"\n{lines}\n')
    with pytest.raises(RecipeError, match=message):
        export_bundle(read_recipe(recipe), tmp_path / "bundle")
