"""How well candidates are put in order: by the scores of their pairs with a query."""

from __future__ import annotations

import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import cast

import numpy as np

from ...collections import Sample
from ...encode import CrossEncoder, Encoder
from ...types import QueryId, ScoredDoc
from ..quality import ndcg_of_run
from .of_sample import OfSample

CANDIDATES = 50
"""Of each query."""
_QUERIES = 200
_SEED = 0
_K1, _B = 0.9, 0.4
"""BM25's, as in Anserini."""
_WORD = re.compile(r"\w+")


class Reranked(OfSample):
    """nDCG@10 of a query's candidates in the order of their scores.

    Candidates are the documents of the sample that BM25 finds best by their plain words, with the
    relevant ones among them whether it finds them or not. At most ``_QUERIES`` queries are asked,
    drawn by chance: the same of the same sample.
    """

    way = f"reranking {CANDIDATES} candidates"
    unit = "pairs"

    def __init__(self, sample: Sample) -> None:
        queries = sorted(sample.queries)
        self._asked = random.Random(_SEED).sample(queries, min(_QUERIES, len(queries)))
        judged = {query: sample.qrels[query] for query in self._asked}
        super().__init__(replace(sample, qrels=judged))

    @property
    def steps(self) -> int:
        """Pairs."""
        return sum(map(len, self.candidates.values()))

    @property
    def queries(self) -> int:
        """As ``Quality.queries``."""
        return len(self._asked)

    @cached_property
    def candidates(self) -> Mapping[QueryId, Sequence[int]]:
        """Of each query that is asked the places of its candidates in the sample."""
        queries = {query: _words(self._sample.queries[query]) for query in self._asked}
        found = _bm25(queries, self._sample.documents)
        places = {id_: place for place, id_ in enumerate(self._sample.ids)}
        candidates = {}
        for query in self._asked:
            grades = self._sample.qrels[query]
            relevant = sorted((id_ for id_ in grades if grades[id_] > 0), key=lambda d: -grades[d])
            wanted = [places[id_] for id_ in relevant if id_ in places][:CANDIDATES]
            candidates[query] = list(dict.fromkeys([*wanted, *found[query]]))[:CANDIDATES]
        return candidates

    def measured(self, encoder: Encoder, on_progress: Callable[[int], None]) -> Mapping[str, float]:
        """As ``Quality.measured``."""
        crossing = cast(CrossEncoder, encoder)
        run = {}
        done = 0
        for query, places in self.candidates.items():
            text = self._sample.queries[query]
            pairs = [(text, self._sample.documents[place]) for place in places]
            scores = crossing.score_counted(pairs).scores
            order = np.argsort(-scores, kind="stable")
            run[query] = [ScoredDoc(self._sample.ids[places[n]], float(scores[n])) for n in order]
            done += len(places)
            on_progress(done)
        return {encoder.manifest.kind: ndcg_of_run(self._sample, run)}


def _bm25(
    queries: Mapping[QueryId, Sequence[str]], documents: Sequence[str]
) -> Mapping[QueryId, Sequence[int]]:
    """The places of each query's best documents, of those that have one of its words."""
    asked = {word for words in queries.values() for word in words}
    postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
    lengths = np.zeros(len(documents))
    for place, text in enumerate(documents):
        words = _words(text)
        lengths[place] = len(words)
        for word, times in Counter(words).items():
            if word in asked:
                postings[word].append((place, times))
    norms = _K1 * (1 - _B + _B * lengths / max(lengths.mean(), 1.0))
    found = {}
    for query, of_query in queries.items():
        scores = np.zeros(len(documents))
        for word in of_query:
            there = postings.get(word, [])
            idf = math.log(1 + (len(documents) - len(there) + 0.5) / (len(there) + 0.5))
            for place, times in there:
                scores[place] += idf * times / (times + norms[place])
        best = np.argsort(-scores, kind="stable")[:CANDIDATES]
        found[query] = [int(place) for place in best if scores[place] > 0]
    return found


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
