"""What sentence-transformers puts behind a transformer is in the graph, number for number."""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

import tiny_models
from densehook.bundle import Bundle, Dense, read_bundle
from densehook.encode import Encoder, load
from densehook.errors import ExportError, RecipeError
from densehook.export import Recipe, export_bundle
from densehook.export.texts import PASSAGES, QUESTIONS, beyond

sentence_transformers = pytest.importorskip("sentence_transformers")
from sentence_transformers import models  # noqa: E402

HIDDEN = tiny_models.HIDDEN
TEXTS = [*PASSAGES[:12], *QUESTIONS[:6], "a", beyond(tiny_models.POSITIONS)]
EVERY_POOLING = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")


@pytest.fixture(scope="module")
def transformer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT that gives the states of all its layers."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("transformer") / "model"
    tiny_models.make_bert(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "output_hidden_states": True}))
    return folder


def saved(transformer: Path, folder: Path, modules: Sequence[Any]) -> Path:
    """A model of these modules, as sentence-transformers itself saves it."""
    encoder = models.Transformer(str(transformer), max_seq_length=tiny_models.POSITIONS)
    model = sentence_transformers.SentenceTransformer(modules=[encoder, *modules], device="cpu")
    model.save(str(folder / "model"))
    return folder / "model"


def exported(folder: Path, **said: Any) -> Bundle:
    recipe = Recipe(name="tiny", source=str(folder), **said)
    return export_bundle(recipe, folder.parent / "bundle")


def theirs(folder: Path, texts: Sequence[str] = TEXTS) -> np.ndarray:
    model = sentence_transformers.SentenceTransformer(str(folder), device="cpu")
    return np.asarray(model.encode(list(texts), batch_size=8))


def moved(layer: torch.nn.Module) -> torch.nn.Module:
    """A layer whose weights are not those that it begins with."""
    with torch.no_grad():
        for weight in layer.parameters():
            weight.add_(torch.randn_like(weight) * 0.3)
    return layer


def heads() -> dict[str, Callable[[], list[Any]]]:
    return {
        "every-pooling": lambda: [models.Pooling(HIDDEN, EVERY_POOLING)],
        "embeddinggemma": lambda: [
            models.Pooling(HIDDEN),
            models.Dense(HIDDEN, 48, bias=False, activation_function=torch.nn.Identity()),
            models.Dense(48, HIDDEN, bias=False, activation_function=torch.nn.Identity()),
            models.Normalize(),
        ],
        "dense-and-norm": lambda: [
            models.Pooling(HIDDEN, ("mean", "max")),
            models.Normalize(),
            models.Dense(2 * HIDDEN, 24, activation_function=torch.nn.GELU()),
            models.Dropout(0.5),
            moved(models.LayerNorm(24)),
            models.Dense(24, 8),
        ],
        "layers-mixed": lambda: [
            moved(models.WeightedLayerPooling(HIDDEN, num_hidden_layers=2, layer_start=1)),
            models.Pooling(HIDDEN),
            models.Normalize(),
        ],
    }


