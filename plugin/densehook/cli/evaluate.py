"""`densehook evaluate`: systems measured on a judged collection."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from .bundles import encoder_of_index
from .console import bars, out
from .options import ApiKey, BundlePath, CaCerts, Url, VectorFieldName

if TYPE_CHECKING:
    from ..evaluation import Evaluation

_ALL = "bm25,dense,rrf,linear,pyserini-bm25,pyserini-rrf,pyserini-linear"


def evaluate(
    collection: Annotated[str, typer.Argument(help="BEIR folder, or a name of ir_datasets.")],
    index: Annotated[str, typer.Option("--index", help="Index that holds its documents.")],
    systems: Annotated[
        str, typer.Option("--systems", help="Systems to measure, separated by commas.")
    ] = _ALL,
    output: Annotated[
        Path, typer.Option("--output", help="Folder for runs/SYSTEM.trec and metrics.json.")
    ] = Path("evaluation"),
    encoder: BundlePath = None,
    field: VectorFieldName = None,
    url: Url = None,
    api_key: ApiKey = None,
    ca_certs: CaCerts = None,
) -> None:
    """Measure systems on a judged collection with Pyserini's trec_eval."""
    from .. import connect
    from ..collections import open_collection
    from ..elastic.search import Searcher
    from ..evaluation import check_systems, evaluate, needs_encoder

    wanted = check_systems(name.strip() for name in systems.split(",") if name.strip())
    opened = open_collection(collection)
    client = connect(url, api_key, ca_certs)
    dense = needs_encoder(wanted)
    loaded = encoder_of_index(client, index, encoder, field) if dense else None
    searcher = Searcher(client, index, loaded, field)
    with bars() as show:
        evaluation = evaluate(
            opened, wanted, searcher, output, text_of=searcher.text_of, progress=show
        )
    out.print(table_of(evaluation))
    out.print(f"{evaluation.queries} queries; runs and metrics.json in {output}")


def table_of(evaluation: Evaluation) -> Table:
    """One row a system, one column a measure."""
    measures = next(iter(evaluation.systems.values()))
    table = Table("system", box=None, pad_edge=False)
    for name in measures:
        table.add_column(name, justify="right")
    for system, values in evaluation.systems.items():
        table.add_row(system, *(f"{value:.4f}" for value in values.values()))
    return table
