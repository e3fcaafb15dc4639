"""Graphs that others exported become bundles which give what the graphs gave, and say so."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import quantize_dynamic
from safetensors.torch import load_file, save_file
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
)
from typer.testing import CliRunner

import tiny_models
import tiny_pairs
import tiny_sparse
from densehook.bundle import Bundle, Dense, Sparse
from densehook.bundle.manifest import ROLES
from densehook.cli.app import app
from densehook.encode import Encoder, cosines, load
from densehook.encode.kinds.sparse import difference
from densehook.errors import ExportError, RecipeError
from densehook.export import (
    Recipe,
    export_bundle,
)
from densehook.export.texts import PASSAGES, QUESTIONS
from tiny_sparse import MAX_TERMS
from traced import Logits, Placed, Pooled, Projected, Texts, Tokens, Unit, exported, imported

TEXTS = [*PASSAGES[:8], *QUESTIONS[:4], "a"]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT without a word of pooling, and its graph in onnx/."""
    folder = tmp_path_factory.mktemp("import") / "tiny"
    torch.manual_seed(3)
    tiny_models.make_bert(folder)
    exported(folder)
    return folder


@pytest.fixture
def model(plain: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(plain, tmp_path / "tiny"))


@pytest.fixture(scope="module")
def plain_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny masked language model, and its graph in onnx/."""
    folder = tmp_path_factory.mktemp("import") / "weights"
    torch.manual_seed(5)
    tiny_models.make_masked_bert(folder)
    exported(folder, Logits, "logits", of=AutoModelForMaskedLM)
    return folder


@pytest.fixture
def weighing(plain_weights: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(plain_weights, tmp_path / "weights"))


def refusal(model: Path, output: Path, **stated: Any) -> str:
    with pytest.raises(ExportError) as refused:
        imported(model, output, pooling="mean", **stated)
    assert not output.exists()
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("pooling", ["mean", "cls", "last", "max", "cls+mean"])
def test_pooling_that_was_missing_is_as_an_export_from_weights_has_it(
    pooling: str, model: Path, tmp_path: Path, make_tiny_bundle: Callable[..., Bundle]
) -> None:
    tiny_models.describe(model, pooling=pooling, prompts={"query": "query: "})
    whole = load(export_bundle(Recipe("tiny", str(model)), tmp_path / "whole").path)
    ours = load(imported(model, tmp_path / "bundle").path)
    assert ours.manifest.proof == "none" and whole.manifest.proof == ""
    assert ours.manifest.part == whole.manifest.part
    assert ours.manifest.prompts == whole.manifest.prompts
    for role in ("query", "document"):
        np.testing.assert_allclose(
            ours.encode_counted(TEXTS, role).vectors,
            whole.encode_counted(TEXTS, role).vectors,
            atol=1e-6,
        )


def test_vectors_of_whole_texts_are_taken_as_they_are(model: Path, tmp_path: Path) -> None:
    exported(model, Texts, "sentence_embedding")
    ours = load(imported(model, tmp_path / "given").path)
    part = ours.manifest.of(Dense)
    assert part.pooling == "graph"
    assert not part.normalise
    shutil.copytree(model, tmp_path / "tokens")
    exported(tmp_path / "tokens")
    pooled = load(imported(tmp_path / "tokens", tmp_path / "pooled", pooling="mean").path)
    expected = pooled.encode_documents(TEXTS)
    np.testing.assert_allclose(ours.encode_documents(TEXTS), expected, atol=1e-6)
    unit = load(imported(model, tmp_path / "unit", normalise=True).path)
    np.testing.assert_allclose(np.linalg.norm(unit.encode_documents(TEXTS), axis=1), 1, atol=1e-6)


def test_a_quantised_graph_says_its_precision_and_that_it_hangs_on_the_batch(
    model: Path, tmp_path: Path
) -> None:
    quantize_dynamic(model / "onnx/model.onnx", model / "onnx/model_quantized.onnx")
    bundle = imported(model, tmp_path / "b", pooling="mean", file="onnx/model_quantized.onnx")
    assert bundle.manifest.precision == "int8"
    assert bundle.manifest.batch_dependent
    fp32 = load(imported(model, tmp_path / "fp32", pooling="mean").path)
    near = cosines(load(bundle.path).encode_documents(TEXTS), fp32.encode_documents(TEXTS))
    assert 0.9 < near.min() < 0.999999


def rewritten(path: Path, change: Callable[[Any], None]) -> None:
    graph = onnx.load(str(path))
    change(graph)
    onnx.save(graph, str(path))


def _as_tensorflow_has_them(graph: Any) -> None:
    for given in graph.graph.input:
        given.type.tensor_type.elem_type = TensorProto.INT32
    new = {"attention_mask": "input_mask"}
    for value in graph.graph.input:
        value.name = new.get(value.name, value.name)
    for node in graph.graph.node:
        node.input[:] = [
            f"{each}_64" if each in ("input_ids", "attention_mask") else each for each in node.input
        ]
    casts = [
        helper.make_node("Cast", [new.get(each, each)], [f"{each}_64"], to=TensorProto.INT64)
        for each in ("input_ids", "attention_mask")
    ]
    for place, cast in enumerate(casts):
        graph.graph.node.insert(place, cast)


def test_inputs_in_int32_and_by_tensorflow_s_names_are_fed(model: Path, tmp_path: Path) -> None:
    expected = load(imported(model, tmp_path / "before", pooling="mean").path)
    rewritten(model / "onnx/model.onnx", _as_tensorflow_has_them)
    ours = load(imported(model, tmp_path / "after", pooling="mean").path)
    assert list(ours.manifest.inputs) == ["input_ids", "attention_mask"]
    one, other = ours.encode_documents(TEXTS), expected.encode_documents(TEXTS)
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_positions_that_a_decoder_wants_are_counted_in_the_graph(tmp_path: Path) -> None:
    folder = tmp_path / "qwen"
    torch.manual_seed(1)
    tiny_models.make_qwen3(folder)
    tiny_models.describe(folder, pooling="last")
    exported(folder, Placed, inputs=("input_ids", "attention_mask", "position_ids"))
    names = [each.name for each in onnx.load(str(folder / "onnx/model.onnx")).graph.input]
    assert names == ["input_ids", "attention_mask", "position_ids"]
    whole = load(export_bundle(Recipe("qwen", str(folder)), tmp_path / "whole").path)
    ours = load(imported(folder, tmp_path / "ours").path)
    assert list(ours.manifest.inputs) == ["input_ids", "attention_mask"]
    found, expected = ours.encode_documents(TEXTS), whole.encode_documents(TEXTS)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_graph_without_a_mask_runs_texts_of_one_length_together(tmp_path: Path) -> None:
    folder = tmp_path / "maskless"
    tiny_models.make_bert(folder)
    table = np.random.default_rng(0).normal(size=(2000, 8)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["token_embeddings"])],
        "table",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])],
        [
            helper.make_tensor_value_info(
                "token_embeddings", TensorProto.FLOAT, ["batch", "tokens", 8]
            )
        ],
        [numpy_helper.from_array(table, "table")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(made, str(folder / "model.onnx"))
    ours = load(imported(folder, tmp_path / "b", pooling="mean").path)
    assert not ours.manifest.knows_padding
    ids = ours.tokenize(["water and ice"], "document")[0].ids
    expected = table[ids].mean(axis=0)
    np.testing.assert_allclose(ours.encode_documents(["water and ice"])[0], expected, atol=1e-6)


def test_what_the_graph_cannot_run_is_cut_and_said(model: Path, tmp_path: Path) -> None:
    (model / "config.json").unlink()  # which says how many positions there are
    bundle = imported(model, tmp_path / "b", pooling="mean", max_tokens=500)
    assert bundle.manifest.max_tokens == tiny_models.POSITIONS
    encoded = load(bundle.path).encode_counted(["water " * 300], "document")
    assert encoded.stats.truncated_texts == 1
    said = (bundle.path / "parity.json").read_text()
    assert "max_tokens is 64: the graph cannot run 65 tokens" in said


def test_with_weights_it_is_said_how_near_the_graph_is(model: Path, tmp_path: Path) -> None:
    near = imported(model, tmp_path / "near", pooling="mean", weights=model).manifest
    assert near.proof.startswith("lowest cosine 1.000000 to PyTorch on ")
    other = Path(shutil.copytree(model, tmp_path / "other"))
    torch.manual_seed(4)
    AutoModel.from_config(AutoConfig.from_pretrained(other)).save_pretrained(other)
    far = imported(model, tmp_path / "far", pooling="mean", weights=other).manifest
    assert float(far.proof.split()[2]) < 0.9
    assert far.fingerprint == near.fingerprint
    foreign = tmp_path / "foreign"
    tiny_models.make_xlm_roberta(foreign)
    with pytest.raises(ExportError, match="foreign gives other token ids for"):
        imported(model, tmp_path / "none", pooling="mean", weights=foreign)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("traced", "says"),
    [
        ({"dynamic": (1,)}, r"input input_ids has the fixed shape \[2, 'tokens'\], its axis of"),
        ({"dynamic": (0,)}, r"fixed shape \['batch', 4\], its axis of tokens is 4; export"),
        ({"output": "elsewhere", "head": Texts, "opset": 14}, None),
    ],
)
def test_a_graph_of_fixed_shape_is_refused(
    traced: dict[str, Any], says: str | None, model: Path, tmp_path: Path
) -> None:
    exported(model, **traced)
    if says is None:  # the only output there is, whatever it is called
        assert imported(model, tmp_path / "b").manifest.of(Dense).dims == tiny_models.HIDDEN
        return
    assert re.search(says, refusal(model, tmp_path / "b"))


def test_a_graph_without_an_axis_of_the_batch_is_refused(model: Path, tmp_path: Path) -> None:
    def flatten(graph: Any) -> None:
        for each in graph.graph.input:
            del each.type.tensor_type.shape.dim[0]

    rewritten(model / "onnx/model.onnx", flatten)
    said = refusal(model, tmp_path / "b")
    assert "texts are fed as [batch, tokens], export the graph with these two axes" in said


@pytest.mark.parametrize("labels", [2, 3])
@pytest.mark.parametrize("output", ["logits", "sentence_embedding"])
def test_a_graph_that_tells_labels_apart_is_refused(
    tmp_path: Path, labels: int, output: str
) -> None:
    tiny_pairs.make_bert(tmp_path / "labels", labels=labels)
    exported(tmp_path / "labels", Logits, output, of=AutoModelForSequenceClassification)
    said = refusal(tmp_path / "labels", tmp_path / "b")
    assert f"tells {labels} labels apart; a cross-encoder has one label, the score" in said


def test_inputs_that_nobody_knows_are_refused_by_name(model: Path, tmp_path: Path) -> None:
    def add(name: str) -> Callable[[Any], None]:
        value = helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        return lambda graph: graph.graph.input.append(value)

    path = model / "onnx/model.onnx"
    kept = path.read_bytes()
    rewritten(path, add("pixel_values"))
    said = refusal(model, tmp_path / "b")
    assert "has an input pixel_values, and nobody knows what that is" in said
    path.write_bytes(kept)
    rewritten(path, add("past_key_values.0.key"))
    assert "is a decoder with a cache: its input past_key_values.0.key" in refusal(
        model, tmp_path / "b"
    )


def test_files_that_are_none_are_refused(model: Path, tmp_path: Path) -> None:
    path = model / "onnx/model.onnx"
    kept = path.read_bytes()
    path.write_bytes(kept[:1000])
    assert "model.onnx is no ONNX graph that can be read" in refusal(model, tmp_path / "b")
    path.write_bytes(kept)
    (model / "tokenizer.json").rename(model / "kept.json")
    assert "tokenizer.json is missing: a graph is fed with token ids" in refusal(
        model, tmp_path / "b"
    )
    (model / "tokenizer.json").write_text("{}")
    assert "tokenizer.json is not a tokenizer" in refusal(model, tmp_path / "b")
    (model / "kept.json").rename(model / "tokenizer.json")
    path.rename(model / "onnx/one.onnx")
    shutil.copy(model / "onnx/one.onnx", model / "onnx/two.onnx")
    said = refusal(model, tmp_path / "b")
    assert said.endswith("there are onnx/one.onnx, onnx/two.onnx: choose one with --file")
    assert imported(model, tmp_path / "b", pooling="mean", file="onnx/two.onnx").manifest.proof
    assert "neither a folder nor an ONNX file" in refusal(model / "nowhere", tmp_path / "c")


def weighed(model: Path, output: Path, **stated: Any) -> Encoder:
    """As ``densehook export`` makes it of the model's weights."""
    recipe = Recipe("weights", str(model), kind="sparse", max_terms=MAX_TERMS, **stated)
    return load(export_bundle(recipe, output).path)


