"""`densehook import`: a graph that others exported becomes a bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..bundle import MODELS
from .console import note, out
from .progress import steps

if TYPE_CHECKING:
    from ..bundle import Bundle


def import_(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER|MODEL.ONNX",
            help="A folder as hubs have it, with model.onnx or onnx/model.onnx; or an ONNX file.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            help="Folder of the bundle, by default NAME in onnx_models/; a bundle that is there is"
            " replaced.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the encoder; by default the folder's.")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--kind", help="As dense, where neither the graph nor the folder tells."),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", help="Which graph of the folder, as onnx/model_quantized.onnx."),
    ] = None,
    tokenizer: Annotated[
        Path | None,
        typer.Option("--tokenizer", help="Its tokenizer.json, where it is not with the graph."),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            "--weights",
            help="Folder of the model that the graph was made of: how near it is to PyTorch is"
            " measured in the kind's own terms, and stated.",
        ),
    ] = None,
    pooling: Annotated[
        str | None,
        typer.Option("--pooling", help="As mean or cls, where the graph gives token vectors."),
    ] = None,
    normalise: Annotated[
        bool | None,
        typer.Option("--normalise/--no-normalise", help="Whether vectors are brought to length 1."),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(
            "--activation",
            help="Of a cross-encoder's score, identity or sigmoid; of a sparse encoder's logits,"
            " relu or log1p_relu. By default the folder's, else sigmoid and relu.",
        ),
    ] = None,
    max_terms: Annotated[
        int | None,
        typer.Option(
            "--max-terms", min=1, help="Of a text's weights, how many a sparse encoder keeps; 256."
        ),
    ] = None,
    idf: Annotated[
        str | None,
        typer.Option(
            "--idf",
            help="The folder's file with a weight for each token of a query, where the graph is of"
            " documents alone; by default idf.json, where it is there.",
        ),
    ] = None,
    channels_first: Annotated[
        bool,
        typer.Option(
            "--channels-first",
            help="Of a graph of numbers both of whose axes are fixed: channels before steps, as of"
            " features of a sound.",
        ),
    ] = False,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", min=1, help="Where longer texts are cut.")
    ] = None,
    query_prompt: Annotated[
        str | None, typer.Option("--query-prompt", help="What goes before a query's text.")
    ] = None,
    document_prompt: Annotated[
        str | None, typer.Option("--document-prompt", help="What goes before a document's text.")
    ] = None,
    license: Annotated[
        str | None, typer.Option("--license", help="The model's, for the record.")
    ] = None,
) -> None:
    """Make a bundle of an ONNX graph without its PyTorch weights; it says that it is not proven."""
    from ..export import find_files, import_bundle, imported_recipe

    prompts = {"query": query_prompt, "document": document_prompt}
    recipe = imported_recipe(
        model,
        name=name,
        pooling=pooling,
        normalise=normalise,
        activation=activation,
        max_terms=max_terms,
        idf=idf,
        max_tokens=max_tokens,
        license=license,
        prompts={role: text for role, text in prompts.items() if text is not None},
    )
    files = find_files(model, file=file, tokenizer=tokenizer)
    with steps(f"Importing {recipe.name}") as step:
        bundle = import_bundle(
            files,
            recipe,
            output or MODELS / recipe.name,
            kind=kind,
            weights=weights,
            channels_first=channels_first,
            progress=step,
        )
    _print(bundle)


def _print(bundle: Bundle) -> None:
    from ..export.kinds import GATES

    parity = json.loads((bundle.path / "parity.json").read_text())
    manifest = bundle.manifest
    out.print(
        f"{bundle.path}: {manifest.name}, {manifest.part.summary}, {manifest.precision},"
        f" {manifest.fingerprint[:15]}"
    )
    out.print(f"as the graph was on {GATES[manifest.kind].said(parity)}")
    out.print(f"proof: {manifest.proof}")
    for remark in parity.get("remarks", ()):
        note(f"note: {remark}")
