"""Multi: a vector for each token, with the projection and length 1 where the graph has them not."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...bundle import MANIFEST, Bundle, Manifest, read_bundle, require_replaceable
from ...bundle.kinds.multi import sample_of
from ...errors import RecipeError
from ...multivector import maxsim
from ..drafts.multi import agreed_length, require_keys
from ..finishing import Draft, finish, new_folder
from ..gate import run_gate
from ..goldens import golden_texts
from ..recipe import Recipe
from ..texts import GOLDEN
from ..token_folder import TokenFacts, read_token_folder
from ..tokenizer_file import write_tokenizer
from ..variants.graphs import Model, write_model
from .drafting import Asked, declared
from .graph import Graph
from .lengths import cut_remark, longest_run, stated_positions
from .near import UNKNOWN, Near, rows_of_both

if TYPE_CHECKING:
    from ..token_reference import TokenSettings
    from .token_vectors import GivenVectors

KIND = "multi"
_USUAL = ("contextual", "token_embeddings", "last_hidden_state")


@dataclass(frozen=True)
class _Model:
    """What is known of a graph and its folder; ``source`` is the output of token vectors."""

    graph: Graph
    source: str
    settings: TokenSettings
    projection: Any
    """Float32 [dims, hidden size], of PyTorch; None where the graph has it."""
    remarks: list[str]


def output_of(graph: Graph) -> str | None:
    """A vector of each token by its usual name, or the only output of that shape."""
    tokens = [
        name
        for name, shape in graph.outputs.items()
        if len(shape) == 3 and shape[1] == 5 and shape[2] not in (1, graph.vocabulary)
    ]
    usual = [name for name in _USUAL if name in tokens]
    return usual[0] if usual else tokens[0] if len(tokens) == 1 else None


def import_tokens(asked: Asked) -> Bundle:
    """Makes a bundle of a graph of token vectors and its tokenizer; else as ``import_bundle``.

    The folder must say the rest, as for an export. With ``weights`` its largest difference of a
    MaxSim to PyTorch's is measured and stated.
    """
    from .reference import read_tokenizer
    from .token_vectors import GivenVectors

    require_replaceable(asked.output, MANIFEST)
    recipe, graph, source = asked.recipe, asked.graph, asked.source
    _require_unit(recipe)
    facts = read_token_folder(asked.folder)
    tokenizer = read_tokenizer(asked.files.tokenizer)
    with tempfile.TemporaryDirectory() as scratch:
        session = graph.session(Path(scratch))
        given = GivenVectors(session, tokenizer, source, _projection(facts, graph, source), facts)
        model = _settled(asked, given, facts)
        near = UNKNOWN
        if asked.weights is not None:
            asked.progress("Comparing with PyTorch")
            near = _near_weights(given, model, asked.weights)
        with new_folder(asked.output) as staging:
            asked.progress("Writing the graph")
            manifest = replace(_written(staging, recipe, model, given), proof=near.proof)
            asked.progress("Comparing with the graph as it came")
            finish(_draft(staging, manifest, model, given, near))
    return read_bundle(asked.output)


def _require_unit(recipe: Recipe) -> None:
    if recipe.normalise is False:
        raise RecipeError(
            f"recipe {recipe.name}: normalise is false, and vectors of the multi kind have length"
            " 1; leave it out"
        )
    require_keys(replace(recipe, normalise=None))


def _projection(facts: TokenFacts, graph: Graph, source: str) -> Any:
    """What is to be put on the output; None where it has as many numbers as are wanted."""
    from ..token_reference import projection_of

    width = graph.outputs[source][2]
    return None if width == facts.dims else projection_of(facts, width)


def _settled(asked: Asked, given: GivenVectors, facts: TokenFacts) -> _Model:
    from ..token_reference import TokenSettings

    recipe, graph = asked.recipe, asked.graph
    stated = agreed_length(recipe, facts, stated_positions(asked.files))
    prompts = {role: recipe.prompts.get(role, "") for role in ("query", "document")}
    settings = TokenSettings(given.part(facts), stated, prompts)
    masks = settings.part.expands
    if masks is not None and not masks.attended and "attention_mask" not in graph.inputs:
        raise graph.refused(
            "has no input attention_mask, and the folder says that a query's other tokens do not"
            " see the MASK that it is filled up with"
        )

    def run(tokens: int) -> None:
        given.encode(settings, "document", [given.pad_id] * tokens)

    needed = max(stated, facts.query_tokens)
    most = longest_run(run, needed)
    if most < facts.query_tokens:
        raise graph.refused(
            f"cannot run {most + 1} tokens, and the folder says that queries have"
            f" {facts.query_tokens}"
        )
    kept = min(most, stated)
    remarks = [] if kept == stated else [cut_remark(kept)]
    return _Model(
        graph, asked.source, replace(settings, max_tokens=kept), given.projection, remarks
    )


def _near_weights(given: GivenVectors, model: _Model, folder: Path) -> Near:
    """By the MaxSim of each question with each document."""
    from ..token_reference import TokenReference

    reference = TokenReference(read_token_folder(folder))
    both = rows_of_both(given, model.settings, reference, model.settings, folder)
    scores = [
        np.array([[maxsim(q, d) for d in rows[both.questions :]] for q in rows[: both.questions]])
        for rows in (both.given, both.expected)
    ]
    apart = np.abs(scores[0] - scores[1])
    measured = {
        "texts": len(both.given),
        "largest_difference": float(apart.max()),
        "mean_difference": float(apart.mean()),
    }
    proof = (
        f"largest difference of a MaxSim {measured['largest_difference']:.6f} to PyTorch on"
        f" {apart.size} pairs"
    )
    return Near(proof, measured)


def _written(staging: Path, recipe: Recipe, model: _Model, given: GivenVectors) -> Manifest:
    from ..graph import OUTPUT
    from ..token_graph import TOKEN_MASK

    write_tokenizer(given.tokenizer, staging)
    write_model(_finished(model), staging / "model.onnx")
    return Manifest(
        name=recipe.name,
        kind=KIND,
        precision=model.graph.precision,
        batch_dependent=model.graph.is_batch_dependent,
        part=model.settings.part,
        max_tokens=model.settings.max_tokens,
        pad_id=given.pad_id,
        prompts=model.settings.prompts,
        joiner=recipe.joiner,
        inputs=[*model.graph.inputs, TOKEN_MASK],
        output=OUTPUT,
        source=recipe.origin,
        files={},
    )


def _finished(model: _Model) -> Model:
    """The graph with one output, and an input that says which tokens have a vector."""
    from ..token_graph import TOKEN_MASK
    from .heads import attach
    from .token_vectors import token_head

    whole = type(model.graph.model)()
    whole.CopyFrom(model.graph.model)
    head = token_head(model.graph, model.source, model.projection)
    attach(whole, head, model.source)
    whole.graph.input.extend(each for each in head.graph.input if each.name == TOKEN_MASK)
    whole.graph.output[0].type.tensor_type.shape.dim[-1].dim_value = model.settings.part.dims
    return whole


def _draft(
    staging: Path, manifest: Manifest, model: _Model, given: GivenVectors, near: Near
) -> Draft:
    evidence: dict[str, Any] = {"remarks": model.remarks} if model.remarks else {}
    if near.measured:
        evidence["to_pytorch"] = near.measured
    return Draft(
        staging,
        manifest,
        golden_texts(model.settings, given, sample_of, queries=len(GOLDEN)),
        lambda encoder: run_gate(encoder, given, model.settings, "the given graph's"),
        declared,
        evidence=evidence,
    )
