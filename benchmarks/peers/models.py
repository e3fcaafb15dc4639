"""The model in the shapes that libraries want it in: PyTorch, token-level ONNX, our variants."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optimum.exporters.onnx import main_export

from densehook.bundle import Bundle, Tuning, read_bundle, read_tuning
from densehook.collections import open_collection
from densehook.encode.versions import versions
from densehook.errors import BundleError
from densehook.export import read_recipe
from densehook.export.sources import model_folder
from densehook.machine import machine_name
from densehook.tune import plain_bundle, tune_bundle

from ..report import out, require_scifact
from ..setting import MODELS, minilm

_BUILD = Path(__file__).parent.parent.parent / "build" / "benchmarks"
_TUNING_DOCUMENTS = 1000


def torch_folder() -> Path:
    """The folder as it is on the Hugging Face hub."""
    return model_folder(read_recipe(MODELS / "all-minilm-l6-v2.toml"))


def onnx_folder(max_tokens: int) -> Path:
    """The same, as optimum exports it; texts are cut where the bundle cuts them."""
    folder = _BUILD / "all-minilm-l6-v2-onnx"
    source = torch_folder()
    if not (folder / "model.onnx").is_file():
        out.print("Exporting a token-level ONNX model for the peers")
        shutil.rmtree(folder, ignore_errors=True)
        main_export(
            str(source),
            output=folder,
            task="feature-extraction",
            library_name="transformers",
            do_validation=False,
        )
    shutil.copytree(source / "1_Pooling", folder / "1_Pooling", dirs_exist_ok=True)
    # fastembed takes the lesser of the two
    _set(folder / "tokenizer_config.json", model_max_length=max_tokens, max_length=max_tokens)
    # infinity cuts by the model's positions
    _set(folder / "config.json", max_position_embeddings=max_tokens)
    return folder


def _set(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}, indent=2))


def tuned_bundle() -> tuple[Bundle, Tuning]:
    """The bundle tuned on this machine: the project's own where it is, else one made for this."""
    plain = minilm()
    for path in (MODELS / plain.manifest.name, _BUILD / plain.manifest.name):
        tuning = _tuning_of(path, plain)
        if tuning:
            return read_bundle(path), tuning
    out.print("Tuning the encoder on SciFact")
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(plain.path, path)
    tuning = tune_bundle(path, open_collection(require_scifact()), documents=_TUNING_DOCUMENTS)
    return read_bundle(path), tuning


def _tuning_of(path: Path, plain: Bundle) -> Tuning | None:
    try:
        tuning = read_tuning(path)
        same = plain_bundle(path).manifest.fingerprint == plain.manifest.fingerprint
    except BundleError:
        return None
    if tuning is None or not same:
        return None
    here = (machine_name(), versions())
    return tuning if (tuning.machine, tuning.versions) == here else None


def settings_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """How `tune` found that a variant runs best."""
    return {name: row["setting"][name] for name in ("tokens_per_run", "concurrent_runs")}
