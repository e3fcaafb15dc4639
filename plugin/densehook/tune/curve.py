"""How much of an encoder is needed: quality and speed with fewer layers and fewer dimensions."""

from __future__ import annotations

import datetime
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from ..bundle import Dense
from ..collections import Collection, Sample, sample
from ..encode import Encoder, Vectors
from ..errors import RecipeError
from ..export import Recipe, export_bundle, model_size
from ..machine import machine_name
from .quality import MEASURE, Progress, encode_sample, ndcg, require_measure

_MOST_LAYERS = 6  # tried by default, evenly spaced
_LEAST_DIMS = 1 / 16


@dataclass(frozen=True)
class Point:
    """The encoder cut to so many layers and dimensions; ``texts_per_second`` in bulk, in fp32."""

    layers: int
    dims: int
    quality: float
    texts_per_second: float


@dataclass(frozen=True)
class Curve:
    """What was measured; the last point is the whole encoder."""

    name: str
    points: Sequence[Point]
    collection: str
    documents: int
    queries: int
    measure: str
    machine: str
    date: str

    def dumps(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), indent=2)


def measure_curve(
    recipe: Recipe,
    collection: Collection,
    *,
    layers: Sequence[int] = (),
    dims: Sequence[int] = (),
    documents: int = 10_000,
    progress: Progress = lambda label, done, total: None,
) -> Curve:
    """nDCG@10 of exact search with each number of layers and dimensions, and with all of both.

    Each number of layers is exported, through the gate; a vector is cut as the ``dims`` of a recipe
    cuts it. By default about six numbers of layers, and the powers of two down to a sixteenth of
    the dimensions (Kusupati et al. 2022, Matryoshka Representation Learning; Li et al. 2024, 2D
    Matryoshka; Zhuang et al. 2024, Starbucks).

    Raises RecipeError for more layers or dimensions than there are, and as export_bundle does;
    CollectionError, EvaluationError, JavaNotFound, MissingExtra.
    """
    whole = model_size(recipe)
    tried_layers = _tried("layers", layers or some_layers(whole.layers), whole.layers)
    tried_dims = _tried("dims", dims or some_dims(whole.dims), whole.dims)
    require_measure()
    measured_on = sample(collection, recipe.joiner, documents)
    points: list[Point] = []
    for kept in tried_layers:
        label = f"{kept} of {whole.layers} layers"
        cut = replace(recipe, layers=kept, dims=None)
        points += _points(cut, kept, tried_dims, measured_on, partial(progress, label))
    return Curve(
        name=recipe.name,
        points=points,
        collection=measured_on.name,
        documents=len(measured_on.documents),
        queries=len(measured_on.queries),
        measure=MEASURE,
        machine=machine_name(),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )


def _points(
    recipe: Recipe,
    layers: int,
    dims: Sequence[int],
    measured_on: Sample,
    progress: Callable[[int, int], None],
) -> list[Point]:
    total = len(measured_on.documents)
    progress(0, total)
    with tempfile.TemporaryDirectory() as scratch:
        encoder = Encoder(export_bundle(recipe, Path(scratch) / "bundle"))
        started = time.perf_counter()
        texts, queries = encode_sample(encoder, measured_on, lambda done: progress(done, total))
        speed = round(total / (time.perf_counter() - started), 2)
    dense = encoder.manifest.of(Dense)
    points = []
    for kept in dims:
        found, asked = (truncated(each, kept, dense.normalise) for each in (texts, queries))
        quality = ndcg(measured_on, found, asked, dense.similarity)
        points.append(Point(layers, kept, quality, speed))
    return points


def truncated(vectors: Vectors, dims: int, normalise: bool) -> Vectors:
    """float32 [n, all] -> float32 [n, dims], of length 1 where the encoder's are."""
    cut = vectors[:, :dims]
    if normalise:
        cut = cut / np.linalg.norm(cut, axis=1, keepdims=True)
    return np.asarray(cut, dtype=np.float32)


def some_layers(layers: int) -> list[int]:
    """At most six numbers of layers, evenly spaced, all of them the last."""
    step = -(-layers // _MOST_LAYERS)
    return sorted(range(layers, 0, -step))


def some_dims(dims: int) -> list[int]:
    """The powers of two from a sixteenth of the dimensions on, and all of them."""
    powers = (2**exponent for exponent in range(dims.bit_length()))
    return [*(power for power in powers if dims * _LEAST_DIMS <= power < dims), dims]


def _tried(key: str, wanted: Sequence[int], there: int) -> list[int]:
    for value in wanted:
        if not 1 <= value <= there:
            raise RecipeError(f"{key} {value} cannot be tried, the model has {there}")
    return sorted({*wanted, there})
