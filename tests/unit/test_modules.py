"""modules.json is read as sentence-transformers reads it, or refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from densehook.errors import RecipeError
from densehook.export.modules import vector_width
from densehook.export.modules_json import read_modules, read_pooling

MODELS = "sentence_transformers.models."
BASE = "sentence_transformers.base.modules.transformer.Transformer"


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def folder(tmp_path: Path, *kinds: str, **configs: Any) -> Path:
    """A folder with these modules; the configuration of each kind by its name."""
    entries = [
        {"path": "" if i == 0 else f"{i}_{kind}", "type": kind if "." in kind else MODELS + kind}
        for i, kind in enumerate(kinds)
    ]
    write(tmp_path / "modules.json", entries)
    for i, kind in enumerate(kinds):
        if kind in configs:
            write(tmp_path / f"{i}_{kind}" / "config.json", configs[kind])
    return tmp_path


@pytest.mark.parametrize(
    ("config", "pooling"),
    [
        ({"pooling_mode": "mean"}, "mean"),
        ({"pooling_mode": "lasttoken"}, "last"),
        ({"pooling_mode": ["mean_sqrt_len_tokens", "cls"]}, "mean_sqrt_len+cls"),
        ({"pooling_mode_lasttoken": True, "pooling_mode_cls_token": True}, "cls+last"),
        ({"pooling_mode_weightedmean_tokens": True}, "weightedmean"),
        ({"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True}, "max+mean"),
        ({"word_embedding_dimension": 8}, "mean"),
        ({"pooling_mode": "max", "pooling_mode_mean_tokens": True}, "max"),
    ],
)
def test_both_spellings_of_pooling_mean_the_same(
    tmp_path: Path, config: dict[str, Any], pooling: str
) -> None:
    assert read_pooling(write(tmp_path / "config.json", config)) == (pooling, True)


def test_every_switch_together_keeps_sentence_transformers_order(tmp_path: Path) -> None:
    names = ("lasttoken", "weightedmean_tokens", "mean_sqrt_len_tokens")
    names += ("mean_tokens", "max_tokens", "cls_token")
    config = write(tmp_path / "config.json", {f"pooling_mode_{name}": True for name in names})
    assert read_pooling(config) == ("cls+max+mean+mean_sqrt_len+weightedmean+last", True)


@pytest.mark.parametrize(
    "config",
    [{"pooling_mode": "median"}, {"pooling_mode": []}, {"pooling_mode_attention": True}, [1]],
)
def test_a_pooling_that_is_not_known_is_refused(tmp_path: Path, config: Any) -> None:
    with pytest.raises(RecipeError, match=r"config\.json"):
        read_pooling(write(tmp_path / "config.json", config))


@pytest.mark.parametrize(
    ("kinds", "says"),
    [
        (("CLIPModel",), "lists CLIPModel; one Transformer must come first"),
        (("Transformer", "CNN", "Pooling"), "lists CNN, which the dense kind has not: words"),
        (("Transformer", "Pooling", "Router"), "Router, .* each role has a model of its own"),
        (("Transformer", "Pooling", "Pooling"), "lists Pooling, .* cannot stand there"),
        (("Transformer", "Normalize", "Pooling"), "lists Pooling, .* cannot stand there"),
        (("Transformer", "Normalize"), "without a Pooling before it Normalize has no vector"),
        (("custom_st.Transformer", "Pooling"), "custom_st.Transformer, which is code of the model"),
        (("Transformer", "Transformer"), "one Transformer must come first"),
        ((), "lists nothing; one Transformer must come first"),
    ],
)
def test_what_no_graph_can_have_is_refused_by_name(
    tmp_path: Path, kinds: tuple[str, ...], says: str
) -> None:
    with pytest.raises(RecipeError, match=says):
        read_modules(folder(tmp_path, *kinds))


DENSE = {"in_features": 8, "out_features": 4, "bias": True}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"activation_function": "my.Tanh"}, r"activation function is 'my\.Tanh'; supported"),
        ({"activation_function": "torch.nn.modules.activation.PReLU"}, "PReLU'; supported"),
        ({"use_residual": True}, "use_residual is unsupported"),
        ({"module_input_name": "token_embeddings"}, "module_input_name is 'token_embeddings'"),
        ({"in_features": "8"}, "in_features is '8'; it must be a number"),
    ],
)
def test_a_dense_layer_that_would_be_another_one_is_refused(
    tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    model = folder(tmp_path, "Transformer", "Pooling", "Dense", Dense={**DENSE, **change})
    with pytest.raises(RecipeError, match=says):
        read_modules(model)


def test_a_layer_that_does_not_fit_what_comes_before_it_is_refused(tmp_path: Path) -> None:
    modules = read_modules(folder(tmp_path, BASE, "Pooling", "Dense", "Normalize", Dense=DENSE))
    assert modules is not None
    assert modules.normalise
    assert vector_width("mean", modules.steps, hidden=8) == 4
    with pytest.raises(RecipeError, match=r"2_Dense/config\.json: it takes 8 numbers, 16 come in"):
        vector_width("cls+mean", modules.steps, hidden=8)


def test_a_path_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "modules.json", [{"path": "../other", "type": MODELS + "Transformer"}])
    with pytest.raises(RecipeError, match=r"the path '\.\./other' is not in the folder"):
        read_modules(tmp_path)
