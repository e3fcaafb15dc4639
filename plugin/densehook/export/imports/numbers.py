"""Numbers: a graph of lists, with what it lacks between a bundle's inputs and a vector."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...bundle import (
    MANIFEST,
    Bundle,
    GoldenText,
    Manifest,
    Numbers,
    read_bundle,
    require_replaceable,
)
from ...bundle.kinds.dense import UNSTATED_POOLING
from ...bundle.manifest import ROLES
from ...encode import Encoder
from ...encode.session import Batch, Session, Vector
from ...errors import BundleError, EncodeError, ExportError, RecipeError
from ...number_lists import numbers_of_text
from ..finishing import Draft, finish, new_folder
from ..folder import FolderFacts, Settings, settle
from ..gate import compared_with
from ..kinds import Parity
from ..number_gate import compared_lists, in_roles
from ..number_lists import QUERIES, lengths_between, made_lists
from ..recipe import Recipe, require_of_kind, stated_of
from ..variants.graphs import Model, write_model
from . import dense
from .drafting import declared
from .files import Files
from .graph import Adapted, Graph, Probe, float_outputs, rename_all
from .lengths import longest_run
from .near import UNKNOWN
from .number_graph import MASK, STEPS_MASK, Axes, fronted

KIND = "numbers"
_OF_LISTS = ("sentence_embedding", "embedding", "embeddings", "pooler_output")
_OF_STEPS = ("last_hidden_state", "hidden_states")
_TRIED_STEPS = (16, 64, 256, 1024, 4096)
"""Lengths that are tried, until the graph runs one."""
_DEFAULT_STEPS = 4096
"""Where nothing says how many steps are read."""
_GOLDEN_NUMBERS = 16_384
"""In all lists of golden.json; more would make every load slow."""
_SAME = 1e-4
"""Numbers of one list's vector, beside padding and by itself, are as near."""


class _Fed:
    """A graph behind a bundle's inputs, at work on lists by their bits."""

    def __init__(self, folder: Path, model: Model, names: Sequence[str]) -> None:
        self.model = model
        self.inputs = [each.name for each in model.graph.input]
        self.names = names
        file = folder / "fed.onnx"
        write_model(model, file)
        self._session = Session(file, Probe(self.inputs, names[0], "fp32"))

    def run(self, bits: Sequence[int]) -> dict[str, Any]:
        """One list -> each output, [1, …]."""
        values = self._session.values(self.names, np.array([bits], dtype=np.int64))
        return dict(zip(self.names, values, strict=True))

    def padded(self, bits: Sequence[int]) -> dict[str, Any]:
        """The same beside as much padding, with the mask that tells it."""
        ids = np.array([[*bits, *[0] * len(bits)]], dtype=np.int64)
        mask = np.zeros_like(ids)
        mask[:, : len(bits)] = 1
        batch = Batch(ids, mask, mask[:, None], np.zeros_like(ids), mask)
        return dict(zip(self.names, self._session.run_each(batch, self.names), strict=True))


class GivenNumbers:
    """The vector that the graph as it came comes to, list by list, in plain arithmetic."""

    def __init__(self, fed: _Fed, adapted: Adapted, settings: Settings) -> None:
        self._fed = fed
        self._adapted = adapted
        self._settings = settings

    def __call__(self, text: str) -> Vector:
        """Float32 [dims]."""
        bits = numbers_of_text(text).bits[: self._settings.max_tokens]
        value = self._fed.run(bits)[self._adapted.source][0]
        return dense.expected(self._settings, self._adapted, value)


def import_numbers(
    files: Files,
    model: Model,
    axes: Axes,
    recipe: Recipe,
    output: Path,
    progress: Callable[[str], None] = lambda step: None,
) -> Bundle:
    """Makes a bundle of a graph of numbers; else as ``import_bundle``."""
    require_replaceable(output, MANIFEST)
    _require_keys(recipe)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        fed, least = _tried(files.model, folder, model, axes)
        shapes = {name: value.shape for name, value in fed.run(_zeros(least, axes)).items()}
        graph = Graph(files.model, fed.model, fed.inputs, shapes)
        source = _output_of(graph, recipe)
        of_steps = len(shapes[source]) == 3
        settings = _settled(recipe, fed, axes, least, of_steps=of_steps)
        fed, remark = _masked(folder, model, axes, fed, source, settings, least)
        remarks = [each for each in (axes.remark, remark) if each]
        settings = replace(settings, remarks=[*settings.remarks, *remarks])
        graph = replace(graph, model=fed.model, inputs=fed.inputs)
        adapted = _adapted(graph, source, settings)
        expected = GivenNumbers(fed, adapted, settings)
        with new_folder(output) as staging:
            progress("Writing the graph")
            write_model(adapted.model, staging / "model.onnx")
            dims = len(expected(made_lists(axes.channels, [least], 1)[0]))
            manifest = _manifest(recipe, graph, adapted, settings, axes, dims)
            progress("Comparing with the graph as it came")
            finish(number_draft(staging, manifest, expected, least, "the given graph's", settings))
    return read_bundle(output)


