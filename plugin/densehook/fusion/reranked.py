"""A ranking in the order of a cross-encoder's scores: its head, the rest behind. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..types import DocId, QueryId, Ranking, Run, ScoredDoc

Score = Callable[[str, Sequence[str]], Sequence[float]]
"""A query and texts -> their scores, in the texts' order."""


def reranked_ranking(
    query: str, ranking: Ranking, texts: Mapping[DocId, str], score: Score, top: int
) -> list[ScoredDoc]:
    """The first ``top`` documents by their scores for the query, the others behind as they were.

    So is a document without text. Equal scores keep their order; those behind have scores that go
    down from under the lowest.
    """
    head = [hit for hit in ranking[:top] if texts.get(hit.id, "").strip()]
    scores = score(query, [texts[hit.id] for hit in head]) if head else []
    scored = [ScoredDoc(hit.id, float(each)) for hit, each in zip(head, scores, strict=True)]
    scored.sort(key=lambda hit: -hit.score)
    taken = {hit.id for hit in scored}
    lowest = scored[-1].score if scored else 0.0
    rest = [hit for hit in ranking if hit.id not in taken]
    return [*scored, *(ScoredDoc(hit.id, lowest - n) for n, hit in enumerate(rest, start=1))]


def reranked_run(
    run: Run,
    queries: Mapping[QueryId, str],
    texts_of: Callable[[Sequence[DocId]], Mapping[DocId, str]],
    score: Score,
    top: int = 100,
    on_progress: Callable[[int], None] = lambda done: None,
) -> dict[QueryId, list[ScoredDoc]]:
    """A run whose rankings are reranked, as by ``reranked_ranking``; those of no query stay.

    ``texts_of`` gives the texts of documents; ``on_progress`` hears how many queries are done.
    """
    made: dict[QueryId, list[ScoredDoc]] = {}
    for id_, ranking in run.items():
        query = queries.get(id_, "")
        if query.strip():
            texts = texts_of([hit.id for hit in ranking[:top]])
            made[id_] = reranked_ranking(query, ranking, texts, score, top)
        else:
            made[id_] = list(ranking)
        on_progress(len(made))
    return made
