"""`densehook migrate`: another encoder behind an alias, measured before it is in service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..files import is_stdin
from ..hooks import Wording
from .bundles import document_encoder, open_index
from .console import note, out
from .feeding import Refused
from .migrated import print_migrated
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
    IdField,
    ImageInput,
    InCluster,
    JudgedBy,
    MaxLoss,
    NumbersInput,
    Pace,
    PromptElse,
    PromptField,
    Prompts,
    RemoveIndex,
    Rename,
    Template,
    Unmeasured,
    Url,
    VectorFieldName,
    chunk_rule,
    held_input,
    names,
    prompt_rule,
    renames,
)
from .progress import bars

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ..collections import Documents
    from ..migration import Gate, Migrated, Wanted, Way


def migrate(
    alias: Annotated[
        str, typer.Argument(help="Alias of the index, which programs name; or a data stream.")
    ],
    encoder: Annotated[
        Path | None,
        typer.Option("--encoder", help="Bundle of the new encoder, its folder or name."),
    ] = None,
    collection: JudgedBy = None,
    max_loss: MaxLoss = 0.005,
    unmeasured: Unmeasured = False,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Fill the new index from these files, as ingest reads them, and not from what the"
            " old one keeps of its documents.",
        ),
    ] = None,
    id_field: IdField = None,
    rename: Rename = None,
    inputs: Annotated[
        str | None,
        typer.Option("--input", help="Text fields to encode; by default those of the old field."),
    ] = None,
    image: ImageInput = None,
    numbers: NumbersInput = None,
    field: VectorFieldName = None,
    index_type: Annotated[
        str | None, typer.Option("--index-type", help="By default that of the old field.")
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
    pace: Pace = None,
    failures: Failures = None,
    remove_index: RemoveIndex = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Move the alias back, with what was written since.")
    ] = False,
    abort: Annotated[
        bool, typer.Option("--abort", help="Delete the new index, which is not in service.")
    ] = False,
    finish: Annotated[
        bool, typer.Option("--finish", help="Delete the old index, which is not in service.")
    ] = False,
    url: Url = None,
    api_key: ApiKey = None,
    ca_certs: CaCerts = None,
) -> None:
    """Give the index behind an alias, or a data stream's next one, another encoder.

    A new index is filled beside the old one, and follows it; both are measured; and the alias moves
    in one moment. The same command goes on after an end. Exit code 1 when the alias stays.
    """
    from .. import migration
    from .cluster import connect

    _require_one_way(encoder, collection, unmeasured, rollback, abort, finish)
    held, modality = held_input(image, numbers)
    if inputs is not None and held is not None:
        raise typer.BadParameter("give one of them", param_hint="--input, --image, --numbers")
    client = connect(url, api_key, ca_certs)
    if abort:
        out.print(f"index {migration.abort(client, alias)} is deleted; {alias} is as it was")
        return
    if finish:
        deleted = migration.finish(client, alias)
        kept = "a data stream's indices are its own: none is deleted"
        out.print(f"index {deleted} is deleted" if deleted else kept)
        return
    if rollback or encoder is None:
        with _way(pace, failures) as way:
            done = migration.roll_back(client, alias, way=way)
        print_migrated(alias, done, rollback=True)
        return
    wanted = migration.Wanted(
        document_encoder(client, encoder, in_cluster),
        field,
        names(inputs or held or ""),
        index_type,
        chunk_rule(chunk, chunk_tokens, chunk_overlap, chunk_limit, chunk_beyond, chunk_prefix),
        in_cluster,
        Wording(template, prompt_rule(prompt_field, prompts, prompt_else)),
        modality if held else None,
        None if source is None else _documents(source, id_field, rename),
    )
    change_encoder(client, alias, wanted, collection, max_loss, remove_index, pace, failures)


def change_encoder(
    client: Elasticsearch,
    alias: str,
    wanted: Wanted,
    collection: str | None,
    max_loss: float,
    remove_index: bool,
    pace: float | None,
    failures: Path | None,
) -> None:
    """Migrates and says what was done. Raises Exit where the alias stayed.

    Without a collection nothing is measured.
    """
    with _way(pace, failures) as way:
        gate = _gate(client, alias, collection, max_loss, wanted.field)
        done = _migrated(client, alias, wanted, gate, remove_index, way)
    print_migrated(alias, done, rollback=False)


@contextmanager
def _way(pace: float | None, failures: Path | None) -> Iterator[Way]:
    from ..migration import Way

    with Refused(failures) as refused, bars() as show:
        yield Way(requests_per_second=pace, on_failure=refused.add, on_progress=show)


def _documents(source: str, id_field: str | None, rename: Sequence[str] | None) -> Documents:
    """Raises BadParameter for standard input, which cannot be read again from its beginning."""
    from ..collections import read_documents

    if is_stdin(Path(source)):
        raise typer.BadParameter("name a file: it may be read again", param_hint="--from")
    return read_documents(source, id=id_field, rename=renames(rename))


def _require_one_way(
    encoder: Path | None,
    collection: str | None,
    unmeasured: bool,
    rollback: bool,
    abort: bool,
    finish: bool,
) -> None:
    """Raises BadParameter unless one thing is asked for, and enough said of it."""
    asked = [encoder is not None, rollback, abort, finish]
    if sum(asked) != 1:
        raise typer.BadParameter(
            "give one of them", param_hint="--encoder, --rollback, --abort, --finish"
        )
    if encoder is not None and (collection is None) != unmeasured:
        raise typer.BadParameter(
            "say on which judged collection both indices are measured, or that neither is",
            param_hint="--collection, --unmeasured",
        )


def _gate(
    client: Elasticsearch, alias: str, collection: str | None, max_loss: float, field: str | None
) -> Gate | None:
    from ..collections import open_measured
    from ..migration import Gate

    if collection is None:
        return None
    old = open_index(client, alias, None, field, encodes="queries")
    return Gate(open_measured(collection), max_loss, old.encoder)


def _migrated(
    client: Elasticsearch,
    alias: str,
    wanted: Wanted,
    gate: Gate | None,
    remove_index: bool,
    way: Way,
) -> Migrated:
    from ..migration import migrate

    try:
        return migrate(client, alias, wanted, gate, remove_index=remove_index, way=way)
    except KeyboardInterrupt:
        note(f"{alias} is as it was; the same command goes on, --abort ends it")
        raise
