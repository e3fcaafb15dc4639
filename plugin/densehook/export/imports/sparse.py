"""Sparse: weights of a masked language model's logits, or as the graph has them; the largest."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...bundle import IDF, MANIFEST, Bundle, Manifest, Sparse, read_bundle, require_replaceable
from ...encode.kinds.sparse import largest
from ..drafts.sparse import MAX_TERMS
from ..finishing import Draft, finish, new_folder
from ..folder import FolderFacts, Settings, settle
from ..gate import run_gate
from ..goldens import golden_texts
from ..modules_json import read_json
from ..recipe import Recipe
from ..sparse_folder import known_idf, read_idf, read_sparse_folder
from ..tokenizer_file import write_tokenizer
from ..variants.graphs import Model, write_model
from .drafting import Asked, declared
from .graph import Graph
from .lengths import stated_positions, tokenizer_limit, within
from .near import UNKNOWN, Near, rows_of_both

if TYPE_CHECKING:
    from .term_weights import GivenWeights

KIND = "sparse"
_USUAL = "logits"


@dataclass(frozen=True)
class _Model:
    """What is known of a graph and its folder; ``source`` is the output that weights are made of.

    ``terms`` are the most of a text.
    """

    graph: Graph
    source: str
    settings: Settings
    activation: str
    terms: int
    idf: Mapping[str, float] | None


def output_of(graph: Graph) -> str | None:
    """A number for every token of the vocabulary, of each of a text's tokens or of the text.

    By its usual name, or the only output of that shape.
    """
    wide = [
        name
        for name, shape in graph.outputs.items()
        if len(shape) in (2, 3) and shape[-1] == graph.vocabulary
    ]
    return _USUAL if _USUAL in wide else wide[0] if len(wide) == 1 else None


def import_sparse(asked: Asked) -> Bundle:
    """Makes a bundle of a graph of weights and its tokenizer; else as ``import_bundle``.

    With ``weights`` its largest difference of a weight to PyTorch's is measured and stated.
    """
    from .reference import read_tokenizer
    from .term_weights import GivenWeights

    require_replaceable(asked.output, MANIFEST)
    recipe, graph, source = asked.recipe, asked.graph, asked.source
    facts, activation = read_sparse_folder(asked.folder, recipe)
    _require_masked(facts, graph)
    tokenizer = read_tokenizer(asked.files.tokenizer)
    settings = settle(recipe, facts, tokenizer_limit(tokenizer), stated_positions(asked.files))
    with tempfile.TemporaryDirectory() as scratch:
        session = graph.session(Path(scratch))
        idf = _idf(asked.folder, recipe)
        given = GivenWeights(session, tokenizer, source, graph.outputs[source], activation, idf)
        settings = within(given, settings)
        terms = min(recipe.max_terms or MAX_TERMS, sum(map(bool, given.tokens)))
        model = _Model(graph, source, settings, activation, terms, idf)
        near = UNKNOWN
        if asked.weights is not None:
            asked.progress("Comparing with PyTorch")
            near = _near_weights(given, model, recipe, asked.weights)
        with new_folder(asked.output) as staging:
            asked.progress("Writing the graph")
            manifest = replace(_written(staging, recipe, model, given), proof=near.proof)
            asked.progress("Comparing with the graph as it came")
            finish(_draft(staging, manifest, model, given, near))
    return read_bundle(asked.output)


def _require_masked(facts: FolderFacts, graph: Graph) -> None:
    """Raises ExportError where the folder says that logits are of the token that comes next."""
    path = facts.transformer / "config.json"
    config = read_json(path)
    stated = config.get("architectures") if isinstance(config, dict) else None
    causal = [each for each in stated or () if str(each).endswith("ForCausalLM")]
    if causal:
        raise graph.refused(
            f"gives logits of the next token, as {path} says: {causal[0]}; the sparse kind is of"
            " masked language models"
        )


def _idf(folder: Path, recipe: Recipe) -> Mapping[str, float] | None:
    """The table of the file that is named, or of one by the usual name where it is there."""
    if recipe.idf is None and not (folder / IDF).is_file():
        return None
    return read_idf(folder, recipe.idf or IDF)


def _near_weights(given: GivenWeights, model: _Model, recipe: Recipe, folder: Path) -> Near:
    """By every weight of each text, those beyond the largest ``terms`` too."""
    from ..sparse_reference import SparseReference

    own = replace(recipe, activation=model.activation, overrides=["activation"])
    facts, activation = read_sparse_folder(folder, own)
    reference = SparseReference(facts.transformer, activation, model.idf)
    both = rows_of_both(given, model.settings, reference, model.settings, folder)
    apart = [_apart(*rows) for rows in zip(both.given, both.expected, strict=True)]
    measured = {
        "texts": len(apart),
        "largest_difference": max(apart),
        "mean_difference": sum(apart) / len(apart),
    }
    proof = f"largest difference of a weight {max(apart):.6f} to PyTorch on {len(apart)} texts"
    return Near(proof, measured)


def _apart(found: Mapping[str, float], expected: Mapping[str, float]) -> float:
    """The largest difference of a token's weight; a token that one lacks has 0 there."""
    tokens = {*found, *expected}
    return max((abs(found.get(t, 0.0) - expected.get(t, 0.0)) for t in tokens), default=0.0)


def _written(staging: Path, recipe: Recipe, model: _Model, given: GivenWeights) -> Manifest:
    from ..graph import OUTPUT

    write_tokenizer(given.tokenizer, staging)
    write_model(_finished(model, [bool(each) for each in given.tokens]), staging / "model.onnx")
    if model.idf is not None:
        (staging / IDF).write_text(json.dumps(known_idf(model.idf, given.tokens)) + "\n")
    return Manifest(
        name=recipe.name,
        kind=KIND,
        precision=model.graph.precision,
        batch_dependent=model.graph.is_batch_dependent,
        part=Sparse(
            max_terms=model.terms,
            activation=model.activation,
            query="graph" if model.idf is None else "idf",
        ),
        max_tokens=model.settings.max_tokens,
        pad_id=given.pad_id,
        prompts=model.settings.prompts,
        joiner=recipe.joiner,
        inputs=list(model.graph.inputs),
        output=OUTPUT,
        source=recipe.origin,
        files={},
    )


def _finished(model: _Model, writable: list[bool]) -> Model:
    """The graph with one output, the largest weights and their tokens."""
    from .heads import attach
    from .term_weights import term_head

    whole = type(model.graph.model)()
    whole.CopyFrom(model.graph.model)
    head = term_head(model.graph, model.source, model.activation, model.terms, writable)
    attach(whole, head, model.source)
    row = whole.graph.output[0].type.tensor_type.shape.dim
    row[1].dim_value, row[2].dim_value = 2, model.terms
    return whole


def _draft(
    staging: Path, manifest: Manifest, model: _Model, given: GivenWeights, near: Near
) -> Draft:
    evidence: dict[str, Any] = {}
    if model.settings.remarks:
        evidence["remarks"] = list(model.settings.remarks)
    if near.measured:
        evidence["to_pytorch"] = near.measured
    return Draft(
        staging,
        manifest,
        golden_texts(model.settings, given, lambda row: largest(row, model.terms)),
        lambda encoder: run_gate(encoder, given, model.settings, "the given graph's"),
        declared,
        evidence=evidence,
    )
