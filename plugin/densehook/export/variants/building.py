"""From the plain bundle to a variant: change the graph, judge it, write it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx

from ...bundle import GOLDEN_IMAGES, IDF, IMAGE_MODEL, MANIFEST, Bundle, Manifest, read_bundle
from ...encode import Encoder, encoder_of
from ...encode.session import Session
from ...errors import ExportError
from ..finishing import Draft, finish, new_folder
from ..gate import gate_golden
from ..kinds import Parity
from ..variant_gates import variant_gate
from .graphs import Model, Range, read_model, write_model
from .registry import VARIANTS

_CALIBRATION_TEXTS = 128
_AS_THEY_ARE = ("tokenizer.json", IDF, IMAGE_MODEL, f"{IMAGE_MODEL}_data", GOLDEN_IMAGES)
"""Files of a bundle that its variants have too."""


def calibration_texts(texts: Sequence[str]) -> list[str]:
    """Some of the texts, evenly drawn from all of them."""
    drawn = min(len(texts), _CALIBRATION_TEXTS)
    return [texts[i * len(texts) // drawn] for i in range(drawn)]


def build_variant(origin: Bundle, name: str, output: Path, texts: Sequence[str]) -> Bundle:
    """Writes a variant of a plain fp32 bundle to ``output``, replacing a bundle that is there.

    ``texts`` are documents like those it will encode; static quantisation is calibrated on them.
    Raises BundleError for a bundle that reads no texts, ExportError for one that is not plain, a
    variant that is not known, or where something else stands at ``output``; GateError when the
    variant is further from the plain bundle, or from the golden vectors, than its precision allows.
    """
    if name not in VARIANTS:
        raise ExportError(f"no variant {name!r}; known are {', '.join(VARIANTS)}")
    if origin.manifest.precision != "fp32" or origin.manifest.variant:
        raise ExportError(
            f"{origin.path} is {origin.manifest.variant or origin.manifest.precision};"
            " variants are made of a plain fp32 bundle"
        )
    origin.manifest.require_texts("making a variant")
    with new_folder(output) as staging:
        if VARIANTS[name].steps:
            _write_variant(origin, name, staging, texts)
        else:
            _copy(origin, staging)
    return read_bundle(output)


def _copy(origin: Bundle, staging: Path) -> None:
    """The bundle as it is, with its own proof of being PyTorch's equal."""
    for file in (MANIFEST, *origin.manifest.files):
        shutil.copyfile(origin.path / file, staging / file)
    gate_golden(encoder_of(origin), origin)


def _write_variant(origin: Bundle, name: str, staging: Path, texts: Sequence[str]) -> None:
    plain = encoder_of(origin)
    model = read_model(origin.model)
    for step in VARIANTS[name].steps:
        model = step(model, lambda model, names: _ranges(model, names, plain, texts))
    write_model(model, staging / "model.onnx")
    for file in _AS_THEY_ARE:
        if file in origin.manifest.files:
            shutil.copyfile(origin.path / file, staging / file)
    manifest = replace(
        origin.manifest,
        precision=VARIANTS[name].precision,
        variant=name,
        batch_dependent=VARIANTS[name].batch_dependent,
        inputs=[each.name for each in model.graph.input],
    )
    golden = origin.golden()
    finish(
        Draft(
            staging,
            manifest,
            golden,
            lambda encoder: variant_gate(encoder.manifest)(encoder, plain, golden),
            _declared,
            evidence={"compared_with": origin.manifest.fingerprint},
            also_golden=origin.also_golden(),
        )
    )


def _declared(manifest: Manifest, parity: Parity) -> Manifest:
    """The manifest, which says where vectors depend on their batch."""
    dependent = manifest.batch_dependent or parity.batch_dependent
    return replace(manifest, batch_dependent=dependent)


def _ranges(
    model: Model, names: Sequence[str], plain: Encoder, texts: Sequence[str]
) -> Mapping[str, Range]:
    """Runs the graph on each text alone, so that no padding is seen."""
    watching = type(model)()
    watching.CopyFrom(model)
    del watching.graph.output[:]
    watching.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names
    )
    seen: dict[str, Range] = {}
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.onnx"
        write_model(watching, path)
        manifest = replace(plain.manifest, inputs=[each.name for each in model.graph.input])
        session = Session(path, manifest)
        for tokens in plain.sample_tokens(calibration_texts(texts)):
            ids = np.array([tokens.ids], dtype=np.int64)
            for name, value in zip(names, session.values(names, ids, tokens.types), strict=True):
                rows = value.reshape(-1, value.shape[-1])
                found = Range(rows.min(axis=0), rows.max(axis=0))
                before = seen.get(name, found)
                seen[name] = Range(
                    np.minimum(before.low, found.low), np.maximum(before.high, found.high)
                )
    return seen
