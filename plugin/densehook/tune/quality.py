"""How well an encoder finds: exact search over a collection, measured by pytrec_eval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..collections import Sample
from ..encode import Encoder, Vectors
from ..evaluation import check_measures, measure_queries
from ..evaluation.measures import means
from ..evaluation.ties import without_ties
from ..types import DocId, QueryId, Run, ScoredDoc

MEASURE = "nDCG@10"

Progress = Callable[[str, int, int | None], None]
"""Hears a label, how much of it is done, and of how much where that is known."""

_DEPTH = 100


def encode_sample(
    encoder: Encoder, sample: Sample, on_progress: Callable[[int], None] = lambda texts: None
) -> tuple[Vectors, Vectors]:
    """Documents and queries, rows as the encoder's kind has them, in the sample's order.

    ``on_progress`` hears how many documents are done.
    """
    stream = encoder.encode_stream(
        enumerate(sample.documents), on_progress=lambda stats: on_progress(stats.texts)
    )
    documents = encoder.blank(len(sample.documents))
    for place, row in stream:
        documents[place] = row
    return documents, encoder.encode_counted(list(sample.queries.values()), "query").vectors


def require_measure() -> None:
    """Raises MissingExtra where ``ndcg`` would: before the work, not after it."""
    check_measures([MEASURE])


def ndcg(sample: Sample, documents: Vectors, queries: Vectors, similarity: str) -> float:
    """nDCG@10 of exact search, four decimals, by trec_eval's code.

    A document with the query's own id is dropped unless it is judged relevant, as in BEIR.
    """
    if similarity == "cosine":
        documents, queries = _unit(documents), _unit(queries)
    return ndcg_of_run(sample, _search(sample, queries @ documents.T))


def ndcg_of(encoder: Encoder, sample: Sample, documents: Any, queries: Any) -> float:
    """The same by the encoder's own similarity, of rows of any kind."""
    return ndcg_of_run(sample, _search(sample, encoder.similarity(queries, documents)))


def ndcg_of_run(sample: Sample, run: Run) -> float:
    """The same of rankings; a judged query without one has 0."""
    return means(measure_queries(without_ties(run), sample.qrels, [MEASURE]), [MEASURE])[MEASURE]


def _search(sample: Sample, scores: Vectors) -> Run:
    run = {}
    for (query, judged), row in zip(_judged(sample), scores, strict=True):
        nearest = np.argsort(-row, kind="stable")[: _DEPTH + 1]
        hits = [ScoredDoc(sample.ids[i], float(row[i])) for i in nearest]
        run[query] = [hit for hit in hits if hit.id != query or judged.get(query, 0) > 0][:_DEPTH]
    return run


def _judged(sample: Sample) -> list[tuple[QueryId, Mapping[DocId, int]]]:
    return [(query, sample.qrels[query]) for query in sample.queries]


def _unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)
