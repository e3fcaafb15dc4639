"""Centring and whitening, learned from vectors and put behind a bundle's graph as one matrix.

Texts of one kind have vectors in one corner of the space; with their mean taken away, and every
direction made as wide as the others, what sets them apart counts. Su et al. 2021, "Whitening
Sentence Representations for Better Semantics and Faster Retrieval"; Mu and Viswanath 2018,
"All-but-the-Top", for the mean alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..bundle import Bundle, Dense, ImageText, read_bundle
from ..encode import Encoder, Vectors
from ..errors import ExportError
from .finishing import Draft, finish, new_folder

_NARROWEST = 1e-7
"""Of the widest direction's variance; what varies less is rounding, not to be blown up."""
_LEAST_NORM = 1e-12  # torch.nn.functional.normalize's


@dataclass(frozen=True)
class Transform:
    """x -> (x - mean) matrix, then normalised where the encoder is.

    ``mean`` is float64 [dims], ``matrix`` float64 [dims, kept].
    """

    mean: NDArray[np.float64]
    matrix: NDArray[np.float64]
    normalise: bool

    def __call__(self, vectors: Vectors) -> Vectors:
        """float32 [n, dims] -> float32 [n, kept]; worked out in float64."""
        moved = (vectors.astype(np.float64) - self.mean) @ self.matrix
        if self.normalise:
            moved /= np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), _LEAST_NORM)
        return np.asarray(moved, dtype=np.float32)


def learn_centring(vectors: Vectors, normalise: bool, dims: int | None = None) -> Transform:
    """Takes the mean of float32 [n, dims] away, and keeps the first ``dims`` numbers."""
    kept = _kept(vectors, dims)
    return Transform(
        vectors.mean(axis=0, dtype=np.float64), np.eye(vectors.shape[1], kept), normalise
    )


def learn_whitening(vectors: Vectors, normalise: bool, dims: int | None = None) -> Transform:
    """Makes float32 [n, dims] have mean 0 and the identity as covariance.

    Of the directions, ordered by variance, the ``dims`` widest are kept. Raises ExportError when
    the vectors span fewer.
    """
    kept = _kept(vectors, dims)
    exact = vectors.astype(np.float64)
    mean = exact.mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov(exact - mean, rowvar=False, bias=True))
    variances, directions = variances[::-1], directions[:, ::-1]
    spanned = int((variances > variances[0] * _NARROWEST).sum()) if variances[0] > 0 else 0
    if spanned < kept:
        raise ExportError(
            f"the vectors of {len(vectors)} texts span {spanned} directions, {kept} are to be kept;"
            f" give more texts or keep fewer dimensions"
        )
    # a direction's sign is eigh's whim; the same texts shall give the same matrix anywhere
    signs = np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(len(mean))])
    matrix = (directions * signs)[:, :kept] / np.sqrt(variances[:kept])
    return Transform(mean, matrix, normalise)


def write_transformed(
    origin: Bundle, output: Path, name: str, transform: Transform, evidence: Mapping[str, Any]
) -> Bundle:
    """Writes a plain bundle with the transform behind its graph, replacing a bundle at ``output``.

    Its golden vectors are PyTorch's, transformed by numpy; ``evidence`` is kept in parity.json.
    Raises GateError when the graph does not give what numpy gives, ExportError where something
    else than a bundle stands at ``output``.
    """
    from .gate import gate_transformed
    from .variants.graphs import read_model, write_model

    if isinstance(origin.manifest.part, ImageText):
        raise ExportError(
            f"{origin.path} gives vectors of texts and images by two graphs; only an encoder of one"
            " can be whitened"
        )
    plain = Encoder(origin)
    part = replace(origin.manifest.of(Dense), dims=transform.matrix.shape[1])
    golden = origin.golden()
    vectors = transform(np.array([each.output for each in golden], dtype=np.float32))
    with new_folder(output) as staging:
        model = read_model(origin.model)
        append_transform(model, transform, origin.manifest.output)
        write_model(model, staging / "model.onnx")
        shutil.copyfile(origin.tokenizer, staging / "tokenizer.json")
        draft = Draft(
            staging,
            replace(origin.manifest, name=name, part=part),
            [replace(each, output=vector) for each, vector in zip(golden, vectors, strict=True)],
            lambda encoder: gate_transformed(encoder, plain, golden, transform),
            evidence={
                "compared_with": origin.manifest.fingerprint,
                "transform": dict(evidence),
            },
            also_golden=origin.also_golden(),
        )
        finish(draft)
    return read_bundle(output)


def append_transform(model: Any, transform: Transform, output: str) -> None:
    """Puts one matrix product, and the norm, between a graph's vectors and its output."""
    from onnx import helper

    from .variants.graphs import add_constant

    plain, moved = f"{output}_plain", f"{output}_moved"
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = [plain if each == output else each for each in names]
    matrix = add_constant(model, "transform_matrix", transform.matrix.astype(np.float32))
    offset = (-transform.mean @ transform.matrix).astype(np.float32)
    inputs = [plain, matrix, add_constant(model, "transform_offset", offset)]
    if transform.normalise:
        axes = add_constant(model, "transform_axes", np.array([-1], dtype=np.int64))
        least = add_constant(model, "transform_least", np.array(_LEAST_NORM, dtype=np.float32))
        norm, bounded = f"{output}_norm", f"{output}_norm_bounded"
        model.graph.node.extend(
            [
                helper.make_node("Gemm", inputs, [moved]),
                helper.make_node("ReduceL2", [moved, axes], [norm], keepdims=1),
                helper.make_node("Max", [norm, least], [bounded]),
                helper.make_node("Div", [moved, bounded], [output]),
            ]
        )
    else:
        model.graph.node.append(helper.make_node("Gemm", inputs, [output]))
    shape = model.graph.output[0].type.tensor_type.shape
    shape.dim[-1].dim_value = transform.matrix.shape[1]


def _kept(vectors: Vectors, dims: int | None) -> int:
    there = vectors.shape[1]
    if dims is not None and not 1 <= dims <= there:
        raise ExportError(f"{dims} dimensions cannot be kept, the encoder has {there}")
    return dims or there
