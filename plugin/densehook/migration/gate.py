"""Whether the new index finds as well as the old: measured on a judged collection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..elastic.indices import refresh
from ..errors import ElasticError, RequestError

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ..collections import Collection
    from ..elastic.remote import RemoteEncoder
    from ..encode import Encoder
    from ..index import Index
    from ..types import Run

MEASURE = "nDCG@10"
MAX_LOSS = 0.005
_DEPTH = 100

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Gate:
    """A judged collection whose documents the index holds, and how much worse dense search may be.

    ``encoder`` is the old index's, for its queries, where the cluster does not have it in service.
    """

    collection: Collection
    max_loss: float = MAX_LOSS
    encoder: Encoder | RemoteEncoder | None = None

    def __post_init__(self) -> None:
        """Raises RequestError for a loss that cannot be."""
        if not 0 <= self.max_loss <= 1:
            raise RequestError(f"a loss of at most {self.max_loss:g} cannot be; give 0 to 1")


@dataclass(frozen=True)
class Verdict:
    """nDCG@10 of dense search in the old index and in the new, over the same queries.

    Or of the searches that their fields are for, where these are of other kinds. ``p`` is that of
    the paired randomisation test.
    """

    queries: int
    old: float
    new: float
    p: float
    max_loss: float
    searches: tuple[str, str] = ("dense", "dense")

    @property
    def passed(self) -> bool:
        """Whether the new one loses at most so much, and is not surely worse."""
        from ..evaluation.significance import LEVEL

        loss = self.old - self.new
        return loss <= 0 or (loss <= self.max_loss and self.p >= LEVEL)

    def __str__(self) -> str:
        searched = " and ".join(dict.fromkeys(self.searches))
        return (
            f"nDCG@10 of {searched} search, {self.queries:,} queries: {self.old:.4f} before,"
            f" {self.new:.4f} now, p {self.p:.2g}"
        )


def searchable(client: Elasticsearch, name: str, field: str | None, gate: Gate) -> Index:
    """What is measured as it stands: that it can be is known before the work.

    Raises RequestError where nobody has the encoder of its queries, or these cannot be asked.
    """
    from ..index import Index

    opened = Index.open(client, name, gate.encoder, field=field)
    if opened.encoder is None and not opened.cluster_encodes:
        raise RequestError(
            f"index {name!r} cannot be measured: its encoder {opened.field.encoder!r} is not in the"
            " cluster's service; give its bundle"
        )
    _require_askable(opened, gate)
    return opened


def _require_askable(index: Index, gate: Gate) -> None:
    from ..evaluation.systems import searched

    asks = searched(index.field.format.LIST).asks
    index.searcher().require_askable(gate.collection.queries, asks)


def measured(gate: Gate, old: Index, new: Index, on_progress: Progress) -> Verdict:
    """Searches both with the collection's queries.

    Raises EvaluationError, also for an index of other documents, MissingExtra.
    """
    from ..evaluation import measure_queries
    from ..evaluation.measures import means
    from ..evaluation.significance import differences

    runs = {name: _run(gate.collection, each, on_progress) for name, each in _named(old, new)}
    values = {
        name: measure_queries(run, gate.collection.qrels, [MEASURE]) for name, run in runs.items()
    }
    mean = {name: means(each, [MEASURE])[MEASURE] for name, each in values.items()}
    (difference,) = differences(values, [MEASURE], "old")
    return Verdict(
        difference.queries,
        mean["old"],
        mean["new"],
        difference.randomisation,
        gate.max_loss,
        (old.field.format.LIST, new.field.format.LIST),
    )


def _named(old: Index, new: Index) -> tuple[tuple[str, Index], ...]:
    return ("old", old), ("new", new)


def _run(collection: Collection, index: Index, on_progress: Progress) -> Run:
    from ..evaluation import title_and_text
    from ..evaluation.checking import documents_lacking
    from ..evaluation.systems import Bench, searched
    from ..evaluation.ties import without_ties

    if reason := refresh(index.client, index.name):  # what was just copied is to be found
        raise ElasticError(f"index {index.name!r} cannot be refreshed to be measured: {reason}")
    searcher = index.searcher()
    documents_lacking(collection, searcher)  # raises where it holds others
    progress = _labelled(index, on_progress)
    bench = Bench(collection, searcher, title_and_text, _DEPTH, Path(), progress)
    return without_ties(searched(index.field.format.LIST).make(bench, ()))


def _labelled(index: Index, on_progress: Progress) -> Callable[[str, int, int | None], None]:
    return lambda label, done, total: on_progress(f"{index.name}: {label}", done, total or done)
