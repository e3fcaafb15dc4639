"""`densehook ann`: which index to take for the vectors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from ..hooks.kinds.dense import INDEX_TYPES
from .about import about
from .bundles import open_index
from .console import note, out
from .options import ApiKey, BundlePath, CaCerts, Url, VectorFieldName, factors, names, numbers
from .progress import bars

if TYPE_CHECKING:
    from ..ann import Study


def ann(
    collection: Annotated[
        str, typer.Argument(help="BEIR folder, a name of ir_datasets, or python-help-topics.")
    ],
    index: Annotated[str, typer.Option("--index", help="Index that holds its documents.")],
    kinds: Annotated[
        str,
        typer.Option("--kinds", help="Types of index to try, separated by commas."),
    ] = ",".join(INDEX_TYPES),
    candidates: Annotated[
        str | None,
        typer.Option(
            "--candidates", help="Numbers of candidates to try, for each shard; else 20 to 500."
        ),
    ] = None,
    oversamples: Annotated[
        str | None,
        typer.Option(
            "--oversamples",
            help="How many times the hits are compared again by whole vectors, as 0,2,3; else"
            " without and with a usual one.",
        ),
    ] = None,
    queries: Annotated[
        int, typer.Option("--queries", min=1, help="At most so many queries are timed.")
    ] = 100,
    split: Annotated[
        str, typer.Option("--split", help="Whose judgements, of a BEIR folder.")
    ] = "test",
    output: Annotated[
        Path, typer.Option("--output", help="Folder for ann.html, ann.md and ann.json.")
    ] = Path("ann"),
    encoder: BundlePath = None,
    field: VectorFieldName = None,
    url: Url = None,
    api_key: ApiKey = None,
    ca_certs: CaCerts = None,
) -> None:
    """Measure what each type of vector index finds, and how fast and in how much memory.

    The index's vectors are copied into indices of their own, one after the other, which are deleted
    again. Recall is against the exact search.
    """
    from ..ann import CANDIDATES, OVERSAMPLES, measure_ann
    from ..collections import open_measured
    from ..evaluation.checking import require_folder
    from ..report import recommendation, write_study
    from .cluster import connect

    tried = names(kinds)
    asked = CANDIDATES if candidates is None else numbers("--candidates", candidates)
    again = OVERSAMPLES if oversamples is None else factors("--oversamples", oversamples)
    require_folder(output)
    opened = open_measured(collection, split)
    measured = open_index(connect(url, api_key, ca_certs), index, encoder, field)
    with bars() as show:
        study = measure_ann(
            opened,
            measured,
            kinds=tried,
            candidates=asked,
            oversamples=again,
            asked=queries,
            progress=show,
        )
    page = write_study(study, output, about(sys.argv[1:], measured))
    show_study(study)
    out.print(f"{recommendation(study)} To read: {page}")


def show_study(study: Study) -> None:
    """A row for each way that was tried; then what could not be."""
    table = Table(box=None, pad_edge=False)
    table.add_column("way")
    columns = ["recall@10", "recall@100", study.measure]
    for each in study.exact.latencies:
        columns += [f"p50 ms, {each.callers}x", "p99"]
    for name in columns:
        table.add_column(name, justify="right")
    for point in study.points:
        times = [f"{ms:.1f}" for each in point.latencies for ms in (each.p50, each.p99)]
        deep = "" if point.recall_100 is None else f"{point.recall_100:.4f}"
        table.add_row(
            str(point.way), f"{point.recall_10:.4f}", deep, f"{point.quality:.4f}", *times
        )
    out.print(table)
    for kind, why in study.skipped.items():
        note(f"not tried: {kind}: {why}")
