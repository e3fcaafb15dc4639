"""`densehook create` and `densehook ingest`: an index and what goes into it."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..hooks import INDEX_TYPES, pipeline_name
from .bundles import encoder_of_index
from .console import bar, note, out
from .options import ApiKey, BundlePath, CaCerts, Url, VectorFieldName

if TYPE_CHECKING:
    from ..elastic.feed import Failure, FeedReport
    from ..encode import Encoder

_FAILURES_SHOWN = 10


def create(
    index: Annotated[str, typer.Argument(help="Name of the new index.")],
    encoder: Annotated[Path, typer.Option("--encoder", help="Bundle of the encoder.")],
    inputs: Annotated[
        str, typer.Option("--input", help="Text fields to encode, separated by commas.")
    ] = "title,text",
    index_type: Annotated[
        str, typer.Option("--index-type", help=f"One of {', '.join(INDEX_TYPES)}.")
    ] = "hnsw",
    shards: Annotated[int, typer.Option("--shards", min=1, help="Primary shards.")] = 1,
    replicas: Annotated[int, typer.Option("--replicas", min=0, help="Copies of each.")] = 0,
    field: Annotated[str, typer.Option("--field", help="Name of the vector field.")] = "embedding",
    in_cluster: Annotated[
        bool,
        typer.Option("--in-cluster", help="The cluster's densehook plugin makes the vectors."),
    ] = False,
    url: Url = None,
    api_key: ApiKey = None,
    ca_certs: CaCerts = None,
) -> None:
    """Create an index for an encoder's vectors, with their provenance in its mapping."""
    from ..bundle import read_bundle
    from ..elastic.connect import connect
    from ..elastic.indices import create_index

    manifest = read_bundle(encoder).manifest
    create_index(
        connect(url, api_key, ca_certs),
        index,
        manifest,
        inputs=[name.strip() for name in inputs.split(",") if name.strip()],
        index_type=index_type,
        shards=shards,
        replicas=replicas,
        field=field,
        in_cluster=in_cluster,
    )
    out.print(
        f"index {index}: {field} ({index_type}, {manifest.dims} dims) is made from {inputs} by"
        f" {manifest.name} {manifest.fingerprint[:15]}"
    )
    if in_cluster:
        out.print(f"in the cluster, by the ingest pipeline {pipeline_name(index)}")


def ingest(
    index: Annotated[str, typer.Argument(help="Index to write to.")],
    source: Annotated[Path, typer.Argument(help="JSONL or JSONL.gz file, or a BEIR folder.")],
    encoder: BundlePath = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over documents that are there already.")
    ] = False,
    failures: Annotated[
        Path | None, typer.Option("--failures", help="JSONL file for what could not be indexed.")
    ] = None,
    field: VectorFieldName = None,
    url: Url = None,
    api_key: ApiKey = None,
    ca_certs: CaCerts = None,
) -> None:
    """Encode documents and index them; exit code 1 when some could not be.

    Where the index was made with --in-cluster the cluster encodes, unless --encoder names a bundle.
    """
    from ..elastic.connect import connect
    from ..elastic.documents import count_documents, read_documents
    from ..elastic.feed import feed

    client = connect(url, api_key, ca_certs)
    total = count_documents(source)
    opened = encoder_of_index(client, index, encoder, field)
    with ExitStack() as stack:
        show = stack.enter_context(bar(f"Ingesting into {index}", total))
        refused = _Refused(stack, failures)
        report = feed(
            client,
            index,
            read_documents(source),
            opened,
            vector_field=field,
            replace=replace,
            on_failure=refused.add,
            on_progress=show,
        )
    _print_report(index, report, opened)
    if report.failed:
        raise typer.Exit(1)


class _Refused:
    """Shows the first failures and writes all of them where the user asked."""

    def __init__(self, stack: ExitStack, path: Path | None) -> None:
        self._file = stack.enter_context(path.open("w")) if path else None
        self._shown = 0

    def add(self, failure: Failure) -> None:
        self._shown += 1
        if self._shown <= _FAILURES_SHOWN:
            note(str(failure))
        elif self._shown == _FAILURES_SHOWN + 1:
            note("… more; --failures FILE writes them all" if self._file is None else "…")
        if self._file is not None:
            row = {"origin": failure.origin, "id": failure.id, "reason": failure.reason}
            self._file.write(json.dumps(row) + "\n")


def _print_report(index: str, report: FeedReport, encoder: Encoder | None) -> None:
    out.print(f"indexed {report.indexed:,} documents into {index}, {report.failed:,} failed")
    stats = report.encoded
    if encoder is not None and stats.truncated_texts:
        lost = stats.lost_tokens / (stats.tokens + stats.lost_tokens)
        out.print(
            f"{stats.truncated_texts:,} are longer than {encoder.manifest.max_tokens} tokens:"
            f" {stats.lost_tokens:,} tokens ({lost:.0%}) were not encoded"
        )
    for name, count in report.missing.items():
        out.print(f"{count:,} have nothing in the input field {name}")
