"""`densehook pair`: one encoder for documents, another of the same space for queries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .console import out
from .judged import judged_collection
from .options import CollectionName, Documents
from .progress import bar

if TYPE_CHECKING:
    from ..collections import Sample


def pair(
    documents_bundle: Annotated[
        Path, typer.Argument(metavar="DOCUMENTS", help="Bundle that makes documents' vectors.")
    ],
    queries_bundle: Annotated[
        Path,
        typer.Argument(
            metavar="QUERIES", help="Bundle of the same space, smaller, that makes queries'."
        ),
    ],
    output: Annotated[
        Path,
        typer.Argument(help="Folder of the new bundle; a bundle that is there is replaced."),
    ],
    collection: CollectionName = None,
    name: Annotated[
        str, typer.Option("--name", help="Name of the new encoder; by default the folder's.")
    ] = "",
    documents: Documents = 10_000,
) -> None:
    """Join two encoders of one space, and measure what the second costs on a collection."""
    from ..tune import pair_bundles

    corpus = _sample(collection, documents_bundle, documents)
    with bar("encoding", len(corpus.documents)) as show:
        made = pair_bundles(
            documents_bundle, queries_bundle, output, corpus, name=name, progress=show
        )
    manifest = made.bundle.manifest
    out.print(
        f"{made.bundle.path}: {manifest.name}, {manifest.part.summary}, documents as"
        f" {manifest.space[:15]}, queries by {manifest.queries[:15]}"
    )
    out.print(
        f"cosine of both towers' vectors of one query: {made.cosine:.4f} on average over"
        f" {len(corpus.queries):,}"
    )
    if made.alone is not None and made.paired is not None:
        out.print(
            f"nDCG@10 of exact search over {corpus.name}: {made.alone:.4f} with the first for both,"
            f" {made.paired:.4f} with both"
        )


def _sample(collection: str | None, bundle: Path, documents: int) -> Sample:
    from ..bundle import read_bundle
    from ..collections import sample

    joiner = read_bundle(bundle).manifest.joiner
    return sample(judged_collection(collection), joiner, documents)
