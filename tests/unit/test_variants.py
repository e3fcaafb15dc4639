"""Variants on tiny models: what each step promises, and that the gate is really there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from onnxruntime import InferenceSession

import densehook
from densehook.bundle import PRECISION_BOUNDS, Bundle, Dense, read_bundle, write_golden
from densehook.encode import cosines, load
from densehook.errors import ExportError, GateError
from densehook.export.texts import AWKWARD, PASSAGES
from densehook.export.variants import VARIANTS, build_variant, calibrating
from densehook.export.variants.graphs import Range
from densehook.export.variants.quantising import (
    int4_blocks,
    int8_columns,
    quantise_statically,
    uint8_scale,
    widest,
)
from densehook.export.variants.reordering import reorder

TEXTS = [*PASSAGES, *AWKWARD]
ARCHITECTURES = ("bert", "xlm-roberta", "distilbert", "mpnet", "modernbert")
matrices = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 40), st.integers(1, 6)),
    elements=st.floats(-8, 8, width=32, allow_subnormal=False),
)


@pytest.fixture(scope="module")
def built(tiny_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Bundle]:
    folder = tmp_path_factory.mktemp("variants")

    def build(name: str) -> Bundle:
        if not (folder / name).is_dir():
            build_variant(tiny_bundle, name, folder / name, TEXTS)
        return read_bundle(folder / name)

    return build


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_is_a_bundle_near_the_plain_one(
    name: str, built: Callable[[str], Bundle], tiny_bundle: Bundle
) -> None:
    bundle = built(name)
    found = load(bundle.path).encode_documents(TEXTS)
    expected = load(tiny_bundle.path).encode_documents(TEXTS)
    assert cosines(found, expected).min() >= PRECISION_BOUNDS[VARIANTS[name].precision]
    assert bundle.manifest.precision == VARIANTS[name].precision
    assert bundle.manifest.variant == ("" if name == "fp32" else name)


def test_every_variant_has_a_fingerprint_of_its_own(
    built: Callable[[str], Bundle], tiny_bundle: Bundle
) -> None:
    fingerprints = {name: built(name).manifest.fingerprint for name in VARIANTS}
    assert len(set(fingerprints.values())) == len(VARIANTS)


@pytest.mark.parametrize("name", [name for name in VARIANTS if name != "int8-dynamic"])
def test_a_vector_is_the_same_in_any_company(name: str, built: Callable[[str], Bundle]) -> None:
    encoder = load(built(name).path)
    alone = np.vstack([encoder.encode_documents([text]) for text in TEXTS])
    assert np.abs(encoder.encode_documents(TEXTS) - alone).max() <= 1e-6
    assert not encoder.manifest.batch_dependent


def test_dynamic_quantisation_says_that_it_depends_on_the_batch(
    built: Callable[[str], Bundle],
) -> None:
    encoder = load(built("int8-dynamic").path)
    alone = np.vstack([encoder.encode_documents([text]) for text in TEXTS])
    assert np.abs(encoder.encode_documents(TEXTS) - alone).max() > 1e-5
    assert encoder.manifest.batch_dependent
    independent = replace(encoder.manifest, batch_dependent=False)
    assert independent.fingerprint != encoder.manifest.fingerprint


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", ["fp32-nopad", "int8-static-nopad", "int8-static"])
def test_every_architecture_has_variants(
    architecture: str, name: str, make_tiny_bundle: Callable[..., Bundle], tmp_path: Path
) -> None:
    plain = make_tiny_bundle(architecture)
    bundle = build_variant(plain, name, tmp_path / name, TEXTS)
    assert load(bundle.path).encode_documents(TEXTS).shape == (
        len(TEXTS),
        plain.manifest.of(Dense).dims,
    )


def test_fusing_finds_the_attention_of_bert(built: Callable[[str], Bundle]) -> None:
    kinds = [node.op_type for node in onnx.load(str(built("fp32-fused").model)).graph.node]
    assert kinds.count("MultiHeadAttention") == 2
    assert kinds.count("BiasGelu") == 2


def test_without_padding_only_ids_go_in(built: Callable[[str], Bundle]) -> None:
    assert list(built("fp32-nopad").manifest.inputs) == ["input_ids"]


@pytest.mark.parametrize("name", ["int8-dynamic", "int8-static", "int4"])
def test_no_float_matrix_product_with_many_weights_is_left(
    name: str, built: Callable[[str], Bundle]
) -> None:
    model = onnx.load(str(built(name).model))
    constants = {each.name: each for each in model.graph.initializer}
    floats = [n for n in model.graph.node if n.op_type == "MatMul" and n.input[1] in constants]
    # but for the widest channels, one of 48, that enter each of the two feed-forward outputs
    outliers = [list(constants[n.input[1]].dims) for n in floats]
    assert outliers == ([[1, 32]] * 2 if name == "int8-static" else [])
    # which were put first in the graph, so that they are copied out and not gathered one by one
    takers = [n.op_type for n in model.graph.node if n.output[0].endswith("_outliers")]
    assert [each for each in takers if each != "MatMul"] == ["Slice"] * len(outliers)


def test_seven_bits_where_eight_would_saturate(
    tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from densehook.export.variants import quantising

    largest = {}
    for saturates in (False, True):
        monkeypatch.setattr(quantising, "saturates_int8", lambda saturates=saturates: saturates)
        bundle = build_variant(tiny_bundle, "int8-static", tmp_path / str(saturates), TEXTS)
        model = onnx.load(str(bundle.model))
        weights = [
            onnx.numpy_helper.to_array(each)
            for each in model.graph.initializer
            if each.name.endswith("_int8")
        ]
        largest[saturates] = max(int(np.abs(each.astype(int)).max()) for each in weights)
    assert largest == {False: 127, True: 63}


def test_a_variant_too_far_from_the_plain_bundle_is_refused(
    tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PRECISION_BOUNDS, "int4", 1.1)
    with pytest.raises(GateError, match=r"int4 graph is not the plain bundle's equal: cosine 0\.9"):
        build_variant(tiny_bundle, "int4", tmp_path / "int4", TEXTS)
    assert not list(tmp_path.iterdir())


def test_a_variant_that_no_load_would_take_is_refused(damaged: Bundle, tmp_path: Path) -> None:
    first, *others = damaged.golden()
    wrong = replace(first, output=[-x for x in first.output])
    write_golden(damaged.path / "golden.json", [wrong, *others], damaged.manifest.part)
    for name in ("int4", "fp32"):
        with pytest.raises(GateError, match=r"fails the self-test: cosine -\d.* for (int4|fp32)"):
            build_variant(damaged, name, tmp_path / name, TEXTS)
        assert not (tmp_path / name).exists()


def test_variants_are_made_of_plain_bundles_only(
    built: Callable[[str], Bundle], tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match="is int4; variants are made of a plain fp32 bundle"):
        build_variant(built("int4"), "int8-static", tmp_path / "x", TEXTS)


def test_a_folder_that_is_no_bundle_is_not_replaced(tiny_bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").touch()
    with pytest.raises(ExportError, match=r"is there and holds no encoder\.json"):
        build_variant(tiny_bundle, "int4", tmp_path, TEXTS)
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.toml"]


def test_an_unknown_variant_is_named_with_those_known(tiny_bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no variant 'int3'; known are fp32, fp32-fused"):
        build_variant(tiny_bundle, "int3", tmp_path / "x", TEXTS)


def test_parity_says_what_a_variant_was_compared_with(
    built: Callable[[str], Bundle], tiny_bundle: Bundle
) -> None:
    parity = json.loads((built("int8-static").path / "parity.json").read_text())
    assert parity["compared_with"] == tiny_bundle.manifest.fingerprint
    assert 0.95 <= parity["lowest_cosine"] < 1
    assert parity["versions"] == {
        "densehook": densehook.__version__,
        "onnxruntime": onnxruntime.__version__,
    }


def test_a_variant_without_steps_is_the_plain_bundle_with_its_own_proof(
    built: Callable[[str], Bundle], tiny_bundle: Bundle
) -> None:
    copy = built("fp32").path
    assert {path.name for path in copy.iterdir()} == {"encoder.json", *tiny_bundle.manifest.files}
    for file in copy.iterdir():
        assert file.read_bytes() == (tiny_bundle.path / file.name).read_bytes()


@pytest.mark.parametrize("there", [129, 255, 496, 1000])
def test_calibration_draws_evenly_from_all_texts(there: int) -> None:
    drawn = [int(text) for text in calibrating([str(number) for number in range(there)])]
    assert len(drawn) == 128
    steps = np.diff([*drawn, there])
    assert (drawn[0], steps.min(), steps.max()) == (0, there // 128, -(-there // 128))


def test_calibration_takes_all_of_few_texts() -> None:
    for there in (0, 3, 128):
        texts = [str(number) for number in range(there)]
        assert calibrating(texts) == texts


@given(matrices)
def test_int8_columns_are_within_half_a_step(weights: np.ndarray) -> None:
    values, scales = int8_columns(weights, 127)
    assert np.abs(values * scales - weights).max() <= np.abs(scales).max() / 2 + 1e-6


@given(matrices)
def test_int4_blocks_unpack_to_within_a_step(weights: np.ndarray) -> None:
    k, n = weights.shape
    packed, scales = int4_blocks(weights)
    values = np.stack([packed & 15, packed >> 4], axis=-1).reshape(n, -1, 16).astype(float) - 8
    unpacked = (values * scales.reshape(n, -1, 1)).reshape(n, -1).T[:k]
    assert np.abs(unpacked - weights).max() <= np.abs(scales).max() + 1e-6


@given(st.floats(-50, 50), st.floats(0, 50))
def test_zero_is_exact_and_the_range_is_covered(low: float, width: float) -> None:
    channels = np.array([[low, low + width / 2], [low + width / 2, low + width]], dtype=np.float32)
    scale, zero = uint8_scale(Range(*channels))
    assert (0 - float(zero)) * scale <= min(low, 0) + scale
    assert (255 - float(zero)) * scale >= max(low + width, 0) - scale


def test_the_widest_channels_are_one_of_48_on_either_side_of_zero() -> None:
    low, high = -np.ones(96, dtype=np.float32), np.ones(96, dtype=np.float32)
    low[70], high[3], high[4] = -5, 4, 3
    assert widest(Range(low, high)) == [3, 70]
    assert widest(Range(low[:20], high[:20])) == [3]


def test_a_channel_far_wider_than_the_rest_costs_the_rest_nothing() -> None:
    weights = np.random.default_rng(0).normal(size=(96, 24)).astype(np.float32)
    values = np.random.default_rng(1).normal(size=(50, 96)).astype(np.float32)
    values[:, 7] *= 200
    shapes = {"x": [None, 96], "y": [None, 24]}
    ends = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    )
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])],
        "product",
        [next(ends)],
        [next(ends)],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=10
    )
    model = quantise_statically(model, lambda _, names: {"x": Range(values.min(0), values.max(0))})
    session = InferenceSession(model.SerializeToString())
    (found,) = session.run(None, {"x": values})
    of_the_rest = np.delete(values, 7, axis=1) @ np.delete(weights, 7, axis=0)
    # one step for all would be as wide as the rest's own numbers
    assert np.abs(found - values @ weights).mean() < 0.05 * np.abs(of_the_rest).mean()


def feed_forward(activation: str) -> onnx.ModelProto:
    """x [n, 8] -> 24 channels, with a bias, through an activation function -> y [n, 4]."""
    chance = np.random.default_rng(0)
    weights = {"up": (8, 24), "bias": (24,), "down": (24, 4)}
    nodes = [
        onnx.helper.make_node("MatMul", ["x", "up"], ["wide"]),
        onnx.helper.make_node("Add", ["bias", "wide"], ["moved"]),
        onnx.helper.make_node(activation, ["moved"], ["active"]),
        onnx.helper.make_node("MatMul", ["active", "down"], ["y"]),
    ]
    graph = onnx.helper.make_graph(
        nodes,
        "feed-forward",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [None, 8])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [None, 4])],
        [
            onnx.numpy_helper.from_array(chance.normal(size=shape).astype(np.float32), name)
            for name, shape in weights.items()
        ],
    )
    return onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=10
    )


def results(model: onnx.ModelProto) -> np.ndarray:
    x = np.random.default_rng(1).normal(size=(5, 8)).astype(np.float32)
    return InferenceSession(model.SerializeToString()).run(None, {"x": x})[0]


def test_channels_in_another_order_give_the_same() -> None:
    model = feed_forward("Gelu")
    before = results(model)
    order = np.random.default_rng(2).permutation(24)
    assert reorder(model, "active", order)
    names = [name for node in model.graph.node for name in node.input]
    assert not {"up", "bias", "down"} & set(names)
    np.testing.assert_allclose(results(model), before, atol=1e-5)


def test_channels_that_depend_on_each_other_keep_their_order() -> None:
    for model in (feed_forward("Softmax"), feed_forward("Gelu")):
        if model.graph.node[2].op_type == "Gelu":  # somebody else reads the value
            wide = onnx.helper.make_tensor_value_info("moved", onnx.TensorProto.FLOAT, [None, 24])
            model.graph.output.append(wide)
        before = model.SerializeToString()
        assert not reorder(model, "active", np.arange(24)[::-1])
        assert model.SerializeToString() == before
