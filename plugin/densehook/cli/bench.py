"""`densehook bench`: how fast a bundle is on this machine."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from .console import out
from .options import AsJson, read_lines
from .progress import steps

if TYPE_CHECKING:
    from ..encode.timing import Times


def bench(
    bundle: Annotated[Path, typer.Argument(help="Bundle to measure.")],
    texts: Annotated[
        Path | None,
        typer.Option("--texts", help="File with one text on each line; else Python's help topics."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure how fast a bundle encodes here: documents in bulk, queries one by one and at once."""
    from ..bundle import read_bundle
    from ..encode.timing import timed

    opened = read_bundle(bundle)
    opened.manifest.require_texts("bench")
    with steps("Encoder") as step:
        times = timed(opened, read_lines(texts) if texts else _passages(), step)
    if as_json:
        out.print_json(json.dumps({"bundle": str(bundle), **asdict(times)}))
    else:
        out.print(f"{opened.manifest.name}, {opened.manifest.precision}, {times.cpus} CPUs")
        out.print(_table(times))


def _table(times: Times) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    bulk = times.bulk
    table.add_row("load", f"{times.load_seconds:.2f} s")
    table.add_row(
        f"{bulk.texts:,} documents",
        f"{times.texts_per_second:,.1f} texts/s, {times.tokens_per_second:,.0f} tokens/s,"
        f" {times.padding:.1%} padding",
    )
    table.add_row("cut", f"{bulk.truncated_texts:,} texts, {bulk.lost_tokens:,} tokens lost")
    for queries in times.queries:
        table.add_row(
            f"queries, {queries.callers} at a time",
            f"{queries.per_second:,.0f}/s,"
            f" p50 {queries.p50_ms:.2f} ms, p99 {queries.p99_ms:.2f} ms",
        )
    return table


def _passages() -> list[str]:
    from ..collections.packaged import passages

    return [passage.text for passage in passages()]