def assert_same_weights(ours: Encoder, whole: Encoder) -> None:
    assert ours.manifest.part == whole.manifest.part
    assert ours.manifest.max_tokens == whole.manifest.max_tokens
    for role in ROLES:
        found = ours.encode_counted(TEXTS, role).vectors
        expected = whole.encode_counted(TEXTS, role).vectors
        assert min(map(len, expected)) > 0
        assert max(map(difference, found, expected, [MAX_TERMS] * len(TEXTS))) <= 1e-5


@pytest.mark.parametrize("activation", ["relu", "log1p_relu"])
def test_logits_become_the_weights_that_an_export_has(
    activation: str, weighing: Path, tmp_path: Path
) -> None:
    tiny_sparse.describe(weighing, "MLMTransformer", "SpladePooling", activation=activation)
    bundle = imported(weighing, tmp_path / "bundle", max_terms=MAX_TERMS)
    assert (bundle.manifest.kind, bundle.manifest.proof) == ("sparse", "none")
    assert bundle.manifest.of(Sparse).activation == activation
    assert bundle.manifest.max_tokens == tiny_sparse.STATED_TOKENS
    assert_same_weights(load(bundle.path), weighed(weighing, tmp_path / "whole"))
    with pytest.raises(RecipeError, match=f"the model folder says '{activation}'"):
        imported(weighing, tmp_path / "b", activation=({"relu", "log1p_relu"} - {activation}).pop())


