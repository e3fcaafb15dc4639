"""A pool being judged, pair by pair: who found a document is never told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..collections import JudgedFolder, Pair, Pool, by_query
from ..errors import RequestError
from ..index import Index
from ..types import DocId, QueryId
from .asking import MOST_GRADE, Grading
from .showing import shown_whole

Json = dict[str, Any]

_ASKED = 1000
"""Documents that an index is asked for before it counts as another's."""

ORDERS: Mapping[str, Callable[[Sequence[Pair]], Sequence[Pair]]] = {
    "question": by_query,
    "change": lambda pairs: pairs,
}
"""How pairs may come: question by question, or what would change most first."""


@dataclass(frozen=True)
class Judging:
    """What leads through the pairs of a pool that nobody judged."""

    index: Index
    judged: JudgedFolder
    pool: Pool

    def require_documents(self) -> None:
        """Raises RequestError where the index has none of the pool: it is of another collection."""
        wanted = list(dict.fromkeys(pair.document for pair in self.pool.begun))[:_ASKED]
        if wanted and len(self.index.searcher().lacking(wanted)) == len(wanted):
            raise RequestError(
                f"index {self.index.name!r} has none of the documents to judge"
                f" ({', '.join(map(repr, wanted[:3]))}, …); name the index that was measured"
            )

    def pairs(self, order: str) -> Json:
        """The pairs to judge, in an order, the questions' texts, and how far judging is."""
        if order not in ORDERS:
            raise RequestError(f"order {order!r} is unknown; known: {', '.join(ORDERS)}")
        texts, qrels = self.judged.all()
        open_ = ORDERS[order](self.pool.pairs(qrels))
        highest = max((grade for each in qrels.values() for grade in each.values()), default=1)
        return {
            "pairs": [[pair.query, pair.document] for pair in open_],
            "texts": {pair.query: texts[pair.query] for pair in open_},
            "highest": min(MOST_GRADE, max(1, highest)),
            **self.progress(),
        }

    def progress(self) -> Json:
        """How many of the pool are judged, and the share of each system's first hits.

        ``before`` are the shares when the systems were measured.
        """
        _, qrels = self.judged.all()
        begun = self.pool.begun
        return {
            "pool": len(begun),
            "judged": sum(each.document in qrels.get(each.query, {}) for each in begun),
            "shares": self.pool.shares(qrels),
            "before": self.pool.shares(self.pool.qrels),
        }

    def pair(self, query: QueryId, document: DocId) -> Json:
        """A question and a document's text, words of the question marked; what is judged of it."""
        texts, qrels = self.judged.all()
        if query not in texts:
            raise RequestError(f"there is no question {query!r} in {self.judged.path}")
        hit = self.index.marked(document, texts[query])
        return {
            "text": texts[query],
            "grade": qrels.get(query, {}).get(document),
            "document": None if hit is None else shown_whole(hit, self.index.searching.read_paths),
        }

    def judge(self, grading: Grading) -> Json:
        """Keeps a judgement, or takes it back; gives how far judging is."""
        self.judged.judge_query(grading.query, grading.document, grading.grade)
        return self.progress()
