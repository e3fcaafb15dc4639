"""`densehook export`: a model, or its recipe, becomes a bundle."""

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


def export(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A recipe as onnx_models/NAME.toml; or a model's folder, its Hugging Face id as"
            " ID or ID@REVISION, or package:NAME/FOLDER: its recipe is written beside the bundle.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            help="Folder of the bundle, by default NAME beside the recipe, or in onnx_models/;"
            " a bundle that is there is replaced.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the encoder; by default the model's.")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--kind", help="What it gives: dense, unless image-text, sparse or another."),
    ] = None,
    pooling: Annotated[
        str | None,
        typer.Option("--pooling", help="As mean or cls, where the model's folder does not say it."),
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", min=1, help="Where longer texts are cut.")
    ] = None,
    license: Annotated[
        str | None, typer.Option("--license", help="The model's, for the record.")
    ] = None,
) -> None:
    """Export an encoder to ONNX and prove it equal to PyTorch."""
    from ..export import export_bundle, read_recipe, recipe_of, require_free, write_recipe

    stated = {"kind": kind, "pooling": pooling, "max_tokens": max_tokens, "license": license}
    record = None
    if model.endswith(".toml"):
        said = [f"--{key.replace('_', '-')}" for key, value in stated.items() if value is not None]
        if name is not None or said:
            first = "--name" if name is not None else said[0]
            raise typer.BadParameter(f"{first} goes with a model; a recipe says it itself")
        recipe = read_recipe(Path(model))
        folder = output or Path(model).parent / recipe.name
    else:
        recipe = recipe_of(model, name=name, **stated)
        folder = output or MODELS / recipe.name
        record = folder.parent / f"{recipe.name}.toml"
        require_free(recipe, record)
    with steps(f"Exporting {recipe.name}") as step:
        bundle = export_bundle(recipe, folder, step)
    if record is not None:
        write_recipe(recipe, record)
        out.print(f"{record}: its recipe")
    _print(bundle)


def _print(bundle: Bundle) -> None:
    from ..export.kinds import GATES

    parity = json.loads((bundle.path / "parity.json").read_text())
    manifest = bundle.manifest
    out.print(
        f"{bundle.path}: {manifest.name}, {manifest.summary}, {manifest.precision},"
        f" {manifest.fingerprint[:15]}"
    )
    out.print(f"equal to PyTorch on {GATES[manifest.kind].said(parity)}")
    for kind, measured in parity.get("also", {}).items():
        out.print(f"as {kind} on {GATES[kind].said(measured)}")
    for remark in parity.get("remarks", ()):
        note(f"note: {remark}")
