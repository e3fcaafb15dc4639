"""The curve on a tiny model: every point is what an export with that cut gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

import tiny_models
from densehook.bundle import Dense
from densehook.collections import sample
from densehook.encode import load
from densehook.errors import RecipeError
from densehook.export import Recipe, export_bundle
from densehook.tune import Curve, encode_sample, measure_curve, ndcg, plot_curve
from densehook.tune.curve import some_dims, some_layers
from tiny_collection import small_collection


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    folder = tmp_path_factory.mktemp("curve")
    tiny_models.make_bert(folder / "model")
    tiny_models.describe(folder / "model")
    return Recipe(name="tiny", source="model", folder=folder)


@pytest.fixture(scope="module")
def measured(recipe: Recipe) -> Curve:
    return measure_curve(recipe, small_collection(), layers=[1], dims=[8, 16])


def test_everything_asked_for_and_the_whole_encoder_are_measured(measured: Curve) -> None:
    found = [(point.layers, point.dims) for point in measured.points]
    assert found == [(1, 8), (1, 16), (1, 32), (2, 8), (2, 16), (2, 32)]
    assert all(point.texts_per_second > 0 for point in measured.points)
    assert (measured.name, measured.collection, measured.queries) == ("tiny", "small", 20)


def test_a_point_is_what_a_bundle_cut_so_gives(
    recipe: Recipe, measured: Curve, tmp_path: Path
) -> None:
    import dataclasses

    cut = dataclasses.replace(recipe, layers=1, dims=8)
    encoder = load(export_bundle(cut, tmp_path / "bundle").path)
    judged = sample(small_collection(), " ", 1000)
    quality = ndcg(judged, *encode_sample(encoder, judged), encoder.manifest.of(Dense).similarity)
    point = next(point for point in measured.points if (point.layers, point.dims) == (1, 8))
    assert point.quality == pytest.approx(quality, abs=2e-4)


def test_the_curve_is_drawn_and_is_json(measured: Curve, tmp_path: Path) -> None:
    plot_curve(measured, tmp_path / "curve.png")
    with Image.open(tmp_path / "curve.png") as image:
        assert image.size == (1350, 750)
    assert len(json.loads(measured.dumps())["points"]) == 6


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"layers": [3]}, "layers 3 cannot be tried, the model has 2"),
        ({"dims": [0]}, "dims 0 cannot be tried, the model has 32"),
    ],
)
def test_more_than_there_is_cannot_be_tried(
    recipe: Recipe, asked: dict[str, list[int]], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        measure_curve(recipe, small_collection(), **asked)


@pytest.mark.parametrize(
    ("layers", "tried"), [(1, [1]), (6, [1, 2, 3, 4, 5, 6]), (12, [2, 4, 6, 8, 10, 12])]
)
def test_about_six_numbers_of_layers_are_tried(layers: int, tried: list[int]) -> None:
    assert some_layers(layers) == tried


def test_dimensions_are_tried_down_to_a_sixteenth() -> None:
    assert some_dims(384) == [32, 64, 128, 256, 384]
    assert some_dims(768) == [64, 128, 256, 512, 768]
    assert some_dims(1) == [1]
