"""`densehook curve`: how much of an encoder is needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from .console import out
from .judged import judged_collection
from .options import AsJson, CollectionName, Documents, numbers
from .progress import bars

if TYPE_CHECKING:
    from ..tune import Curve


def curve(
    recipe: Annotated[Path, typer.Argument(help="Recipe, e.g. onnx_models/all-minilm-l6-v2.toml.")],
    collection: CollectionName = None,
    layers: Annotated[
        str, typer.Option("--layers", help="Numbers of layers, separated by commas.")
    ] = "",
    dims: Annotated[
        str, typer.Option("--dims", help="Numbers of dimensions, separated by commas.")
    ] = "",
    documents: Documents = 10_000,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="PNG, SVG or PDF to draw the curve into.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure an encoder's quality and speed with fewer layers and fewer dimensions."""
    from ..export import read_recipe
    from ..tune import measure_curve, plot_curve, require_matplotlib

    if plot is not None:
        _check_plot(plot)
        require_matplotlib()
    parsed = read_recipe(recipe)
    opened = judged_collection(collection)
    with bars() as show:
        measured = measure_curve(
            parsed,
            opened,
            layers=numbers("--layers", layers),
            dims=numbers("--dims", dims),
            documents=documents,
            progress=show,
        )
    if as_json:
        out.print_json(measured.dumps())
    else:
        _print(measured, recipe)
    if plot is not None:  # last: what was measured is shown, whatever comes of drawing it
        plot_curve(measured, plot)


def _check_plot(path: Path) -> None:
    """Raises BadParameter for a path that nothing can be drawn into."""
    from ..tune import PICTURES

    if path.suffix.lower() not in PICTURES:
        raise typer.BadParameter(
            f"{path} does not end in {', '.join(PICTURES)}", param_hint="--plot"
        )
    if not path.parent.is_dir():
        raise typer.BadParameter(
            f"{path.parent} is not a folder; make it first", param_hint="--plot"
        )
    if path.is_dir():
        raise typer.BadParameter(f"{path} is a folder; name a file", param_hint="--plot")


def _print(measured: Curve, recipe: Path) -> None:
    out.print(_table(measured))
    out.print(
        f"{measured.measure} of exact search over {measured.documents:,} documents of"
        f" {measured.collection} for {measured.queries:,} queries; {measured.machine}"
    )
    out.print(f"Keep what you choose with layers = N and dims = N in {recipe}.")


def _table(measured: Curve) -> Table:
    """One row for each number of layers, one column for each number of dimensions."""
    table = Table(box=None, pad_edge=False)
    table.add_column("layers", justify="right")
    table.add_column("texts/s", justify="right")
    for dims in sorted({point.dims for point in measured.points}):
        table.add_column(f"{dims} dims", justify="right", no_wrap=True)
    for layers in sorted({point.layers for point in measured.points}):
        row = [point for point in measured.points if point.layers == layers]
        table.add_row(
            str(layers),
            f"{row[0].texts_per_second:.1f}",
            *(f"{point.quality:.4f}" for point in row),
        )
    return table