def number_draft(
    staging: Path,
    manifest: Manifest,
    expected: Callable[[str], Vector],
    least: int,
    whose: str,
    settings: Settings,
) -> Draft:
    """A folder with its graph, to be compared with what lists of ``least`` steps and more are."""
    part = manifest.of(Numbers)
    lists = compared_lists(part, manifest.max_tokens, least)

    def gate(encoder: Encoder) -> Parity:
        rows = np.stack([expected(text) for text in lists])
        return compared_with(encoder, in_roles(lists, QUERIES), rows, whose)

    return Draft(
        staging,
        manifest,
        _golden(manifest, expected, least),
        gate,
        declared,
        evidence={"remarks": list(settings.remarks)} if settings.remarks else {},
    )


def _golden(manifest: Manifest, expected: Callable[[str], Vector], least: int) -> list[GoldenText]:
    """Lists of both roles, of several lengths, and where they are not fixed one that is cut."""
    part, most = manifest.of(Numbers), manifest.max_tokens
    lengths = lengths_between(least, most // part.channels, part.channels)
    longest = max(lengths) * part.channels
    texts = made_lists(part.channels, lengths, max(2, min(8, _GOLDEN_NUMBERS // longest)), seed=2)
    if not part.fixed_length and most < _GOLDEN_NUMBERS:
        texts += made_lists(part.channels, [most // part.channels + 1], 1, seed=3)
    return [
        GoldenText(role, text, numbers_of_text(text).bits[:most], expected(text))
        for role, text in in_roles(texts, 1)
    ]


def _require_keys(recipe: Recipe) -> None:
    require_of_kind(recipe, KIND)
    if stated := stated_of(recipe, ("prompts",)):
        raise RecipeError(
            f"recipe {recipe.name}: {', '.join(stated)} are for texts, and the graph is of numbers;"
            " leave them out"
        )


def _zeros(steps: int, axes: Axes) -> list[int]:
    return [0] * (steps * axes.channels)


def _tried(path: Path, folder: Path, model: Model, axes: Axes) -> tuple[_Fed, int]:
    """The graph behind ``numbers`` alone, and the first length that it runs."""
    names = float_outputs(path, model)
    reason = ""
    try:
        fed = _Fed(folder, fronted(model, axes, masked=False), names)
    except (BundleError, EncodeError) as error:
        raise ExportError(f"{path} cannot be run: {str(error).partition(': ')[2]}") from error
    for steps in (axes.steps,) if axes.steps else _TRIED_STEPS:
        try:
            fed.run(_zeros(steps, axes))
        except Exception as error:  # onnxruntime's own errors share no root but this
            reason = str(error).strip().partition("\n")[0]
        else:
            return fed, steps
    tried = axes.steps or f"{_TRIED_STEPS[0]} to {_TRIED_STEPS[-1]}"
    raise ExportError(f"{path} cannot run a list of {tried} steps: {reason}")


def _output_of(graph: Graph, recipe: Recipe) -> str:
    """One vector a list where the graph gives it, unless a pooling of those of steps is asked."""
    lists = [name for name, shape in graph.outputs.items() if len(shape) == 2 and shape[1] > 1]
    steps = [name for name, shape in graph.outputs.items() if len(shape) == 3]
    known = [(_OF_LISTS, lists), (_OF_STEPS, steps)]
    for usual, those in reversed(known) if recipe.pooling else known:
        for name in usual:
            if name in those:
                return name
    for _, those in reversed(known) if recipe.pooling else known:
        if len(those) == 1:
            return those[0]
    shapes = ", ".join(f"{name} {list(shape)}" for name, shape in graph.outputs.items())
    raise graph.refused(
        f"gives {shapes} for a list, of which no one vector can be made; export it with one output"
    )


def _settled(recipe: Recipe, fed: _Fed, axes: Axes, least: int, *, of_steps: bool) -> Settings:
    if not of_steps and recipe.pooling is None:
        recipe = replace(recipe, pooling=UNSTATED_POOLING)
    if not of_steps and recipe.pooling != UNSTATED_POOLING:
        raise RecipeError(
            f"recipe {recipe.name}: pooling is {recipe.pooling!r}, and the graph gives one vector a"
            " list; leave it out"
        )
    channels = axes.channels
    if axes.steps is not None:
        most = axes.steps * channels
        if recipe.max_tokens not in (None, most):
            raise RecipeError(
                f"max_tokens is {recipe.max_tokens}, and the graph reads lists of {axes.steps}"
                f" steps alone, {most} numbers; leave it out"
            )
        return settle(replace(recipe, max_tokens=None), FolderFacts(), most, None)
    wanted = recipe.max_tokens or _DEFAULT_STEPS * channels
    if wanted % channels or wanted < least * channels:
        raise RecipeError(
            f"max_tokens is {wanted}; it must be the numbers of whole steps of {channels} channels,"
            f" {least} steps at least"
        )
    steps = longest_run(lambda tried: fed.run(_zeros(tried, axes)), wanted // channels)
    settings = settle(replace(recipe, max_tokens=None), FolderFacts(), steps * channels, None)
    if steps * channels == wanted:
        return settings
    remark = f"max_tokens is {steps * channels}: the graph cannot run {steps + 1} steps"
    return replace(settings, remarks=[*settings.remarks, remark])


def _masked(
    folder: Path,
    model: Model,
    axes: Axes,
    plain: _Fed,
    source: str,
    settings: Settings,
    least: int,
) -> tuple[_Fed, str]:
    """The graph with its mask as an input, where it tells padding by that; and what to say else.

    A list's vectors are then the same beside padding. The mask may be 1 for steps, or for padding.
    """
    if axes.steps is not None or axes.mask is None:
        return plain, ""
    bits = numbers_of_text(made_lists(axes.channels, [least], 1)[0]).bits
    for inverted in (False, True):
        fed = _Fed(folder, fronted(model, axes, masked=True, inverted=inverted), plain.names)
        alone, padded = fed.run(bits)[source], fed.padded(bits)[source]
        if alone.ndim == 3 and padded.shape[1] == 2 * least == 2 * alone.shape[1]:
            padded = padded[:, :least]  # one for each step: those of padding are not pooled
        if alone.shape == padded.shape and np.allclose(alone, padded, atol=_SAME):
            return fed, ""
    return plain, (
        f"the graph does not tell padding by {axes.mask.name}: lists of unlike lengths run apart"
    )


def _adapted(graph: Graph, source: str, settings: Settings) -> Adapted:
    """The graph with pooling, cut and normalisation, where it lacks them."""
    from ..graph import OUTPUT
    from .heads import attach, head_of

    shape = graph.outputs[source]
    model = type(graph.model)()
    model.CopyFrom(graph.model)
    head = head_of(settings, graph, shape)
    rename_all(head.graph, lambda name: STEPS_MASK if name == MASK else name)
    attach(model, head, source)
    adapted = Adapted(model, graph.inputs, OUTPUT, source)
    dims = len(dense.expected(settings, adapted, np.ones(shape)[0]))
    model.graph.output[0].type.tensor_type.shape.dim[-1].dim_value = dims
    return adapted


def _manifest(
    recipe: Recipe, graph: Graph, adapted: Adapted, settings: Settings, axes: Axes, dims: int
) -> Manifest:
    return Manifest(
        name=recipe.name,
        kind=KIND,
        precision=graph.precision,
        batch_dependent=graph.is_batch_dependent,
        proof=UNKNOWN.proof,
        part=Numbers(
            dims=dims,
            similarity=settings.similarity,
            pooling=settings.pooling,
            normalise=settings.normalise,
            channels=axes.channels,
            fixed_length=axes.steps is not None,
        ),
        max_tokens=settings.max_tokens,
        pad_id=0,
        prompts=dict.fromkeys(ROLES, ""),
        joiner=recipe.joiner,
        inputs=adapted.inputs,
        output=adapted.output,
        source=recipe.origin,
        files={},
    )
