"""From recipe to bundle: read, trace, prove, write."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..bundle import (
    MANIFEST,
    Bundle,
    GoldenText,
    Manifest,
    Role,
    Source,
    read_bundle,
    require_replaceable,
)
from ..errors import RecipeError
from .finishing import Draft, finish, new_folder
from .folder import Settings, read_folder, settle
from .kinds import GATES
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
    with new_folder(output) as staging:
        progress("Tracing the graph")
        manifest = _write_model(staging, recipe, settings, reference)
        progress("Loading PyTorch again")
        reference = _reloaded(facts.transformer, recipe.layers, reference)
        progress("Comparing with PyTorch")
        finish(_draft(staging, manifest, settings, reference))
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
        kind=recipe.kind,
        part=GATES[recipe.kind].part(settings, sample),
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


def _draft(staging: Path, manifest: Manifest, settings: Settings, reference: Reference) -> Draft:
    from .gate import run_gate

    return Draft(
        staging,
        manifest,
        _golden(settings, reference),
        lambda encoder: run_gate(encoder, reference, settings),
        evidence={"remarks": list(settings.remarks)} if settings.remarks else {},
        versions={name: importlib.metadata.version(name) for name in _VERSIONS_OF},
    )


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
        golden.append(GoldenText(role, text, ids, reference.encode(settings, role, ids)))
    return golden
