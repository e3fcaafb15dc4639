"""What an index holds at one moment, and what has changed from one moment to the next.

Within a shard each write has a sequence number of its own, and a document that of its last write.
So what was written since is told by its numbers; and what was deleted, by numbers that are gone:
how many documents have which is counted by the cluster, coarsely and then finely, so that it takes
as long as there were changes, however large the index is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

from elasticsearch import Elasticsearch

from ..errors import ClusterUnavailable, DensehookError, ElasticError
from .connect import elastic_errors
from .indices import hides_vectors, shards_of
from .paging import patiently, whole
from .patience import Patience, given_up, is_nodes_fault

_KEEP_ALIVE = "15m"
_KEEP_EVERY_S = 60
_BUCKETS = 8192
"""Of one count; Elasticsearch allows 65,536."""
_RANGES = 256
"""Of numbers that one query names; Elasticsearch allows 1,024 clauses and more."""
_IDS = 1000
_AT_WORK = ("STARTED", "RELOCATING")

Hit = Mapping[str, Any]
Source = bool | Mapping[str, Any]
"""What is wanted of a document's source."""


class Key(NamedTuple):
    """What names a document in an index."""

    id: str
    routing: str | None

    @classmethod
    def of(cls, hit: Hit) -> Key:
        """That of a hit."""
        return cls(hit["_id"], hit.get("_routing"))

    @property
    def condition(self) -> Mapping[str, str]:
        """What stands beside the id in a request."""
        return {} if self.routing is None else {"routing": self.routing}


