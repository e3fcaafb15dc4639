"""`densehook reproduce`: published figures, measured again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from .bundles import load_encoder
from .console import note, out
from .options import ApiKey, CaCerts, Url
from .progress import bars

if TYPE_CHECKING:
    from ..reproduce import Reproduced


def reproduce(
    collection: Annotated[
        str,
        typer.Argument(
            help="scifact, nfcorpus, arguana, fiqa or trec-covid; or a file of figures, NAME.toml."
        ),
    ],
    data: Annotated[
        Path, typer.Option("--data", help="Folder that holds the collection's BEIR folder.")
    ] = Path("data"),
    encoder: Annotated[
        Path, typer.Option("--encoder", help="Bundle of the encoder, its folder or name.")
    ] = Path("all-minilm-l6-v2"),
    index: Annotated[
        str | None,
        typer.Option("--index", help="Index to use; by default one that is made for this."),
    ] = None,
    index_type: Annotated[
        str, typer.Option("--index-type", help="flat, hnsw or int8_hnsw: each has its tolerance.")
    ] = "flat",
    output: Annotated[
        Path | None,
        typer.Option("--output", help="Folder for the evaluation; else reproduced/COLLECTION."),
    ] = None,
    url: Url = None,
    api_key: ApiKey = None,
    ca_certs: CaCerts = None,
) -> None:
    """Measure a collection's published figures again; exit code 1 when one does not come out.

    The index is made and fed where that is not done yet.
    """
    from ..reproduce import data_folder, read_regression, reproduce
    from .cluster import connect

    regression = read_regression(collection)
    folder = data_folder(regression, data)
    client = connect(url, api_key, ca_certs)
    loaded = load_encoder(encoder)
    with bars() as show:
        done = reproduce(
            client,
            regression,
            folder,
            loaded,
            output or Path("reproduced") / regression.name,
            index=index,
            index_type=index_type,
            on_fed=lambda count: show("feeding", count, None),
            progress=show,
        )
    _show(regression.title, done)
    if not done.passed:
        raise typer.Exit(1)


def _show(title: str, done: Reproduced) -> None:
    table = Table("system", box=None, pad_edge=False, title=title, title_justify="left")
    table.add_column("measure")
    for name in ("expected", "measured", "within"):
        table.add_column(name, justify="right")
    table.add_column("")
    sources = list(dict.fromkeys(each.source for each in done.outcomes))
    for each in done.outcomes:
        table.add_row(
            each.system,
            each.measure,
            f"{each.expected:.4f}",
            f"{each.measured:.4f}",
            f"{each.tolerance:.4f}",
            Text("PASS", style="green") if each.passed else Text("FAIL", style="bold red"),
            f"[{sources.index(each.source) + 1}]",
        )
    out.print(table)
    for number, source in enumerate(sources, start=1):
        out.print(f"[{number}] {source}", style="dim")
    missed = sum(not each.passed for each in done.outcomes)
    if missed:
        note(f"{missed} of {len(done.outcomes)} figures did not come out")
    out.print(f"runs and metrics.json in {done.evaluation.output}")
