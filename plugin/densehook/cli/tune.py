"""`densehook tune`: the fastest variant on this machine that keeps the quality."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from .console import out
from .judged import judged_collection
from .options import AsJson, CollectionName, Documents, held_input
from .progress import bars

if TYPE_CHECKING:
    from ..bundle import Tuning


def tune(
    bundle: Annotated[Path, typer.Argument(help="Bundle to tune; becomes the variant chosen.")],
    collection: CollectionName = None,
    image: Annotated[
        str | None,
        typer.Option(
            "--image",
            help="Of an encoder of images: the field of the collection's documents that holds"
            " them, in base64 or as data URLs.",
        ),
    ] = None,
    numbers: Annotated[
        str | None,
        typer.Option(
            "--numbers",
            help="Of an encoder of numbers: the field that holds lists of them; queries are such"
            " lists as JSON.",
        ),
    ] = None,
    max_loss: Annotated[
        float, typer.Option("--max-loss", min=0, help="nDCG@10 that may be lost.")
    ] = 0.005,
    documents: Documents = 10_000,
    variants: Annotated[
        str, typer.Option("--variants", help="Variants to try, separated by commas; else all.")
    ] = "",
    allow_batch_dependent: Annotated[
        bool,
        typer.Option(
            "--allow-batch-dependent",
            help="Also choose a variant whose vectors depend on their batch-mates.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Choose the fastest variant of a bundle that keeps its quality, on this machine."""
    from ..bundle import read_bundle
    from ..tune import tune_bundle

    if math.isnan(max_loss):
        raise typer.BadParameter("nan is no loss; give one such as 0.005", param_hint="--max-loss")
    held, modality = held_input(image, numbers)
    before = read_bundle(bundle).manifest.fingerprint
    opened = judged_collection(collection)
    with bars() as show:
        tuning = tune_bundle(
            bundle,
            opened,
            max_loss=max_loss,
            allow_batch_dependent=allow_batch_dependent,
            documents=documents,
            only=[name.strip() for name in variants.split(",") if name.strip()],
            field=held,
            modality=modality,
            progress=show,
        )
    if as_json:
        out.print_json(tuning.dumps())
        return
    _print(tuning)
    after = read_bundle(bundle).manifest.fingerprint
    out.print(
        f"{bundle} is now {tuning.variant}, {after[:15]}: {tuning.tokens_per_run} tokens a run,"
        f" {tuning.concurrent_runs} at a time; evidence in tuning.json and tuning.png"
    )
    if after != before:
        out.print("Its vectors are others now: an index made before needs its documents anew.")


def _print(tuning: Tuning) -> None:
    out.print(table_of(tuning))
    for row in tuning.measured:
        if "refused" in row:
            out.print(f"{_place(row)} was refused: {row['refused']}")
    out.print(
        f"{tuning.measure} of {tuning.way} over {tuning.documents:,} documents of"
        f" {tuning.collection} for {tuning.queries:,} queries; {tuning.machine}"
    )


_NEAR = {"lowest_cosine": "cosine", "orders_agree": "orders"}
"""How near a variant is to the plain bundle, as its kind says that, and the column's heading."""


def table_of(tuning: Tuning) -> Table:
    """One row a variant, the chosen one marked."""
    rows = [row for row in tuning.measured if "refused" not in row]
    several = len({row["setting"]["provider"] for row in rows}) > 1
    plain = max(row["texts_per_second"] for row in rows if row["variant"] == "fp32")
    table = Table(box=None, pad_edge=False)
    table.add_column("variant", no_wrap=True)
    kinds = list(rows[0].get("kinds", ()))
    measures = [f"{tuning.measure} {kind}" for kind in kinds] or [tuning.measure]
    near, heading = next((key, text) for key, text in _NEAR.items() if key in rows[0])
    for column in (f"{tuning.unit}/s", "x fp32", *measures, "loss", heading, "MB"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in rows:
        provider = row["setting"]["provider"]
        chosen = (row["variant"], provider) == (tuning.variant, tuning.provider)
        table.add_row(
            f"{row['variant']} ({provider})" if several else row["variant"],
            f"{row['texts_per_second']:.1f}",
            f"{row['texts_per_second'] / plain:.2f}",
            *(f"{each['quality']:.4f}" for each in (row["kinds"].values() if kinds else [row])),
            f"{row['loss']:.4f}",
            f"{row[near]:.4f}",
            f"{row['megabytes']:.0f}",
            "chosen" if chosen else row["objection"],
            style="bold" if chosen else None,
        )
    for row in tuning.measured:
        if "refused" in row:
            table.add_row(_place(row), *[""] * (5 + len(measures)), "refused")
    return table


def _place(refused: Mapping[str, str]) -> str:
    """The variant, with the provider where another may take it."""
    provider = refused.get("provider")
    return f"{refused['variant']} ({provider})" if provider else refused["variant"]
