"""An evaluation: runs of the systems asked for, measured per query and by Pyserini's trec_eval."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..collections import Collection, write_qrels, write_run
from ..collections.runs import writing
from ..errors import EvaluationError
from ..java import find_java
from ..types import Document, Qrels, QueryId, Run
from .anserini import MINIMUM_JAVA, anserini_jar
from .judged import JUDGED, Judged, judged_of
from .judged import warnings as warnings_of
from .measures import DEFAULT_MEASURES, Values, check_measures, means, measure_queries
from .official import official_means, require_agreement
from .progress import Progress, silent
from .significance import SEED, Difference, Interval, differences, intervals
from .systems import (
    SYSTEMS,
    Bench,
    Searcher,
    check_systems,
    needs_documents,
    needs_index,
    title_and_text,
)
from .ties import without_ties

Systems = Mapping[str, Mapping[str, float]]
"""For each system, in the order asked for, its measures by name: means, with four decimals."""

METRICS = "metrics.json"
QUERIES = "queries.jsonl"
_OURS = (METRICS, QUERIES, "qrels.trec", "runs", "lucene", "report.html", "report.md", "report.tex")
"""What an evaluation's folder may hold before its metrics are there."""

_NAME = re.compile(r"\w[\w.+@-]*")
"""A run's name is that of a file."""


@dataclass(frozen=True)
class KindOfQuery:
    """What was measured over the ``queries`` judged queries of one kind."""

    queries: int
    systems: Systems


@dataclass(frozen=True)
class Evaluation:
    """What was measured over all ``queries`` judged queries, and over those of each kind.

    ``systems`` are the means, trec_eval's own where it has the measure; ``intervals`` say where
    they may lie, ``differences`` how the others stand to the ``baseline``, ``judged`` how far the
    judgements reach, and ``values`` hold each query. A collection that tells no kinds has none.
    ``runs`` are as they were written, ``texts`` those of the queries, as far as they are known, and
    ``about`` says what was run and where; ``warnings`` are what to beware of, a line each.
    ``output`` holds metrics.json, queries.jsonl, qrels.trec and runs/SYSTEM.trec.
    """

    collection: str
    queries: int
    systems: Systems
    output: Path
    kinds: Mapping[str, KindOfQuery] = field(default_factory=dict)
    baseline: str | None = None
    intervals: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict, repr=False)
    differences: Sequence[Difference] = field(default=(), repr=False)
    judged: Mapping[str, Judged] = field(default_factory=dict, repr=False)
    values: Mapping[str, Values] = field(default_factory=dict, repr=False)
    runs: Mapping[str, Run] = field(default_factory=dict, repr=False)
    qrels: Qrels = field(default_factory=dict, repr=False)
    texts: Mapping[QueryId, str] = field(default_factory=dict, repr=False)
    about: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()

    @property
    def measures(self) -> list[str]:
        """The names of what was measured; the first is the one that decides."""
        return list(next(iter(self.systems.values()), {}))

    def difference(self, system: str, measure: str) -> Difference | None:
        """How a system stands to the baseline; None for the baseline itself."""
        found = (d for d in self.differences if (d.system, d.measure) == (system, measure))
        return next(found, None)

    def as_json(self) -> dict[str, Any]:
        """Give what metrics.json holds."""
        made: dict[str, Any] = {
            "collection": self.collection,
            **_as_json(self.queries, self.systems),
        }
        if self.kinds:
            made["kinds"] = {
                name: _as_json(kind.queries, kind.systems) for name, kind in self.kinds.items()
            }
        if self.intervals:
            made["intervals"] = {
                system: {name: [each.low, each.high] for name, each in found.items()}
                for system, found in self.intervals.items()
            }
        if self.differences:
            made["baseline"] = self.baseline
            made["seed"] = SEED
            made["differences"] = [each.as_json() for each in self.differences]
        if self.about:
            made["about"] = dict(self.about)
        if self.warnings:
            made["warnings"] = list(self.warnings)
        if self.judged:
            made["judged"] = {name: each.as_json() for name, each in self.judged.items()}
        return made


