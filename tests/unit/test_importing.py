"""What a graph is taken for by its outputs and axes, and when it must be said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import tiny_models
from densehook.bundle import Bundle, Dense, Numbers
from densehook.encode import load
from densehook.errors import ExportError
from densehook.export import find_files, import_bundle, imported_recipe

VOCABULARY = 5_000
"""Rows of the table: more than the tokenizers here have tokens."""
Axes = Sequence[str | int]


def saved(path: Path, nodes: Sequence[Any], constants: dict[str, Any], **values: Any) -> Path:
    """A graph of one input and one output, each with its type and axes."""
    (given, output) = (helper.make_tensor_value_info(name, *of) for name, of in values.items())
    graph = helper.make_graph(
        nodes,
        "given",
        [given],
        [output],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))
    return path


def of_texts(
    folder: Path, width: int, output: str, *, tokens: bool = False, axes: Axes = ("batch", "tokens")
) -> Path:
    """So many numbers for a text, or for each of its tokens: rows of a table, or their mean."""
    draw = np.random.default_rng(0).normal(size=(VOCABULARY, width)).astype(np.float32)
    rows = output if tokens else "rows"
    nodes = [helper.make_node("Gather", ["table", "input_ids"], [rows])]
    if not tokens:
        nodes += [helper.make_node("ReduceMean", [rows], [output], axes=[1], keepdims=0)]
    shape = [axes[0], *([axes[1]] if tokens else []), width]
    return saved(
        folder / "model.onnx",
        nodes,
        {"table": draw},
        input_ids=(TensorProto.INT64, axes),
        **{output: (TensorProto.FLOAT, shape)},
    )


def of_numbers(path: Path, axes: Axes) -> Path:
    """What its two axes come to, one after the other: a mean over the last, then as it is."""
    nodes = [helper.make_node("ReduceMean", ["features"], ["embedding"], axes=[2], keepdims=0)]
    output = (TensorProto.FLOAT, axes[:2])
    return saved(path, nodes, {}, features=(TensorProto.FLOAT, axes), embedding=output)


def imported(model: Path, output: Path, **asked: Any) -> Bundle:
    kind, first = asked.pop("kind", None), asked.pop("channels_first", False)
    recipe = imported_recipe(model, name="given", **asked)
    return import_bundle(find_files(model), recipe, output, kind=kind, channels_first=first)


def refusal(model: Path, output: Path, **asked: Any) -> str:
    with pytest.raises(ExportError) as refused:
        imported(model, output, **asked)
    assert not output.exists()
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("width", [2, 3, 7])
@pytest.mark.parametrize("output", ["output", "probabilities", "embedding", "token_embeddings"])
def test_a_few_numbers_are_no_vector_unless_that_is_said(
    tmp_path: Path, width: int, output: str
) -> None:
    model = of_texts(tmp_path, width, output, tokens=output == "token_embeddings")
    said = refusal(model, tmp_path / "b", pooling="mean" if "token" in output else None)
    assert said == (
        f"{model} gives {width} numbers as {output}, as few as a classifier has labels; if they are"
        " a vector nevertheless, say so with --kind dense"
    )


def test_a_vector_of_a_few_numbers_is_taken_where_that_is_said(tmp_path: Path) -> None:
    tiny_models.make_bert(tmp_path / "given")
    (tmp_path / "given" / "config.json").unlink()
    model = of_texts(tmp_path / "given", 3, "output")
    bundle = imported(model, tmp_path / "b", kind="dense", max_tokens=16)
    assert bundle.manifest.of(Dense).dims == 3


@pytest.mark.parametrize(
    ("name", "tokens", "said"),
    [
        ("BertForSequenceClassification", False, "tells 9 labels apart; a cross-encoder has one"),
        (
            "BertForTokenClassification",
            True,
            r"tells 9 labels of tokens apart (BertForTokenClassification), of which no vector is",
        ),
    ],
)
def test_labels_are_no_vector_whatever_the_output_is_called(
    tmp_path: Path, name: str, tokens: bool, said: str
) -> None:
    labels = {f"{n}": f"L{n}" for n in range(9)}
    stated = {"model_type": "bert", "architectures": [name], "id2label": labels}
    (tmp_path / "config.json").write_text(json.dumps(stated))
    for output in ("logits", "output", "last_hidden_state" if tokens else "embedding"):
        model = of_texts(tmp_path, 9, output, tokens=tokens)
        for kind in (None, "dense"):
            assert said in refusal(model, tmp_path / "b", kind=kind, pooling=None)


@pytest.mark.parametrize(
    ("axes", "shown"), [((2, "tokens"), r"\[2, 'tokens'\]"), (("batch", 4), r"\['batch', 4\]")]
)
@pytest.mark.parametrize("kind", [None, "cross", "dense"])
def test_a_graph_of_pairs_of_fixed_axes_is_refused(
    tmp_path: Path, axes: Axes, shown: str, kind: str | None
) -> None:
    model = of_texts(tmp_path, 1, "logits", axes=axes)
    with pytest.raises(ExportError, match=rf"input_ids has the fixed shape {shown}, its axis of"):
        imported(model, tmp_path / "b", kind=kind)


def test_of_two_fixed_axes_of_numbers_it_is_said_which_are_steps(tmp_path: Path) -> None:
    model = of_numbers(tmp_path / "model.onnx", ("batch", 10, 30))
    found = {}
    for first, said in (
        (
            False,
            "lists have 10 steps of 30 channels: if the graph takes channels first, say so with"
            " --channels-first",
        ),
        (True, "lists have 30 steps of 10 channels, channels first"),
    ):
        bundle = imported(model, tmp_path / f"{first}", channels_first=first)
        part = bundle.manifest.of(Numbers)
        shown = json.loads((bundle.path / "parity.json").read_text())
        found[first] = (bundle.manifest.max_tokens // part.channels, part.channels)
        assert shown["remarks"] == [said]
        steps, channels = found[first]
        list_ = np.random.default_rng(1).normal(size=(steps, channels)).astype(np.float32)
        fed = list_.T if first else list_
        np.testing.assert_allclose(
            load(bundle.path).encode_numbers([list_])[0], fed.mean(axis=1), atol=1e-6
        )
    assert found == {False: (10, 30), True: (30, 10)}


@pytest.mark.parametrize("axes", [("batch", "steps", 12), ("batch", 12, "steps")])
def test_of_axes_that_tell_themselves_nothing_is_said(tmp_path: Path, axes: Axes) -> None:
    model = of_numbers(tmp_path / "model.onnx", axes)
    said = refusal(model, tmp_path / "b", channels_first=True)
    assert said.endswith("which tells steps from channels; leave --channels-first out")


def test_texts_have_no_channels(tmp_path: Path) -> None:
    model = of_texts(tmp_path, 16, "embedding")
    said = refusal(model, tmp_path / "b", channels_first=True)
    assert said.endswith("is fed with texts, which have no channels; leave --channels-first out")
