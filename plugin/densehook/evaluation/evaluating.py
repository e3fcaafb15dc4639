"""An evaluation: runs of the systems asked for, measured per query and by Pyserini's trec_eval."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..collections import Collection, write_qrels, write_run
from ..collections.runs import writing
from ..errors import DensehookError, EvaluationError
from ..java import find_java
from ..types import Document, QueryId, Run
from .anserini import MINIMUM_JAVA, anserini_jar, end_workers
from .checking import (
    check_names,
    clear_away,
    documents_lacking,
    judged_part,
    nothing_relevant,
    require_folder,
)
from .judged import JUDGED, NO_HITS, judged_of
from .judged import warnings as warnings_of
from .latency import CALLERS, Latency, measure_latency
from .measures import (
    DEFAULT_MEASURES,
    Values,
    acceptable,
    check_grades,
    check_measures,
    means,
    measure_queries,
)
from .official import official_means, require_agreement
from .progress import Progress, silent
from .result import METRICS, QUERIES, Evaluation, KindOfQuery
from .significance import SEED, differences, intervals
from .systems import (
    SYSTEMS,
    Bench,
    Reranker,
    Searcher,
    check_systems,
    made_apart,
    needs_documents,
    needs_index,
    needs_reranker,
    system_of,
    title_and_text,
)
from .ties import without_ties

_TIMED = 50
"""Queries that systems are timed with, by each number of callers."""


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
    timed: Mapping[str, Callable[[str], object]] | None = None,
    depth: int = 1000,
    text_of: Callable[[Document], str] = title_and_text,
    work_dir: Path | None = None,
    rerank: Reranker | None = None,
    progress: Progress = silent,
) -> Evaluation:
    """Run the systems over the collection's judged queries, and measure them.

    A run that several systems need is made once; those of the systems asked for are written, and
    ``runs`` of other programs join them by their names, also as lists of a fusion, as in
    ``linear(bm25,dense,mine)``. The others are compared with the
    ``baseline``, by default the first. ``text_of`` is the text of a document that Pyserini indexes;
    give it what the index measured here was fed. ``work_dir`` keeps Pyserini's index for the next
    time, by default below output; ``about`` is kept with the figures, for who asks later. ``timed``
    says for systems that serve searches how one is asked: how long that takes is measured too.
    ``rerank`` makes the runs of systems such as ``rrf+rerank``.

    Raises EvaluationError for an unknown system, measure or baseline, or when Pyserini fails,
    JavaNotFound, MissingExtra, CollectionError for what cannot be read or written, and what the
    searcher raises.
    """
    wanted = check_systems(systems, runs or ())
    if rerank is None and needs_reranker(wanted):
        raise EvaluationError(
            f"{', '.join(name for name in wanted if needs_reranker([name]))}: no cross-encoder is"
            " named to rerank by; name one (--rerank), or leave +rerank out"
        )
    names = check_measures(measures)
    check_grades(names, collection.qrels)
    given = {name: judged_part(name, run, collection.qrels) for name, run in (runs or {}).items()}
    check_names(wanted, given, baseline, taken=SYSTEMS)
    require_folder(output)
    if needs_documents(wanted) and not collection.has_documents:
        collection.documents()  # says what is missing
    anserini_jar()  # what is missing is said before the work, not after it
    find_java(MINIMUM_JAVA)
    beware = documents_lacking(collection, searcher) if needs_index(wanted) else []
    bench = Bench(
        collection, searcher, text_of, depth, work_dir or output / "lucene", progress, rerank
    )
    made = {**_runs(wanted, bench, given), **given}
    asks = {name: ask for name, ask in (timed or {}).items() if name in wanted}
    latencies, untimed = _latencies(list(collection.queries.values()), asks, progress)
    return _measured(
        collection,
        made,
        output,
        names,
        baseline=baseline,
        about=about or {},
        progress=progress,
        beware=[*beware, *untimed],
        latencies=latencies,
    )


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
    check_grades(names, collection.qrels)
    given = {system: judged_part(system, run, collection.qrels) for system, run in runs.items()}
    check_names((), given, baseline)
    require_folder(output)
    anserini_jar()
    find_java(MINIMUM_JAVA)
    return _measured(
        collection, given, output, names, baseline=baseline, about=about or {}, progress=progress
    )


def _measured(
    collection: Collection,
    runs: Mapping[str, Run],
    output: Path,
    measures: Sequence[str],
    *,
    baseline: str | None,
    about: Mapping[str, str],
    progress: Progress,
    beware: Sequence[str] = (),
    latencies: Mapping[str, Sequence[Latency]] = MappingProxyType({}),
) -> Evaluation:
    clear_away(output, runs)
    qrels, written = output / "qrels.trec", {}
    write_qrels(qrels, acceptable(collection.qrels))
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
        judged[name] = {
            # of no hits none is unjudged
            query: {m: each[m] for m in JUDGED} | ({} if ordered[name].get(query) else NO_HITS)
            for query, each in found.items()
        }
    baseline = baseline or next(iter(runs))
    computed = {name: means(each, measures) for name, each in values.items()}
    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(official_means, written, qrels, measures, find_java(MINIMUM_JAVA))
        spans = dict(zip(runs, intervals(values, measures), strict=True))
        differing = differences(values, measures, baseline)
        official = asked.result()
    require_agreement(official, computed)
    progress("measuring", len(runs), len(runs))
    kinds = _by_kind(collection, values, measures)
    evaluation = Evaluation(
        collection.name,
        len(collection.qrels),
        {name: {**computed[name], **official[name]} for name in runs},
        output,
        kinds=kinds,
        macro=_mean_of(kinds, runs, measures) if collection.kinds_alike else {},
        baseline=baseline,
        intervals=spans,
        differences=differing,
        judged={name: judged_of(each) for name, each in judged.items()},
        values=values,
        runs=ordered,
        qrels=collection.qrels,
        texts=collection.queries,
        about=about,
        latencies=latencies,
        warnings=[*beware, *nothing_relevant(collection.qrels), *warnings_of(judged, baseline)],
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


def _latencies(
    queries: Sequence[str],
    asks: Mapping[str, Callable[[str], object]],
    progress: Progress,
) -> tuple[dict[str, Sequence[Latency]], list[str]]:
    """Of some of the queries, drawn by a fixed seed; and what to say of systems that failed."""
    drawn = random.Random(SEED).sample(queries, min(_TIMED, len(queries)))
    found: dict[str, Sequence[Latency]] = {}
    untimed: list[str] = []
    for number, (name, ask) in enumerate(asks.items()):
        progress("timing", number, len(asks))
        try:
            found[name] = [measure_latency(ask, drawn, callers) for callers in CALLERS]
        except DensehookError as error:  # the runs are made, and are not lost for it
            untimed.append(f"how long {name} takes is not known: {error}")
    return found, untimed


def _mean_of(
    kinds: Mapping[str, KindOfQuery], runs: Iterable[str], measures: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Means of the kinds' means, as MTEB reports a task in several languages."""
    return {
        name: means({kind: each.systems[name] for kind, each in kinds.items()}, measures)
        for name in (runs if kinds else ())
    }


def _runs(wanted: Sequence[str], bench: Bench, given: Mapping[str, Run]) -> dict[str, Run]:
    """The runs of the systems; what other processes make is begun first, beside all else."""
    made: dict[str, Run] = dict(given)
    begun: dict[str, Future[Run]] = {}

    def run_of(name: str) -> Run:
        system = system_of(name)
        if name in begun:
            made[name] = begun.pop(name).result()
        elif name not in made and system is not None:
            made[name] = system.make(bench, [run_of(part) for part in system.parts])
        return made[name]

    with ThreadPoolExecutor(1) as beside:
        for name in made_apart(wanted):
            if name not in made and (system := system_of(name)) is not None:
                begun[name] = beside.submit(system.make, bench, ())
        try:
            here = sorted(wanted, key=lambda name: bool(made_apart([name])))
            runs = {name: run_of(name) for name in here}
        except BaseException:
            end_workers()
            raise
    return {name: runs[name] for name in wanted}
