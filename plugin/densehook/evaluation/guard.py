"""Whether a system got worse since an evaluation that was kept: for a team's own tests."""

from __future__ import annotations

import json
import math
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
class Kept:
    """An evaluation that was kept: means by system, and each query's values where known."""

    path: Path
    queries: int
    systems: Mapping[str, Mapping[str, float]]
    values: Mapping[str, Values]


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


def kept_at(path: Path) -> Kept:
    """Reads a metrics.json, and the queries.jsonl beside it where that is there.

    Raises CollectionError for a file that is none of ours.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        systems = {
            name: {measure: _number(value) for measure, value in each.items()}
            for name, each in found["systems"].items()
        }
        queries = int(found["queries"])
    except OSError as error:
        raise CollectionError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CollectionError(f"{path} is no metrics.json of an evaluation") from None
    beside = path.parent / QUERIES
    return Kept(path, queries, systems, _values(beside, systems) if beside.is_file() else {})


def drops(evaluation: Evaluation, kept: Kept, tolerance: float = 0.0) -> list[Drop]:
    """What fell by more than ``tolerance`` since then, and not by chance.

    Every system and measure that was kept must be measured now: what is not looked at is not
    guarded. With the queries of before, a drop that may be chance is none. Raises EvaluationError
    where one is not measured now, or where the queries are others.
    """
    if not tolerance >= 0:
        raise EvaluationError(f"tolerance is {tolerance}; it must be 0 or more")
    if kept.queries != evaluation.queries:
        raise EvaluationError(
            f"{kept.path} is of {kept.queries} queries, this is of {evaluation.queries}; measure"
            " both on the same collection"
        )
    for system, means in kept.systems.items():
        for name in means:
            if name not in evaluation.systems.get(system, {}):
                raise EvaluationError(
                    f"{kept.path} guards {name} of {system}, which was not measured now; measure it"
                    " too, or keep an evaluation without it"
                )
    return [
        drop
        for system, means in kept.systems.items()
        for drop in _drops_of(system, means, evaluation, kept.values.get(system), tolerance)
    ]


def _drops_of(
    system: str,
    before: Mapping[str, float],
    evaluation: Evaluation,
    values: Values | None,
    tolerance: float,
) -> list[Drop]:
    ps = {} if values is None else _ps(evaluation.values[system], values, list(before))
    now = evaluation.systems[system]
    return [
        Drop(system, name, before[name], now[name], ps.get(name))
        for name in before
        if before[name] - now[name] > tolerance and ps.get(name, 0.0) < LEVEL
    ]


def _ps(now: Values, before: Values, names: list[str]) -> dict[str, float]:
    if set(now) != set(before):
        raise EvaluationError("the kept evaluation is of other queries; measure both on the same")
    if 2 ** (1 - len(now)) >= LEVEL:  # not even a fall of every query would be sure
        return {}
    paired = {"now": now, "before": {query: before[query] for query in now}}
    return {each.measure: each.randomisation for each in differences(paired, names, "before")}


def _values(path: Path, systems: Mapping[str, Mapping[str, float]]) -> dict[str, Values]:
    values: dict[str, dict[str, dict[str, float]]] = {}
    for number, line in text_lines(path):
        try:
            row = json.loads(line)
            for system, measures in systems.items():
                found = row["systems"][system]
                values.setdefault(system, {})[row["query"]] = {
                    name: _number(found[name]) for name in measures
                }
        except (ValueError, KeyError, TypeError, AttributeError):
            raise CollectionError(f"{path}:{number}: no query of this evaluation") from None
    return dict(values)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError
    return float(value)
