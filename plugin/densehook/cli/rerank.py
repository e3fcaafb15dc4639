"""`densehook rerank`: a TREC run in, the same run in a cross-encoder's order out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .bundles import load_encoder
from .console import out
from .options import names
from .progress import bars

if TYPE_CHECKING:
    from ..collections import Collection
    from ..hooks import Join


def rerank(
    run: Annotated[Path, typer.Argument(help="TREC run of any program, as Pyserini's.")],
    collection: Annotated[
        str,
        typer.Argument(help="BEIR folder, dataset folder, or a name of ir_datasets: its texts."),
    ],
    encoder: Annotated[
        Path, typer.Option("--encoder", help="Bundle of a cross-encoder, by name or folder.")
    ],
    output: Annotated[Path, typer.Option("--output", help="The run to write.")],
    top: Annotated[
        int, typer.Option("--top", min=1, help="How many hits of each query are reranked.")
    ] = 100,
    chunks: Annotated[
        int | None,
        typer.Option(
            "--chunks", min=1, help="Score a text by the best of its first so many chunks."
        ),
    ] = None,
    split: Annotated[str, typer.Option("--split", help="Whose queries, of a folder.")] = "test",
    fields: Annotated[
        str, typer.Option("--fields", help="Fields of a document's text, separated by commas.")
    ] = "title,text",
) -> None:
    """Rerank a TREC run by a cross-encoder, with no cluster."""
    from ..bundle import Cross
    from ..collections import open_measured, read_run, write_run
    from ..fusion import reranked_run

    given = read_run(run)
    opened = open_measured(collection, split)
    loaded = load_encoder(encoder)
    loaded.manifest.of(Cross)
    wanted = {hit.id for ranking in given.values() for hit in ranking[:top]}
    texts = _texts(opened, wanted, names(fields), loaded.manifest.join)
    with bars() as show:
        made = reranked_run(
            given,
            opened.queries,
            lambda ids: texts,
            lambda query, those: loaded.score_best(query, those, chunks).scores.tolist(),
            top,
            lambda done: show("reranking", done, len(given)),
        )
    write_run(output, made, loaded.manifest.name)
    missing = len(wanted - texts.keys())
    told = f"; {missing} documents have no text in {opened.name}" if missing else ""
    out.print(f"{output}: {len(made)} queries, their first {top} reranked{told}")


def _texts(
    collection: Collection, wanted: set[str], fields: Sequence[str], join: Join
) -> dict[str, str]:
    from ..hooks import TextRule, text_of

    rule = TextRule.joining(fields)
    found = (
        (document.id, text_of(document, rule, join)[0])
        for document in collection.documents()
        if document.id in wanted
    )
    return {id_: text for id_, text in found if text}
