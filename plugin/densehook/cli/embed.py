"""`densehook embed`: vectors for the documents that an index has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import EncoderMismatch, FieldTaken
from ..hooks import Wording
from .adding import Adding
from .console import note, out
from .feeding import Refused, print_cut
from .migrate import change_encoder
from .options import (
    ApiKey,
    CaCerts,
    ChunkBeyond,
    ChunkBy,
    ChunkLimit,
    ChunkOverlap,
    ChunkPrefix,
    ChunkTokens,
    Failures,
    ImageInput,
    InCluster,
    IndexType,
    JudgedBy,
    MaxLoss,
    NumbersInput,
    Pace,
    PromptElse,
    PromptField,
    Prompts,
    RemoveIndex,
    Template,
    Texts,
    Unmeasured,
    Url,
    VectorFieldName,
    chunk_rule,
    held_input,
    names,
    prompt_rule,
)
from .progress import bars

if TYPE_CHECKING:
    from ..index import Index
    from ..ingest import EmbedReport


def embed(
    index: Annotated[str, typer.Argument(help="Index whose documents get vectors.")],
    encoder: Annotated[
        Path | None,
        typer.Option(
            "--encoder",
            help="Bundle of the encoder, its folder or name; by default the one the field names.",
        ),
    ] = None,
    inputs: Annotated[
        str | None,
        typer.Option(
            "--input",
            help="Text fields to encode, separated by commas; of a field that is there already"
            " they are known.",
        ),
    ] = None,
    image: ImageInput = None,
    numbers: NumbersInput = None,
    field: VectorFieldName = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            help="Of a bundle of several kinds the one whose field is added, by its usual name"
            " without --field; by default the bundle's own.",
        ),
    ] = None,
    index_type: IndexType = None,
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
    texts: Texts = False,
    pace: Pace = None,
    failures: Failures = None,
    collection: JudgedBy = None,
    max_loss: MaxLoss = 0.005,
    unmeasured: Unmeasured = False,
    remove_index: RemoveIndex = False,
    url: Url = None,
    api_key: ApiKey = None,
    ca_certs: CaCerts = None,
) -> None:
    """Give the documents of an index the vectors that they lack, while it serves.

    A vector field that the index has not is added first, with --encoder and --input, --image or
    --numbers. Vectors of another encoder are made anew; a client's own stay. The same command goes
    on with what is left after an end. Where the index cannot take the field, and --collection or
    --unmeasured lets it, it is migrated instead. Exit code 1 when some documents could not get one.
    """
    from .cluster import connect

    held, modality = held_input(image, numbers)
    if inputs is not None and held is not None:
        raise typer.BadParameter("give one of them", param_hint="--input, --image, --numbers")
    if unmeasured and collection is not None:
        raise typer.BadParameter("give one of them", param_hint="--collection, --unmeasured")
    client = connect(url, api_key, ca_certs)
    adding = Adding(
        client,
        index,
        encoder,
        names(inputs or held or ""),
        field,
        kind,
        index_type,
        chunk_rule(chunk, chunk_tokens, chunk_overlap, chunk_limit, chunk_beyond, chunk_prefix),
        in_cluster,
        Wording(template, prompt_rule(prompt_field, prompts, prompt_else)),
        modality,
    )
    try:
        opened = adding.to_index()
    except (FieldTaken, EncoderMismatch) as error:
        if encoder is None or not (collection is not None or unmeasured):
            raise
        wanted = adding.wanted(measured=collection is not None)
        note(f"{error}")
        note(f"{index} is migrated instead: a new index is filled, and takes its place")
        change_encoder(client, index, wanted, collection, max_loss, remove_index, pace, failures)
        return
    report = run(opened, texts, pace, failures)
    print_embedded(opened, report)
    if report.failed:
        raise typer.Exit(1)


def run(
    opened: Index, texts: bool = False, pace: float | None = None, failures: Path | None = None
) -> EmbedReport:
    """Embeds, with a bar of what is done; says how it goes on when it is interrupted."""
    written = 0
    label = f"Embedding {opened.name}"
    with Refused(failures) as refused, bars() as show:

        def progress(done: int, total: int) -> None:
            nonlocal written
            written = done
            show(label, done, total)

        try:
            return opened.embed(
                texts=texts,
                requests_per_second=pace,
                on_failure=refused.add,
                on_progress=progress,
            )
        except KeyboardInterrupt:
            note(f"{written:,} documents are done; the same command goes on with the others")
            raise


def print_embedded(opened: Index, report: EmbedReport) -> None:
    """What was done, and what there is now."""
    field, coverage = opened.field, report.coverage
    where = "here" if opened.encoder is not None else "in the cluster"
    out.print(
        f"{opened.name}, {field.name}: {report.written:,} documents embedded {where},"
        f" from {', '.join(field.inputs)} by {field.encoder} {field.fingerprint[:15]},"
        f" {report.failed:,} failed"
    )
    print_cut(report.encoded if opened.encoder is not None else report.in_cluster, opened.encoder)
    if coverage.foreign:
        out.print(f"{coverage.foreign:,} have a vector that a client brought, which stays")
    if coverage.without_text:
        out.print(f"{coverage.without_text:,} have no text, and so no vector")
    if report.unrefreshed:
        note(f"the index could not be refreshed ({report.unrefreshed}); run it again in a while")
    elif coverage.to_embed > report.failed:
        note(f"{coverage.to_embed:,} were written meanwhile and have none yet; run it again")
