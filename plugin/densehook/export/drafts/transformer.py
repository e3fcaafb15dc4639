"""A transformer with its pooling in the graph, compared with the same in PyTorch."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...bundle import Manifest
from ...errors import RecipeError
from ..finishing import Draft
from ..folder import Settings, read_folder, settle
from ..goldens import golden_texts
from ..kinds.dense import part
from ..loading import load_reference, reloaded
from ..modules import vector_width
from ..recipe import Recipe
from ..texts import GOLDEN, QUESTIONS
from ..tokenizer_file import write_tokenizer

if TYPE_CHECKING:
    from ..reference import Reference

_VERSIONS_OF = ("torch", "transformers", "onnx")


def read(recipe: Recipe, folder: Path, progress: Callable[[str], None]) -> Callable[[Path], Draft]:
    """As ``Drafting.read``, of the model in a folder."""
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

    def write(staging: Path) -> Draft:
        progress("Tracing the graph")
        manifest = _write_model(staging, recipe, settings, reference)
        progress("Loading PyTorch again")
        again = reloaded(facts.transformer, recipe.layers, reference)
        progress("Comparing with PyTorch")
        return _draft(staging, manifest, settings, again)

    return write


def _write_model(
    staging: Path, recipe: Recipe, settings: Settings, reference: Reference
) -> Manifest:
    from ..graph import OUTPUT, write_graph

    write_tokenizer(reference.tokenizer, staging)
    read = (reference.tokenize(settings, "query", text) for text in (*GOLDEN, *QUESTIONS))
    ids = next(filter(None, read), [0])  # some tokenizers know few letters, and no unknown ones
    sample = reference.encode(settings, "query", ids)
    inputs = write_graph(reference.model, settings, staging / "model.onnx", sample.shape[0])
    return Manifest(
        name=recipe.name,
        kind=recipe.kind,
        part=part(settings, sample),
        max_tokens=settings.max_tokens,
        pad_id=reference.pad_id,
        prompts=settings.prompts,
        unpooled=settings.unpooled,
        instruction=settings.instruction,
        joiner=recipe.joiner,
        inputs=inputs,
        output=OUTPUT,
        source=recipe.origin,
        files={},
    )


def _draft(staging: Path, manifest: Manifest, settings: Settings, reference: Reference) -> Draft:
    from ..gate import run_gate

    return Draft(
        staging,
        manifest,
        golden_texts(settings, reference),
        lambda encoder: run_gate(encoder, reference, settings),
        evidence={"remarks": list(settings.remarks)} if settings.remarks else {},
        versions={name: importlib.metadata.version(name) for name in _VERSIONS_OF},
    )
