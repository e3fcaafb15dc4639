"""`densehook compare`: a page with BM25, dense and hybrid search side by side, for the browser."""

from __future__ import annotations

import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import BundleError, EncoderMismatch, MissingExtra
from .bundles import open_index
from .console import note, out
from .options import ApiKey, BundlePath, CaCerts, Url, VectorFieldName

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ..index import Index

_PATIENCE_S = 20
"""For the cluster; who waits before a page thinks it broken after longer."""


def compare(
    index: Annotated[str, typer.Argument(help="Index to search.")],
    judgements: Annotated[
        Path | None,
        typer.Option(
            "--judgements",
            help="BEIR folder that grows with what is judged; by default INDEX-judgements.",
        ),
    ] = None,
    pool: Annotated[
        Path | None,
        typer.Option(
            "--pool",
            help="Folder that densehook evaluate or measure wrote: what its systems found first and"
            " nobody judged is led through.",
        ),
    ] = None,
    depth: Annotated[
        int, typer.Option("--depth", min=1, max=1000, help="Hits of each system in the pool.")
    ] = 20,
    split: Annotated[
        str, typer.Option("--split", help="Which judgements of the folder grow.")
    ] = "test",
    port: Annotated[
        int | None,
        typer.Option(
            "--port", min=1, max=65535, help="Port of the page; by default 8421 or the next free."
        ),
    ] = None,
    open_browser: Annotated[
        bool, typer.Option("--open", help="Open the page in the browser.")
    ] = False,
    encoder: BundlePath = None,
    field: VectorFieldName = None,
    url: Url = None,
    api_key: ApiKey = None,
    ca_certs: CaCerts = None,
) -> None:
    """Search an index by BM25, dense and hybrid side by side, on a page for this machine's browser.

    Hits can be judged there; what is judged is a collection that `densehook evaluate` measures on.
    With --pool, what several systems found and nobody judged comes one by one.
    """
    from ..collections import JudgedFolder, open_pool
    from ..page import Comparison, compare_app, listen, names_of, serve
    from .cluster import connect

    pooled = None if pool is None else open_pool(pool, depth)
    with listen(port) as listening:
        client = connect(url, api_key, ca_certs).options(request_timeout=_PATIENCE_S, max_retries=1)
        opened, lacking = _opened(client, index, encoder, field)
        path = judgements or Path(f"{opened.name}-judgements")
        if pooled is None:
            folder = JudgedFolder(path, split)
        else:
            folder = JudgedFolder(path, split, texts=pooled.texts, qrels=pooled.qrels)
        comparison = Comparison(opened, folder, lacking, pooled)
        if pooled is not None:
            comparison.judging.require_documents()
        hosts = names_of(listening)
        address = f"http://{hosts[0]}/"
        app = compare_app(comparison, hosts)
        out.print(address)
        if lacking:
            note(f"BM25 only: {lacking}")
        if pooled is not None:
            questions = {pair.query for pair in pooled.begun}
            note(f"{len(pooled.begun):,} pairs of {len(questions):,} questions to judge")
            if others := len(folder.all()[1].keys() - pooled.qrels.keys()):
                note(
                    f"{folder.path} has judgements of {others:,} other questions, which will be"
                    " measured with these; for a folder of their own name one with --judgements"
                )
        note(f"judgements go to {folder.path}; Ctrl-C ends")
        if open_browser:  # one in the terminal gives back nothing before it is left
            threading.Thread(target=_open, args=(address,), daemon=True).start()
        serve(app, listening)


def _open(address: str) -> None:
    if not webbrowser.open(address):
        note("no browser could be opened; open the address in one")


def _opened(
    client: Elasticsearch, index: str, encoder: Path | None, field: str | None
) -> tuple[Index, str]:
    """The index, and why it is searched by BM25 only, where no encoder is at hand for it."""
    try:
        return open_index(client, index, encoder, field), ""
    except (BundleError, EncoderMismatch, MissingExtra) as error:
        if encoder is not None:  # who names one wants it
            raise
        return open_index(client, index, None, field, encodes="nothing"), str(error)
