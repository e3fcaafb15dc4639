"""How an evaluation is shown in the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from .console import note, out

if TYPE_CHECKING:
    from ..evaluation import Evaluation


def show_evaluation(evaluation: Evaluation) -> None:
    """The means; then how the systems differ from the baseline, and what to beware of."""
    show_means(evaluation)
    if evaluation.differences:
        out.print()
        out.print(differences_table(evaluation))
        out.print(
            "95% interval; p: randomisation test, by Holm; needed: queries that would show it",
            style="dim",
        )
    for warning in evaluation.warnings:
        note(f"warning: {warning}")


def show_means(evaluation: Evaluation) -> None:
    """Every measure over all queries; then one for each kind of them, where they are of kinds."""
    out.print(table_of(evaluation))
    if evaluation.kinds:
        out.print()
        out.print(kinds_table(evaluation))
        out.print("* the best of its kind", style="dim")


def table_of(evaluation: Evaluation) -> Table:
    """One row a system, one column a measure."""
    table = _systems_table("system", next(iter(evaluation.systems.values())))
    for system, values in evaluation.systems.items():
        table.add_row(system, *(f"{value:.4f}" for value in values.values()))
    return table


def differences_table(evaluation: Evaluation) -> Table:
    """One row for each system that was compared, by the first measure."""
    measure = evaluation.measures[0]
    table = _systems_table(
        f"{measure} to {evaluation.baseline}",
        ("differs", "from", "to", "p", "better", "worse", "needed"),
    )
    for each in evaluation.differences:
        if each.measure == measure:
            table.add_row(
                each.system,
                Text(f"{each.mean:+.4f}", style="bold" if each.is_significant else ""),
                f"{each.low:+.4f}",
                f"{each.high:+.4f}",
                f"{each.randomisation_holm:.4f}",
                str(each.better),
                str(each.worse),
                "–" if each.needed is None else f"{each.needed:,}",
            )
    return table


def kinds_table(evaluation: Evaluation) -> Table:
    """One row a system, one column a kind of query, of the first measure; the best are marked.

    Then the mean of the kinds, where that is of interest, and all queries.
    """
    measure = evaluation.measures[0]
    columns = {name: (kind.systems, str(kind.queries)) for name, kind in evaluation.kinds.items()}
    if evaluation.macro:
        columns["mean"] = (evaluation.macro, "")
    columns["all"] = (evaluation.systems, str(evaluation.queries))
    table = _systems_table(measure, columns)
    best = [max(each[measure] for each in systems.values()) for systems, _ in columns.values()]
    for system in evaluation.systems:
        values = [systems[system][measure] for systems, _ in columns.values()]
        table.add_row(system, *map(_marked, values, best))
    table.add_row("queries", *(queries for _, queries in columns.values()))
    return table


def _marked(value: float, best: float) -> Text:
    return Text(f"*{value:.4f}", style="bold") if value == best else Text(f"{value:.4f}")


def _systems_table(first: str, columns: Iterable[str]) -> Table:
    table = Table(first, box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right")
    return table