class Shard:
    """A shard as one moment has it: every write up to number ``upto``, and maybe later ones.

    A cluster that is busy or gone is waited for with ``patience``, if any. Whatever asks the shard
    raises MomentLost where it is not there any more as it was, ClusterUnavailable, ElasticError.
    """

    def __init__(
        self,
        client: Elasticsearch,
        index: str,
        number: int,
        upto: int,
        patience: Patience | None = None,
    ) -> None:
        self.number = number
        self.upto = upto
        self._client = client
        self._patience = patience
        opened = patiently(
            client,
            patience,
            lambda each: each.open_point_in_time(
                index=index, keep_alive=_KEEP_ALIVE, preference=f"_shards:{number}"
            ),
        )
        self._pit = opened["id"]
        self._used = time.monotonic()

    def keep(self) -> None:
        """Has the cluster keep it for some minutes more, unless that was asked lately."""
        if time.monotonic() - self._used > _KEEP_EVERY_S:
            self.count()

    def close(self) -> None:
        """Lets the cluster forget it."""
        with suppress(DensehookError), elastic_errors(self._client):
            self._client.close_point_in_time(id=self._pit)

    def count(self) -> int:
        """Its documents."""
        found = self._search(size=0, track_total_hits=True)
        return int(found["hits"]["total"]["value"])

    def written_after(self, after: int, size: int, source: Source) -> Iterator[Sequence[Hit]]:
        """Documents whose number is above ``after``, up to ``upto``, in that order.

        Each with its source, its version and its routing.
        """
        return self._pages(range(after + 1, self.upto + 1), size, source=source, version=True)

    def named(self, ids: Sequence[str], source: Source) -> Sequence[Hit]:
        """The same of the documents that have these ids."""
        query = {"ids": {"values": list(ids)}}
        found = self._search(query=query, size=len(ids), source=source, version=True)
        hits: Sequence[Hit] = found["hits"]["hits"]
        return hits

    def all_keys(self) -> Iterator[Sequence[Key]]:
        """The keys of all its documents up to ``upto``."""
        for hits in self._pages(range(self.upto + 1), _IDS, source=False):
            yield [Key.of(hit) for hit in hits]

    def deleted_before(self, later: Shard) -> Iterator[Sequence[Key]]:
        """Documents that the same shard no longer has at the later moment."""
        for numbers in self._gone(later, [range(self.upto + 1)]):
            query = {"terms": {"_seq_no": numbers}}
            found = self._search(query=query, size=len(numbers), source=False)
            keys = [Key.of(hit) for hit in found["hits"]["hits"]]
            left = {hit["_id"] for hit in later.named([key.id for key in keys], False)}
            if deleted := [key for key in keys if key.id not in left]:
                yield deleted

    def _gone(self, later: Shard, ranges: Sequence[range]) -> Iterator[list[int]]:
        """Numbers in these ranges that a document has, and none at the later moment."""
        span = sum(map(len, ranges))
        # powers of two, so that each width fits into the one before
        width = 1 << max(0, (span - 1) // _BUCKETS).bit_length()
        counts, left = self._counts(ranges, width), later._counts(ranges, width)
        fewer = iter([first for first, count in counts.items() if left.get(first, 0) < count])
        while part := list(islice(fewer, _IDS if width == 1 else _RANGES)):
            if width == 1:
                yield part
            else:
                yield from self._gone(later, [range(first, first + width) for first in part])

    def _counts(self, ranges: Sequence[range], width: int) -> Mapping[int, int]:
        """How many documents have a number in each bucket of this width, by its first number."""
        histogram = {"field": "_seq_no", "interval": width, "min_doc_count": 1}
        found = self._search(
            query=_within(ranges), size=0, aggregations={"of": {"histogram": histogram}}
        )
        buckets = found["aggregations"]["of"]["buckets"]
        return {int(bucket["key"]): int(bucket["doc_count"]) for bucket in buckets}

    def _pages(self, numbers: range, size: int, **asked: Any) -> Iterator[Sequence[Hit]]:
        while numbers:
            found = self._search(
                query=_within([numbers]), sort=[{"_seq_no": "asc"}], size=size, **asked
            )
            hits = found["hits"]["hits"]
            if not hits:
                return
            yield hits
            numbers = range(hits[-1]["_seq_no"] + 1, numbers.stop)

    def _search(self, **asked: Any) -> Mapping[str, Any]:
        asked = {"track_total_hits": False, "seq_no_primary_term": True, **asked}
        pit = {"id": self._pit, "keep_alive": _KEEP_ALIVE}
        found = whole(self._client, self._patience, pit=pit, **asked)
        self._pit = found.get("pit_id", self._pit)
        self._used = time.monotonic()
        return found


class Moment:
    """An index as one moment has it, each of its shards by its number; to be closed."""

    def __init__(self, client: Elasticsearch, index: str, patience: Patience | None = None) -> None:
        """Now: whatever the cluster has acknowledged by this time is in it.

        A shard that is not there is waited for with ``patience``, if any. Raises
        ClusterUnavailable where it stays away, ElasticError.
        """
        numbers = checkpoints_of(client, index, patience)
        self.shards: dict[int, Shard] = {}
        try:
            patiently(client, patience, lambda each: each.indices.refresh(index=index))
            for number, upto in numbers.items():
                self.shards[number] = Shard(client, index, number, upto, patience)
        except BaseException:
            self.close()
            raise

    def count(self) -> int:
        """Its documents."""
        return sum(shard.count() for shard in self.shards.values())

    def keep(self) -> None:
        """Has the cluster keep it for some minutes more."""
        for shard in self.shards.values():
            shard.keep()

    def close(self) -> None:
        """Lets the cluster forget it."""
        for shard in self.shards.values():
            shard.close()


def checkpoints_of(
    client: Elasticsearch, index: str, patience: Patience | None = None
) -> dict[int, int]:
    """For each shard the number up to which all copies have every write, -1 for none.

    Writes are carried out at the same time: above it there may be gaps. A shard without a primary
    at work is waited for with ``patience``, if any: what it holds cannot be told. Raises
    ClusterUnavailable where it stays away.
    """
    count = shards_of(client, index)
    waiting = None if patience is None else patience.waiting()
    while True:
        copies = _copies_of(client, index, patience)
        found = {number: _checkpoint(copies.get(str(number), ())) for number in range(count)}
        known = {number: upto for number, upto in found.items() if upto is not None}
        if len(known) == count:
            return known
        if waiting is None or not waiting.pause():
            missing = min(found.keys() - known.keys())
            raise ClusterUnavailable(
                f"shard {missing} of index {index!r} is not there: nothing can be said of what it"
                " holds; GET _cluster/allocation/explain says why, run it again when it is back"
            )


def _copies_of(
    client: Elasticsearch, index: str, patience: Patience | None
) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The copies of shards that are on a node, by the shard's number; no others are listed."""
    found = patiently(
        client,
        patience,
        lambda each: each.indices.stats(index=index, metric="docs", level="shards"),
    )
    # an index of which no shard is anywhere is not listed, either
    stats: Mapping[str, Any] = next(iter(found["indices"].values()), {"shards": {}})
    copies: Mapping[str, Sequence[Mapping[str, Any]]] = stats["shards"]
    return copies


def _checkpoint(copies: Sequence[Mapping[str, Any]]) -> int | None:
    """That of a shard by its primary; None where there is none that has begun its work."""
    for copy in copies:
        routing = copy["routing"]
        if routing["primary"] and routing["state"] in _AT_WORK and "seq_no" in copy:
            return int(copy["seq_no"]["global_checkpoint"])
    return None


def whole_source(client: Elasticsearch, index: str) -> Source:
    """What asks for all that a document has, its vectors too."""
    return {"exclude_vectors": False} if hides_vectors(client, index) else True


def lacking(
    client: Elasticsearch, index: str, keys: Sequence[Key], patience: Patience | None = None
) -> list[Key]:
    """Those of the documents that an index has not at this moment.

    Of one whose shard is not there that cannot be told, and it is waited for with ``patience``, if
    any. Raises ClusterUnavailable where it stays away, ElasticError where it cannot be looked up.
    """
    docs = [{"_id": key.id, **key.condition} for key in keys]
    waiting = None if patience is None else patience.waiting()
    while True:
        found = patiently(
            client, patience, lambda each: each.mget(index=index, docs=docs, source=False)
        )["docs"]
        unknown = [(doc["_id"], doc["error"]) for doc in found if "error" in doc]
        if not unknown:
            return [key for key, doc in zip(keys, found, strict=True) if not doc.get("found")]
        id_, error = unknown[0]
        said = (
            f"document {id_!r} of index {index!r} cannot be looked up:"
            f" {error.get('reason') or error['type']}"
        )
        if not all(is_nodes_fault(each) for _, each in unknown):
            raise ElasticError(said)
        if waiting is None or not waiting.pause():
            raise given_up(said)


def _within(ranges: Sequence[range]) -> Mapping[str, Any]:
    """Documents whose number is in one of these."""
    each = [{"range": {"_seq_no": {"gte": one.start, "lt": one.stop}}} for one in ranges]
    return {"bool": {"filter": [{"bool": {"should": each, "minimum_should_match": 1}}]}}
