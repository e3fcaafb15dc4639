"""`densehook search`: one query, its hits, and why they are where they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from ..bundle import is_blank
from .bundles import encoder_of_index
from .console import out
from .options import ApiKey, AsJson, BundlePath, CaCerts, Url, VectorFieldName

if TYPE_CHECKING:
    from ..elastic.search import Searcher
    from ..fusion import FusedHit
    from ..types import ScoredDoc

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
    from .. import connect
    from ..elastic.search import Searcher

    if mode not in _MODES:
        raise typer.BadParameter(f"{mode!r}; one of {', '.join(_MODES)}", param_hint="--mode")
    if is_blank(text):
        raise typer.BadParameter(f"{text!r} has no text to search for", param_hint="TEXT")
    client = connect(url, api_key, ca_certs)
    opened = None if mode == "bm25" else encoder_of_index(client, index, encoder, field)
    searcher = Searcher(client, index, opened, field)
    hits = _hits(searcher, text, mode, fusion, size, explain)
    sources = searcher.sources([hit.id for hit in hits])
    rows: list[dict[str, Any]] = [
        {"id": hit.id, "score": hit.score, "source": sources.get(hit.id, {})} for hit in hits
    ]
    if explain:
        for rank, hit in enumerate(hits, start=1):
            rows[rank - 1]["explanation"] = _explanation(mode, rank, hit)
    if as_json:
        out.print_json(json.dumps({"index": index, "mode": mode, "query": text, "hits": rows}))
    elif not rows:
        out.print("no hits")
    else:
        out.print(_table(rows))


def _hits(
    searcher: Searcher, text: str, mode: str, fusion: str, size: int, explain: bool
) -> Sequence[ScoredDoc | FusedHit]:
    from ..elastic.search import WINDOW

    if mode == "hybrid" and searcher.in_cluster and not explain:
        return searcher.hybrid_in_cluster(text, fusion, size)
    if mode == "hybrid":
        return searcher.hybrid(text, fusion, max(WINDOW, size))[:size]
    return searcher.search({"query": text}, mode, size)["query"]


def _explanation(mode: str, rank: int, hit: ScoredDoc | FusedHit) -> list[dict[str, Any]]:
    """What each list says of a hit; a hit of one list is its own whole explanation."""
    from ..elastic.search import MODES

    parts = getattr(hit, "parts", None)
    if parts is None:
        return [{"list": mode, "rank": rank, "score": hit.score}]
    return [{"list": name, **part._asdict()} for name, part in zip(MODES, parts, strict=True)]


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
    said = [f"rank {part['rank']}", f"score {part['score']:.4f}"]
    if part.get("normalised") is not None:
        said.append(f"normalised {part['normalised']:.4f}")
    if "contribution" in part:
        said += [f"weight {part['weight']:g}", f"adds {part['contribution']:.4f}"]
    return f"{part['list']}: {', '.join(said)}"


def _shown(source: dict[str, Any]) -> str:
    words = " · ".join(value for value in source.values() if isinstance(value, str) and value)
    text = " ".join(words.split())
    return text if len(text) <= _SNIPPET else text[:_SNIPPET].rstrip() + "…"
