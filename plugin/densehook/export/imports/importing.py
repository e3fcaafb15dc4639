"""From somebody's ONNX graph to a bundle: find, recognise, complete, prove, write."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...bundle import MANIFEST, Bundle, Manifest, read_bundle, require_replaceable
from ...bundle.kinds.dense import UNSTATED_POOLING
from ...errors import ExportError
from ..finishing import Draft, finish, new_folder
from ..folder import FolderFacts, Settings, read_folder, settle
from ..gate import run_gate
from ..goldens import golden_texts
from ..recipe import Recipe, require_of_kind
from ..sparse_folder import tells_of_weights
from ..token_folder import tells_of_late_interaction
from ..tokenizer_file import write_tokenizer
from ..variants.graphs import write_model
from . import IMPORTS, multi, numbers, pairs, sparse
from .drafting import Asked, declared
from .files import Files
from .graph import Adapted, Graph, checked_model, read_graph
from .lengths import stated_positions, tokenizer_limit, within
from .near import UNKNOWN
from .number_graph import read_axes, takes_numbers

if TYPE_CHECKING:
    from .reference import GivenGraph

Progress = Callable[[str], None]

ROADS: Mapping[str, Callable[[Asked], Bundle]] = {
    pairs.KIND: pairs.import_pairs,
    sparse.KIND: sparse.import_sparse,
    multi.KIND: multi.import_tokens,
}
"""By kind, where more is known of it than of a vector: the whole way from graph to bundle."""
_TELLING: Mapping[str, Callable[[Graph], str | None]] = {
    **{name: each.output_of for name, each in IMPORTS.items()},
    pairs.KIND: pairs.output_of,
    sparse.KIND: sparse.output_of,
}
"""By kind, what recognises its graphs, where they are unlike those of other kinds."""
_OUTPUTS: Mapping[str, Callable[[Graph], str | None]] = {**_TELLING, multi.KIND: multi.output_of}
"""By kind, what finds the output that an encoder is made of."""
_FOLDERS: Mapping[str, Callable[[Path], bool]] = {
    sparse.KIND: tells_of_weights,
    multi.KIND: tells_of_late_interaction,
}
"""By kind, what recognises its folders."""


@dataclass(frozen=True)
class _Given:
    """All that is known of a graph before a bundle is made of it."""

    graph: Graph
    kind: str
    adapted: Adapted
    settings: Settings
    tokenizer: Any
    recipe: Recipe


def import_bundle(
    files: Files,
    recipe: Recipe,
    output: Path,
    *,
    kind: str | None = None,
    weights: Path | None = None,
    channels_first: bool = False,
    progress: Progress = lambda step: None,
) -> Bundle:
    """Makes a bundle at ``output`` of a graph and its tokenizer, replacing one that is there.

    ``recipe`` says what the files do not, ``channels_first`` that a graph of numbers, both of whose
    axes are fixed, takes channels before steps. With ``weights``, the folder of the model that the
    graph was made of, how near it is to PyTorch is measured and stated: the lowest cosine of a
    vector, the largest difference of a score, of a weight or of a MaxSim. Raises ExportError for a
    graph that no bundle can be made of, or that likely is no encoder unless its kind is said,
    RecipeError for what is not known of it, GateError where what was added does not give what it
    should.
    """
    from .reference import GivenGraph, read_tokenizer

    require_replaceable(output, MANIFEST)
    progress("Reading the graph")
    model = checked_model(files.model)
    if takes_numbers(model):
        _require_numbers(files, kind, weights)
        axes = read_axes(files.model, model, channels_first=channels_first)
        return numbers.import_numbers(files, model, axes, recipe, output, progress)
    if channels_first:
        raise ExportError(
            f"{files.model} is fed with texts, which have no channels; leave --channels-first out"
        )
    graph = read_graph(files.model, model)
    if files.folder is not None:
        pairs.require_no_labels(files.folder, graph)
    chosen, source = _recognised(graph, kind or _told(files.folder))
    require_of_kind(recipe, chosen)
    if chosen in ROADS:
        return ROADS[chosen](Asked(files, recipe, output, graph, source, weights, progress))
    tokenizer = read_tokenizer(files.tokenizer)
    facts = _facts(files)
    settings = _settled(recipe, facts, tokenizer, files, of_texts=len(graph.outputs[source]) == 2)
    with tempfile.TemporaryDirectory() as scratch:
        session = graph.session(Path(scratch))
        adapted = IMPORTS[chosen].adapted(graph, source, settings)
        reference = GivenGraph(session, tokenizer, IMPORTS[chosen], adapted)
        settings = within(reference, settings)
        given = _Given(graph, chosen, adapted, settings, tokenizer, recipe)
        with new_folder(output) as staging:
            progress("Writing the graph")
            manifest = _written(staging, given, reference)
            progress("Comparing with the graph as it came")
            finish(_draft(staging, manifest, given, reference, weights))
    return read_bundle(output)


def _require_numbers(files: Files, kind: str | None, weights: Path | None) -> None:
    """Raises ExportError where something else is asked of a graph of numbers."""
    if kind not in (None, numbers.KIND):
        raise ExportError(
            f"{files.model} is fed with numbers, of which no encoder of kind {kind} can be made;"
            " leave --kind out"
        )
    if weights is not None:
        raise ExportError(
            f"{files.model} is fed with numbers, and --weights compares texts alone; leave it out"
        )


def _told(folder: Path | None) -> str | None:
    """The kind of encoder that a folder's configuration is of, where no other kind has such."""
    if folder is None:
        return None
    return next((kind for kind, tells in _FOLDERS.items() if tells(folder)), None)


