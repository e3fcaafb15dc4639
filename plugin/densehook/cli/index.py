"""`densehook create` and `densehook ingest`: an index and what goes into it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..files import is_stdin
from ..hooks import INDEX_TYPES, new_fields, pipeline_name
from ..types import IN_INDEX, PATIENCE
from .bundles import manifest_of, open_index
from .console import note, out
from .feeding import Refused, is_read, print_report
from .options import (
    ApiKey,
    BundlePath,
    CaCerts,
    ChunkBeyond,
    ChunkBy,
    ChunkLimit,
    ChunkOverlap,
    ChunkPrefix,
    ChunkTokens,
    Failures,
    IdField,
    ImageInput,
    InCluster,
    MakeIds,
    NumbersInput,
    PromptElse,
    PromptField,
    Prompts,
    Rename,
    Template,
    Url,
    VectorFieldName,
    chunk_rule,
    held_input,
    names,
    prompt_rule,
    renames,
)
from .progress import reading_bar

if TYPE_CHECKING:
    from ..ingest import Checkpoint

_SOURCES = (
    "File, folder or pattern: JSONL, JSON array, CSV, TSV (also .gz), Parquet, Arrow, .txt and .md"
    " in a folder, a BEIR folder, a dataset folder of Hugging Face; a name of ir_datasets; - for"
    " JSONL from standard input."
)


def create(
    index: Annotated[str, typer.Argument(help="Name of the new index.")],
    encoder: Annotated[
        Path, typer.Option("--encoder", help="Bundle of the encoder, its folder or name.")
    ],
    inputs: Annotated[
        str, typer.Option("--input", help="Text fields to encode, separated by commas.")
    ] = "title,text",
    image: ImageInput = None,
    numbers: NumbersInput = None,
    kinds: Annotated[
        str | None,
        typer.Option(
            "--kinds",
            help="Of a bundle of several kinds those that get a field, all filled in one run:"
            " 'dense,sparse,multi', or with names of fields 'dense,sparse=splade'.",
        ),
    ] = None,
    index_type: Annotated[
        str | None,
        typer.Option(
            "--index-type",
            help=f"One of {', '.join(INDEX_TYPES)}; the first of its kind by default. With --kinds"
            " one for each, separated by commas.",
        ),
    ] = None,
    shards: Annotated[int, typer.Option("--shards", min=1, help="Primary shards.")] = 1,
    replicas: Annotated[int, typer.Option("--replicas", min=0, help="Copies of each.")] = 0,
    field: Annotated[
        str | None,
        typer.Option(
            "--field", help="Name of the vector field: embedding, with chunks passages.vector."
        ),
    ] = None,
    chunk: ChunkBy = None,
    chunk_tokens: ChunkTokens = 256,
    chunk_overlap: ChunkOverlap = 0,
    chunk_prefix: ChunkPrefix = "",
    chunk_limit: ChunkLimit = 512,
    chunk_beyond: ChunkBeyond = "refuse",
    template: Template = None,
    prompt_field: PromptField = None,
    prompts: Prompts = None,
    prompt_else: PromptElse = None,
    in_cluster: InCluster = None,
    url: Url = None,
    api_key: ApiKey = None,
    ca_certs: CaCerts = None,
) -> None:
    """Create an index for an encoder's vectors, with their provenance in its mapping.

    The bundle may be one that only the cluster has.
    """
    from ..elastic.indices import create_index
    from .cluster import connect

    held, modality = held_input(image, numbers)
    client = connect(url, api_key, ca_certs)
    manifest = manifest_of(encoder, None if in_cluster is False else client)
    rule = chunk_rule(chunk, chunk_tokens, chunk_overlap, chunk_limit, chunk_beyond, chunk_prefix)
    given = names(inputs) if held is None else [held]
    types = names(index_type or "")
    fields = new_fields(
        manifest, _kinds(kinds), inputs=given, field=field, index_type=types, chunk=rule
    )
    in_cluster = create_index(
        client,
        index,
        manifest,
        inputs=given,
        index_type=types,
        shards=shards,
        replicas=replicas,
        field=field,
        kinds=_kinds(kinds),
        in_cluster=in_cluster,
        chunk=rule,
        template=template,
        prompt=prompt_rule(prompt_field, prompts, prompt_else),
        modality=modality,
    )
    cut = "" if rule is None else f", in chunks by {chunk} of at most {chunk_tokens} tokens,"
    made = ", ".join(
        f"{each.name} ({each.index_type}, {each.manifest.part.summary})" for each in fields
    )
    is_made = "is made" if len(fields) == 1 else "are made"
    out.print(
        f"index {index}: {made} {is_made} from"
        f" {held or inputs}{cut} by {manifest.name} {manifest.fingerprint[:15]}"
    )
    if in_cluster:
        out.print(f"in the cluster, by the ingest pipeline {pipeline_name(index)}")
    else:
        out.print("by densehook ingest, or the program that writes to it")


def _kinds(stated: str | None) -> dict[str, str] | None:
    """Kinds and the names of their fields, empty for the usual ones, of ``dense,sparse=splade``."""
    if stated is None:
        return None
    kinds: dict[str, str] = {}
    for each in names(stated):
        kind, _, name = each.partition("=")
        if kind in kinds:
            raise typer.BadParameter(f"{kind!r} is named twice", param_hint="--kinds")
        kinds[kind] = name
    return kinds


def ingest(
    index: Annotated[str, typer.Argument(help="Index to write to.")],
    source: Annotated[str | None, typer.Argument(help=_SOURCES)] = None,
    replay: Annotated[
        Path | None,
        typer.Option(
            "--replay", help="Instead of a source: what --failures wrote, mended where need be."
        ),
    ] = None,
    encoder: BundlePath = None,
    id_field: IdField = None,
    make_ids: MakeIds = False,
    rename: Rename = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over documents that are there already.")
    ] = False,
    part: Annotated[
        str | None,
        typer.Option(
            "--part", help="Only this part of the source, as 2/8; others are for other processes."
        ),
    ] = None,
    failures: Failures = None,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            "--checkpoint",
            help="File that says how far it came, or index to keep that in the cluster; the same"
            " command goes on there after an end.",
        ),
    ] = None,
    patience: Annotated[
        str,
        typer.Option(
            "--patience", help="How long to wait for a cluster that is busy or gone, as 90s or 2h."
        ),
    ] = PATIENCE,
    field: VectorFieldName = None,
    url: Url = None,
    api_key: ApiKey = None,
    ca_certs: CaCerts = None,
) -> None:
    """Encode documents and index them; exit code 1 when some could not be, 75 to run it again.

    Where the index was made for that, the cluster encodes, unless --encoder names a bundle.
    With --replace, what the index has with the vector of the same text is not encoded again.
    An id is text or a whole number; a row without one is named, and the others are indexed.
    A cluster that stays busy or gone for longer than --patience ends it, with the exit code 75.
    """
    from ..collections import Part, read_documents, read_letters
    from .cluster import connect

    read = str(replay) if source is None and replay is not None else source
    if read is None or (source is not None and replay is not None):
        raise typer.BadParameter("give one of them", param_hint="SOURCE, --replay")
    _require_apart(read, failures, checkpoint)
    reading = read_documents if replay is None else read_letters
    documents = reading(read, id=id_field, rename=renames(rename), make_ids=make_ids)
    if part is not None:
        documents = documents.only(Part.of_text(part))
    client = connect(url, api_key, ca_certs)
    opened = open_index(client, index, encoder, field, encodes="documents", together=True)
    kept = None
    if checkpoint is not None:
        letters = "none" if failures is None else str(failures.resolve())
        kept = opened.checkpoint(
            checkpoint, documents, replace=replace, letters=letters, patience=patience
        )
        _tell(kept)
    if kept is not None and kept.finished:
        out.print(f"nothing is left; to feed it anew, delete {kept.store}")
        raise typer.Exit(1 if kept.failed else 0)
    label = f"Ingesting into {index}"
    with Refused(failures, kept) as refused, reading_bar(label, documents.meter) as show:
        report = opened.ingest(
            documents,
            replace=replace,
            checkpoint=kept,
            patience=patience,
            on_failure=refused.add,
            on_progress=show,
        )
    print_report(index, report, opened.encoder)
    if report.failed or (kept is not None and kept.failed):
        raise typer.Exit(1)


def _require_apart(read: str, failures: Path | None, checkpoint: str | None) -> None:
    """Raises BadParameter where files that are written would be read, or each other."""
    if failures is not None and is_read(failures, read):
        raise typer.BadParameter("is a file to ingest", param_hint="--failures")
    if checkpoint is None:
        return
    file = None if checkpoint == IN_INDEX else Path(checkpoint)
    if file is not None and is_read(file, read):
        raise typer.BadParameter("is a file to ingest", param_hint="--checkpoint")
    if file is not None and failures is not None and file.resolve() == failures.resolve():
        raise typer.BadParameter("is the file of --failures", param_hint="--checkpoint")
    if is_stdin(Path(read)):
        raise typer.BadParameter(
            "standard input cannot be read again from its beginning; name a file",
            param_hint="--checkpoint",
        )


def _tell(kept: Checkpoint) -> None:
    if kept.done:
        note(f"{kept.store}: {kept.done:,} documents are done already, {kept.failed:,} failed")
