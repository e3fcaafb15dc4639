"""`densehook whiten`: vectors centred or whitened for a corpus."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .console import out
from .judged import judged_collection
from .options import CollectionName, Documents, read_lines
from .progress import bar

if TYPE_CHECKING:
    from ..collections import Sample


def whiten(
    bundle: Annotated[Path, typer.Argument(help="Bundle whose vectors are changed; stays as is.")],
    output: Annotated[
        Path,
        typer.Argument(help="Folder of the new bundle; a bundle that is there is replaced."),
    ],
    collection: CollectionName = None,
    texts: Annotated[
        Path | None,
        typer.Option("--texts", help="File with one text on each line, in place of a collection."),
    ] = None,
    centre_only: Annotated[
        bool, typer.Option("--centre-only", help="Take the mean away, and do no more.")
    ] = False,
    dims: Annotated[
        int | None, typer.Option("--dims", min=1, help="Keep so many dimensions.")
    ] = None,
    name: Annotated[
        str, typer.Option("--name", help="Name of the new encoder; by default the folder's.")
    ] = "",
    documents: Documents = 10_000,
) -> None:
    """Centre and whiten an encoder's vectors for a corpus, as one matrix inside its graph."""
    from ..tune import whiten_bundle

    if texts and collection:
        raise typer.BadParameter("give --texts or --collection, not both")
    corpus = _lines(texts) if texts else _sample(collection, bundle, documents)
    with bar("encoding", len(corpus.documents)) as show:
        made = whiten_bundle(
            bundle, output, corpus, name=name, centre_only=centre_only, dims=dims, progress=show
        )
    manifest = made.bundle.manifest
    parity = json.loads((made.bundle.path / "parity.json").read_text())
    out.print(
        f"{made.bundle.path}: {manifest.name}, {manifest.part.summary}, {manifest.precision},"
        f" {manifest.fingerprint[:15]}"
    )
    out.print(
        f"{parity['transform']['kind']} learned from {len(corpus.documents):,} texts of"
        f" {corpus.name}; the graph equals it on {parity['texts']} others: lowest cosine"
        f" {parity['lowest_cosine']:.7f}"
    )
    if made.before is not None and made.after is not None:
        out.print(
            f"nDCG@10 of exact search over these texts for {len(corpus.queries):,} queries:"
            f" {made.before:.4f} before, {made.after:.4f} after"
        )


def _sample(collection: str | None, bundle: Path, documents: int) -> Sample:
    from ..bundle import read_bundle
    from ..collections import sample

    joiner = read_bundle(bundle).manifest.joiner
    return sample(judged_collection(collection), joiner, documents)


def _lines(path: Path) -> Sample:
    from ..collections import unjudged

    return unjudged(path.name, read_lines(path))