def _recognised(graph: Graph, kind: str | None) -> tuple[str, str]:
    """The kind of encoder that the graph is, and the output that makes it one."""
    known = _TELLING if kind is None else _OUTPUTS
    found = {name: output_of(graph) for name, output_of in known.items()}
    able = {name: output for name, output in found.items() if output is not None}
    shapes = ", ".join(f"{name} {_shape(shape)}" for name, shape in graph.outputs.items())
    if kind is not None:
        if kind not in _OUTPUTS:
            raise ExportError(f"kind is {kind!r}; graphs of {', '.join(_OUTPUTS)} can be imported")
        if kind not in able:
            raise graph.refused(f"gives {shapes}, of which no encoder of kind {kind} can be made")
        return kind, able[kind]
    if len(able) != 1:
        raise graph.refused(
            f"gives {shapes}, of which "
            + (f"encoders of kind {' and '.join(able)}" if able else "no encoder")
            + (" can be made; say which with --kind" if able else " can be made")
        )
    chosen, output = next(iter(able.items()))
    why = IMPORTS[chosen].doubt(graph, output) if chosen in IMPORTS else None
    if why is not None:
        raise graph.refused(why)
    return chosen, output


def _shape(shape: Any) -> str:
    axes = ["batch", *("tokens" if size == 5 else str(size) for size in shape[1:])]
    return f"[{', '.join(axes)}]"


def _facts(files: Files) -> FolderFacts:
    if files.folder is None:
        return FolderFacts()
    return read_folder(files.folder)


def _settled(
    recipe: Recipe, facts: FolderFacts, tokenizer: Any, files: Files, *, of_texts: bool
) -> Settings:
    if of_texts and facts.pooling is None and recipe.pooling is None:
        recipe = replace(recipe, pooling=UNSTATED_POOLING)
    settings = settle(recipe, facts, tokenizer_limit(tokenizer), stated_positions(files))
    if not of_texts and not facts.include_prompt and any(settings.prompts.values()):
        raise ExportError(
            f"{files.folder} leaves the prompts' tokens out of the pooling (include_prompt), which"
            " a graph of token vectors cannot be told; export the model from its weights"
        )
    return settings


def _written(staging: Path, given: _Given, reference: GivenGraph) -> Manifest:
    write_tokenizer(given.tokenizer, staging)
    write_model(given.adapted.model, staging / "model.onnx")
    recipe, settings = given.recipe, given.settings
    ids = reference.tokenize(settings, "query", "water")
    sample = reference.encode(settings, "query", ids)
    return Manifest(
        name=recipe.name,
        kind=given.kind,
        precision=given.graph.precision,
        batch_dependent=given.graph.is_batch_dependent,
        proof=UNKNOWN.proof,
        part=IMPORTS[given.kind].part(settings, sample),
        max_tokens=settings.max_tokens,
        pad_id=reference.pad_id,
        prompts=settings.prompts,
        joiner=recipe.joiner,
        inputs=given.adapted.inputs,
        output=given.adapted.output,
        source=recipe.origin,
        files={},
    )


def _draft(
    staging: Path, manifest: Manifest, given: _Given, reference: GivenGraph, weights: Path | None
) -> Draft:
    settings = given.settings
    evidence: dict[str, Any] = {"remarks": list(settings.remarks)} if settings.remarks else {}
    if weights is not None:
        near = IMPORTS[given.kind].near_weights(reference, settings, weights)
        manifest = replace(manifest, proof=near.proof)
        evidence["to_pytorch"] = near.measured
    return Draft(
        staging,
        manifest,
        golden_texts(settings, reference),
        lambda encoder: run_gate(encoder, reference, settings, "the given graph's"),
        declared,
        evidence=evidence,
    )
