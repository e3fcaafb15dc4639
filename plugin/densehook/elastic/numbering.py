"""Which documents hits are, told by their sequence numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from elasticsearch import Elasticsearch

from ..types import DocId, ScoredDoc
from .connect import elastic_errors

NUMBERED: Mapping[str, Any] = {
    "_source": False,
    "stored_fields": "_none_",
    "seq_no_primary_term": True,
}
"""What asks a search for numbers in the place of ids."""

_AT_ONCE = 1000
_LOWEST = 0


class Numbering:
    """The ids of an index's documents by their sequence numbers, each asked for once.

    To give a hit's id Elasticsearch reads its stored fields, and with them the document's source:
    of a thousand hits that takes ten times as long as finding them. Its sequence number is kept
    apart, and as long as the document is not written anew no other of its shard has it. So this is
    for an index of one shard, and for many queries that find the same documents.
    """

    def __init__(self, client: Elasticsearch, index: str) -> None:
        self._client = client
        self._index = index
        self._ids: dict[int, DocId] = {}

    def rankings(self, answers: Sequence[Mapping[str, Any]]) -> list[list[ScoredDoc] | None]:
        """The rankings of searches that asked for NUMBERED.

        None for one that has a document which was written anew meanwhile, or has no number.
        """
        found = [
            [(int(hit.get("_seq_no", -1)), float(hit["_score"])) for hit in answer["hits"]["hits"]]
            for answer in answers
        ]
        self._learn({number for hits in found for number, _ in hits} - self._ids.keys())
        return [self._ranking(hits) for hits in found]

    def _ranking(self, hits: Sequence[tuple[int, float]]) -> list[ScoredDoc] | None:
        if any(number not in self._ids for number, _ in hits):
            return None
        return [ScoredDoc(self._ids[number], score) for number, score in hits]

    def _learn(self, numbers: Iterable[int]) -> None:
        wanted = iter(sorted(number for number in numbers if number >= _LOWEST))
        while batch := list(islice(wanted, _AT_ONCE)):
            with elastic_errors(self._client):
                answer = self._client.search(
                    index=self._index,
                    query={"terms": {"_seq_no": batch}},
                    size=len(batch),
                    source=False,
                    seq_no_primary_term=True,
                    track_total_hits=False,
                )
            self._ids |= {hit["_seq_no"]: hit["_id"] for hit in answer["hits"]["hits"]}
