"""The systems that can be evaluated, by name: searched, or fused from the runs of others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from ..collections import Collection
from ..errors import EvaluationError
from ..fusion import FUSIONS
from ..hooks import VECTOR_LISTS
from ..hooks.kinds.multi import RESCORED
from ..hooks.passages import CUT, SCORES, passage_score
from ..types import DocId, Document, QueryId, Run
from .bm25 import pyserini_bm25
from .progress import Progress, silent
from .reference_fusion import pyserini_fusion

Mode = str
"""bm25, dense, maxsim, dense-cut, or dense with a passage score, as dense-first or dense-mean-3."""


Reranker = Callable[[str, Run], Run]
"""Puts the heads of a run, made by the system of a name, in a cross-encoder's order."""


class Searcher(Protocol):
    """The index that is measured."""

    def search(
        self,
        queries: Mapping[QueryId, str],
        mode: Mode,
        depth: int,
        on_progress: Callable[[int], None] = ...,
    ) -> Run:
        """Search every query; at most ``depth`` hits each, best first.

        ``on_progress`` is told how many queries are done.
        """

    def rescored(
        self,
        queries: Mapping[QueryId, str],
        run: Run,
        on_progress: Callable[[int], None] = ...,
    ) -> Run:
        """The run with the first hits of each query in the order of their MaxSim."""

    def lacking(self, ids: Sequence[DocId]) -> Sequence[DocId]:
        """Those of the documents that the index has not."""


@dataclass(frozen=True)
class Bench:
    """What the systems of one evaluation have in common."""

    collection: Collection
    searcher: Searcher
    text_of: Callable[[Document], str]
    depth: int
    work_dir: Path
    progress: Progress
    rerank: Reranker | None = None


@dataclass(frozen=True)
class System:
    """How a run is made; ``parts`` are the systems whose runs are given to ``make``, in order.

    ``asks`` are the modes by which it asks the index, where it does. ``encodes`` says that its
    queries become vectors, ``here`` that documents do, for which the encoder must be here,
    ``reads`` that it reads all documents of the collection, ``apart`` that another process makes
    it, which needs no parts.
    """

    parts: tuple[str, ...]
    make: Callable[[Bench, Sequence[Run]], Run]
    asks: tuple[Mode, ...] = ()
    encodes: bool = False
    here: bool = False
    reads: bool = False
    apart: bool = False


def searched(mode: Mode) -> System:
    """The system that the index is, asked in one mode."""

    def make(bench: Bench, _parts: Sequence[Run]) -> Run:
        queries = bench.collection.queries
        label = f"searching {mode}"
        bench.progress(label, 0, len(queries))
        run = bench.searcher.search(
            queries, mode, bench.depth + 1, lambda done: bench.progress(label, done, len(queries))
        )
        return without_queries_themselves(run, bench.collection, bench.depth)

    asks = (LISTS[0], mode) if mode == RESCORED else (mode,)
    return System((), make, asks, encodes=mode.partition("-")[0] in VECTOR_LISTS)


def _fused(method: str, *parts: str) -> System:
    def make(bench: Bench, runs: Sequence[Run]) -> Run:
        fusion = FUSIONS[method]
        return {
            id_: fusion.ranking([run.get(id_, ()) for run in runs])[: bench.depth]
            for id_ in bench.collection.queries
        }

    return System(parts, make)


def _fused_by_pyserini(method: str, *parts: str) -> System:
    return System(parts, lambda bench, runs: pyserini_fusion(method, runs, depth=bench.depth))


def _reranked(first: str) -> System:
    def make(bench: Bench, runs: Sequence[Run]) -> Run:
        if bench.rerank is None:
            raise EvaluationError(f"{first}+rerank needs a cross-encoder; name one to rerank by")
        return bench.rerank(first, runs[0])

    return System((first,), make)


