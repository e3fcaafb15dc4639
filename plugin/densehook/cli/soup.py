"""`densehook soup`: several checkpoints become one model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from .console import bars, out, steps
from .judged import judged_collection
from .options import CollectionName, Documents

if TYPE_CHECKING:
    from ..tune import Tried


def soup(
    output: Annotated[
        Path,
        typer.Argument(help="Folder of the averaged model; a soup that is there is replaced."),
    ],
    checkpoints: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...", help="Folders, package:NAME/FOLDER, or hub ids as ID@REVISION."
        ),
    ],
    greedy: Annotated[
        bool,
        typer.Option("--greedy", help="Keep only those that do not make the average worse."),
    ] = False,
    recipe: Annotated[
        Path | None,
        typer.Option(
            "--recipe",
            help="For --greedy, how the model encodes, where its folder does not say it all.",
        ),
    ] = None,
    collection: CollectionName = None,
    documents: Documents = 10_000,
) -> None:
    """Average the weights of several checkpoints of one model."""
    from ..collections import sample
    from ..tune import greedy_soup, uniform_soup

    twice = [each for each in checkpoints if checkpoints.count(each) > 1]
    if twice:
        raise typer.BadParameter(f"{twice[0]} is named twice")
    if greedy:
        from ..export import Recipe, read_recipe

        described = read_recipe(recipe) if recipe else Recipe(output.name, source="")
        opened = judged_collection(collection)
        measured_on = sample(opened, described.joiner, documents)
        with bars() as show:
            tried = greedy_soup(checkpoints, output, described, measured_on, show)
        out.print(_table(tried))
        out.print(
            f"nDCG@10 of exact search over {len(measured_on.documents):,} documents of"
            f" {measured_on.name} for {len(measured_on.queries):,} queries"
        )
        kept = sum(each.kept for each in tried)
    else:
        if recipe or collection:
            raise typer.BadParameter("--recipe and --collection go with --greedy")
        with steps("Soup") as step:
            step(f"Averaging {len(checkpoints)} checkpoints")
            uniform_soup(checkpoints, output)
        kept = len(checkpoints)
    out.print(
        f"{output} is the mean of {kept} of {len(checkpoints)}; a recipe's source may name it"
    )


def _table(tried: Sequence[Tried]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("checkpoint", no_wrap=True)
    for column in ("alone", "with those above"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("")
    for each in tried:
        state = "kept" if each.kept else "left out"
        table.add_row(each.checkpoint, f"{each.alone:.4f}", f"{each.with_it:.4f}", state)
    return table
