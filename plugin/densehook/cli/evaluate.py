"""`densehook evaluate`: systems measured on a judged collection."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from .bundles import open_index
from .console import note, out
from .options import ApiKey, BundlePath, CaCerts, Url, VectorFieldName, names
from .progress import bars

if TYPE_CHECKING:
    from ..collections import Collection
    from ..evaluation import Evaluation, KindOfQuery


def evaluate(
    collection: Annotated[
        str, typer.Argument(help="BEIR folder, a name of ir_datasets, or python-help-topics.")
    ],
    index: Annotated[str, typer.Option("--index", help="Index that holds its documents.")],
    systems: Annotated[
        str | None,
        typer.Option(
            "--systems",
            help="Systems to measure, separated by commas; else all: bm25, dense, rrf, linear, and"
            " pyserini-bm25, pyserini-rrf, pyserini-linear where corpus.jsonl is there.",
        ),
    ] = None,
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
    from ..collections import open_measured
    from ..evaluation import check_systems, evaluate, needs_encoder
    from .cluster import connect

    checked = check_systems(names(systems)) if systems is not None else []
    opened = open_measured(collection)
    wanted = checked or _possible(opened)
    client = connect(url, api_key, ca_certs)
    measured = open_index(
        client, index, encoder, field, encodes="queries" if needs_encoder(wanted) else "nothing"
    )
    searcher = measured.searcher()
    with bars() as show:
        evaluation = evaluate(
            opened, wanted, searcher, output, text_of=searcher.text_of, progress=show
        )
    show_evaluation(evaluation)
    out.print(f"{evaluation.queries} queries; runs and metrics.json in {output}")


def _possible(collection: Collection) -> list[str]:
    """All systems but those that read documents which the collection does not have."""
    from ..evaluation import SYSTEMS, needs_documents

    wanted = [name for name in SYSTEMS if collection.has_documents or not needs_documents([name])]
    if len(wanted) < len(SYSTEMS):
        note(f"without pyserini-*: collection {collection.name} has no corpus.jsonl")
    return wanted


def show_evaluation(evaluation: Evaluation) -> None:
    """Every measure over all queries; then one for each kind of them, where they are of kinds."""
    out.print(table_of(evaluation))
    if evaluation.kinds:
        out.print()
        out.print(kinds_table(evaluation))
        out.print("* the best of its kind", style="dim")


def table_of(evaluation: Evaluation) -> Table:
    """One row a system, one column a measure."""
    table = _systems_table("system", next(iter(evaluation.systems.values())))
    for system, values in evaluation.systems.items():
        table.add_row(system, *(f"{value:.4f}" for value in values.values()))
    return table


def kinds_table(evaluation: Evaluation) -> Table:
    """One row a system, one column a kind of query, of the first measure; the best are marked."""
    measure = next(iter(next(iter(evaluation.systems.values()))))
    columns: dict[str, KindOfQuery | Evaluation] = {**evaluation.kinds, "all": evaluation}
    table = _systems_table(measure, columns)
    best = [max(each[measure] for each in kind.systems.values()) for kind in columns.values()]
    for system in evaluation.systems:
        values = [kind.systems[system][measure] for kind in columns.values()]
        table.add_row(system, *map(_marked, values, best))
    table.add_row("queries", *(str(kind.queries) for kind in columns.values()))
    return table


def _marked(value: float, best: float) -> Text:
    return Text(f"*{value:.4f}", style="bold") if value == best else Text(f"{value:.4f}")


def _systems_table(first: str, columns: Iterable[str]) -> Table:
    table = Table(first, box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right")
    return table
