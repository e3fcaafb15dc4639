"""Models that are, or have, decoders: vectors alone come out of the graph, and are PyTorch's."""

from __future__ import annotations

import functools
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file, save_file

import tiny_models
from densehook.bundle import Bundle, read_bundle
from densehook.encode import load
from densehook.errors import ExportError
from densehook.export import Recipe, export_bundle, read_recipe
from densehook.export.reference import Reference
from densehook.export.texts import PASSAGES, QUESTIONS, beyond
from densehook.export.variants import graphs

sentence_transformers = pytest.importorskip("sentence_transformers")
from sentence_transformers import models  # noqa: E402

ROOT = Path(__file__).parent.parent.parent
TEXTS = [*PASSAGES[:10], *QUESTIONS[:4], "a", beyond(tiny_models.POSITIONS)]
LONG = 300
"""Tokens of a text that is longer than the distances that T5 tells apart."""


def theirs(folder: Path, texts: Sequence[str], **options: Any) -> np.ndarray:
    model = sentence_transformers.SentenceTransformer(
        str(folder), device="cpu", model_kwargs={"dtype": torch.float32}, **options
    )
    return np.asarray(model.encode(list(texts), batch_size=8))


@pytest.fixture(scope="module")
def exported(make_tiny_bundle: Callable[..., Bundle]) -> Callable[[str], Bundle]:
    return functools.cache(lambda name: make_tiny_bundle(name, pooling="last"))


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("family", tiny_models.DECODERS)
def test_either_side_of_padding_gives_these_vectors(
    exported: Callable[[str], Bundle], family: str, side: str
) -> None:
    bundle = exported(family)
    found = load(bundle.path).encode_documents(TEXTS)
    expected = theirs(bundle.path.parent / "model", TEXTS, processor_kwargs={"padding_side": side})
    np.testing.assert_allclose(found, expected, atol=3e-6)
    assert np.abs(np.corrcoef(found)).min() < 0.99  # the texts are told apart


@pytest.mark.parametrize("family", tiny_models.DECODERS)
def test_no_cache_goes_into_the_graph_or_comes_out(
    exported: Callable[[str], Bundle], family: str
) -> None:
    graph = onnx.load(exported(family).path / "model.onnx").graph
    assert [each.name for each in graph.input] == ["input_ids", "attention_mask"]
    assert [each.name for each in graph.output] == ["embedding"]


@pytest.mark.parametrize("bidirectional", [False, True])
def test_gemma_attends_to_the_sides_that_its_configuration_says(
    tmp_path: Path, bidirectional: bool
) -> None:
    from transformers import Gemma3TextConfig, Gemma3TextModel

    torch.manual_seed(0)
    tiny_models._save_decoder(
        tmp_path / "model",
        Gemma3TextModel,
        Gemma3TextConfig,
        use_bidirectional_attention=bidirectional,
        sliding_window=16,
        layer_types=["sliding_attention", "full_attention"],
    )
    tiny_models.describe(tmp_path / "model", pooling="cls")
    encoder = load(export_bundle(recipe(tmp_path), tmp_path / "bundle").path)
    first, second = encoder.encode_documents(["a water", "a stone"])
    assert (np.abs(first - second).max() > 1e-3) == bidirectional  # "a" is pooled
    np.testing.assert_allclose(
        encoder.encode_documents(TEXTS), theirs(tmp_path / "model", TEXTS), atol=3e-6
    )


def recipe(folder: Path, **said: Any) -> Recipe:
    return Recipe(name="tiny", source=str(folder / "model"), **said)