def test_weights_of_whole_texts_are_only_cut_to_the_largest(weighing: Path, tmp_path: Path) -> None:
    exported(weighing, Pooled, "sentence_embedding", of=AutoModelForMaskedLM)
    bundle = imported(weighing, tmp_path / "bundle", max_terms=MAX_TERMS)
    assert bundle.manifest.kind == "sparse"
    assert_same_weights(load(bundle.path), weighed(weighing, tmp_path / "whole"))


def test_a_folders_table_weighs_the_tokens_of_queries(weighing: Path, tmp_path: Path) -> None:
    (weighing / "idf.json").write_text(json.dumps(tiny_sparse.idf_of(weighing)))
    bundle = imported(weighing, tmp_path / "bundle", max_terms=MAX_TERMS)
    assert bundle.manifest.of(Sparse).query == "idf"
    whole = weighed(weighing, tmp_path / "whole", idf="idf.json")
    assert_same_weights(load(bundle.path), whole)
    assert (bundle.path / "idf.json").read_text() == (tmp_path / "whole/idf.json").read_text()
    (weighing / "idf.json").rename(weighing / "table.json")
    named = imported(weighing, tmp_path / "named", max_terms=MAX_TERMS, idf="table.json")
    assert named.manifest.fingerprint == bundle.manifest.fingerprint
    plain = imported(weighing, tmp_path / "plain", max_terms=MAX_TERMS)
    assert plain.manifest.of(Sparse).query == "graph"


