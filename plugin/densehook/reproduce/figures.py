"""The files of published figures: which system, by which encoder, what, and who says so."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CollectionError, EvaluationError
from ..evaluation import check_measures, check_systems

_FOLDER = Path(__file__).with_name("collections")

TOLERANCES: Mapping[str, float] = {"flat": 0.001, "hnsw": 0.003, "int8_hnsw": 0.005}
"""By index type, of what an encoder made: Anserini's, for encoders run by ONNX."""
ROUNDING = 0.0001
"""Of what no encoder made: the last of the four decimals that are published."""


@dataclass(frozen=True)
class Run:
    """What a system is to give, and the source that says so.

    ``encoder`` is the name of the bundle whose vectors it searches; None where it needs none.
    ``tolerance`` is that of the source, where it has one of its own.
    """

    system: str
    encoder: str | None
    expected: Mapping[str, float]
    source: str
    tolerance: float | None = None

    def within(self, index_type: str) -> float:
        """How far what is measured may be from what is expected."""
        if self.tolerance is not None:
            return self.tolerance
        return ROUNDING if self.encoder is None else TOLERANCES[index_type]


@dataclass(frozen=True)
class Regression:
    """A collection's figures; ``folder`` is what its BEIR folder is called."""

    name: str
    title: str
    folder: str
    runs: Sequence[Run]

    @property
    def encoders(self) -> list[str]:
        """The encoders that have figures here."""
        return list(dict.fromkeys(run.encoder for run in self.runs if run.encoder is not None))

    def runs_of(self, encoder: str) -> list[Run]:
        """What is to come out with this encoder: its figures, and those that need none."""
        return [run for run in self.runs if run.encoder in (None, encoder)]


def known_regressions() -> list[str]:
    """The names of the collections whose figures come with the package."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def read_regression(name: str) -> Regression:
    """The figures of a collection that is known, or of a file of one's own, NAME.toml.

    Raises CollectionError when there is none, or it says not what is needed.
    """
    path = Path(name) if name.endswith(".toml") else _FOLDER / f"{name}.toml"
    if not name.endswith(".toml") and name not in known_regressions():
        known = ", ".join(known_regressions())
        raise CollectionError(
            f"no figures of {name!r} are known; known: {known}; or give a file of your own, as"
            " mine.toml"
        )
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CollectionError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise CollectionError(f"{path} is no TOML: {error}") from None
    try:
        return _parsed(path.stem, content)
    except (KeyError, TypeError) as error:
        said = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise CollectionError(f"{path}: {said}") from None


def _parsed(name: str, content: Mapping[str, Any]) -> Regression:
    runs = [_run(number, row) for number, row in enumerate(_rows(content["run"]), start=1)]
    return Regression(name, _text(content, "title"), _text(content, "folder"), runs)


def _rows(value: Any) -> Sequence[Mapping[str, Any]]:
    if not isinstance(value, list) or not value or not all(isinstance(row, dict) for row in value):
        raise TypeError("run must be a table for each system, as [[run]]")
    return value


def _run(number: int, row: Mapping[str, Any]) -> Run:
    expected = row.get("expected")
    if not isinstance(expected, dict) or not expected or not all(map(_is_share, expected.values())):
        raise TypeError(
            f"run {number}: expected must have a figure from 0 to 1 for each measure, as"
            ' { "nDCG@10" = 0.6789 }'
        )
    unknown = sorted({*row} - {"system", "encoder", "expected", "source", "tolerance"})
    if unknown:
        raise TypeError(f"run {number}: {unknown[0]!r} is unknown")
    tolerance = row.get("tolerance")
    if tolerance is not None and not _is_share(tolerance):
        raise TypeError(f"run {number}: tolerance is {tolerance!r}; it must be a number below 1")
    encoder = _text(row, "encoder") if "encoder" in row else None
    try:
        (system,) = check_systems([_text(row, "system")])
        figures = {check_measures([name])[0]: figure for name, figure in expected.items()}
    except EvaluationError as error:
        raise TypeError(f"run {number}: {error}") from None
    return Run(system, encoder, figures, _text(row, "source"), tolerance)


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row[key]
    if not isinstance(value, str) or not value.strip():
        raise TypeError(f"{key} is {value!r}; it must be text")
    return value


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
