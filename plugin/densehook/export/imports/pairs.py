"""Pairs: a classifier's one logit, as the graph gives it, with the activation of the score."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper

from ...bundle import MANIFEST, Bundle, Manifest, read_bundle, require_replaceable
from ...encode.session import Session
from ...errors import ExportError
from ..finishing import Draft, finish, new_folder
from ..kinds.cross import part
from ..labels import labels_of, many_labels
from ..modules_json import read_json
from ..pair_gate import golden_pairs, run_pair_gate
from ..recipe import Recipe
from ..tokenizer_file import write_tokenizer
from ..variants.graphs import Model, set_nodes, write_model
from .drafting import Asked, declared
from .graph import Graph, rename
from .near import UNKNOWN, Near

if TYPE_CHECKING:
    from ..pair_reference import PairIds, PairTokens

KIND = "cross"
_USUAL = ("logits", "score", "scores")
_OF_TEXTS, _OF_TOKENS = "ForSequenceClassification", "ForTokenClassification"
"""How the names of models end that have labels."""
_DEFAULT_TOKENS = 512
"""Tokens, where neither the folder nor the command says how many the model reads."""


def output_of(graph: Graph) -> str | None:
    """One number a pair, by its usual name, or the only output of that shape."""
    ones = [name for name, shape in graph.outputs.items() if tuple(shape[1:]) == (1,)]
    usual = [name for name in _USUAL if name in ones]
    return usual[0] if usual else ones[0] if len(ones) == 1 else None


def require_no_labels(folder: Path, graph: Graph) -> None:
    """Raises ExportError for a graph that gives a number for each label that a folder's model has.

    They are no vector, however many there are and whatever the output is called.
    """
    config: Any = read_json(folder / "config.json")
    name = str(next(iter(config.get("architectures") or [""]))) if isinstance(config, dict) else ""
    labels = labels_of(folder) if name.endswith((_OF_TEXTS, _OF_TOKENS)) else None
    if labels is None:
        return
    axes = {len(shape) for shape in graph.outputs.values() if shape[-1] == labels}
    if name.endswith(_OF_TEXTS) and labels > 1 and 2 in axes:
        raise ExportError(many_labels(folder, labels))
    if name.endswith(_OF_TOKENS) and 3 in axes:
        raise ExportError(
            f"{folder} tells {labels} labels of tokens apart ({name}), of which no vector is made:"
            " take the model that it was trained from"
        )


def import_pairs(asked: Asked) -> Bundle:
    """Makes a bundle of a graph of pairs and its tokenizer; else as ``import_bundle``.

    With ``weights`` its largest difference of a score to PyTorch's is measured and stated.
    """
    from ..pair_reference import PairTokens, agreed_activation, stated_activation
    from .reference import read_tokenizer

    require_replaceable(asked.output, MANIFEST)
    recipe, graph, source = asked.recipe, asked.graph, asked.source
    folder = asked.files.folder
    config = read_json(folder / "config.json") if folder is not None else None
    stated: dict[str, Any] = config if isinstance(config, dict) else {}
    activation = agreed_activation(recipe, stated_activation(stated))
    tokenizer = read_tokenizer(asked.files.tokenizer)
    knows_types = "token_type_ids" in graph.inputs
    limit = _limit(recipe, stated, int(tokenizer.model_max_length))
    tokens = PairTokens(tokenizer, recipe, limit, knows_types=knows_types)
    with tempfile.TemporaryDirectory() as scratch:
        session = graph.session(Path(scratch))

        def score(pair: Any) -> float:
            ids = np.array([pair.ids], dtype=np.int64)
            types = pair.types if knows_types else ()
            (value,) = session.values([source], ids, types)
            logit = float(value[0, 0])
            return logit if activation == "identity" else float(1 / (1 + np.exp(-logit)))

        _require_length(session, graph, source, limit, tokens.pad_id)
        near = UNKNOWN
        if asked.weights is not None:
            asked.progress("Comparing with PyTorch")
            near = _near_weights(tokens, score, recipe, activation, asked.weights)
        with new_folder(asked.output) as staging:
            asked.progress("Writing the graph")
            manifest = _written(staging, recipe, graph, source, tokens, activation)
            asked.progress("Comparing with the graph as it came")
            finish(
                Draft(
                    staging,
                    replace(manifest, proof=near.proof),
                    golden_pairs(tokens, score),
                    lambda encoder: run_pair_gate(encoder, tokens, score, "the given graph's"),
                    declared,
                    evidence={"to_pytorch": near.measured} if near.measured else {},
                )
            )
    return read_bundle(asked.output)


def _near_weights(
    tokens: PairTokens,
    score: Callable[[PairIds], float],
    recipe: Recipe,
    activation: str,
    folder: Path,
) -> Near:
    """By the score of each pair, and the order of passages for each question."""
    from ..pair_gate import near_pairs
    from ..pair_reference import PairReference

    own = replace(
        recipe,
        activation=activation,
        max_tokens=tokens.max_tokens,
        overrides=[*recipe.overrides, "activation"],
    )
    reference = PairReference(folder, own)
    pairs, measured = near_pairs(tokens, score, reference.tokens, reference.score)
    proof = (
        f"largest difference of a score {measured['largest_difference']:.6f} to PyTorch on {pairs}"
        f" pairs, {measured['orders_agree']:.0%} of the orders the same"
    )
    return Near(proof, {"pairs": pairs, **measured})


def _written(
    staging: Path, recipe: Recipe, graph: Graph, source: str, tokens: Any, activation: str
) -> Manifest:
    from ..pair_graph import OUTPUT

    write_tokenizer(tokens.tokenizer, staging)
    write_model(_finished(graph.model, source, activation, OUTPUT), staging / "model.onnx")
    return Manifest(
        name=recipe.name,
        kind=KIND,
        precision=graph.precision,
        batch_dependent=graph.is_batch_dependent,
        part=part(tokens, activation),
        max_tokens=tokens.max_tokens,
        pad_id=tokens.pad_id,
        prompts=tokens.prompts,
        joiner=recipe.joiner,
        inputs=list(graph.inputs),
        output=OUTPUT,
        source=recipe.origin,
        files={},
    )


def _finished(given: Model, source: str, activation: str, output: str) -> Model:
    """The graph with one output, in fp32, behind the activation."""
    model = type(given)()
    model.CopyFrom(given)
    last = "Sigmoid" if activation == "sigmoid" else "Identity"
    inside = "densehook/logit"
    rename(model, output, f"{output}/given")
    source = f"{output}/given" if source == output else source
    set_nodes(
        model,
        [
            *model.graph.node,
            helper.make_node("Cast", [source], [inside], to=TensorProto.FLOAT),
            helper.make_node(last, [inside], [output]),
        ],
    )
    del model.graph.output[:]
    model.graph.output.append(
        helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch_size", 1])
    )
    return model


def _limit(recipe: Recipe, config: dict[str, Any], of_tokenizer: int) -> int:
    stated = config.get("max_position_embeddings")
    positions = stated if type(stated) is int and stated > 0 else None
    known = [each for each in (of_tokenizer, positions) if each and each < 1_000_000]
    return recipe.max_tokens or min(known, default=_DEFAULT_TOKENS)


def _require_length(session: Session, graph: Graph, source: str, limit: int, pad_id: int) -> None:
    """Raises ExportError where the graph cannot run as many tokens as pairs may have."""
    try:
        session.values([source], np.full((1, limit), pad_id, dtype=np.int64))
    except Exception as error:  # onnxruntime's own errors share no root but this
        raise graph.refused(f"cannot run {limit} tokens; say how many with --max-tokens") from error
