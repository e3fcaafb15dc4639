"""OpenVINO, in an environment of its own: it brings another onnxruntime than is tested here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from conftest import ROOT
from densehook.bundle import Bundle
from densehook.encode import Encoder
from densehook.export.texts import PASSAGES

PACKAGES = ("onnxruntime-openvino==1.24.1", "openvino==2026.4.1", "numpy", "tokenizers")

PROGRAM = """
import json, sys
import numpy as np
import densehook
bundle, vectors = sys.argv[1:]
encoder = densehook.load(bundle, provider="openvino")
np.save(vectors, encoder.encode_documents(json.load(sys.stdin)))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has OpenVINO."""
    folder = tmp_path_factory.mktemp("openvino") / "environment"
    uv = Path(sys.executable).with_name("uv")
    for arguments in (
        ("venv", "--python", sys.executable, folder),
        ("pip", "install", "--python", folder / "bin" / "python", *PACKAGES),
    ):
        subprocess.run([uv, *arguments, "--quiet"], check=True)
    return folder / "bin" / "python"


def encoded(python: Path, bundle: Bundle, texts: list[str], into: Path) -> str:
    """Writes the vectors; gives what went to stderr."""
    done = subprocess.run(
        [python, "-c", PROGRAM, bundle.path, into],
        input=json.dumps(texts),
        env={**os.environ, "PYTHONPATH": str(ROOT / "plugin")},
        capture_output=True,
        text=True,
    )
    return done.stderr


def test_vectors_are_the_cpus(
    python: Path, tiny_bundle: Bundle, tiny: Encoder, tmp_path: Path
) -> None:
    complaint = encoded(python, tiny_bundle, list(PASSAGES), tmp_path / "vectors.npy")
    assert (tmp_path / "vectors.npy").is_file(), complaint
    expected = tiny.encode_documents(PASSAGES)
    np.testing.assert_allclose(np.load(tmp_path / "vectors.npy"), expected, atol=1e-5)


def test_a_model_it_cannot_open_is_no_silent_fallback(
    python: Path, damaged: Bundle, tmp_path: Path
) -> None:
    damaged.model.write_bytes(b"no graph")
    complaint = encoded(python, damaged, ["water"], tmp_path / "vectors.npy")
    assert "BundleError" in complaint
    assert not (tmp_path / "vectors.npy").exists()
