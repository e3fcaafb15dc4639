"""Dense: the transformer with its pooling in the graph, compared with the same in PyTorch."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...bundle import GoldenText, Manifest, Role, Source
from ...errors import RecipeError
from ..finishing import Draft
from ..folder import Settings, read_folder, settle
from ..kinds.dense import part
from ..loading import load_reference, reloaded
from ..modules import vector_width
from ..recipe import Recipe
from ..sources import model_folder
from ..texts import GOLDEN, long_text

if TYPE_CHECKING:
    from ..reference import Reference

# a longer text would make the self-test, run at every load, cost seconds
_LONGEST_GOLDEN = 512
_VERSIONS_OF = ("torch", "transformers", "onnx")


def read(recipe: Recipe, progress: Callable[[str], None]) -> Callable[[Path], Draft]:
    """As ``Drafting.read``."""
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
        part=part(settings, sample),
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
    from ..gate import run_gate

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
