"""An evaluation: runs of the systems asked for, measured by Pyserini's trec_eval."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..collections import Collection, write_qrels, write_run
from ..collections.runs import writing
from ..java import find_java
from ..types import Document, QueryId, Run
from .anserini import MINIMUM_JAVA, anserini_jar
from .measures import Measured, measure_queries
from .progress import Progress, silent
from .systems import SYSTEMS, Bench, Searcher, check_systems, needs_documents, title_and_text

Systems = Mapping[str, Mapping[str, float]]
"""For each system, in the order asked for, its measures by name: means, with four decimals."""


@dataclass(frozen=True)
class KindOfQuery:
    """What was measured over the ``queries`` judged queries of one kind."""

    queries: int
    systems: Systems


@dataclass(frozen=True)
class Evaluation:
    """What was measured over all ``queries`` judged queries, and over those of each kind.

    A collection that tells no kinds has none here. ``output`` holds metrics.json, qrels.trec and
    runs/SYSTEM.trec.
    """

    collection: str
    queries: int
    systems: Systems
    output: Path
    kinds: Mapping[str, KindOfQuery] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Give what metrics.json holds."""
        return {
            "collection": self.collection,
            **_as_json(self.queries, self.systems),
            **(
                {
                    "kinds": {
                        name: _as_json(kind.queries, kind.systems)
                        for name, kind in self.kinds.items()
                    }
                }
                if self.kinds
                else {}
            ),
        }


def evaluate(
    collection: Collection,
    systems: Iterable[str],
    searcher: Searcher,
    output: Path,
    *,
    depth: int = 1000,
    text_of: Callable[[Document], str] = title_and_text,
    work_dir: Path | None = None,
    progress: Progress = silent,
) -> Evaluation:
    """Run the systems over the collection's judged queries, and measure them.

    A run that several systems need is made once; those of the systems asked for are written.
    ``text_of`` is the text of a document that Pyserini indexes; give it what the index measured
    here was fed. ``work_dir`` keeps Pyserini's index for the next time, by default below output.

    Raises EvaluationError for an unknown system or when Pyserini fails, JavaNotFound,
    MissingExtra, CollectionError for what cannot be read or written, and what the searcher raises.
    """
    wanted = check_systems(systems)
    if needs_documents(wanted) and not collection.has_documents:
        collection.documents()  # says what is missing
    anserini_jar()  # what is missing is said before the work, not after it
    java_home = find_java(MINIMUM_JAVA)
    bench = Bench(collection, searcher, text_of, depth, work_dir or output / "lucene", progress)
    qrels = output / "qrels.trec"
    write_qrels(qrels, collection.qrels)
    measured: dict[str, Measured] = {}
    for number, (name, run) in enumerate(_runs(wanted, bench).items()):
        progress("measuring", number, len(wanted))
        path = output / "runs" / f"{name}.trec"
        write_run(path, run, name)
        measured[name] = measure_queries(path, qrels, java_home)
    progress("measuring", len(wanted), len(wanted))
    evaluation = Evaluation(
        collection.name,
        len(collection.qrels),
        {name: each.means for name, each in measured.items()},
        output,
        _by_kind(collection, measured),
    )
    with writing(output / "metrics.json") as file:
        file.write(json.dumps(evaluation.as_json(), indent=2) + "\n")
    return evaluation


def _as_json(queries: int, systems: Systems) -> dict[str, Any]:
    return {
        "queries": queries,
        "systems": {name: dict(measures) for name, measures in systems.items()},
    }


def _by_kind(collection: Collection, measured: Mapping[str, Measured]) -> dict[str, KindOfQuery]:
    """The kinds in the order of their first queries."""
    members: dict[str, list[QueryId]] = {}
    for query in collection.queries:
        if query in collection.kinds:
            members.setdefault(collection.kinds[query], []).append(query)
    return {
        kind: KindOfQuery(
            len(queries), {name: each.mean_of(queries) for name, each in measured.items()}
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
