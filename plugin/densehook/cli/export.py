"""`densehook export`: a recipe becomes a bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .console import note, out, steps


def export(
    recipe: Annotated[Path, typer.Argument(help="Recipe, e.g. onnx_models/all-minilm-l6-v2.toml.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            help="Folder of the bundle, by default NAME beside the recipe;"
            " a bundle that is there is replaced.",
        ),
    ] = None,
) -> None:
    """Export an encoder to ONNX and prove it equal to PyTorch."""
    from ..export import export_bundle, read_recipe

    parsed = read_recipe(recipe)
    with steps(f"Exporting {parsed.name}") as step:
        bundle = export_bundle(parsed, output or recipe.parent / parsed.name, step)
    parity = json.loads((bundle.path / "parity.json").read_text())
    manifest = bundle.manifest
    out.print(
        f"{bundle.path}: {manifest.name}, {manifest.dims} dims, {manifest.precision},"
        f" {manifest.fingerprint[:15]}"
    )
    out.print(
        f"equal to PyTorch on {parity['texts']} texts: token ids equal,"
        f" lowest cosine {parity['lowest_cosine']:.7f},"
        f" largest difference {parity['largest_difference']:.1e},"
        f" top-10 neighbours {parity['neighbours_agree']:.0%} the same"
    )
    for remark in parity.get("remarks", ()):
        note(f"note: {remark}")
