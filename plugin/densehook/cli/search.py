"""`densehook search`: one query, its hits, and why they are where they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from .bundles import encoder_of_index
from .console import out
from .options import ApiKey, AsJson, BundlePath, CaCerts, Url, VectorFieldName

if TYPE_CHECKING:
    from ..fusion import FusedHit
    from ..types import Hit

_MODES = ("bm25", "dense", "hybrid")
_SNIPPET = 100


def search(
    index: Annotated[str, typer.Argument(help="Index to search.")],
    text: Annotated[str, typer.Argument(help="The query.")],
    mode: Annotated[str, typer.Option("--mode", help="bm25, dense or hybrid.")] = "hybrid",
    fusion: Annotated[str, typer.Option("--fusion", help="rrf or linear.")] = "rrf",
    size: Annotated[int, typer.Option("-k", min=1, max=1000, help="Hits to show.")] = 10,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show each list's rank and score of every hit.")
    ] = False,
    as_json: AsJson = False,
    encoder: BundlePath = None,
    field: VectorFieldName = None,
    url: Url = None,
    api_key: ApiKey = None,
    ca_certs: CaCerts = None,
) -> None:
    """Search an index by BM25, by dense vectors, or by both fused."""
    from ..elastic.connect import connect
    from ..elastic.search import WINDOW, Searcher

    if mode not in _MODES:
        raise typer.BadParameter(f"{mode!r}; one of {', '.join(_MODES)}", param_hint="--mode")
    client = connect(url, api_key, ca_certs)
    opened = None if mode == "bm25" else encoder_of_index(client, index, encoder, field)
    searcher = Searcher(client, index, opened, field)
    hits: Sequence[Hit | FusedHit]
    if mode == "hybrid":
        hits = searcher.hybrid(text, fusion, max(WINDOW, size))[:size]
    else:
        hits = searcher.search({"query": text}, mode, size)["query"]
    sources = searcher.sources([hit.id for hit in hits])
    rows = [_row(hit, sources.get(hit.id, {}), explain) for hit in hits]
    if as_json:
        out.print_json(json.dumps({"index": index, "mode": mode, "query": text, "hits": rows}))
    elif not rows:
        out.print("no hits")
    else:
        out.print(_table(rows))


def _row(hit: Hit | FusedHit, source: dict[str, Any], explain: bool) -> dict[str, Any]:
    from ..elastic.search import MODES

    row = {"id": hit.id, "score": hit.score, "source": source}
    if explain:
        # a hit of one list explains itself: it has a score and no parts
        lists = zip(MODES, getattr(hit, "parts", ()), strict=False)
        row["explanation"] = [{"list": name, **part._asdict()} for name, part in lists]
    return row


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table("", "score", "id", "document", box=None, pad_edge=False)
    for rank, row in enumerate(rows, start=1):
        table.add_row(str(rank), f"{row['score']:.4f}", row["id"], _shown(row["source"]))
        for part in row.get("explanation", []):
            table.add_row("", "", "", f"  {_explained(part)}", style="dim")
    return table


def _explained(part: dict[str, Any]) -> str:
    if part["rank"] is None:
        return f"{part['list']}: not in this list"
    normalised = part["normalised"]
    shown = "" if normalised is None else f", normalised {normalised:.4f}"
    return (
        f"{part['list']}: rank {part['rank']}, score {part['score']:.4f}{shown},"
        f" weight {part['weight']:g}, adds {part['contribution']:.4f}"
    )


def _shown(source: dict[str, Any]) -> str:
    words = " · ".join(value for value in source.values() if isinstance(value, str) and value)
    text = " ".join(words.split())
    return text if len(text) <= _SNIPPET else text[:_SNIPPET].rstrip() + "…"
