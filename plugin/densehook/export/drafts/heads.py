"""A transformer with its pooling and other heads in one graph, each compared with PyTorch's."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...bundle import GoldenText, Head, Manifest
from ...bundle.kinds.multi import sample_of
from ...encode import Encoder
from ...encode.kinds.sparse import largest
from ...errors import ExportError, RecipeError
from ..finishing import Draft
from ..folder import Settings, read_folder, settle
from ..goldens import golden_texts
from ..kinds import Parity, ParityOfHeads
from ..kinds.dense import part
from ..loading import load_reference, reloaded
from ..recipe import Recipe
from ..texts import GOLDEN
from ..tokenizer_file import write_tokenizer
from .sparse import MAX_TERMS

if TYPE_CHECKING:
    from ..heads import Linear
    from ..heads_reference import HeadReference
    from ..reference import Reference

_VERSIONS_OF = ("torch", "transformers", "onnx")


def read(recipe: Recipe, folder: Path, progress: Callable[[str], None]) -> Callable[[Path], Draft]:
    """As ``Drafting.read``, of the model in a folder."""
    if recipe.late_chunking:
        raise RecipeError(
            f"recipe {recipe.name}: late_chunking is for one vector of each part of a text, and"
            " also asks for more; leave one of them out"
        )
    facts = read_folder(folder)
    progress("Loading PyTorch")
    from ..heads import read_heads

    reference = load_reference(facts.transformer, recipe.layers)
    layers = read_heads(folder, recipe.also, reference.hidden_size)
    settings = settle(recipe, facts, reference.tokenizer_limit, reference.positions)
    settings = replace(settings, unpooled=reference.unpooled(settings))

    def write(staging: Path) -> Draft:
        progress("Tracing the graph")
        manifest = _write_model(staging, recipe, settings, reference, layers)
        progress("Loading PyTorch again")
        again = reloaded(facts.transformer, recipe.layers, reference)
        heads = read_heads(folder, recipe.also, again.hidden_size)
        if not all(layers[kind].equals(head) for kind, head in heads.items()):
            raise ExportError(f"the heads of {folder} were read twice, with different numbers")
        progress("Comparing with PyTorch")
        return _draft(staging, manifest, settings, again, heads)

    return write


def _write_model(
    staging: Path,
    recipe: Recipe,
    settings: Settings,
    reference: Reference,
    layers: Mapping[str, Linear],
) -> Manifest:
    from ..graph import OUTPUT
    from ..heads import HEADS
    from ..heads_graph import write_heads_graph
    from ..sparse_reference import written_tokens

    write_tokenizer(reference.tokenizer, staging)
    ids = reference.tokenize(settings, "query", GOLDEN[0])
    own = part(settings, reference.encode(settings, "query", ids))
    written = written_tokens(reference.tokenizer, int(reference.model.config.vocab_size))
    terms = recipe.max_terms or MAX_TERMS
    inputs = write_heads_graph(
        reference.model,
        settings,
        layers,
        terms,
        [bool(token) for token in written],
        staging / "model.onnx",
        own.dims,
    )
    return Manifest(
        name=recipe.name,
        kind=recipe.kind,
        part=own,
        max_tokens=settings.max_tokens,
        pad_id=reference.pad_id,
        prompts=settings.prompts,
        unpooled=settings.unpooled,
        joiner=recipe.joiner,
        inputs=inputs,
        output=OUTPUT,
        also={
            kind: Head(HEADS[kind].output, HEADS[kind].part(layer, settings.max_tokens, terms))
            for kind, layer in layers.items()
        },
        source=recipe.origin,
        files={},
    )


def _draft(
    staging: Path,
    manifest: Manifest,
    settings: Settings,
    reference: Reference,
    layers: Mapping[str, Linear],
) -> Draft:
    from ..gate import run_gate
    from ..heads_reference import head_references

    heads = head_references(reference, layers)

    def gate(encoder: Encoder) -> Parity:
        own = run_gate(encoder, reference, settings)
        also = {
            kind: run_gate(encoder.of_kind(kind), head, settings) for kind, head in heads.items()
        }
        return ParityOfHeads(own, also)

    golden = golden_texts(settings, reference)
    return Draft(
        staging,
        manifest,
        golden,
        gate,
        also_golden={
            kind: _outputs(manifest.of_kind(kind), head, settings, golden)
            for kind, head in heads.items()
        },
        evidence={"remarks": list(settings.remarks)} if settings.remarks else {},
        versions={name: importlib.metadata.version(name) for name in _VERSIONS_OF},
    )


_KEPT: Mapping[str, Callable[[Any, Any], Any]] = {
    "sparse": lambda part, weights: largest(weights, part.max_terms),
    "multi": lambda part, vectors: sample_of(vectors),
}
"""What golden.json has of a row."""


def _outputs(
    manifest: Manifest, head: HeadReference, settings: Settings, golden: Sequence[GoldenText]
) -> list[Any]:
    """What a head gives for each golden text."""
    kept = _KEPT[manifest.kind]
    rows = (head.encode(settings, each.role, list(each.ids)) for each in golden)
    return [kept(manifest.part, row) for row in rows]