def test_a_quantised_graph_of_weights_is_recognised_by_its_table(
    weighing: Path, tmp_path: Path
) -> None:
    small = weighing / "onnx/model_quantized.onnx"
    quantize_dynamic(weighing / "onnx/model.onnx", small)
    tables = {each.name for each in onnx.load(str(small)).graph.initializer if len(each.dims) == 2}
    assert any("word_embeddings" in name and "quantized" in name for name in tables)
    bundle = imported(weighing, tmp_path / "b", file="onnx/model_quantized.onnx")
    assert (bundle.manifest.kind, bundle.manifest.precision) == ("sparse", "int8")
    assert bundle.manifest.batch_dependent


def test_with_weights_it_is_said_how_near_a_graph_of_weights_is(
    weighing: Path, tmp_path: Path
) -> None:
    def near(weights: Path) -> tuple[str, Any]:
        bundle = imported(weighing, tmp_path / "bundle", max_terms=4, weights=weights)
        return bundle.manifest.proof, json.loads((bundle.path / "parity.json").read_text())

    said, parity = near(weighing)
    assert re.fullmatch(r"largest difference of a weight 0\.00000\d to PyTorch on \d+ texts", said)
    assert parity["to_pytorch"]["largest_difference"] < 1e-5
    other = Path(shutil.copytree(weighing, tmp_path / "other"))
    torch.manual_seed(6)
    model = AutoModelForMaskedLM.from_config(AutoConfig.from_pretrained(other))
    model.save_pretrained(other)
    said, parity = near(other)
    assert float(said.split()[5]) > 0.1
    assert parity["to_pytorch"]["texts"] > 60
    foreign = tmp_path / "foreign"
    tiny_models.make_xlm_roberta(foreign)
    with pytest.raises(ExportError):
        near(foreign)