def evaluate(
    collection: Collection,
    systems: Iterable[str],
    searcher: Searcher,
    output: Path,
    *,
    measures: Iterable[str] = DEFAULT_MEASURES,
    baseline: str | None = None,
    runs: Mapping[str, Run] | None = None,
    about: Mapping[str, str] | None = None,
    depth: int = 1000,
    text_of: Callable[[Document], str] = title_and_text,
    work_dir: Path | None = None,
    progress: Progress = silent,
) -> Evaluation:
    """Run the systems over the collection's judged queries, and measure them.

    A run that several systems need is made once; those of the systems asked for are written, and
    ``runs`` of other programs join them by their names. The others are compared with the
    ``baseline``, by default the first. ``text_of`` is the text of a document that Pyserini indexes;
    give it what the index measured here was fed. ``work_dir`` keeps Pyserini's index for the next
    time, by default below output; ``about`` is kept with the figures, for who asks later.

    Raises EvaluationError for an unknown system, measure or baseline, or when Pyserini fails,
    JavaNotFound, MissingExtra, CollectionError for what cannot be read or written, and what the
    searcher raises.
    """
    wanted = check_systems(systems)
    names = check_measures(measures)
    given = {
        name: _of_collection(name, run, collection.qrels) for name, run in (runs or {}).items()
    }
    _check_names(wanted, given, baseline)
    _require_folder(output)
    if needs_documents(wanted) and not collection.has_documents:
        collection.documents()  # says what is missing
    anserini_jar()  # what is missing is said before the work, not after it
    find_java(MINIMUM_JAVA)
    beware = _lacking(collection, searcher) if needs_index(wanted) else []
    bench = Bench(collection, searcher, text_of, depth, work_dir or output / "lucene", progress)
    made = {**_runs(wanted, bench), **given}
    return _measured(collection, made, output, names, baseline, about or {}, progress, beware)


def measure_runs(
    collection: Collection,
    runs: Mapping[str, Run],
    output: Path,
    *,
    measures: Iterable[str] = DEFAULT_MEASURES,
    baseline: str | None = None,
    about: Mapping[str, str] | None = None,
    progress: Progress = silent,
) -> Evaluation:
    """Measure runs that are there; else as ``evaluate``. Of the collection none needs documents."""
    names = check_measures(measures)
    if not collection.qrels:
        raise EvaluationError(f"{collection.name} holds no relevance judgements")
    given = {system: _of_collection(system, run, collection.qrels) for system, run in runs.items()}
    _check_names((), given, baseline)
    _require_folder(output)
    anserini_jar()
    find_java(MINIMUM_JAVA)
    return _measured(collection, given, output, names, baseline, about or {}, progress)


def _measured(
    collection: Collection,
    runs: Mapping[str, Run],
    output: Path,
    measures: Sequence[str],
    baseline: str | None,
    about: Mapping[str, str],
    progress: Progress,
    beware: Sequence[str] = (),
) -> Evaluation:
    _clear(output, runs)
    qrels, written = output / "qrels.trec", {}
    write_qrels(qrels, collection.qrels)
    values: dict[str, Values] = {}
    judged: dict[str, Values] = {}
    ordered: dict[str, Run] = {}
    for number, (name, run) in enumerate(runs.items()):
        progress("measuring", number, len(runs))
        ordered[name] = without_ties(run)
        written[name] = output / "runs" / f"{name}.trec"
        write_run(written[name], ordered[name], name)
        found = measure_queries(ordered[name], collection.qrels, [*measures, *JUDGED])
        values[name] = {query: {m: each[m] for m in measures} for query, each in found.items()}
        judged[name] = {query: {m: each[m] for m in JUDGED} for query, each in found.items()}
    official = official_means(written, qrels, measures, find_java(MINIMUM_JAVA))
    computed = {name: means(each, measures) for name, each in values.items()}
    require_agreement(official, computed)
    progress("measuring", len(runs), len(runs))
    baseline = baseline or next(iter(runs))
    evaluation = Evaluation(
        collection.name,
        len(collection.qrels),
        {name: {**computed[name], **official[name]} for name in runs},
        output,
        kinds=_by_kind(collection, values, measures),
        baseline=baseline,
        intervals=dict(zip(runs, intervals(values, measures), strict=True)),
        differences=differences(values, measures, baseline),
        judged={name: judged_of(each) for name, each in judged.items()},
        values=values,
        runs=ordered,
        qrels=collection.qrels,
        texts=collection.queries,
        about=about,
        warnings=[*beware, *warnings_of(judged, baseline)],
    )
    _write(evaluation, collection)
    return evaluation


