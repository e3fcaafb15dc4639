"""`densehook search`: one query, its hits, and why they are where they are."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ..bundle import is_blank
from ..errors import EncodeError
from ..hooks import MARKED, VECTOR_LISTS, fields_in, filter_of
from ..number_lists import list_in_json
from .bundles import open_searched
from .console import note, out
from .options import (
    ApiKey,
    AsJson,
    BundlePath,
    CaCerts,
    Instruction,
    RerankChunks,
    Url,
    VectorFieldName,
    names,
)

if TYPE_CHECKING:
    from ..index import Hit, Hits

_MODES = ("bm25", *VECTOR_LISTS, "hybrid")
_LONGEST_ID = 24


def search(
    index: Annotated[str, typer.Argument(help="Index to search, or an alias of several.")],
    text: Annotated[str | None, typer.Argument(help="The query.")] = None,
    image: Annotated[
        Path | None,
        typer.Option(
            "--image",
            help="Instead of a query: an image file, whose like are searched, by dense or maxsim.",
        ),
    ] = None,
    numbers: Annotated[
        Path | None,
        typer.Option(
            "--numbers", help="Instead of a query: a JSON file of numbers, whose like are searched."
        ),
    ] = None,
    mode: Annotated[
        str,
        typer.Option("--mode", help="bm25, hybrid or, as the field is, dense, sparse or maxsim."),
    ] = "hybrid",
    first: Annotated[
        str | None,
        typer.Option(
            "--first",
            help="What finds the hits that maxsim orders: bm25 unless it is dense, sparse or"
            " hybrid; an image's like dense.",
        ),
    ] = None,
    fusion: Annotated[str, typer.Option("--fusion", help="rrf or linear.")] = "rrf",
    size: Annotated[int, typer.Option("--size", "-k", min=1, max=1000, help="Hits to show.")] = 10,
    start: Annotated[int, typer.Option("--from", min=0, max=9000, help="Hits to pass over.")] = 0,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter", help="As lang=en or year>=2020, or a query in JSON; given twice, both hold."
        ),
    ] = None,
    fields: Annotated[
        str, typer.Option("--fields", help="Fields to show, separated by commas; else all.")
    ] = "",
    passages: Annotated[
        int,
        typer.Option(
            "--passages",
            min=0,
            max=100,
            help="Chunks to show of each hit, of an index that has some.",
        ),
    ] = 0,
    passage_score: Annotated[
        str | None,
        typer.Option(
            "--passage-score",
            help="How chunks make a document's dense score: max, first, sum, mean, mean-3 of the"
            " best three, or passages of query dense in JSON.",
        ),
    ] = None,
    instruction: Instruction = None,
    rerank: Annotated[
        str | None,
        typer.Option(
            "--rerank",
            help="Cross-encoder that puts the best hits in order: the cluster's of that name, or a"
            " bundle here.",
        ),
    ] = None,
    rerank_window: Annotated[
        int | None,
        typer.Option("--rerank-window", min=1, help="Hits that are reranked; by default 50."),
    ] = None,
    rerank_chunks: RerankChunks = None,
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
    """Search an index by BM25, by its vectors, or by both fused; or by an image or numbers."""
    from ..elastic.naming import unmapped
    from .cluster import connect

    if mode not in _MODES:
        raise typer.BadParameter(f"{mode!r}; one of {', '.join(_MODES)}", param_hint="--mode")
    if sum(each is not None for each in (text, image, numbers)) != 1:
        raise typer.BadParameter("give one of them", param_hint="TEXT, --image, --numbers")
    if text is not None and is_blank(text):
        raise typer.BadParameter(f"{text!r} has no text to search for", param_hint="TEXT")
    if text is None and mode == "hybrid":
        mode = "dense"
    queries = [filter_of(each) for each in filters or []]
    client = connect(url, api_key, ca_certs)
    opened = open_searched(
        client,
        index,
        encoder,
        field,
        encodes="nothing" if mode == "bm25" and not passages else "queries",
    )
    asked_for = names(fields)
    for line in unmapped(client, index, [*fields_in(queries), *asked_for]):
        note(f"warning: {line}")
    hits = opened.search(
        text,
        image=image,
        numbers=None if numbers is None else _numbers_in(numbers),
        mode=mode,
        first=first,
        instruction=instruction,
        fusion=fusion,
        size=size,
        from_=start,
        filter=queries,
        fields=asked_for or None,
        highlight=not as_json and text is not None,
        passages=passages,
        passage_score=passage_score,
        explain=explain,
        rerank=rerank,
        rerank_window=rerank_window,
        rerank_chunks=rerank_chunks,
    )
    if as_json:
        out.print_json(json.dumps(_json(index, mode, hits, start, explain)))
    elif not hits:
        out.print("no hits")
    else:
        out.print(_table(mode, hits, start, explain))


def _numbers_in(file: Path) -> Any:
    """The list of numbers that a JSON file holds. Raises BadParameter where it holds none."""
    try:
        return list_in_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, EncodeError) as error:
        raise typer.BadParameter(f"{file}: {error}", param_hint="--numbers") from None


def _json(index: str, mode: str, hits: Hits, start: int, explain: bool) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [
        {"id": hit.id, "score": hit.score, "source": hit.source} for hit in hits
    ]
    for rank, (row, hit) in enumerate(zip(rows, hits, strict=True), start=start + 1):
        if explain:
            row["explanation"] = _explanation(mode, rank, hit)
        if any(each.passages for each in hits):
            row["passages"] = [dataclasses.asdict(passage) for passage in hit.passages]
    return {"index": index, "mode": mode, "query": hits.query, "hits": rows}


def _explanation(mode: str, rank: int, hit: Hit) -> list[dict[str, Any]]:
    """What each list says of a hit; a hit of one list is its own whole explanation."""
    if not hit.parts:
        return [{"list": mode, "rank": rank, "score": hit.score}]
    return [{"list": name, **part._asdict()} for name, part in hit.parts.items()]


def _table(mode: str, hits: Sequence[Hit], start: int, explain: bool) -> Table:
    """One line a hit, as wide as the terminal; with ``explain`` a column for each number."""
    lists = (list(hits[0].parts) or [mode]) if explain else []
    fused = bool(hits[0].parts)
    # expanded, so that the document alone gives way where the terminal is narrow
    table = Table(box=None, pad_edge=False, expand=True)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("id", overflow="fold", max_width=_LONGEST_ID)
    for name in lists:
        for column in (name, "score", "adds") if fused else (name, "score"):
            table.add_column(column, justify="right", no_wrap=True)
    table.add_column("document", no_wrap=True, overflow="ellipsis", ratio=1)
    for rank, hit in enumerate(hits, start=start + 1):
        numbers = [
            number
            for part in (_explanation(mode, rank, hit) if explain else [])
            for number in _numbers(part)
        ]
        table.add_row(str(rank), f"{hit.score:.4f}", hit.id, *numbers, _shown(hit))
        for passage in hit.passages:
            line = Text(" ".join(passage.text.split()), style="dim")
            empty = [""] * (len(table.columns) - 4)
            table.add_row("", f"{passage.score:.4f}", "", *empty, line)
    return table


def _numbers(part: dict[str, Any]) -> list[str]:
    """Rank, score and contribution, as far as there are such; a dash for a list without it."""
    rank, score = part["rank"], part["score"]
    shown = ["–" if rank is None else str(rank), "" if score is None else f"{score:.4f}"]
    return [*shown, f"{part['contribution']:.4f}"] if "contribution" in part else shown


def _shown(hit: Hit) -> Text:
    """The document in a line, from where words of the query stand, these set off."""
    pieces = [piece for pieces in hit.highlights.values() for piece in pieces[:1]]
    if not pieces:
        return Text(hit.snippet)
    shown = Text()
    for number, piece in enumerate(dict.fromkeys(" ".join(each.split()) for each in pieces)):
        shown.append(" · " if number else "")
        for part, text in enumerate(MARKED.split(piece)):
            shown.append(text, style="bold" if part % 2 else "")
    return shown
