"""A certificate is of the checkpoint's own weights; what is not in it is refused by name."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import tiny_models
from densehook.bundle import Bundle
from densehook.encode import load
from densehook.errors import ExportError
from densehook.export import Recipe, export_bundle
from densehook.export.drafts import transformer
from densehook.export.reference import Reference
from densehook.export.soup import average
from densehook.export.texts import QUESTIONS

State = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as it should be; tests spoil copies."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights") / "model"
    tiny_models.make_bert(folder)
    tiny_models.describe(folder)
    return folder


@pytest.fixture
def model(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "model"))


def state(folder: Path) -> State:
    return load_file(folder / "model.safetensors")


def save(folder: Path, weights: State) -> None:
    weights = {name: each.clone().contiguous() for name, each in weights.items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def configure(folder: Path, **changed: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


def shard(folder: Path, suffix: str) -> None:
    """The same weights in two files and an index."""
    weights, index = state(folder), {}
    (folder / "model.safetensors").unlink()
    stem = {"safetensors": "model", "bin": "pytorch_model"}[suffix]
    for number, names in enumerate([sorted(weights)[::2], sorted(weights)[1::2]], start=1):
        part = {name: weights[name] for name in names}
        file = f"{stem}-{number:05}-of-00002.{suffix}"
        if suffix == "bin":
            torch.save(part, folder / file)
        else:
            save_file(part, folder / file, metadata={"format": "pt"})
        index.update(dict.fromkeys(names, file))
    (folder / f"{stem}.{suffix}.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": index})
    )


def prefixed(folder: Path) -> None:
    save(folder, {f"module.{name}": each for name, each in state(folder).items()})


def without_a_layer(folder: Path) -> None:
    configure(folder, num_hidden_layers=3)


def of_another_architecture(folder: Path) -> None:
    weights = {
        name: each
        for name, each in state(folder).items()
        if "position_embeddings" not in name and ".intermediate." not in name
    }
    weights["encoder.layer.0.mlp.gated_layers.weight"] = torch.randn(128, 32)
    save(folder, weights)


def with_more_than_the_architecture_has(folder: Path) -> None:
    save(
        folder, {**state(folder), "encoder.layer.1.attention.self.query.lora_A": torch.ones(4, 32)}
    )


def with_more_layers_than_are_spoken_of(folder: Path) -> None:
    configure(folder, num_hidden_layers=1)


def of_another_width(folder: Path) -> None:
    configure(folder, intermediate_size=128)


def without_one_weight(folder: Path) -> None:
    weights = state(folder)
    del weights["encoder.layer.1.output.dense.weight"]
    save(folder, weights)


def sharded_without_one_weight(folder: Path) -> None:
    without_one_weight(folder)
    shard(folder, "safetensors")


def sharded_without_a_part(folder: Path) -> None:
    shard(folder, "bin")
    (folder / "pytorch_model-00002-of-00002.bin").unlink()


def with_an_index_of_elsewhere(folder: Path) -> None:
    shard(folder, "safetensors")
    index = folder / "model.safetensors.index.json"
    index.write_text(index.read_text().replace("model-00002", "../model-00002"))


def with_code_of_its_own(folder: Path) -> None:
    configure(folder, auto_map={"AutoModel": "modeling_x.XModel"})


def with_a_tokenizer_of_its_own(folder: Path) -> None:
    path = folder / "tokenizer_config.json"
    own = {"auto_map": {"AutoTokenizer": [None, "tokenization_x.XTokenizer"]}}
    path.write_text(json.dumps({**json.loads(path.read_text()), **own}))


def with_an_adapter(folder: Path) -> None:
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "somewhere/else"}')


def with_an_adapter_alone(folder: Path) -> None:
    with_an_adapter(folder)
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")
    (folder / "config.json").unlink()


def quantised(folder: Path) -> None:
    configure(folder, quantization_config={"quant_method": "gptq", "bits": 4})


def quantised_long_ago(folder: Path) -> None:
    configure(folder, quantization_config={"load_in_8bit": True})


def quantised_and_described_beside_it(folder: Path) -> None:
    (folder / "quantize_config.json").write_text('{"bits": 4, "group_size": 128}')


def sharded_with_a_weight_that_no_part_has(folder: Path) -> None:
    shard(folder, "safetensors")
    for part in folder.glob("model-*.safetensors"):
        weights = load_file(part)
        if weights.pop("encoder.layer.1.output.LayerNorm.bias", None) is not None:
            save_file(weights, part, metadata={"format": "pt"})


def with_other_formats_alone(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "tf_model.h5")


def cut_off(folder: Path) -> None:
    os.truncate(folder / "model.safetensors", 5000)


def with_a_token_too_many(folder: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["new_token_x"])
    tokenizer.save_pretrained(folder)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (prefixed, r"37 weights, and 37 of them .* it has module\.embeddings\.LayerNorm\.bias"),
        (without_a_layer, r"16 of them are not in the checkpoint: encoder\.layer\.2\.attention"),
        (of_another_architecture, r"position_embeddings\.weight, encoder\.layer\.0\.intermediate"),
        (with_more_than_the_architecture_has, r"BertModel does not compute with: .*query\.lora_A"),
        (with_more_layers_than_are_spoken_of, r"encoder\.layer\.1\..* layers = 1 into the recipe"),
        (of_another_width, r"encoder\.layer\.0\.intermediate\.dense\.bias"),
        (without_one_weight, r"1 of them .*: encoder\.layer\.1\.output\.dense\.weight; it has"),
        (sharded_without_one_weight, r"1 of them .*: encoder\.layer\.1\.output\.dense\.weight;"),
        (sharded_without_a_part, r"pytorch_model-00002-of-00002\.bin is missing"),
        (with_an_index_of_elsewhere, r"'\.\./model-00002-of-00002\.safetensors', which is no file"),
        (with_code_of_its_own, r"config\.json: .* modeling_x\.XModel\), which densehook does not"),
        (with_a_tokenizer_of_its_own, r"tokenizer_config\.json: .*tokenization_x\.XTokenizer"),
        (with_an_adapter, r"has an adapter .*merge_and_unload"),
        (with_an_adapter_alone, r"has an adapter .*merge_and_unload"),
        (quantised, r"config\.json: the weights are quantised \(gptq\)"),
        (quantised_long_ago, r"the weights are quantised \(.'load_in_8bit': True.\)"),
        (quantised_and_described_beside_it, r"quantize_config\.json: the weights are quantised"),
        (
            sharded_with_a_weight_that_no_part_has,
            r"has no tensor encoder\.layer\.1\.output\.LayerNorm\.bias, which its index says",
        ),
        (with_other_formats_alone, r"has no weights: none of model\.safetensors, "),
        (cut_off, r"model\.safetensors cannot be read"),
        (with_a_token_too_many, r"embeddings for \d+ ids: the added token 'new_token_x' is \d+"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_the_checkpoint_does_not_hold_is_refused_by_name(
    model: Path, spoil: Callable[[Path], None], message: str
) -> None:
    spoil(model)
    with pytest.raises(ExportError, match=message) as caught:
        export_bundle(Recipe("tiny", "model", folder=model.parent), model.parent / "bundle")
    assert "\n" not in str(caught.value)
    assert [path.name for path in model.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("architecture", tiny_models.ARCHITECTURES)
def test_a_weight_less_is_found_in_every_architecture(tmp_path: Path, architecture: str) -> None:
    folder = tmp_path / "model"
    tiny_models.ARCHITECTURES[architecture](folder)
    weights = state(folder)
    needed = Reference(folder).sums.keys() & weights.keys()
    assert any("pooler" in name for name in weights.keys() - needed) == any(
        "pooler" in name for name in weights
    )
    for name in sorted(needed)[:: max(1, len(needed) // 4)]:
        save(folder, {other: each for other, each in weights.items() if other != name})
        with pytest.raises(ExportError, match=f"not in the checkpoint: {name}"):
            Reference(folder)


def as_shards(folder: Path) -> None:
    shard(folder, "safetensors")


def as_pytorch_shards(folder: Path) -> None:
    shard(folder, "bin")


def as_pytorchs_own(folder: Path) -> None:
    torch.save(state(folder), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def as_pytorchs_own_of_long_ago(folder: Path) -> None:
    torch.save(state(folder), folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    (folder / "model.safetensors").unlink()


def beside_other_weights(folder: Path) -> None:
    spoilt = {name: torch.randn_like(each) for name, each in state(folder).items()}
    torch.save(spoilt, folder / "pytorch_model.bin")  # safetensors go first


def of_a_language_model(folder: Path) -> None:
    weights = {f"bert.{name}": each for name, each in state(folder).items() if "pooler" not in name}
    head = {"cls.predictions.bias": torch.ones(9), "cls.predictions.decoder.weight": torch.ones(9)}
    places = {"bert.embeddings.position_ids": torch.arange(64)[None]}
    save(folder, {**weights, **head, **places})


def with_names_of_long_ago(folder: Path) -> None:
    def old(name: str) -> str:
        return name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta")

    save(folder, {old(name): each for name, each in state(folder).items()})


@pytest.fixture(scope="module")
def expected(whole: Path) -> dict[str, str]:
    return dict(Reference(whole).sums)


@pytest.mark.parametrize(
    "change",
    [
        as_shards,
        as_pytorch_shards,
        as_pytorchs_own,
        as_pytorchs_own_of_long_ago,
        beside_other_weights,
        of_a_language_model,
        with_names_of_long_ago,
    ],
    ids=lambda change: change.__name__,
)
def test_however_the_weights_are_kept_they_are_the_same(
    model: Path, expected: dict[str, str], change: Callable[[Path], None]
) -> None:
    change(model)
    found = Reference(model)
    needless = {name for name in expected if name.startswith("pooler.")}
    assert {n: s for n, s in found.sums.items() if n not in needless} == {
        n: s for n, s in expected.items() if n not in needless
    }


@pytest.mark.parametrize("architecture", ["qwen3", "mistral"])
def test_a_language_models_head_is_left_out_and_its_prefix_seen_through(
    tmp_path: Path, architecture: str
) -> None:
    folder = tmp_path / "model"
    tiny_models.ARCHITECTURES[architecture](folder)
    sums = Reference(folder).sums
    weights = {f"model.{name}": each for name, each in state(folder).items()}
    save(folder, {**weights, "lm_head.weight": torch.randn(9, tiny_models.HIDDEN)})
    assert Reference(folder).sums == sums
    save(folder, {f"language_{name}": each for name, each in weights.items()})
    with pytest.raises(ExportError, match=r"not in the checkpoint: .* it has language_model\."):
        Reference(folder)


def test_half_precision_weights_are_widened_and_nothing_else(model: Path) -> None:
    save(model, {name: each.bfloat16() for name, each in state(model).items()})
    sums = Reference(model).sums
    save(model, {name: each.float() for name, each in state(model).items()})
    assert Reference(model).sums == sums


def test_layers_cut_on_purpose_are_not_missed(model: Path) -> None:
    whole_model = Reference(model)
    assert Reference(model, layers=1).layers == 1
    configure(model, num_hidden_layers=1)
    assert Reference(model, layers=1).sums.keys() < whole_model.sums.keys()


def test_a_loader_that_changes_a_weight_cannot_certify_itself(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import BertModel

    honest = BertModel.from_pretrained.__func__  # type: ignore[attr-defined]

    def swapped(cls: Any, *arguments: Any, **keywords: Any) -> Any:
        loaded, said = honest(cls, *arguments, **keywords)
        first, second = loaded.encoder.layer
        with torch.no_grad():
            first.output.dense.weight.copy_(second.output.dense.weight)
        return loaded, said

    monkeypatch.setattr(BertModel, "from_pretrained", classmethod(swapped))
    with pytest.raises(ExportError, match=r"than its files hold, in encoder\.layer\.0\.output"):
        export_bundle(Recipe("tiny", "model", folder=model.parent), model.parent / "bundle")


def test_weights_that_change_between_two_loads_give_no_bundle(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traced = transformer._write_model

    def then_changed(*arguments: Any) -> Any:
        manifest = traced(*arguments)
        weights = state(model)
        weights["embeddings.LayerNorm.bias"] += 1e-6
        save(model, weights)
        return manifest

    monkeypatch.setattr(transformer, "_write_model", then_changed)
    with pytest.raises(ExportError, match=r"different numbers in embeddings\.LayerNorm\.bias"):
        export_bundle(Recipe("tiny", "model", folder=model.parent), model.parent / "bundle")
    assert [path.name for path in model.parent.iterdir()] == ["model"]


def test_a_soup_has_no_weight_that_no_checkpoint_had(model: Path) -> None:
    of_a_language_model(model)
    average([str(model)], model.parent / "soup", {})
    found, wanted = state(model.parent / "soup"), state(model)
    assert not any(name.startswith("pooler") for name in found)
    for name, each in found.items():
        torch.testing.assert_close(each, wanted[f"bert.{name}"], rtol=0, atol=0)


def test_a_default_prompt_stands_before_every_text_as_in_sentence_transformers(
    model: Path,
) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers")
    said = {"prompts": {"retrieval": "represent this: "}, "default_prompt_name": "retrieval"}
    (model / "config_sentence_transformers.json").write_text(json.dumps(said))
    bundle: Bundle = export_bundle(
        Recipe("tiny", "model", folder=model.parent), model.parent / "bundle"
    )
    encoder = load(bundle.path)
    theirs = sentence_transformers.SentenceTransformer(str(model), device="cpu")
    expected = theirs.encode(list(QUESTIONS))
    np.testing.assert_allclose(encoder.encode_documents(QUESTIONS), expected, atol=2e-6)
    np.testing.assert_allclose(encoder.encode_queries(QUESTIONS), expected, atol=2e-6)


def test_positions_are_counted_as_the_architecture_counts_them(tmp_path: Path) -> None:
    for architecture, make in tiny_models.ARCHITECTURES.items():
        make(tmp_path / architecture)
        reference = Reference(tmp_path / architecture)
        limit = None if architecture in tiny_models.DISTANCES else tiny_models.POSITIONS
        assert reference.positions == limit, architecture
