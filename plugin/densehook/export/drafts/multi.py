"""Multi: the transformer with its projection in the graph, compared with the same in PyTorch."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ...bundle import Manifest
from ...bundle.kinds.multi import sample_of
from ...errors import RecipeError
from ..finishing import Draft
from ..recipe import Recipe, stated_of
from ..sources import model_folder
from ..texts import GOLDEN
from ..token_folder import TokenFacts, read_token_folder
from ..tokenizer_file import write_tokenizer

if TYPE_CHECKING:
    from ..token_reference import TokenReference, TokenSettings

# a longer text would make the self-test, run at every load, cost seconds
_LONGEST_GOLDEN = 128
_VERSIONS_OF = ("torch", "transformers", "onnx")

_OF_VECTORS = ("pooling", "normalise", "similarity", "dims", "late_chunking")
"""Keys of a recipe that speak of one vector for a text."""


def read(recipe: Recipe, progress: Callable[[str], None]) -> Callable[[Path], Draft]:
    """As ``Drafting.read``."""
    require_keys(recipe)
    progress("Finding the model")
    facts = read_token_folder(model_folder(recipe))
    progress("Loading PyTorch")
    from ..token_reference import TokenReference, reloaded_tokens

    reference = TokenReference(facts, recipe.layers)
    settings = _settled(recipe, facts, reference)

    def write(staging: Path) -> Draft:
        progress("Tracing the graph")
        manifest = _write_model(staging, recipe, settings, reference)
        progress("Loading PyTorch again")
        again = reloaded_tokens(facts, recipe.layers, reference)
        progress("Comparing with PyTorch")
        return _draft(staging, manifest, settings, again)

    return write


def require_keys(recipe: Recipe) -> None:
    """Raises RecipeError for a key that is of other kinds."""
    if stated := stated_of(recipe, _OF_VECTORS):
        raise RecipeError(
            f"recipe {recipe.name}: {', '.join(stated)} is of a kind that gives one vector for a"
            " text; of the multi kind the model folder says everything but max_tokens: leave it out"
        )


def _settled(recipe: Recipe, facts: TokenFacts, reference: TokenReference) -> TokenSettings:
    from ..token_reference import TokenSettings

    max_tokens = agreed_length(recipe, facts, reference.plain.positions)
    prompts = {role: recipe.prompts.get(role, "") for role in ("query", "document")}
    return TokenSettings(reference.part(facts), max_tokens, prompts)


def agreed_length(recipe: Recipe, facts: TokenFacts, positions: int | None) -> int:
    """How many tokens of a document are read.

    Raises RecipeError where they, or those of a query, are more than the model has positions for.
    """
    max_tokens = recipe.max_tokens or facts.max_tokens
    for what, most in (("max_tokens", max_tokens), ("query_tokens", facts.query_tokens)):
        if positions is not None and most > positions:
            raise RecipeError(f"{what} is {most}, the model has positions for {positions} at most")
    return max_tokens


def _write_model(
    staging: Path, recipe: Recipe, settings: TokenSettings, reference: TokenReference
) -> Manifest:
    from ..graph import OUTPUT
    from ..token_graph import write_token_graph

    write_tokenizer(reference.plain.tokenizer, staging)
    inputs = write_token_graph(reference.plain.model, reference.projection, staging / "model.onnx")
    return Manifest(
        name=recipe.name,
        kind=recipe.kind,
        part=settings.part,
        max_tokens=settings.max_tokens,
        pad_id=reference.plain.pad_id,
        prompts=settings.prompts,
        joiner=recipe.joiner,
        inputs=inputs,
        output=OUTPUT,
        source=recipe.origin,
        files={},
    )


def _draft(
    staging: Path, manifest: Manifest, settings: TokenSettings, reference: TokenReference
) -> Draft:
    from ..gate import run_gate
    from ..goldens import golden_texts

    return Draft(
        staging,
        manifest,
        golden_texts(settings, reference, sample_of, queries=len(GOLDEN)),
        lambda encoder: run_gate(encoder, reference, settings),
        versions={name: importlib.metadata.version(name) for name in _VERSIONS_OF},
    )
