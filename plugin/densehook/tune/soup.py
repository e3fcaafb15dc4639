"""`densehook soup`: which checkpoints are averaged."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..bundle import Dense
from ..collections import Sample
from ..encode import Encoder
from ..export import Recipe, export_bundle
from ..export.soup import average, ingredients
from .quality import MEASURE, Progress, encode_sample, ndcg, require_measure


@dataclass(frozen=True)
class Tried:
    """A checkpoint's own nDCG@10, that of the soup with it, and whether it stayed in."""

    checkpoint: str
    alone: float
    with_it: float
    kept: bool


def uniform_soup(checkpoints: Sequence[str], output: Path) -> None:
    """Writes the mean of all checkpoints as a model folder. Raises ExportError."""
    average(checkpoints, output, {"method": "uniform"})


def greedy_soup(
    checkpoints: Sequence[str],
    output: Path,
    recipe: Recipe,
    measured_on: Sample,
    progress: Progress = lambda label, done, total: None,
) -> list[Tried]:
    """Writes the mean of those checkpoints that make the mean better, or no worse.

    ``recipe`` says how the model encodes; its source and revision are not read. Raises RecipeError,
    ExportError, GateError, EvaluationError, JavaNotFound, MissingExtra.
    """

    def quality(chosen: Sequence[str]) -> float:
        label = " + ".join(Path(each).name for each in chosen)
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "model"
            average(chosen, folder, {})
            there = replace(recipe, source=str(folder), revision="", folder=Path())
            encoder = Encoder(export_bundle(there, Path(scratch) / "bundle"))
            total = len(measured_on.documents)
            documents, queries = encode_sample(
                encoder, measured_on, lambda done: progress(label, done, total)
            )
            return ndcg(measured_on, documents, queries, encoder.manifest.of(Dense).similarity)

    ingredients(checkpoints, output)  # what cannot be written is said before the work
    require_measure()
    tried = select(checkpoints, quality)
    kept = [each.checkpoint for each in tried if each.kept]
    evidence = {
        "method": "greedy",
        "measure": MEASURE,
        "collection": measured_on.name,
        "documents": len(measured_on.documents),
        "tried": [asdict(each) for each in tried],
    }
    average(kept, output, evidence)
    return tried


def select(checkpoints: Sequence[str], quality: Callable[[Sequence[str]], float]) -> list[Tried]:
    """The greedy soup of Wortsman et al. 2022, recipe 1: the best first, each kept if it helps.

    ``quality`` is asked for each alone, then for each with those already kept.
    """
    alone = {each: quality([each]) for each in checkpoints}
    best, *others = sorted(checkpoints, key=lambda each: -alone[each])
    kept, reached = [best], alone[best]
    tried = [Tried(best, reached, reached, True)]
    for each in others:
        found = quality([*kept, each])
        helps = found >= reached
        if helps:
            kept, reached = [*kept, each], found
        tried.append(Tried(each, alone[each], found, helps))
    return tried