def _rescored(first: str) -> System:
    def make(bench: Bench, runs: Sequence[Run]) -> Run:
        queries, label = bench.collection.queries, f"{RESCORED} of {first}"
        return bench.searcher.rescored(
            queries, runs[0], lambda done: bench.progress(label, done, len(queries))
        )

    return System((first,), make, (RESCORED,), encodes=True)


def _pyserini_bm25(bench: Bench, _parts: Sequence[Run]) -> Run:
    texts = ((document.id, bench.text_of(document)) for document in bench.collection.documents())
    run = pyserini_bm25(
        texts,
        bench.collection.queries,
        work_dir=bench.work_dir,
        depth=bench.depth + 1,
        progress=bench.progress,
    )
    return without_queries_themselves(run, bench.collection, bench.depth)


LISTS = ("bm25", "dense")
"""What hybrid search fuses, in this order."""

SYSTEMS: Mapping[str, System] = {
    "bm25": searched("bm25"),
    "dense": searched("dense"),
    "sparse": searched("sparse"),
    "rrf": _fused("rrf", *LISTS),
    "linear": _fused("linear", *LISTS),
    "pyserini-bm25": System((), _pyserini_bm25, reads=True, apart=True),
    "pyserini-rrf": _fused_by_pyserini("rrf", "pyserini-bm25", "dense"),
    "pyserini-linear": _fused_by_pyserini("linear", "pyserini-bm25", "dense"),
}
"""Every system that ``evaluate`` knows; a part stands before what is fused from it."""

BY_NAME: Mapping[str, System] = {
    RESCORED: searched(RESCORED),
    CUT: replace(searched(CUT), here=True),
}
"""Systems that not every index can be: they are measured where they are named."""


def systems_for(vectors: str, *, bm25: bool = True) -> list[str]:
    """What is evaluated of an index unless something is named; ``vectors`` are its dense or sparse.

    Of other kinds than dense no fusion of Pyserini's is among them; without ``bm25`` nothing is
    that takes words.
    """
    if not bm25:
        return [vectors]
    if vectors == LISTS[1]:
        return [name for name in SYSTEMS if name not in VECTOR_LISTS or name == vectors]
    lists = ("bm25", vectors)
    return [*lists, *(f"{method}({','.join(lists)})" for method in ("rrf", "linear"))]


_FUSED = re.compile(r"(?P<fusion>\w+)\((?P<lists>[^()]+)\)")
"""A fusion of lists that are named, as rrf(bm25,dense,mine)."""
_ORDERED = re.compile(r"(?P<first>.+)\+(?P<by>\w+)")
"""A run whose best hits are put in another order, as rrf+rerank."""
_RERANK = "rerank"
_ORDERS: Mapping[str, Callable[[str], System]] = {_RERANK: _reranked, RESCORED: _rescored}
"""By a cross-encoder, or by token vectors."""
_PASSAGES = re.compile(rf"dense-({'|'.join(SCORES)})(-\d+)?")
"""Dense search of a field of chunks that scores documents so."""


def system_of(name: str) -> System | None:
    """The system of that name; None for a name of another run, or of nothing.

    Raises RequestError for a passage score that cannot be.
    """
    if (written := _ORDERED.fullmatch(name)) and written["by"] in _ORDERS:
        return _ORDERS[written["by"]](written["first"])
    if (written := _FUSED.fullmatch(name)) and written["fusion"] in FUSIONS:
        return _fused(written["fusion"], *(part.strip() for part in written["lists"].split(",")))
    if written := _PASSAGES.fullmatch(name):
        passage_score(name.partition("-")[2])
        return searched(name)
    return SYSTEMS.get(name) or BY_NAME.get(name)


def lists_of(
    collection: Collection, searcher: Searcher, progress: Progress = silent, depth: int = 1000
) -> dict[str, Run]:
    """The runs that hybrid search fuses, by their names: BM25's and dense search's."""
    bench = Bench(collection, searcher, title_and_text, depth, Path(), progress)
    return {name: SYSTEMS[name].make(bench, ()) for name in LISTS}


