"""Whether a system got worse since an evaluation that was kept: for a team's own tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CollectionError, EvaluationError
from ..files import text_lines
from .measures import Values
from .result import QUERIES, Evaluation
from .significance import LEVEL, differences


@dataclass(frozen=True)
class Drop:
    """A measure that is lower than it was by more than is tolerated.

    ``p`` is that of the randomisation test over the queries of both, None where the queries'
    values of before are not there any more.
    """

    system: str
    measure: str
    before: float
    now: float
    p: float | None

    def __str__(self) -> str:
        how = "whose queries are not known" if self.p is None else f"p {self.p:.2g}"
        return (
            f"{self.system} {self.measure} fell from {self.before:.4f} to {self.now:.4f},"
            f" by {self.before - self.now:.4f} ({how})"
        )


def drops(evaluation: Evaluation, against: Path, tolerance: float = 0.0) -> list[Drop]:
    """What fell by more than ``tolerance`` since the metrics.json given, and not by chance.

    The queries.jsonl beside it says how each query did: a drop that may be chance is none. Raises
    EvaluationError where the two have no system or no measure in common, or are of other queries;
    CollectionError for a file that is none of ours.
    """
    before = _read(against)
    systems = [name for name in evaluation.systems if name in before["systems"]]
    names = [
        name
        for name in evaluation.measures
        if all(name in before["systems"][system] for system in systems)
    ]
    if not systems or not names:
        raise EvaluationError(
            f"{against} has {', '.join(before['systems'])} and nothing that was measured now:"
            f" {', '.join(evaluation.systems)}"
        )
    if before["queries"] != evaluation.queries:
        raise EvaluationError(
            f"{against} is of {before['queries']} queries, this is of {evaluation.queries}; measure"
            " both on the same collection"
        )
    queries = against.parent / QUERIES
    known = _values(queries) if queries.is_file() else {}
    return [
        drop
        for system in systems
        for drop in _drops_of(
            system, names, evaluation, before["systems"][system], known, tolerance
        )
    ]


def _drops_of(
    system: str,
    names: list[str],
    evaluation: Evaluation,
    before: Mapping[str, float],
    known: Mapping[str, Values],
    tolerance: float,
) -> list[Drop]:
    ps = _ps(system, names, evaluation, known) if system in known else {}
    now = evaluation.systems[system]
    return [
        Drop(system, name, before[name], now[name], ps.get(name))
        for name in names
        if before[name] - now[name] > tolerance and ps.get(name, 0.0) < LEVEL
    ]


def _ps(
    system: str, names: list[str], evaluation: Evaluation, known: Mapping[str, Values]
) -> dict[str, float]:
    now, before = evaluation.values[system], known[system]
    if set(now) != set(before):
        raise EvaluationError("the kept evaluation is of other queries; measure both on the same")
    paired = {"now": now, "before": {query: before[query] for query in now}}
    return {each.measure: each.randomisation for each in differences(paired, names, "before")}


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        systems = found["systems"]
        if not isinstance(found["queries"], int) or not all(
            isinstance(value, float | int) for each in systems.values() for value in each.values()
        ):
            raise TypeError
    except OSError as error:
        raise CollectionError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CollectionError(f"{path} is no metrics.json of an evaluation") from None
    return dict(found)


def _values(path: Path) -> dict[str, dict[str, Mapping[str, float]]]:
    values: dict[str, dict[str, Mapping[str, float]]] = {}
    for number, line in text_lines(path):
        try:
            row = json.loads(line)
            for system, measured in row["systems"].items():
                values.setdefault(system, {})[row["query"]] = measured
        except (ValueError, KeyError, TypeError, AttributeError):
            raise CollectionError(f"{path}:{number}: no query of an evaluation") from None
    return values
