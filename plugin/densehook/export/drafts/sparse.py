"""Sparse: a masked language model with its largest weights in the graph, compared with PyTorch."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...bundle import IDF, GoldenText, Manifest, Role, Sparse
from ...encode.kinds.sparse import largest
from ..finishing import Draft
from ..folder import Settings, settle
from ..recipe import Recipe
from ..sources import model_folder
from ..sparse_folder import known_idf, read_idf, read_sparse_folder
from ..texts import GOLDEN, long_text
from ..tokenizer_file import write_tokenizer

if TYPE_CHECKING:
    from ..sparse_reference import SparseReference

MAX_TERMS = 256
"""Of a text, where the recipe does not say how many: few texts have more."""
_LONGEST_GOLDEN = 512
_VERSIONS_OF = ("torch", "transformers", "onnx")


@dataclass(frozen=True)
class _Model:
    """What is exported, and how."""

    folder: Path
    recipe: Recipe
    settings: Settings
    activation: str
    idf: Mapping[str, float] | None

    def load(self) -> SparseReference:
        from ..sparse_reference import SparseReference

        return SparseReference(self.folder, self.activation, self.idf, self.recipe.layers)


def read(recipe: Recipe, progress: Callable[[str], None]) -> Callable[[Path], Draft]:
    """As ``Drafting.read``."""
    progress("Finding the model")
    folder = model_folder(recipe)
    facts, activation = read_sparse_folder(folder, recipe)
    idf = None if recipe.idf is None else read_idf(folder, recipe.idf)
    progress("Loading PyTorch")
    from ..sparse_reference import SparseReference

    reference = SparseReference(facts.transformer, activation, idf, recipe.layers)
    settings = settle(recipe, facts, reference.tokenizer_limit, reference.positions)
    model = _Model(facts.transformer, recipe, settings, activation, idf)

    def write(staging: Path) -> Draft:
        progress("Tracing the graph")
        manifest = _write_model(staging, model, reference)
        progress("Loading PyTorch again")
        again = _reloaded(model, reference)
        progress("Comparing with PyTorch")
        return _draft(staging, manifest, model, again)

    return write


def _write_model(staging: Path, model: _Model, reference: SparseReference) -> Manifest:
    from ..graph import OUTPUT
    from ..sparse_graph import write_terms

    recipe, settings = model.recipe, model.settings
    write_tokenizer(reference.tokenizer, staging)
    writable = [bool(token) for token in reference.tokens]
    terms = min(recipe.max_terms or MAX_TERMS, sum(writable))
    inputs = write_terms(reference.model, model.activation, terms, writable, staging / "model.onnx")
    if model.idf is not None:
        (staging / IDF).write_text(json.dumps(known_idf(model.idf, reference.tokens)) + "\n")
    return Manifest(
        name=recipe.name,
        kind=recipe.kind,
        part=Sparse(
            max_terms=terms,
            activation=model.activation,
            query="graph" if model.idf is None else "idf",
        ),
        max_tokens=settings.max_tokens,
        pad_id=reference.pad_id,
        prompts=settings.prompts,
        joiner=recipe.joiner,
        inputs=inputs,
        output=OUTPUT,
        source=recipe.origin,
        files={},
    )


def _reloaded(model: _Model, traced: SparseReference) -> SparseReference:
    """The model anew from disk. Raises ExportError when the two were not the same."""
    from ..weights import require_same

    sums = traced.release()
    again = model.load()
    require_same(model.folder, sums, again.sums)
    return again


def _draft(staging: Path, manifest: Manifest, model: _Model, reference: SparseReference) -> Draft:
    from ..gate import run_gate

    return Draft(
        staging,
        manifest,
        _golden(manifest.of(Sparse).max_terms, model, reference),
        lambda encoder: run_gate(encoder, reference, model.settings),
        evidence={"remarks": list(model.settings.remarks)} if model.settings.remarks else {},
        versions={name: importlib.metadata.version(name) for name in _VERSIONS_OF},
    )


def _golden(terms: int, model: _Model, reference: SparseReference) -> list[GoldenText]:
    settings = model.settings
    texts: list[tuple[Role, str]] = [("document", text) for text in GOLDEN]
    texts += [("query", text) for text in GOLDEN[:2]]
    texts += [("document", text) for text in reference.edge_texts]
    whole = replace(settings, max_tokens=sys.maxsize)

    def count(text: str) -> int:
        return len(reference.tokenize(whole, "document", text))

    texts.append(("document", long_text(settings.max_tokens, _LONGEST_GOLDEN, count)))
    golden = []
    for role, text in texts:
        ids = reference.tokenize(settings, role, text)
        weights = largest(reference.encode(settings, role, ids), terms)
        golden.append(GoldenText(role, text, ids, weights))
    return golden
