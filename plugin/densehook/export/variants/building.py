"""From the plain bundle to a variant: change the graph, judge it, write it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx

from ...bundle import GOLDEN_IMAGES, IDF, IMAGE_MODEL, MANIFEST, Bundle, Manifest, read_bundle
from ...encode import Encoder, encoder_of
from ...encode.session import ImageSession, Session, Vectors
from ...errors import ExportError
from ...images import pixels_of
from ...machine import usable_cpus
from ..finishing import Draft, finish, new_folder
from ..gate import gate_golden, gate_golden_images
from ..kinds import Parity
from ..variant_gates import variant_gate
from .graphs import Model, Range, Step, read_model, write_model
from .registry import VARIANTS

_CALIBRATED_ON = 128
_AS_THEY_ARE = ("tokenizer.json", IDF, GOLDEN_IMAGES)
"""Files of a bundle that its variants have too."""

Watch = Callable[[Path, Model, Sequence[str]], Iterable[Sequence[Vectors]]]
"""Runs a graph, that lies there too, time by time; gives its named values, each [..., channels]."""


def calibrating(texts: Sequence[str]) -> list[str]:
    """Some of the texts, or images, evenly drawn from all of them."""
    drawn = min(len(texts), _CALIBRATED_ON)
    return [texts[i * len(texts) // drawn] for i in range(drawn)]


def build_variant(
    origin: Bundle, name: str, output: Path, texts: Sequence[str], images: Sequence[str] = ()
) -> Bundle:
    """Writes a variant of a plain fp32 bundle to ``output``, replacing a bundle that is there.

    ``texts`` are documents like those it will encode, and ``images`` those of an encoder that reads
    some; static quantisation is calibrated on them, without images on the bundle's own. Raises
    ExportError for a bundle that is not plain, a variant that is not known, or where something else
    stands at ``output``; GateError when the variant is further from the plain bundle, or from the
    golden vectors, than its precision allows, or cannot be made of it.
    """
    if name not in VARIANTS:
        raise ExportError(f"no variant {name!r}; known are {', '.join(VARIANTS)}")
    if origin.manifest.precision != "fp32" or origin.manifest.variant:
        raise ExportError(
            f"{origin.path} is {origin.manifest.variant or origin.manifest.precision};"
            " variants are made of a plain fp32 bundle"
        )
    with new_folder(output) as staging:
        if VARIANTS[name].steps:
            _write_variant(origin, name, staging, texts, images)
        else:
            _copy(origin, staging)
    return read_bundle(output)


def _copy(origin: Bundle, staging: Path) -> None:
    """The bundle as it is, with its own proof of being PyTorch's equal."""
    for file in (MANIFEST, *origin.manifest.files):
        shutil.copyfile(origin.path / file, staging / file)
    encoder = encoder_of(origin)
    gate_golden(encoder, origin)
    gate_golden_images(encoder, origin)


def _write_variant(
    origin: Bundle, name: str, staging: Path, texts: Sequence[str], images: Sequence[str]
) -> None:
    plain = encoder_of(origin)
    variant = VARIANTS[name]
    model = _changed(origin.model, variant.steps, _of_texts(plain, texts))
    write_model(model, staging / "model.onnx")
    if IMAGE_MODEL in origin.manifest.files:
        seen = images or [each.image for each in origin.golden_images()]
        of_images = _changed(origin.image_model, variant.image_steps, _of_images(seen))
        write_model(of_images, staging / IMAGE_MODEL)
    for file in _AS_THEY_ARE:
        if file in origin.manifest.files:
            shutil.copyfile(origin.path / file, staging / file)
    manifest = replace(
        origin.manifest,
        precision=variant.precision,
        variant=name,
        batch_dependent=variant.batch_dependent,
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


def _changed(graph: Path, steps: Sequence[Step], watch: Watch) -> Model:
    """The graph after all of the steps."""
    model = read_model(graph)
    for step in steps:
        model = step(model, lambda model, names: _ranges(model, names, watch))
    return model


def _ranges(model: Model, names: Sequence[str], watch: Watch) -> Mapping[str, Range]:
    """Of each named value the lowest and the highest numbers that a graph had for it."""
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
        for values in watch(path, model, names):
            for name, value in zip(names, values, strict=True):
                rows = value.reshape(-1, value.shape[-1])
                found = Range(rows.min(axis=0), rows.max(axis=0))
                before = seen.get(name, found)
                seen[name] = Range(
                    np.minimum(before.low, found.low), np.maximum(before.high, found.high)
                )
    return seen


def _of_texts(plain: Encoder, texts: Sequence[str]) -> Watch:
    """Runs a graph on each text alone, so that no padding is seen."""

    def watch(path: Path, model: Model, names: Sequence[str]) -> Iterator[Sequence[Vectors]]:
        manifest = replace(plain.manifest, inputs=[each.name for each in model.graph.input])
        session = Session(path, manifest)
        for tokens in plain.sample_tokens(calibrating(texts)):
            ids = np.array([tokens.ids], dtype=np.int64)
            yield session.values(names, ids, tokens.types)

    return watch


def _of_images(images: Sequence[str]) -> Watch:
    """Runs a graph on each image."""

    def watch(path: Path, model: Model, names: Sequence[str]) -> Iterator[Sequence[Vectors]]:
        session = ImageSession(path, usable_cpus())
        for image in calibrating(images):
            yield session.run_each(pixels_of(image), names)

    return watch