def _write(evaluation: Evaluation, collection: Collection) -> None:
    with writing(evaluation.output / METRICS) as file:
        file.write(json.dumps(evaluation.as_json(), indent=2) + "\n")
    with writing(evaluation.output / QUERIES) as file:
        for query in collection.qrels:
            row: dict[str, Any] = {"query": query}
            if query in collection.queries:
                row["text"] = collection.queries[query]
            if query in collection.kinds:
                row["kind"] = collection.kinds[query]
            row["systems"] = {name: each[query] for name, each in evaluation.values.items()}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _lacking(collection: Collection, searcher: Searcher) -> list[str]:
    """What to say of relevant documents that the index has not.

    Raises EvaluationError when it has none of them: it is of another collection.
    """
    relevant = sorted(
        {id_ for judged in collection.qrels.values() for id_, grade in judged.items() if grade > 0}
    )
    lacking = searcher.lacking(relevant)
    if relevant and len(lacking) == len(relevant):
        raise EvaluationError(
            f"the index has none of the documents that are relevant in {collection.name}"
            f" ({_first(relevant)}); it holds another collection, or its ids are others"
        )
    if not lacking:
        return []
    return [
        f"{len(lacking):,} of {len(relevant):,} relevant documents are not in the index"
        f" ({_first(lacking)}): every figure is lower than it should be"
    ]


def _clear(output: Path, runs: Iterable[str]) -> None:
    """Takes away what an evaluation before left here and this one will not write over."""
    try:
        before = json.loads((output / METRICS).read_text(encoding="utf-8"))["systems"]
    except (OSError, ValueError, KeyError, TypeError):
        before = {}
    stale = [output / "runs" / f"{name}.trec" for name in before if name not in runs]
    for path in (*stale, *(output / name for name in ("report.html", "report.md", "report.tex"))):
        path.unlink(missing_ok=True)


def _of_collection(name: str, run: Run, qrels: Qrels) -> Run:
    """The run's judged queries. Raises EvaluationError when there are none."""
    found = {query: ranking for query, ranking in run.items() if query in qrels}
    if not found:
        raise EvaluationError(
            f"run {name!r} has no query that is judged: it has {_first(run)}, judged are"
            f" {_first(qrels)}"
        )
    known = {id_ for judged in qrels.values() for id_ in judged}
    ids = {hit.id for ranking in found.values() for hit in ranking}
    if ids and ids.isdisjoint(known):
        raise EvaluationError(
            f"run {name!r} has no document that is judged: it has {_first(sorted(ids))}, judged are"
            f" {_first(sorted(known))}"
        )
    return found


def _first(ids: Iterable[str]) -> str:
    """The first three."""
    shown = list(ids)
    return ", ".join(map(repr, shown[:3])) + (", …" if len(shown) > 3 else "")


def _check_names(systems: Sequence[str], runs: Iterable[str], baseline: str | None) -> None:
    names = list(systems)
    for name in runs:
        if not _NAME.fullmatch(name):
            raise EvaluationError(
                f"a run cannot be called {name!r}; give it a name of letters, digits and -._+@"
            )
        if name in names:
            raise EvaluationError(f"run {name!r} has the name of a system; name it otherwise")
        names.append(name)
    if not names:
        raise EvaluationError("no run to measure")
    if baseline is not None and baseline not in names:
        raise EvaluationError(f"baseline {baseline!r} is not measured; there is {', '.join(names)}")


def _require_folder(output: Path) -> None:
    """Raises EvaluationError for a folder of something else, which nothing is to be added to."""
    try:
        there = sorted(path.name for path in output.iterdir()) if output.exists() else []
    except OSError as error:
        raise EvaluationError(f"{output} cannot be used: {error.strerror or error}") from None
    strange = [name for name in there if name not in _OURS]
    if strange and METRICS not in there:
        raise EvaluationError(
            f"{output} holds something else ({_first(strange)}); name another folder"
        )


def _as_json(queries: int, systems: Systems) -> dict[str, Any]:
    return {
        "queries": queries,
        "systems": {name: dict(measures) for name, measures in systems.items()},
    }


def _by_kind(
    collection: Collection, values: Mapping[str, Values], measures: Sequence[str]
) -> dict[str, KindOfQuery]:
    """The kinds in the order of their first queries."""
    members: dict[str, list[QueryId]] = {}
    for query in collection.queries:
        if query in collection.kinds:
            members.setdefault(collection.kinds[query], []).append(query)
    return {
        kind: KindOfQuery(
            len(queries),
            {
                name: means({query: each[query] for query in queries}, measures)
                for name, each in values.items()
            },
        )
        for kind, queries in members.items()
    }


def _runs(wanted: Iterable[str], bench: Bench) -> dict[str, Run]:
    made: dict[str, Run] = {}

    def run_of(name: str) -> Run:
        if name not in made:
            system = SYSTEMS[name]
            made[name] = system.make(bench, [run_of(part) for part in system.parts])
        return made[name]

    return {name: run_of(name) for name in wanted}
