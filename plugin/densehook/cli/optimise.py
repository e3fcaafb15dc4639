"""`densehook optimise`: how best to fuse, chosen on other queries than it is measured on."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .about import about
from .bundles import open_index
from .console import note, out
from .measure import read_runs
from .options import ApiKey, BundlePath, CaCerts, Url, VectorFieldName
from .progress import bars
from .shown import show_evaluation

if TYPE_CHECKING:
    from ..collections import Collection
    from ..evaluation import Evaluation
    from ..evaluation.optimising import Choice
    from ..evaluation.querywise import QueryWise
    from ..index import Index

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
    runs: Annotated[
        list[str] | None,
        typer.Option(
            "--run",
            help="TREC run to fuse as one more list, as FILE or NAME=FILE; may be given several"
            " times. It has the queries of --dev, too.",
        ),
    ] = None,
    query_wise: Annotated[
        bool,
        typer.Option(
            "--query-wise",
            help="Learn weights for each query, too, and keep them in the index where they are"
            " surely better than the best fixed ones.",
        ),
    ] = False,
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
    from ..evaluation.checking import require_folder
    from ..evaluation.choosing import choose
    from ..index import Asked
    from ..report import write_report
    from .cluster import connect

    (named,) = check_measures([measure])
    require_folder(output)
    measured = open_measured(collection, split)
    more = read_runs(runs or [])
    opened = open_index(connect(url, api_key, ca_certs), index, encoder, field)
    searcher = opened.searcher()
    with bars() as show:
        chosen = choose(
            measured,
            searcher,
            named,
            dev=None if dev is None else _other(collection, dev),
            folds=folds,
            more=more,
            query_wise=query_wise,
            progress=show,
        )
        choice, learned = chosen.choice, chosen.learned
        evaluation = measure_runs(
            measured,
            chosen.runs,
            output,
            measures=dict.fromkeys([named, *DEFAULT_MEASURES]),
            baseline="rrf",
            about={**about(sys.argv[1:], opened), "chosen": _told(choice)},
            progress=show,
        )
    page = write_report(evaluation, searcher.texts_of)
    told: dict[str, Any] = {"chosen": str(choice), "asked": choice.setting.asked(choice.lists)}
    if not more:
        asked = Asked(**told["asked"])
        told["request"] = opened.searching.fused_by_cluster(_PLACEHOLDER, asked)
    if learned is not None:
        told["learned"] = learned.model.as_json()
    (output / "choice.json").write_text(json.dumps(told, indent=2) + "\n")
    show_evaluation(evaluation)
    out.print(f"chosen on {choice.chosen_on}: {choice}")
    if choice.folds:
        others = sum(each != choice.setting for each in choice.folds)
        out.print(
            f"'chosen' is measured on held-out folds; {others} of {len(choice.folds)} of them chose"
            " otherwise"
        )
    if learned is not None:
        out.print(_keep(evaluation, learned, named, opened))
    what = "the choice" if more else "its request"
    out.print(f"{what} is in {output / 'choice.json'}, to read: {page}")
    if not more and not opened.cluster_encodes:
        note(
            f"the request is for a cluster with the encoder {opened.field.encoder!r} in service,"
            " which this one has not; here it is Index.search with what is 'asked' there"
        )


def _keep(evaluation: Evaluation, learned: QueryWise, measure: str, opened: Index) -> str:
    """Keeps learned weights where they are surely better than the fixed; says what was done."""
    from ..elastic.indices import keep_weights
    from ..evaluation.querywise import compared

    values = evaluation.values
    difference = compared(values["learned"], values["chosen"], measure)
    told = (
        f"learned is, against chosen, {difference.mean:+.4f} {measure} (95% between"
        f" {difference.low:+.4f} and {difference.high:+.4f}, p {difference.randomisation:.4f})"
    )
    if difference.verdict != "better":
        if opened.field.weights is None:
            return f"{told}: not surely better, so nothing is kept"
        keep_weights(opened.client, opened.name, opened.field.name, None)
        return f"{told}: not surely better, so those that index {opened.name!r} kept are gone"
    keep_weights(opened.client, opened.name, opened.field.name, learned.model)
    return f"{told}: kept in index {opened.name!r}; search with weights 'learned'"


def _other(collection: str, dev: str) -> Collection:
    """A split of the same folder, or another collection."""
    from ..collections import open_measured

    if Path(collection).is_dir() and not Path(dev).exists():
        return open_measured(collection, dev)
    return open_measured(dev)


def _told(choice: Choice) -> str:
    return f"{choice}; {choice.measure} {choice.reached:.4f} on {choice.chosen_on}"
