"""Encoders of images and of numbers are tuned by what of them is found."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_numbers
from command_line import running_in, succeeded
from densehook.bundle import Bundle, read_bundle
from densehook.collections import Collection
from densehook.encode import cosines, load
from densehook.errors import BundleError, CollectionError
from densehook.export.images import file_of
from densehook.export.texts import PASSAGES, QUESTIONS
from densehook.tune import tune_bundle
from densehook.types import Document
from tiny_collection import small_collection, write_judged

IMAGES = [b64encode(file_of(number)).decode() for number in (0, 1, 3, 4, 7)]
LISTS = [
    np.random.default_rng(seed).standard_normal((16 + seed, tiny_numbers.CHANNELS)).tolist()
    for seed in range(12)
]


def judged(held: Mapping[str, Any], queries: list[str]) -> Collection:
    """Each query asks for the document of its place, which holds that."""

    def read() -> Iterator[Document]:
        for name, fields in held.items():
            yield Document(name, fields)

    ids = list(held)
    asked = {f"q{place}": text for place, text in enumerate(queries)}
    qrels = {f"q{place}": {ids[place]: 1} for place in range(len(queries))}
    return Collection("held", read, asked, qrels)


PHOTOS = {f"p{n}": {"shot": {"photo": image}} for n, image in enumerate(IMAGES)}
SERIES = {f"s{n}": {"series": numbers} for n, numbers in enumerate(LISTS)}
OF_PHOTOS = judged({**PHOTOS, "none": {"said": "no photo"}}, QUESTIONS[:5])
OF_SERIES = judged(SERIES, [json.dumps(each) for each in LISTS[:6]])


@pytest.fixture
def clip(patches_bundle: Bundle, tmp_path: Path) -> Bundle:
    """A copy, which gives vectors of patches too."""
    return read_bundle(Path(shutil.copytree(patches_bundle.path, tmp_path / "clip")))


def test_images_are_tuned_by_how_well_texts_find_them(clip: Bundle) -> None:
    plain = load(clip.path)
    before, texts = plain.encode_images(IMAGES), plain.encode_queries(QUESTIONS)
    patches = plain.of_kind("multi").encode_images(IMAGES)
    tuning = tune_bundle(
        clip.path,
        OF_PHOTOS,
        max_loss=1.0,
        only=["int8-static"],
        field="shot.photo",
        modality="image",
    )
    said = tuning.way, tuning.unit, tuning.documents, tuning.queries
    assert said == ("exact search of images", "images", len(IMAGES), 5)
    rows = {row["variant"]: row for row in tuning.measured}
    assert set(rows) == {"fp32", "int8-static"}
    assert not any("refused" in row for row in rows.values())
    scores = texts[:5] @ before.T
    ranks = [int((own > own[place]).sum()) for place, own in enumerate(scores)]
    ndcg = np.mean([1 / np.log2(rank + 2) if rank < 10 else 0 for rank in ranks])
    assert rows["fp32"]["quality"] == pytest.approx(ndcg, abs=1e-4)
    assert rows["int8-static"]["lowest_cosine"] < rows["fp32"]["lowest_cosine"] == 1
    rounded = load(clip.path / "variants" / "int8-static")
    assert 0.9 < cosines(rounded.encode_images(IMAGES), before).min() < 0.999999
    assert 0.9 < cosines(rounded.encode_queries(QUESTIONS), texts).min() < 0.999999
    local = rounded.of_kind("multi").encode_images(IMAGES)
    for own, exact in zip(local, patches, strict=True):
        assert 0.8 < cosines(own, exact).min() < 0.999999
    assert load(clip.path).manifest.variant in ("", *rows)


def test_lists_of_numbers_are_tuned_by_how_lists_find_them(tmp_path: Path) -> None:
    bundle = tiny_numbers.make_numbers_bundle(tmp_path, "attended", max_tokens=96)
    vectors = load(bundle.path).encode_numbers(LISTS)
    tuning = tune_bundle(
        bundle.path,
        OF_SERIES,
        max_loss=1.0,
        only=["fp32-nopad", "int8-static", "int8-dynamic"],
        field="series",
        modality="numbers",
    )
    assert (tuning.way, tuning.documents, tuning.queries) == ("exact search", len(LISTS), 6)
    rows = {row["variant"]: row for row in tuning.measured}
    assert rows["fp32"]["quality"] == 1  # a list finds itself
    assert "reads no token ids" in rows["fp32-nopad"]["refused"]
    # its scales are of these lists, and the gate's wander farther
    assert "is not the plain bundle's equal" in rows["int8-static"]["refused"]
    assert rows["int8-dynamic"]["lowest_cosine"] < rows["fp32"]["lowest_cosine"] == 1
    rounded = load(bundle.path / "variants" / "int8-dynamic").encode_numbers(LISTS)
    assert 0.9 < cosines(rounded, vectors).min() < 0.999999


@pytest.mark.parametrize(
    ("collection", "asked", "reason"),
    [
        (small_collection(), {}, "is judged by the images that are found; name the field"),
        (OF_PHOTOS, {"field": "image"}, "no document of collection held has a field 'image' of im"),
        (
            judged({"bad": {"photo": IMAGES[0][:40]}}, ["a cat"]),
            {"field": "photo"},
            "collection held, document 'bad': .*PNG|collection held, document 'bad': .*image",
        ),
    ],
    ids=["no field", "nobody's field", "no image"],
)
def test_images_that_are_not_there_are_told(
    clip: Bundle, collection: Collection, asked: dict[str, Any], reason: str
) -> None:
    more = {**asked, "modality": "image"} if asked else {}
    with pytest.raises((BundleError, CollectionError), match=reason):
        tune_bundle(clip.path, collection, only=["fp32"], **more)
    assert read_bundle(clip.path).manifest == clip.manifest


def test_what_an_encoder_cannot_read_is_told(tiny_bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="one of kind 'image-text' alone"):
        tune_bundle(tiny_bundle.path, OF_PHOTOS, field="photo", modality="image")
    bundle = tiny_numbers.make_numbers_bundle(tmp_path, "attended", max_tokens=96)
    of_texts = judged(SERIES, PASSAGES[:2])
    with pytest.raises(CollectionError, match="query 'q0' must be a list of numbers"):
        tune_bundle(bundle.path, of_texts, field="series", modality="numbers")
    bad = judged({"a": {"series": [1, None]}}, ["[1]"])
    with pytest.raises(CollectionError, match=r"document 'a': input field 'series': it has null"):
        tune_bundle(bundle.path, bad, field="series", modality="numbers")


def test_the_command_line_names_the_field(clip: Bundle, tmp_path: Path) -> None:
    folder = write_judged(tmp_path / "photos", OF_PHOTOS.queries, OF_PHOTOS.qrels)
    rows = [{"_id": name, "text": "", **fields} for name, fields in PHOTOS.items()]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run = running_in(tmp_path)
    tune = ("tune", "clip", "--collection", "photos", "--variants", "fp32-fused")
    said = succeeded(run(*tune, "--image", "shot.photo", "--max-loss", "1"))
    assert "images/s" in said
    assert "nDCG@10 of exact search of images over 5 documents of photos for 5 queries" in " ".join(
        said.split()
    )
    refused = run(*tune)
    assert refused.returncode == 1
    assert "name the field of the collection's documents that holds them: --image" in " ".join(
        refused.stderr.split()
    )
