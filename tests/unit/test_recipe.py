"""A recipe says what it means, or it is refused with the key, the value and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from densehook.errors import RecipeError
from densehook.export import Recipe, read_recipe
from densehook.export.sources import model_folder


def write(folder: Path, text: str) -> Path:
    path = folder / "some-encoder.toml"
    path.write_text(text)
    return path


def test_a_recipe_is_named_after_its_file_and_knows_its_folder(tmp_path: Path) -> None:
    recipe = read_recipe(write(tmp_path, 'source = "model"\n'))
    assert recipe == Recipe(name="some-encoder", source="model", folder=tmp_path.resolve())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("poling = 'mean'", r"unknown key 'poling'; did you mean 'pooling'\?"),
        ("zzz = 1", "unknown key 'zzz'; known: name, source"),
        ("pooling = 'max'", "pooling is 'max'; known: mean, cls, last"),
        ("similarity = 'l1'", "similarity is 'l1'; known: cosine, dot_product, max_inner_product"),
        ("max_tokens = '256'", "max_tokens is '256'; it must be a whole number"),
        ("max_tokens = true", "max_tokens is True; it must be a whole number"),
        ("max_tokens = 0", "max_tokens is 0; it must be at least 1"),
        ("layers = 0", "layers is 0; it must be at least 1"),
        ("dims = -1", "dims is -1; it must be at least 1"),
        ("dims = 1.5", "dims is 1.5; it must be a whole number"),
        ("normalise = 1", "normalise is 1; it must be true or false"),
        ("[prompts]\nqeury = 'q: '", r"prompts are for 'qeury'; did you mean 'query'\?"),
        ("[prompts]\nquery = 3", "the query prompt is 3; it must be a string"),
        ("overrides = ['poling']", r"overrides names 'poling'; did you mean 'pooling'\?"),
        ("pooling = ", "is not a TOML file"),
    ],
)
def test_a_mistake_is_named_with_its_value_and_the_way_out(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(RecipeError, match=message) as caught:
        read_recipe(write(tmp_path, 'source = "model"\n' + text))
    assert "\n" not in str(caught.value)


def test_a_recipe_without_a_source_says_what_sources_there_are(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="names no source: a Hugging Face id, a folder or"):
        read_recipe(write(tmp_path, ""))


def test_a_missing_recipe_says_where_recipes_lie(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"recipes lie in onnx_models/\*\.toml"):
        read_recipe(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("source", "revision", "message"),
    [
        ("BAAI/bge-small-en-v1.5", "", "is a Hugging Face id without a revision"),
        ("./nowhere", "", "is neither a folder"),
        ("package:no_such_package/model", "", "no package no_such_package is installed"),
        ("package:densehook/no_such_folder", "", "has no folder 'no_such_folder'"),
        ("package:pytest", "0.0.1", "the recipe's revision is '0.0.1', installed is pytest"),
    ],
)
def test_a_source_that_is_not_there_is_named(
    tmp_path: Path, source: str, revision: str, message: str
) -> None:
    recipe = Recipe(name="x", source=source, revision=revision, folder=tmp_path)
    with pytest.raises(RecipeError, match=message):
        model_folder(recipe)


def test_a_relative_source_starts_at_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "models" / "mine").mkdir(parents=True)
    recipe = Recipe(name="x", source="models/mine", folder=tmp_path)
    assert model_folder(recipe) == tmp_path / "models" / "mine"
