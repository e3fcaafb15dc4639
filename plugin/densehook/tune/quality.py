"""How well an encoder finds: exact search over a collection, measured by trec_eval."""

from __future__ import annotations

import itertools
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..encode import Encoder, Vectors
from ..errors import CollectionError
from ..evaluate import Collection, measure, write_qrels, write_run
from ..evaluate.anserini import MINIMUM_JAVA, anserini_jar
from ..java import find_java
from ..types import DocId, Hit, Qrels, QueryId, Run

MEASURE = "nDCG@10"

Progress = Callable[[str, int, int | None], None]
"""Hears a label, how much of it is done, and of how much where that is known."""

_DEPTH = 100
_SEED = 0


@dataclass(frozen=True)
class Sample:
    """What quality is measured on; ``ids`` and ``documents`` go together."""

    name: str
    ids: Sequence[DocId]
    documents: Sequence[str]
    queries: Mapping[QueryId, str]
    qrels: Qrels
    of: int
    """Documents the whole collection has."""


def sample(collection: Collection, joiner: str, limit: int) -> Sample:
    """At most ``limit`` documents of a collection: the judged ones, and others drawn by chance.

    With fewer documents every system finds more easily: only numbers of one sample compare. The
    same collection and limit give the same sample. Judged documents are kept even beyond the limit.
    The documents are read twice, to count them and to keep some: no more than those are in memory.
    Raises CollectionError when there are none, or one that is kept is there twice.
    """
    judged = {document for judgements in collection.qrels.values() for document in judgements}
    there: set[DocId] = set()
    others = 0
    for document in collection.documents():
        if document.id in judged:
            there.add(document.id)
        else:
            others += 1
    if not there and not others:
        raise CollectionError(f"collection {collection.name} has no documents")
    room = max(0, limit - len(there))
    drawn = set(random.Random(_SEED).sample(range(others), min(room, others)))
    texts = dict(_kept(collection, judged, drawn, joiner))
    return Sample(
        collection.name,
        list(texts),
        list(texts.values()),
        collection.queries,
        collection.qrels,
        len(there) + others,
    )


def _kept(
    collection: Collection, judged: Set[DocId], drawn: Set[int], joiner: str
) -> Iterator[tuple[DocId, str]]:
    """Id and text of the judged documents, and of the others those of these numbers."""
    seen: set[DocId] = set()
    number = itertools.count()
    for document in collection.documents():
        if document.id not in judged and next(number) not in drawn:
            continue
        if document.id in seen:
            raise CollectionError(
                f"collection {collection.name} has document {document.id!r} twice; keep one"
            )
        seen.add(document.id)
        fields = (document.fields.get(name) for name in ("title", "text"))
        yield (
            document.id,
            joiner.join(field for field in fields if isinstance(field, str) and field),
        )


def unjudged(name: str, texts: Sequence[str]) -> Sample:
    """Texts to learn from that nobody asks for. Raises CollectionError when there are none."""
    if not texts:
        raise CollectionError(f"{name} has no texts")
    return Sample(name, [str(i) for i in range(len(texts))], texts, {}, {}, len(texts))


def encode_sample(
    encoder: Encoder, sample: Sample, on_progress: Callable[[int], None] = lambda texts: None
) -> tuple[Vectors, Vectors]:
    """Documents and queries, each float32 [n, dims] in the sample's order.

    ``on_progress`` hears how many documents are done.
    """
    stream = encoder.encode_stream(
        enumerate(sample.documents), on_progress=lambda stats: on_progress(stats.texts)
    )
    documents = np.stack([vector for _, vector in stream])
    return documents, encoder.encode(list(sample.queries.values()), "query").vectors


def require_trec_eval() -> None:
    """Raises JavaNotFound or MissingExtra where ``ndcg`` would: before the work, not after it."""
    anserini_jar()
    find_java(MINIMUM_JAVA)


def ndcg(sample: Sample, documents: Vectors, queries: Vectors, similarity: str) -> float:
    """nDCG@10 of exact search, four decimals, by trec_eval.

    A document with the query's own id is dropped unless it is judged relevant, as in BEIR. Raises
    EvaluationError, JavaNotFound or MissingExtra when trec_eval cannot run.
    """
    java_home = find_java(MINIMUM_JAVA)
    if similarity == "cosine":
        documents, queries = _unit(documents), _unit(queries)
    run = _search(sample, queries @ documents.T)
    with tempfile.TemporaryDirectory() as scratch:
        run_file, qrels_file = Path(scratch) / "run.trec", Path(scratch) / "qrels.trec"
        write_run(run_file, run)
        write_qrels(qrels_file, sample.qrels)
        return measure(run_file, qrels_file, java_home)[MEASURE]


def _search(sample: Sample, scores: Vectors) -> Run:
    run = {}
    for (query, judged), row in zip(_judged(sample), scores, strict=True):
        nearest = np.argsort(-row, kind="stable")[: _DEPTH + 1]
        hits = [Hit(sample.ids[i], float(row[i])) for i in nearest]
        run[query] = [hit for hit in hits if hit.id != query or judged.get(query, 0) > 0][:_DEPTH]
    return run


def _judged(sample: Sample) -> list[tuple[QueryId, Mapping[DocId, int]]]:
    return [(query, sample.qrels[query]) for query in sample.queries]


def _unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)
