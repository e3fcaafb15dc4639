"""`densehook vectors import|export`: vectors of Pyserini, Anserini and Faiss."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .bundles import open_index
from .console import note, out
from .feeding import Refused, is_read, print_report
from .options import (
    ApiKey,
    BundlePath,
    CaCerts,
    Failures,
    IdField,
    Rename,
    Url,
    VectorFieldName,
    renames,
)
from .progress import bar

app = typer.Typer(
    help="Vectors of Pyserini, Anserini and Faiss, into an index and out of it.",
    no_args_is_help=True,
)


@app.command("import")
def import_(
    index: Annotated[str, typer.Argument(help="Index to write to, made by densehook create.")],
    source: Annotated[
        Path,
        typer.Argument(
            help="Vectors: JSONL (also .gz) or Parquet with id or docid, and vector; a folder of"
            " these; a folder of Faiss with index and docid."
        ),
    ],
    documents: Annotated[
        str | None,
        typer.Option(
            "--documents",
            help="The documents, as for ingest; by default those that the index has.",
        ),
    ] = None,
    encoder: BundlePath = None,
    id_field: IdField = None,
    rename: Rename = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over documents that are there already.")
    ] = False,
    failures: Failures = None,
    field: VectorFieldName = None,
    url: Url = None,
    api_key: ApiKey = None,
    ca_certs: CaCerts = None,
) -> None:
    """Index vectors that another program made with the index's encoder.

    All are read and checked before the first is written, and some texts are encoded here to prove
    whose vectors they are. Exit code 1 when a vector has no document, or a document no vector.
    """
    from .cluster import connect

    if documents is None and (id_field or rename or replace):
        raise typer.BadParameter("needs --documents", param_hint="--id, --rename, --replace")
    read = [str(source), *([] if documents is None else [documents])]
    if failures is not None and any(is_read(failures, each) for each in read):
        raise typer.BadParameter("is a file to import", param_hint="--failures")
    client = connect(url, api_key, ca_certs)
    opened = open_index(client, index, encoder, field, encodes="here")
    with Refused(failures) as refused, bar(f"Importing into {index}") as show:
        report = opened.import_vectors(
            source,
            documents,
            id=id_field,
            rename=renames(rename),
            replace=replace,
            on_failure=refused.add,
            on_progress=show,
        )
    print_report(index, report, opened.encoder)
    if report.failed:
        raise typer.Exit(1)


@app.command()
def export(
    index: Annotated[str, typer.Argument(help="Index to read from.")],
    target: Annotated[
        Path,
        typer.Argument(
            help="NAME.jsonl, NAME.jsonl.gz or NAME.parquet; a NAME without an ending becomes a"
            " folder of Faiss."
        ),
    ],
    field: VectorFieldName = None,
    url: Url = None,
    api_key: ApiKey = None,
    ca_certs: CaCerts = None,
) -> None:
    """Write an index's vectors as Pyserini and Anserini read them, float32 to the bit."""
    from .cluster import connect

    opened = open_index(connect(url, api_key, ca_certs), index, None, field, encodes="nothing")
    with bar(f"Exporting from {index}") as show:
        report = opened.export_vectors(target, on_progress=show)
    out.print(f"{report.vectors:,} vectors of {opened.field.name} are in {target}")
    if report.of_one_encoder:
        out.print(f"by {opened.field.encoder} {opened.field.fingerprint[:15]}, as is kept in it")
    if report.without_vector:
        out.print(f"{report.without_vector:,} documents have no vector, and are not in it")
    if report.foreign:
        note(f"{report.foreign:,} were brought by a client, and have no maker in it")
    if report.stale:
        note(f"{report.stale:,} are of another encoder, and have no maker in it")
