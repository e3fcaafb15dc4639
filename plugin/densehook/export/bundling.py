"""From recipe to bundle: read, trace, prove, write."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..bundle import (
    MANIFEST,
    Bundle,
    GoldenText,
    Manifest,
    Role,
    Source,
    read_bundle,
    replacing,
    require_replaceable,
    write_golden,
    write_manifest,
)
from ..encode import Encoder
from ..encode.versions import versions
from ..errors import ExportError, RecipeError
from .folder import Settings, read_folder, settle
from .modules import vector_width
from .recipe import Recipe
from .sources import model_folder
from .texts import GOLDEN, long_text

if TYPE_CHECKING:
    from .reference import Reference

Progress = Callable[[str], None]

# a longer text would make the self-test, run at every load, cost seconds
_LONGEST_GOLDEN = 512
_VERSIONS_OF = ("torch", "transformers", "onnx")


def export_bundle(recipe: Recipe, output: Path, progress: Progress = lambda step: None) -> Bundle:
    """Exports the recipe's model to a bundle at ``output``, replacing the one that is there.

    The bundle appears whole or not at all. Raises RecipeError, ExportError, also where something
    else stands at ``output``, or GateError when the graph is not equal to PyTorch.
    """
    require_replaceable(output, MANIFEST)
    progress("Finding the model")
    folder = model_folder(recipe)
    facts = read_folder(folder)
    progress("Loading PyTorch")
    reference = load_reference(facts.transformer, recipe.layers)
    settings = settle(recipe, facts, reference.tokenizer_limit, reference.positions)
    settings = replace(settings, unpooled=reference.unpooled(settings))
    width = vector_width(settings.pooling, settings.steps, reference.hidden_size)
    if settings.dims is not None and settings.dims > width:
        raise RecipeError(f"dims is {settings.dims}, the model has {width}")
    if facts.lower_case and not reference.lower_cases():
        raise RecipeError(f"{folder} lower-cases its input outside the tokenizer; no bundle can")
    try:
        with replacing(output) as staging:
            progress("Tracing the graph")
            manifest = _write_model(staging, recipe, settings, reference)
            progress("Loading PyTorch again")
            reference = _reloaded(facts.transformer, recipe.layers, reference)
            progress("Comparing with PyTorch")
            _prove(staging, manifest, settings, reference)
    except OSError as error:
        raise ExportError(f"{output} cannot be written: {error.strerror or error}") from error
    return read_bundle(output)


class Size(NamedTuple):
    """How much there is of a model."""

    layers: int
    dims: int


def model_size(recipe: Recipe) -> Size:
    """The model's layers and dimensions before a recipe cuts any.

    Raises RecipeError and ExportError as export_bundle does.
    """
    facts = read_folder(model_folder(recipe))
    reference = load_reference(facts.transformer)
    pooling = recipe.pooling or facts.pooling or "mean"  # one of them must be there to export it
    return Size(reference.layers, vector_width(pooling, facts.steps, reference.hidden_size))


def load_reference(folder: Path, layers: int | None = None) -> Reference:
    """A model folder in PyTorch; raises ExportError."""
    from .reference import Reference

    return Reference(folder, layers)


def _reloaded(folder: Path, layers: int | None, traced: Reference) -> Reference:
    """The model anew from disk, to be compared with the graph of the one that was traced.

    Raises ExportError when the two were not the same. Only one of them is in memory at a time.
    """
    from .weights import require_same

    sums = traced.release()
    reference = load_reference(folder, layers)
    require_same(folder, sums, reference.sums)
    return reference


def _write_model(
    staging: Path, recipe: Recipe, settings: Settings, reference: Reference
) -> Manifest:
    from .graph import OUTPUT, write_graph

    tokenizer = reference.tokenizer.backend_tokenizer
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.save(str(staging / "tokenizer.json"))
    ids = reference.tokenize(settings, "query", GOLDEN[0])
    sample = reference.encode(settings, "query", ids)
    inputs = write_graph(reference.model, settings, staging / "model.onnx", sample.shape[0])
    return Manifest(
        name=recipe.name,
        dims=sample.shape[0],
        similarity=settings.similarity,
        pooling=settings.pooling,
        normalise=settings.normalise,
        max_tokens=settings.max_tokens,
        pad_id=reference.pad_id,
        prompts=settings.prompts,
        unpooled=settings.unpooled,
        joiner=recipe.joiner,
        inputs=inputs,
        output=OUTPUT,
        source=Source(
            repository=recipe.repository or recipe.source,
            location=recipe.source,
            revision=recipe.revision,
            license=recipe.license,
        ),
        files={},
    )


def _prove(staging: Path, manifest: Manifest, settings: Settings, reference: Reference) -> None:
    from .gate import gate_golden, run_gate

    bundle = Bundle(staging, manifest)
    encoder = Encoder(bundle)
    parity = run_gate(encoder, reference, settings)
    exported_with = {name: importlib.metadata.version(name) for name in _VERSIONS_OF}
    content: dict[str, Any] = {**parity.as_json(), "versions": {**exported_with, **versions()}}
    if settings.remarks:
        content["remarks"] = list(settings.remarks)
    (staging / "parity.json").write_text(json.dumps(content, indent=2) + "\n")
    write_golden(staging / "golden.json", _golden(settings, reference))
    gate_golden(encoder, bundle.golden())  # as written: what every load will read
    files = sorted(path.name for path in staging.iterdir())
    write_manifest(staging, manifest, files)


def _golden(settings: Settings, reference: Reference) -> list[GoldenText]:
    texts: list[tuple[Role, str]] = [("document", text) for text in GOLDEN]
    texts += [("query", text) for text in GOLDEN[:2]]
    texts += [("document", text) for text in reference.edge_texts]
    whole = replace(settings, max_tokens=sys.maxsize)
    texts.append(
        (
            "document",
            long_text(
                settings.max_tokens,
                _LONGEST_GOLDEN,
                lambda text: len(reference.tokenize(whole, "document", text)),
            ),
        )
    )
    golden = []
    for role, text in texts:
        ids = reference.tokenize(settings, role, text)
        vector = reference.encode(settings, role, ids)
        golden.append(GoldenText(role, text, ids, [float(x) for x in vector]))
    return golden