def test_graphs_of_weights_and_of_vectors_are_not_taken_for_each_other(
    weighing: Path, model: Path, tmp_path: Path
) -> None:
    said = refusal(weighing, tmp_path / "b", kind="dense")
    assert said.endswith("of which no encoder of kind dense can be made")
    assert "logits [batch, tokens, " in said
    said = refusal(model, tmp_path / "b", kind="sparse")
    assert "last_hidden_state [batch, tokens, 32], of which no encoder of kind sparse" in said
    told = Path(shutil.copytree(model, tmp_path / "told"))
    tiny_sparse.describe(told, "MLMTransformer", "SpladePooling")
    assert "of which no encoder of kind sparse can be made" in refusal(told, tmp_path / "b")
    with pytest.raises(RecipeError, match="pooling is for kind dense alone; leave it out"):
        imported(weighing, tmp_path / "b", pooling="mean")
    with pytest.raises(RecipeError, match="max_terms is for kind sparse alone, and this is dense"):
        imported(model, tmp_path / "b", pooling="mean", max_terms=4)
    config = json.loads((weighing / "config.json").read_text())
    (weighing / "config.json").write_text(
        json.dumps({**config, "architectures": ["LlamaForCausalLM"]})
    )
    with pytest.raises(ExportError, match=r"gives logits of the next token, as .*LlamaForCausalLM"):
        imported(weighing, tmp_path / "b")
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("dynamic", "says"),
    [((1,), "its axis of batch is 2"), ((0,), "its axis of tokens is 4")],
)
def test_a_graph_of_weights_of_fixed_shape_is_refused(
    dynamic: Sequence[int], says: str, weighing: Path, tmp_path: Path
) -> None:
    exported(weighing, Logits, "logits", of=AutoModelForMaskedLM, dynamic=dynamic)
    with pytest.raises(ExportError, match=says):
        imported(weighing, tmp_path / "b", kind="sparse")


