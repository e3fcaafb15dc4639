"""Cross: the transformer with its score in the graph, compared with the same in PyTorch."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ...bundle import Manifest
from ...errors import RecipeError
from ..finishing import Draft
from ..kinds.cross import part
from ..recipe import Recipe, stated_of
from ..sources import model_folder
from ..tokenizer_file import write_tokenizer

if TYPE_CHECKING:
    from ..pair_reference import PairReference

_VERSIONS_OF = ("torch", "transformers", "onnx")
_OF_VECTORS = ("pooling", "normalise", "similarity", "dims")


def read(recipe: Recipe, progress: Callable[[str], None]) -> Callable[[Path], Draft]:
    """As ``Drafting.read``."""
    for key in stated_of(recipe, _OF_VECTORS):
        raise RecipeError(
            f"recipe {recipe.name}: {key} is of vectors, and kind 'cross' has none; leave it out"
        )
    progress("Finding the model")
    folder = model_folder(recipe)
    progress("Loading PyTorch")
    from ..pair_reference import PairReference

    reference = PairReference(folder, recipe)

    def write(staging: Path) -> Draft:
        from ..pair_gate import golden_pairs, run_pair_gate
        from ..weights import require_same

        progress("Tracing the graph")
        manifest = _write_model(staging, recipe, reference)
        progress("Loading PyTorch again")
        sums = reference.release()
        again = PairReference(folder, recipe)
        require_same(folder, sums, again.sums)
        progress("Comparing with PyTorch")
        return Draft(
            staging,
            manifest,
            golden_pairs(again.tokens, again.score),
            lambda encoder: run_pair_gate(encoder, again.tokens, again.score, "PyTorch's"),
            versions={name: importlib.metadata.version(name) for name in _VERSIONS_OF},
        )

    return write


def _write_model(staging: Path, recipe: Recipe, reference: PairReference) -> Manifest:
    from ..pair_graph import OUTPUT, write_pair_graph

    write_tokenizer(reference.tokenizer, staging)
    inputs = write_pair_graph(
        reference.model, reference.answers, reference.activation, staging / "model.onnx"
    )
    return Manifest(
        name=recipe.name,
        kind=recipe.kind,
        part=part(reference.tokens, reference.activation),
        max_tokens=reference.tokens.max_tokens,
        pad_id=reference.pad_id,
        prompts=reference.tokens.prompts,
        joiner=recipe.joiner,
        inputs=inputs,
        output=OUTPUT,
        source=recipe.origin,
        files={},
    )
