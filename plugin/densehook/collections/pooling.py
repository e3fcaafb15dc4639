"""What systems found first and nobody judged, of the folder that an evaluation wrote.

Judging what any of several systems ranks first is how TREC makes its judgements (Spärck Jones and
van Rijsbergen 1975, "Report on the Need for and Provision of an 'Ideal' Information Retrieval Test
Collection"). Which documents come first follows Carterette et al. 2006, "Minimal Test Collections
for Retrieval Evaluation": those whose relevance would move the systems furthest apart.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from ..errors import CollectionError
from ..files import text_lines
from ..types import DocId, Qrels, QueryId
from .qrels import read_qrels
from .runs import read_run

POOL_DEPTH = 20
"""How far into each ranking a pool reaches, unless told otherwise."""

FIRST = 10
"""The hits that a judged share and nDCG@10 look at."""

_RUNS, _QRELS, _QUERIES = "runs/*.trec", "qrels.trec", "queries.jsonl"
_ROUNDING = 9
"""Decimals to which two changes are one, so that no rounding decides an order."""


class Pair(NamedTuple):
    """A document that nobody judged for a query.

    ``change`` is by how much it would move two of the systems apart in nDCG@10 if it were relevant,
    at most; ``found`` is how early and by how many it was found.
    """

    query: QueryId
    document: DocId
    change: float
    found: float


@dataclass(frozen=True)
class Pool:
    """The first hits of several systems, and what was judged when they were measured.

    ``runs`` are rankings by system and query; ``texts`` those of the queries, as far as the
    evaluation knew them.
    """

    runs: Mapping[str, Mapping[QueryId, Sequence[DocId]]]
    qrels: Qrels
    texts: Mapping[QueryId, str]
    depth: int = POOL_DEPTH

    @cached_property
    def begun(self) -> list[Pair]:
        """What nobody had judged when it was measured."""
        return self.pairs(self.qrels)

    def pairs(self, judged: Qrels) -> list[Pair]:
        """What nobody judged, what would change most first."""
        found = [
            pair for query in self.qrels for pair in self._pairs_of(query, judged.get(query, {}))
        ]
        return sorted(found, key=_telling)

    def shares(self, judged: Qrels) -> dict[str, float]:
        """For each system the mean share of a query's first ten hits that is judged."""
        return {
            system: sum(
                _share(run.get(query, ())[:FIRST], judged.get(query, {})) for query in self.qrels
            )
            / max(1, len(self.qrels))
            for system, run in self.runs.items()
        }

    def _pairs_of(self, query: QueryId, judged: Mapping[DocId, int]) -> Iterator[Pair]:
        whole = [run.get(query, ()) for run in self.runs.values()]
        pooled = dict.fromkeys(id_ for ranking in whole for id_ in ranking[: self.depth])
        grades = [max(0, grade) for grade in judged.values()]
        before, after = _ideal(grades), _ideal([*grades, 1])
        gained = [
            sum(max(0, judged.get(document, 0)) * _discount(place) for place, document in ranks)
            for ranks in (list(enumerate(ranking[:FIRST])) for ranking in whole)
        ]
        places = [{document: place for place, document in enumerate(each)} for each in whole]
        for document in pooled:
            if document in judged:
                continue
            ranks = [each.get(document) for each in places]
            changes = [
                (gain + (_discount(place) if place is not None and place < FIRST else 0.0)) / after
                - (gain / before if before else 0.0)
                for gain, place in zip(gained, ranks, strict=True)
            ]
            # of one system alone there is no other that it could move away from
            change = max(changes) - min(changes) if len(changes) > 1 else abs(changes[0])
            found = sum(_discount(place) for place in ranks if place is not None)
            yield Pair(query, document, round(change, _ROUNDING), round(found, _ROUNDING))


def by_query(pairs: Sequence[Pair]) -> list[Pair]:
    """The same pairs query by query, first the query where judging all would change most."""
    members: dict[QueryId, list[Pair]] = {}
    for pair in pairs:
        members.setdefault(pair.query, []).append(pair)
    queries = sorted(
        members.values(), key=lambda each: -round(sum(pair.change for pair in each), _ROUNDING)
    )
    return [pair for each in queries for pair in each]


def open_pool(folder: Path, depth: int = POOL_DEPTH) -> Pool:
    """The pool of a folder that an evaluation wrote, with its runs, judgements and queries.

    Raises CollectionError, with file and line where there is one, for what is none.
    """
    files = sorted(folder.glob(_RUNS))
    for name in (_QRELS, _QUERIES):
        if not files or not (folder / name).is_file():
            raise CollectionError(
                f"{folder} has no {name if files else _RUNS}; give the folder that densehook"
                " evaluate or densehook measure wrote (its --output)"
            )
    qrels = read_qrels(folder / _QRELS)
    runs = {file.name.removesuffix(".trec"): _first_of(file, max(depth, FIRST)) for file in files}
    return Pool(runs, qrels, dict(_texts(folder / _QUERIES)), depth)


def _first_of(file: Path, depth: int) -> dict[QueryId, list[DocId]]:
    """The first documents of each ranking; an evaluation writes them in their order."""
    return {query: [hit.id for hit in hits[:depth]] for query, hits in read_run(file).items()}


def _texts(path: Path) -> Iterator[tuple[QueryId, str]]:
    for number, line in text_lines(path):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise CollectionError(f"{path}:{number}: {error}") from None
        if not isinstance(row, dict) or not isinstance(row.get("query"), str):
            raise CollectionError(
                f"{path}:{number}: no row of an evaluation, which has the id of a query in 'query'"
            )
        if isinstance(row.get("text"), str):
            yield row["query"], row["text"]


def _telling(pair: Pair) -> tuple[float, float]:
    return -pair.change, -pair.found


def _share(ranking: Sequence[DocId], judged: Mapping[DocId, int]) -> float:
    """Of no hits none is unjudged."""
    return sum(id_ in judged for id_ in ranking) / len(ranking) if ranking else 1.0


def _ideal(grades: Sequence[int]) -> float:
    """DCG@10 of the best order: Järvelin and Kekäläinen 2002, as trec_eval has it."""
    return sum(
        grade * _discount(place) for place, grade in enumerate(sorted(grades, reverse=True)[:FIRST])
    )


def _discount(place: int) -> float:
    """Of a place counted from 0."""
    return 1 / math.log2(place + 2)