@pytest.fixture(scope="module", params=list(tiny_models.LATE_INTERACTION))
def late(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny late-interaction model, and the graph of its transformer in onnx/."""
    folder = tmp_path_factory.mktemp("import") / "late"
    torch.manual_seed(7)
    tiny_models.LATE_INTERACTION[request.param](folder)
    exported(folder)
    return folder


@pytest.fixture(scope="module")
def whole_late(late: Path, tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """As ``densehook export`` makes it of the model's weights."""
    output = tmp_path_factory.mktemp("whole") / "bundle"
    return load(export_bundle(Recipe("late", str(late), kind="multi"), output).path)


@pytest.mark.parametrize(
    ("head", "name"),
    [(Tokens, "last_hidden_state"), (Projected, "contextual"), (Unit, "token_embeddings")],
)
def test_token_vectors_become_those_that_an_export_has(
    head: type[Tokens], name: str, late: Path, whole_late: Encoder, tmp_path: Path
) -> None:
    file = f"onnx/{name}.onnx"
    exported(late, head, name, name=file)
    ours = load(imported(late, tmp_path / "bundle", file=file).path)
    assert (ours.manifest.kind, ours.manifest.proof) == ("multi", "none")
    assert ours.manifest.part == whole_late.manifest.part
    assert ours.manifest.max_tokens == whole_late.manifest.max_tokens
    for role in ROLES:
        found = ours.encode_counted(TEXTS, role).vectors
        expected = whole_late.encode_counted(TEXTS, role).vectors
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


def test_with_weights_it_is_said_how_near_maxsim_is(late: Path, tmp_path: Path) -> None:
    def near(weights: Path) -> tuple[str, Any]:
        bundle = imported(late, tmp_path / "bundle", weights=weights, file="onnx/model.onnx")
        return bundle.manifest.proof, json.loads((bundle.path / "parity.json").read_text())

    said, parity = near(late)
    assert re.fullmatch(r"largest difference of a MaxSim 0\.0000\d\d to PyTorch on \d+ pairs", said)
    assert parity["to_pytorch"]["texts"] > 60
    other = Path(shutil.copytree(late, tmp_path / "other"))
    weights = load_file(other / "model.safetensors")
    random = {name: torch.randn_like(each) for name, each in weights.items() if each.ndim == 2}
    save_file({**weights, **random}, other / "model.safetensors", {"format": "pt"})
    said, parity = near(other)
    assert float(said.split()[5]) == pytest.approx(
        parity["to_pytorch"]["largest_difference"], abs=1e-6
    )
    assert parity["to_pytorch"]["largest_difference"] > 0.1
    foreign = tmp_path / "foreign"
    tiny_models.make_bert(foreign)
    with pytest.raises(RecipeError, match="foreign says nothing of late interaction"):
        near(foreign)


def _without_mask(graph: Any) -> None:
    (mask,) = [each for each in graph.graph.input if each.name == "attention_mask"]
    graph.graph.input.remove(mask)
    ones = [
        helper.make_node("Shape", ["input_ids"], ["shape"]),
        helper.make_node(
            "ConstantOfShape",
            ["shape"],
            ["attention_mask"],
            value=helper.make_tensor("one", TensorProto.INT64, [1], [1]),
        ),
    ]
    for place, node in enumerate(ones):
        graph.graph.node.insert(place, node)


def test_what_is_no_late_interaction_is_refused(model: Path, late: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="says nothing of late interaction: it has no artifact"):
        imported(model, tmp_path / "b", kind="multi")
    exported(model, Texts, "sentence_embedding")
    with pytest.raises(ExportError, match="of which no encoder of kind multi can be made"):
        imported(model, tmp_path / "b", kind="multi")
    files: dict[str, Any] = {"file": "onnx/model.onnx"}
    with pytest.raises(RecipeError, match="normalise is false, and vectors of the multi kind"):
        imported(late, tmp_path / "b", normalise=False, **files)
    with pytest.raises(RecipeError, match="pooling is of a kind that gives one vector for a"):
        imported(late, tmp_path / "b", pooling="mean", **files)
    with pytest.raises(RecipeError, match="max_tokens is 500, the model has positions for 64"):
        imported(late, tmp_path / "b", max_tokens=500, **files)
    for dynamic, says in (((1,), "its axis of batch is 2"), ((0,), "its axis of tokens is 4")):
        exported(late, name="onnx/fixed.onnx", dynamic=dynamic)
        with pytest.raises(ExportError, match=says):
            imported(late, tmp_path / "b", file="onnx/fixed.onnx")
    assert not (tmp_path / "b").exists()


def test_vectors_of_another_width_than_the_projections_are_refused(
    late: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(late, tmp_path / "late"))

    def cut(graph: Any) -> None:
        (given,) = graph.graph.output
        graph.graph.initializer.append(numpy_helper.from_array(np.array([0]), "from"))
        graph.graph.initializer.append(numpy_helper.from_array(np.array([24]), "to"))
        graph.graph.initializer.append(numpy_helper.from_array(np.array([2]), "axis"))
        graph.graph.node.append(
            helper.make_node("Slice", [given.name, "from", "to", "axis"], ["cut"])
        )
        graph.graph.output.remove(given)
        graph.graph.output.append(
            helper.make_tensor_value_info("cut", TensorProto.FLOAT, ["batch", "tokens", 24])
        )

    rewritten(folder / "onnx/model.onnx", cut)
    with pytest.raises(ExportError, match=r"linear.weight is \[16, 32\], it must be \[16, 24\]"):
        imported(folder, tmp_path / "b", file="onnx/model.onnx")


def test_a_graph_without_a_mask_cannot_leave_masks_unseen(tmp_path: Path) -> None:
    folder = tmp_path / "late"
    tiny_models.make_colbert(folder)
    rewritten(exported(folder), _without_mask)
    with pytest.raises(ExportError, match="has no input attention_mask, and the folder says that"):
        imported(folder, tmp_path / "b")


def test_a_graph_of_no_kind_is_refused_with_what_it_gives(model: Path, tmp_path: Path) -> None:
    exported(model, Texts, "probabilities")
    made = imported(model, tmp_path / "b", kind="dense")
    assert made.manifest.kind == "dense"
    assert "graphs of dense" in refusal(model, tmp_path / "c", kind="tree")
    rewritten(
        model / "onnx/model.onnx",
        lambda graph: graph.graph.output.append(
            helper.make_tensor_value_info(
                graph.graph.node[-1].input[0], TensorProto.FLOAT, ["batch", tiny_models.HIDDEN]
            )
        ),
    )
    said = refusal(model, tmp_path / "c")
    assert "probabilities [batch, 32]" in said and "of which no encoder can be made" in said


def test_the_command_says_what_it_made_and_that_nothing_proves_it(
    model: Path, tmp_path: Path
) -> None:
    arguments = ["import", str(model), "--output", str(tmp_path / "b"), "--pooling", "cls"]
    arguments += ["--normalise", "--query-prompt", "query: ", "--license", "mit"]
    done = CliRunner().invoke(app(["import"]), arguments)
    assert done.exit_code == 0, done.output
    assert f"b: tiny, {tiny_models.HIDDEN} dims, fp32, sha256:" in done.output
    assert "proof: none" in done.output
    encoder = load(tmp_path / "b")
    assert encoder.manifest.prompts["query"] == "query: "
    assert encoder.manifest.source.license == "mit"
    assert "proof: none" in repr(encoder)


def test_the_command_says_how_many_terms_it_keeps(weighing: Path, tmp_path: Path) -> None:
    (weighing / "table.json").write_text(json.dumps(tiny_sparse.idf_of(weighing)))
    arguments = ["import", str(weighing), "--output", str(tmp_path / "b"), "--max-terms", "8"]
    arguments += ["--activation", "log1p_relu", "--idf", "table.json"]
    done = CliRunner().invoke(app(["import"]), arguments)
    assert done.exit_code == 0, done.output
    assert "b: weights, 8 terms, fp32, sha256:" in done.output
    assert "of the weights' sum" in " ".join(done.output.split())
    assert "proof: none" in done.output
    part = load(tmp_path / "b").manifest.of(Sparse)
    assert (part.max_terms, part.activation, part.query) == (8, "log1p_relu", "idf")