def check_systems(names: Iterable[str], runs: Iterable[str] = ()) -> list[str]:
    """Give the names without repetition; EvaluationError when one is unknown or there is none.

    The lists of a fusion may be ``runs``, too; each is to be there once, and at least two.
    """
    wanted = list(dict.fromkeys("".join(name.split()) for name in names))
    given = list(runs)
    known = (
        f"known are {', '.join((*SYSTEMS, *BY_NAME))}, fusions as rrf(bm25,dense,RUN), and of"
        " chunks dense-first, dense-sum, dense-mean, dense-mean-3, and dense-cut, which has none;"
        " any of them with +rerank behind it, or, of token vectors, +maxsim"
    )
    for name in wanted:
        system = system_of(name)
        if system is None:
            raise EvaluationError(f"no system {name!r}; {known}")
        for part in system.parts:
            if part not in given and system_of(part) is None:
                raise EvaluationError(f"no list {part!r} to make {name!r} of; give it as a run")
        if (
            system.parts
            and _FUSED.fullmatch(name)
            and len(set(system.parts)) != max(2, len(system.parts))
        ):
            raise EvaluationError(f"{name!r} must name two lists or more, each once")
    if not wanted:
        raise EvaluationError(f"no system to evaluate; {known}")
    return wanted


def modes_of(names: Iterable[str]) -> list[Mode]:
    """How these systems, and their parts, ask the index."""
    found: dict[Mode, None] = {}
    for system in _systems(names):
        found |= dict.fromkeys([*modes_of(system.parts), *system.asks])
    return list(found)


def needs_encoder(names: Iterable[str]) -> bool:
    """Whether any of these systems, or of their parts, encodes the queries."""
    return any(system.encodes or needs_encoder(system.parts) for system in _systems(names))


def needs_encoder_here(names: Iterable[str]) -> bool:
    """Whether any of these systems, or of their parts, encodes the documents."""
    return any(system.here or needs_encoder_here(system.parts) for system in _systems(names))


def needs_reranker(names: Iterable[str]) -> bool:
    """Whether any of these systems, or of their parts, is reranked by a cross-encoder."""
    return any(
        name.endswith(f"+{_RERANK}")
        or needs_reranker(system.parts if (system := system_of(name)) else ())
        for name in names
    )


def needs_index(names: Iterable[str]) -> bool:
    """Whether any of these systems, or of their parts, searches the index."""
    return bool(modes_of(names))


def needs_documents(names: Iterable[str]) -> bool:
    """Whether any of these systems, or of their parts, reads the collection's documents."""
    return any(system.reads or needs_documents(system.parts) for system in _systems(names))


def made_apart(names: Iterable[str]) -> list[str]:
    """Those of these systems, and of their parts, that other processes make."""
    found: dict[str, None] = {}
    for name in names:
        if (system := system_of(name)) is not None:
            found |= dict.fromkeys([name] if system.apart else made_apart(system.parts))
    return list(found)


def _systems(names: Iterable[str]) -> list[System]:
    """Those that are to be made; a run that is given is none."""
    return [system for system in map(system_of, names) if system is not None]


def without_queries_themselves(run: Run, collection: Collection, depth: int) -> Run:
    """Drop from each ranking the document with the query's own id, and cut to the depth.

    Where queries are documents of the collection (ArguAna, Quora) the best hit of a query is
    itself. BEIR's ``ignore_identical_ids`` and Pyserini's ``--remove-query`` drop it in every
    collection; so do we, so that numbers compare, unless it is judged relevant: then the two only
    happen to share an id.
    """
    qrels = collection.qrels
    return {
        query: [
            hit for hit in run.get(query, ()) if hit.id != query or qrels[query].get(query, 0) > 0
        ][:depth]
        for query in collection.queries
    }


def title_and_text(document: Document) -> str:
    """Join title and text with a space, as for published numbers on BEIR; either may be missing."""
    fields = (document.fields.get(name) for name in ("title", "text"))
    return " ".join(field for field in fields if isinstance(field, str) and field)