def test_weights_too_large_for_one_file_lie_beside_the_graph(
    exported: Callable[[str], Bundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = exported("mistral")
    shutil.copytree(bundle.path.parent / "model", tmp_path / "model")
    monkeypatch.setattr(graphs, "_LARGEST_FILE", 10_000)
    export_bundle(recipe(tmp_path), tmp_path / "bundle")
    parts = read_bundle(tmp_path / "bundle").manifest.files.keys()
    assert {"model.onnx", "model.onnx_data"} <= parts
    graph, weights = (tmp_path / "bundle" / name for name in ("model.onnx", "model.onnx_data"))
    assert graph.stat().st_size < (bundle.path / "model.onnx").stat().st_size - 10_000
    assert weights.stat().st_size > 10_000
    np.testing.assert_array_equal(
        load(tmp_path / "bundle").encode_documents(TEXTS), load(bundle.path).encode_documents(TEXTS)
    )


@pytest.fixture(scope="module")
def t5(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """As GTR, tiny: a model and its bundle, made once."""

    @functools.cache
    def make(family: str) -> Path:
        torch.manual_seed(0)
        folder = tmp_path_factory.mktemp(family)
        tiny_models.ARCHITECTURES[family](folder / "transformer")
        modules = [
            models.Transformer(str(folder / "transformer"), max_seq_length=LONG),
            models.Pooling(tiny_models.HIDDEN),
            models.Dense(
                tiny_models.HIDDEN, 24, bias=False, activation_function=torch.nn.Identity()
            ),
            models.Normalize(),
        ]
        saved = sentence_transformers.SentenceTransformer(modules=modules, device="cpu")
        saved.save(str(folder / "model"))
        if family == "umt5":  # with its decoder, as it is published
            weights = folder / "transformer" / "model.safetensors"
            shutil.copy(weights, folder / "model" / "model.safetensors")
        export_bundle(recipe(folder), folder / "bundle")
        return folder

    return make


@pytest.mark.parametrize("family", ["t5", "umt5"])
def test_the_encoders_half_of_t5_equals_sentence_transformers(
    t5: Callable[[str], Path], family: str
) -> None:
    folder = t5(family)
    texts = [*TEXTS, beyond(LONG // 2), beyond(LONG)]
    encoder = load(folder / "bundle")
    assert max(len(each.ids) for each in encoder.tokenize(texts, "document")) == LONG
    found = encoder.encode_documents(texts)
    assert found.shape == (len(texts), 24)
    np.testing.assert_allclose(found, theirs(folder / "model", texts), atol=3e-6)
    names = [each.name for each in onnx.load(folder / "bundle" / "model.onnx").graph.initializer]
    assert not any("decoder" in name for name in names)


def test_vectors_pooled_without_the_prompt_equal_sentence_transformers(
    t5: Callable[[str], Path], tmp_path: Path
) -> None:
    """As Instructor's, whose folders do not say it."""
    folder = t5("t5")
    shutil.copytree(folder / "model", tmp_path / "model")
    said = recipe(tmp_path, include_prompt=False, instruction="Represent the {instruction}: ")
    encoder = load(export_bundle(said, tmp_path / "bundle").path)
    model = sentence_transformers.SentenceTransformer(str(folder / "model"), device="cpu")
    model.set_pooling_include_prompt(include_prompt=False)
    prompt = "Represent the question for retrieving documents: "
    expected = np.asarray(model.encode(TEXTS, prompt=prompt, batch_size=8))
    found = encoder.encode_queries(TEXTS, "question for retrieving documents")
    np.testing.assert_allclose(found, expected, atol=3e-6)


@pytest.fixture(scope="module")
def mixture(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a model of experts and of its bundle, made once."""

    @functools.cache
    def make(family: str) -> Path:
        torch.manual_seed(0)
        folder = tmp_path_factory.mktemp(family)
        tiny_models.MIXTURES[family](folder / "model")
        tiny_models.describe(folder / "model", pooling="last")
        export_bundle(recipe(folder), folder / "bundle")
        return folder

    return make


@pytest.mark.parametrize("family", tiny_models.MIXTURES)
def test_a_mixture_of_experts_equals_sentence_transformers(
    mixture: Callable[[str], Path], family: str
) -> None:
    folder = mixture(family)
    encoder = load(folder / "bundle")
    found = encoder.encode_documents(TEXTS)
    np.testing.assert_allclose(found, theirs(folder / "model", TEXTS), atol=3e-6)
    alone = np.vstack([encoder.encode_documents([text]) for text in TEXTS])
    np.testing.assert_allclose(found, alone, atol=1e-6)
    assert np.abs(np.corrcoef(found)).min() < 0.99


def test_an_expert_reads_the_tokens_that_are_routed_to_it_alone(
    mixture: Callable[[str], Path],
) -> None:
    """Its product comes behind a choice of rows, and some experts have none."""
    model = onnx.load(mixture("qwen3-moe") / "bundle" / "model.onnx")
    makers = {name: node for node in model.graph.node for name in node.output}
    gates = [each for each in model.graph.node if "experts" in each.name and "gate" in each.name]
    products = [each for each in gates if each.op_type == "MatMul"]
    assert len(products) == 2 * 16
    assert {makers[each.input[0]].op_type for each in products} == {"Gather"}


def test_every_expert_must_come_from_the_checkpoint(
    mixture: Callable[[str], Path], tmp_path: Path
) -> None:
    shutil.copytree(mixture("qwen3-moe") / "model", tmp_path / "model")
    weights = load_file(tmp_path / "model" / "model.safetensors")
    for expert in range(16):
        name = f"layers.1.mlp.experts.{expert}.up_proj.weight"
        assert name in weights
        rest = {key: each for key, each in weights.items() if key != name}
        save_file(rest, tmp_path / "model" / "model.safetensors", metadata={"format": "pt"})
        with pytest.raises(ExportError, match=rf"not in the checkpoint: {re.escape(name)}"):
            Reference(tmp_path / "model")


def test_every_recipe_of_t5_can_be_read() -> None:
    for name in ("gtr-t5-base", "sentence-t5-base"):
        assert read_recipe(ROOT / "onnx_models" / f"{name}.toml").normalise