@pytest.fixture(scope="module")
def with_head(transformer: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A model with a head of modules beside its bundle, made once; tests leave it as it is."""

    @functools.cache
    def make(head: str) -> Path:
        folder = saved(transformer, tmp_path_factory.mktemp(head), heads()[head]())
        exported(folder)
        return folder

    return make


@pytest.mark.parametrize("head", heads())
def test_a_head_of_modules_equals_sentence_transformers(
    head: str, with_head: Callable[[str], Path]
) -> None:
    folder = with_head(head)
    found = load(folder.parent / "bundle").encode_documents(TEXTS)
    expected = theirs(folder)
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=3e-6)
    assert np.abs(np.corrcoef(found)).min() < 0.9999  # the texts are told apart


@pytest.mark.parametrize("architecture", ["bert", "qwen3"])
def test_a_prompt_is_left_out_of_the_pooling_as_in_sentence_transformers(
    make_tiny_bundle: Callable[..., Bundle], architecture: str
) -> None:
    prompts = {"query": "find what answers this: ", "document": "passage: "}
    bundle = make_tiny_bundle(
        architecture,
        pooling="cls+max+mean+mean_sqrt_len+weightedmean+last",
        normalise=False,
        prompts=prompts,
        include_prompt=False,
    )
    assert bundle.manifest.inputs[-1] == "pooling_mask"
    encoder = load(bundle.path)
    folder = bundle.path.parent / "model"
    model = sentence_transformers.SentenceTransformer(str(folder), device="cpu")
    for role, encode in (("query", model.encode_query), ("document", model.encode_document)):
        assert encoder.manifest.unpooled[role] == model[0]._get_prompt_length(prompts[role])
        found = encoder.encode_counted(TEXTS, role).vectors
        alone = encode(TEXTS, batch_size=1)  # beside others it counts what is padded on the left
        np.testing.assert_allclose(found, alone, rtol=1e-5, atol=3e-6)
        pooled = np.asarray(model.encode([prompts[role] + text for text in TEXTS], batch_size=8))
        assert np.abs(found - pooled).max() > 0.01  # the prompt would have made a difference


def test_a_prompt_without_which_nothing_is_left_is_refused(
    make_tiny_bundle: Callable[..., Bundle],
) -> None:
    with pytest.raises(RecipeError, match=r"the query prompt has \d+ tokens, max_tokens is 64"):
        make_tiny_bundle(prompts={"query": "water " * 70}, include_prompt=False)


def test_the_manifest_says_how_it_pools_and_how_long_a_vector_is(
    with_head: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = with_head("dense-and-norm")
    part = read_bundle(folder.parent / "bundle").manifest.of(Dense)
    assert (part.pooling, part.dims, part.normalise) == ("mean+max", 8, False)
    recipe = Recipe("x", str(folder), dims=5, normalise=True, overrides=["normalise"])
    cut = export_bundle(recipe, tmp_path / "cut").manifest.of(Dense)
    assert (cut.dims, cut.normalise) == (5, True)


def test_weights_may_be_pytorchs_own_and_must_be_there(
    with_head: Callable[[str], Path], tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    folder = Path(shutil.copytree(with_head("embeddinggemma"), tmp_path / "model"))
    first = read_bundle(with_head("embeddinggemma").parent / "bundle").manifest
    dense = folder / "2_Dense"
    weights = load_file(dense / "model.safetensors")
    (dense / "model.safetensors").unlink()
    torch.save(weights, dense / "pytorch_model.bin")
    assert exported(folder).manifest.fingerprint == first.fingerprint
    torch.save({"linear.weight": weights["linear.weight"][:, :-1]}, dense / "pytorch_model.bin")
    with pytest.raises(ExportError, match=r"linear.weight is \[48, 31\].* asks for \[48, 32\]"):
        exported(folder)
    torch.save({"weight": weights["linear.weight"]}, dense / "pytorch_model.bin")
    with pytest.raises(ExportError, match=r"has the weights weight; .* asks for linear\.weight"):
        exported(folder)
    (dense / "pytorch_model.bin").write_bytes(b"no weights")
    with pytest.raises(ExportError, match=r"pytorch_model\.bin (holds|cannot be read)"):
        exported(folder)
    (dense / "pytorch_model.bin").unlink()
    with pytest.raises(ExportError, match=r"2_Dense has no weights: none of model\.safetensors"):
        exported(folder)


def test_the_layout_of_old_with_the_transformer_in_a_folder_of_its_own(tmp_path: Path) -> None:
    torch.manual_seed(0)
    tiny_models.make_bert(tmp_path / "model" / "0_Transformer")
    tiny_models.describe(tmp_path / "model")
    listed = json.loads((tmp_path / "model" / "modules.json").read_text())
    listed[0]["path"] = "0_Transformer"
    (tmp_path / "model" / "modules.json").write_text(json.dumps(listed))
    (tmp_path / "model" / "sentence_bert_config.json").rename(
        tmp_path / "model" / "0_Transformer" / "sentence_bert_config.json"
    )
    bundle = exported(tmp_path / "model")
    assert bundle.manifest.max_tokens == tiny_models.POSITIONS
    np.testing.assert_allclose(
        load(bundle.path).encode_documents(TEXTS), theirs(tmp_path / "model"), atol=2e-6
    )


@pytest.fixture(scope="module", params=["qwen3", "gemma3"])
def decoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A decoder whose weights are saved in 16 bits, beside its bundle."""
    from transformers import AutoModel

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp(request.param)
    tiny_models.ARCHITECTURES[request.param](folder / "model")
    AutoModel.from_pretrained(folder / "model").to(torch.bfloat16).save_pretrained(folder / "model")
    tiny_models.describe(
        folder / "model", pooling="last", prompts={"query": "Instruct: find it\nQuery: "}
    )
    exported(folder / "model")
    return folder


@pytest.fixture
def encoder(decoder: Path) -> Encoder:
    return load(decoder / "bundle")


def test_a_decoder_padded_on_the_right_equals_sentence_transformers_padding_on_the_left(
    decoder: Path, encoder: Encoder
) -> None:
    model = sentence_transformers.SentenceTransformer(
        str(decoder / "model"), device="cpu", model_kwargs={"dtype": torch.float32}
    )
    assert model.tokenizer.padding_side == "left"
    for role, encode in (("query", model.encode_query), ("document", model.encode_document)):
        found = encoder.encode_counted(TEXTS, role).vectors
        np.testing.assert_allclose(found, encode(TEXTS, batch_size=8), atol=3e-6)


def test_a_decoders_vector_is_the_same_in_any_company(encoder: Encoder) -> None:
    alone = np.vstack([encoder.encode_documents([text]) for text in TEXTS])
    np.testing.assert_allclose(encoder.encode_documents(TEXTS), alone, atol=1e-6)
    # in one run, with more padding than packing ever makes
    tokens = encoder.tokenize(TEXTS, "document")
    longest_first = sorted(tokens, key=lambda each: len(each.ids), reverse=True)
    together = encoder._running.together(longest_first)
    each = np.vstack([encoder._running.together([text]) for text in longest_first])
    np.testing.assert_allclose(together, each, atol=1e-6)


def test_a_decoders_last_token_is_the_one_its_tokenizer_appends(encoder: Encoder) -> None:
    for text in ("water", beyond(tiny_models.POSITIONS)):
        (tokens,) = encoder.tokenize([text], "query")
        assert tokens.ids[-1] == 0
        assert tokens.ids.count(0) == 1
    assert len(tokens.ids) == tiny_models.POSITIONS


def test_weights_of_16_bits_are_exported_in_32(encoder: Encoder, decoder: Path) -> None:
    assert encoder.manifest.precision == "fp32"
    kinds = {
        each.data_type for each in onnx.load(decoder / "bundle" / "model.onnx").graph.initializer
    }
    assert onnx.TensorProto.BFLOAT16 not in kinds
    assert onnx.TensorProto.FLOAT in kinds
