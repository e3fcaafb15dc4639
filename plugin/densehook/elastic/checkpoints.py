"""How far feeds came, in the cluster that they feed: a document for each, in an index of its own.

The mapping's ``_meta`` is no place for it: each change of that is one of the whole cluster's state,
and two processes that feed parts of one source would undo each other's.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from elasticsearch import ConflictError, Elasticsearch, NotFoundError

from ..errors import CheckpointError, DensehookError
from .connect import elastic_errors
from .patience import Patience

CHECKPOINTS = "densehook-checkpoints"
"""The index with a document for each feed, named after what is fed, and of which part."""

_SETTINGS = {"number_of_shards": 1, "auto_expand_replicas": "0-1"}
_MAPPINGS = {
    "dynamic": False,
    "properties": {
        "feeds": {"type": "keyword"},
        "done": {"type": "long"},
        "indexed": {"type": "long"},
        "failed": {"type": "long"},
        "finished": {"type": "boolean"},
    },
}
_DROPPED = 1000


class CheckpointDocument:
    """A checkpoint of what feeds an index, or a part of it, replaced whole at each write.

    Each write names the one before it, so that of two processes with one checkpoint the first is
    told. One of an index of that name that is gone counts as none.
    """

    gives_way = True
    anew = "delete it to begin anew"

    def __init__(
        self, client: Elasticsearch, index: str, uuid: str, part: str, patience: Patience
    ) -> None:
        """``part`` is like 2/8, or empty for the whole."""
        self._client = client.options(max_retries=0)
        self._index = index
        self._uuid = uuid
        self._id = f"{index}:{part.replace('/', '-of-')}" if part else index
        self._patience = patience
        self._feeder = secrets.token_hex(8)
        self._guard: Mapping[str, Any] = {"op_type": "create"}

    def __str__(self) -> str:
        return f"document {self._id} of index {CHECKPOINTS}"

    def read(self) -> Any:
        """What was written last, or None. Raises ElasticError, ClusterUnavailable."""
        with elastic_errors(self._client):
            kept = self._got()
            if kept is None:
                self._patience.answer(self._create_index)
                return None
        of = kept.get("of")
        return kept if not isinstance(of, dict) or of.get("index") == self._uuid else None

    def write(self, kept: Mapping[str, Any]) -> None:
        """Replaces it. Raises CheckpointError where another process has meanwhile, ElasticError."""
        body = {"feeds": self._index, "feeder": self._feeder, **kept}
        with elastic_errors(self._client):
            try:
                done = self._patience.answer(
                    lambda: self._client.index(
                        index=CHECKPOINTS, id=self._id, document=body, **self._guard
                    )
                )
                self._remember(done.body)
            except ConflictError:  # by another process, or by this very request, sent again
                if self._got() != body:
                    raise CheckpointError(
                        f"{self} is another process's by now; one process at a time may feed with"
                        " it, several with --part"
                    ) from None

    def delete(self) -> None:
        """Forgets it, where there is one. Raises ElasticError."""
        with elastic_errors(self._client), suppress(NotFoundError):
            self._patience.answer(lambda: self._client.delete(index=CHECKPOINTS, id=self._id))

    def _got(self) -> Mapping[str, Any] | None:
        try:
            found = self._patience.answer(lambda: self._client.get(index=CHECKPOINTS, id=self._id))
        except NotFoundError:
            return None
        self._remember(found.body)
        source: Mapping[str, Any] = found["_source"]
        return source

    def _remember(self, answer: Mapping[str, Any]) -> None:
        self._guard = {
            "if_seq_no": answer["_seq_no"],
            "if_primary_term": answer["_primary_term"],
        }

    def _create_index(self) -> None:
        there = 400  # another process was quicker
        self._client.options(ignore_status=there).indices.create(
            index=CHECKPOINTS, settings=_SETTINGS, mappings=_MAPPINGS
        )


def forget_checkpoints(client: Elasticsearch, index: str) -> None:
    """Deletes the checkpoints of an index that is gone, where there are any and it is allowed."""
    with suppress(DensehookError), elastic_errors(client):
        client.indices.refresh(index=CHECKPOINTS)
        query = {"term": {"feeds": index}}
        found = client.search(index=CHECKPOINTS, query=query, size=_DROPPED, source=False)
        gone = [{"delete": {"_id": hit["_id"]}} for hit in found["hits"]["hits"]]
        if gone:
            client.bulk(index=CHECKPOINTS, operations=gone, refresh=True)
