"""`densehook soup`: several checkpoints become one model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from .console import out
from .judged import judged_collection
from .options import CollectionName, Documents
from .progress import bars, steps

if TYPE_CHECKING:
    from ..collections import Collection
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
    if twice := next((each for each in checkpoints if checkpoints.count(each) > 1), None):
        raise typer.BadParameter(f"{twice} is named twice")
    if not greedy and (recipe or collection):
        raise typer.BadParameter("--recipe and --collection go with --greedy")
    if greedy:
        kept = _greedy(output, checkpoints, recipe, judged_collection(collection), documents)
    else:
        kept = _uniform(output, checkpoints)
    out.print(
        f"{output} is the mean of {kept} of {len(checkpoints)}; a recipe's source may name it"
    )


def _uniform(output: Path, checkpoints: Sequence[str]) -> int:
    from ..tune import uniform_soup

    with steps("Soup") as step:
        step(f"Averaging {len(checkpoints)} checkpoints")
        uniform_soup(checkpoints, output)
    return len(checkpoints)


def _greedy(
    output: Path,
    checkpoints: Sequence[str],
    recipe: Path | None,
    collection: Collection,
    documents: int,
) -> int:
    """Makes the soup and shows what each checkpoint brought; gives how many are in it."""
    from ..collections import sample
    from ..export import Recipe, read_recipe
    from ..tune import greedy_soup

    described = read_recipe(recipe) if recipe else Recipe(output.name, source="")
    measured_on = sample(collection, described.joiner, documents)
    with bars() as show:
        tried = greedy_soup(checkpoints, output, described, measured_on, show)
    out.print(_table(tried))
    out.print(
        f"nDCG@10 of exact search over {len(measured_on.documents):,} documents of"
        f" {measured_on.name} for {len(measured_on.queries):,} queries"
    )
    return sum(each.kept for each in tried)


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
