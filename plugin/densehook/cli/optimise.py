"""`densehook optimise`: how best to fuse, chosen on other queries than it is measured on."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .about import about
from .bundles import open_index
from .console import note, out
from .options import ApiKey, BundlePath, CaCerts, Url, VectorFieldName
from .progress import bars
from .shown import show_evaluation

if TYPE_CHECKING:
    from ..collections import Collection
    from ..evaluation.optimising import Choice
    from ..types import Ranking

_PLACEHOLDER = "YOUR QUERY"


def optimise(
    collection: Annotated[
        str, typer.Argument(help="BEIR folder, a name of ir_datasets, or python-help-topics.")
    ],
    index: Annotated[str, typer.Option("--index", help="Index that holds its documents.")],
    split: Annotated[
        str, typer.Option("--split", help="Whose judgements it is measured on, of a BEIR folder.")
    ] = "test",
    dev: Annotated[
        str | None,
        typer.Option(
            "--dev", help="Split, or collection, to choose on; else folds of what is measured."
        ),
    ] = None,
    folds: Annotated[
        int, typer.Option("--folds", min=2, help="Of the cross-validation, without --dev.")
    ] = 5,
    measure: Annotated[
        str, typer.Option("--measure", help="What is to be high, by ir_measures' name.")
    ] = "nDCG@10",
    output: Annotated[
        Path, typer.Option("--output", help="Folder for the report, and for choice.json.")
    ] = Path("optimised"),
    encoder: BundlePath = None,
    field: VectorFieldName = None,
    url: Url = None,
    api_key: ApiKey = None,
    ca_certs: CaCerts = None,
) -> None:
    """Choose fusion, weights and window for hybrid search, and measure the choice honestly.

    It is chosen on a split of its own, or by cross-validation; never on the queries it is measured
    on. choice.json has the request that gives it.
    """
    from ..collections import open_measured
    from ..evaluation import DEFAULT_MEASURES, check_measures, measure_runs
    from ..evaluation.optimising import LINEAR, RRF, choose_by_folds, choose_on
    from ..evaluation.systems import lists_of
    from ..index import Asked
    from ..report import write_report
    from .cluster import connect

    (named,) = check_measures([measure])
    measured = open_measured(collection, split)
    chosen_on = None if dev is None else _other(collection, dev)
    if chosen_on is not None and (both := set(chosen_on.queries) & set(measured.queries)):
        raise typer.BadParameter(
            f"{len(both)} queries of {dev!r} are those it is measured on; choose on others",
            param_hint="--dev",
        )
    opened = open_index(connect(url, api_key, ca_certs), index, encoder, field)
    with bars() as show:
        searcher = opened.searcher()
        runs = lists_of(measured, searcher, show)
        chosen: dict[str, Ranking]
        if chosen_on is None:
            choice, chosen = choose_by_folds(measured, runs, named, folds, show)
        else:
            choice = choose_on(chosen_on, lists_of(chosen_on, searcher, show), named, show)
            chosen = choice.setting.run(list(runs.values()), measured.qrels)
        fixed = {
            name: setting.run(list(runs.values()), measured.qrels)
            for name, setting in (("rrf", RRF), ("linear", LINEAR))
        }
        evaluation = measure_runs(
            measured,
            {"rrf": fixed["rrf"], "linear": fixed["linear"], "chosen": chosen, **runs},
            output,
            measures=dict.fromkeys([named, *DEFAULT_MEASURES]),
            baseline="rrf",
            about={**about(sys.argv[1:], opened), "chosen": _told(choice)},
            progress=show,
        )
    page = write_report(evaluation, searcher.texts_of)
    asked = Asked(**choice.setting.asked())
    request = opened.searching.fused_by_cluster(_PLACEHOLDER, asked)
    (output / "choice.json").write_text(
        json.dumps({"asked": choice.setting.asked(), "request": request}, indent=2) + "\n"
    )
    show_evaluation(evaluation)
    out.print(f"chosen on {choice.chosen_on}: {choice.setting}")
    if choice.folds:
        others = sum(each != choice.setting for each in choice.folds)
        out.print(
            f"'chosen' is measured on held-out folds; {others} of {len(choice.folds)} of them chose"
            " otherwise"
        )
    out.print(f"its request is in {output / 'choice.json'}, to read: {page}")
    if not opened.cluster_encodes:
        note(
            f"the request is for a cluster with the encoder {opened.field.encoder!r} in service,"
            " which this one has not; here it is Index.search with what is 'asked' there"
        )


def _other(collection: str, dev: str) -> Collection:
    """A split of the same folder, or another collection."""
    from ..collections import open_measured

    if Path(collection).is_dir() and not Path(dev).exists():
        return open_measured(collection, dev)
    return open_measured(dev)


def _told(choice: Choice) -> str:
    return f"{choice.setting}; {choice.measure} {choice.reached:.4f} on {choice.chosen_on}"
