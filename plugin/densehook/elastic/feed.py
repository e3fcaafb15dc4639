"""Feeding an index: read, encode, bulk-index; encoding goes on while Elasticsearch indexes.

Where the cluster makes the vectors, several bulks are in flight, so that it has much to pack from.
"""

from __future__ import annotations

import itertools
from base64 import b64encode
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from elasticsearch import ApiError, Elasticsearch
from elasticsearch.helpers import streaming_bulk

from ..encode import Encoded, Encoder, EncodeStats, Vectors
from ..errors import ClusterUnreachable, ElasticError, EncodeError
from ..hooks import UnusableDocument, text_of
from ..types import Document
from .connect import elastic_errors
from .documents import BadLine
from .indices import provenance_of, takes_base64
from .prefetch import prefetched

WINDOW = 256
"""Documents encoded together."""
WINDOWS_AHEAD = 2
"""Windows that may wait for Elasticsearch; with WINDOW it bounds the memory of a feed."""

_BULK_DOCUMENTS = 128
_BULK_BYTES = 8 * 1024 * 1024
# few enough for an answer well within a minute on a slow CPU, many enough to pack well
_BULK_DOCUMENTS_IN_CLUSTER = 64
_BULKS_IN_FLIGHT = 4
_BULK_TIMEOUT_S = 600
# a cluster that says 429 is asked again after 1, 2, 4 … 30 s, some two minutes in all
_RETRIES = 8
_MAX_BACKOFF_S = 30
_CONFLICT = 409
_ID_SHOWN = 80
_NOBODYS_FAULT = (401, 403, 404)  # a wrong key, a missing right, an index deleted meanwhile


@dataclass(frozen=True)
class Failure:
    """A document that did not reach the index, where it came from, and why."""

    origin: str
    id: str
    reason: str

    def __str__(self) -> str:
        return f"{self.origin}: {self.reason}" if self.origin else f"{self.id}: {self.reason}"


Action = dict[str, Any]
"""One document of a bulk request, as the client's helpers take it."""
Window = list["Failure | tuple[Document, Action]"]
"""Documents encoded together: each ready to be indexed, or why it is not."""


@dataclass
class FeedReport:
    """What a feed did. ``missing`` counts documents without a certain input field."""

    indexed: int = 0
    failed: int = 0
    encoded: EncodeStats = field(default_factory=EncodeStats)
    missing: Counter[str] = field(default_factory=Counter)


def feed(
    client: Elasticsearch,
    index: str,
    documents: Iterable[Document | BadLine],
    encoder: Encoder | None,
    *,
    vector_field: str | None = None,
    replace: bool = False,
    on_failure: Callable[[Failure], None] = lambda failure: None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> FeedReport:
    """Encodes documents and indexes them; what cannot be indexed is a Failure, not the end.

    Without an encoder the cluster encodes; the index must have been made for that.
    A document whose id is in the index already is such a failure unless ``replace``. Memory is
    bounded by a few windows, whatever the number of documents. ``on_progress`` hears of each
    document done, well or not. Raises EncoderMismatch before anything is written, IndexNotFound,
    ClusterUnreachable.
    """
    provenance = provenance_of(client, index)
    target = provenance.vector_field(vector_field)
    if encoder is not None:
        target.require(encoder.manifest, index)
    elif not provenance.in_cluster:
        raise ElasticError(
            f"index {index!r} does not make its vectors in the cluster; give the encoder"
            f" {target.encoder!r}, or make an index with: densehook create --in-cluster"
        )
    base64 = encoder is not None and takes_base64(client, provenance.index)
    run = _Feed(client, provenance.index, target.name, target.inputs, encoder, base64, replace)
    report = run.report
    try:
        with elastic_errors(client), closing(run.outcomes(documents)) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome, Failure):
                    report.failed += 1
                    on_failure(outcome)
                else:
                    report.indexed += 1
                on_progress(report.indexed + report.failed)
            client.indices.refresh(index=index)
    except ClusterUnreachable as error:
        raise ClusterUnreachable(
            f"{error} {report.indexed:,} documents were indexed before that; run it again with"
            " --replace when the cluster is back"
        ) from error
    return report


@dataclass
class _Feed:
    client: Elasticsearch
    index: str
    vector_field: str
    inputs: Sequence[str]
    encoder: Encoder | None
    base64: bool
    replace: bool
    report: FeedReport = field(default_factory=FeedReport)

    def outcomes(
        self, documents: Iterable[Document | BadLine]
    ) -> Generator[Failure | str, None, None]:
        """One value a document: its id when it is indexed, or its failure."""
        refused: list[Failure] = []
        in_flight: dict[str, list[str]] = defaultdict(list)
        # closed here, and not when the garbage collector comes by: the encoder's thread must stop
        with closing(prefetched(self._encoded(documents), WINDOWS_AHEAD)) as windows:
            for ok, result in self._bulk(_actions(windows, refused, in_flight)):
                origins = in_flight[result["_id"]]
                origin = origins.pop(0)
                if not origins:
                    del in_flight[result["_id"]]
                reason = None if ok else self._refusal(result)
                yield result["_id"] if reason is None else Failure(origin, result["_id"], reason)
                while refused:
                    yield refused.pop(0)
        yield from refused

    def _bulk(self, actions: Iterator[Action]) -> Iterator[tuple[bool, dict[str, Any]]]:
        if self.encoder is not None:
            yield from self._send(self.client, actions, _BULK_DOCUMENTS)
            return
        client = self.client.options(request_timeout=_BULK_TIMEOUT_S)
        in_flight: deque[Future[list[tuple[bool, dict[str, Any]]]]] = deque()
        with ThreadPoolExecutor(_BULKS_IN_FLIGHT) as senders:
            while bulk := list(itertools.islice(actions, _BULK_DOCUMENTS_IN_CLUSTER)):
                in_flight.append(senders.submit(self._answers, client, bulk))
                if len(in_flight) == _BULKS_IN_FLIGHT:
                    yield from in_flight.popleft().result()
            while in_flight:
                yield from in_flight.popleft().result()

    def _answers(
        self, client: Elasticsearch, bulk: Sequence[Action]
    ) -> list[tuple[bool, dict[str, Any]]]:
        return list(self._send(client, bulk, len(bulk)))

    @staticmethod
    def _send(
        client: Elasticsearch, actions: Iterable[Action], size: int
    ) -> Iterator[tuple[bool, dict[str, Any]]]:
        for ok, item in streaming_bulk(
            client,
            actions,
            chunk_size=size,
            max_chunk_bytes=_BULK_BYTES,
            max_retries=_RETRIES,
            max_backoff=_MAX_BACKOFF_S,
            raise_on_error=False,
            raise_on_exception=False,
        ):
            ((_, result),) = item.items()
            yield ok, result

    def _refusal(self, result: dict[str, Any]) -> str | None:
        """Why a document is not indexed; None when it is, on being sent alone.

        One document can make Elasticsearch refuse a whole bulk request, an id too long for example.
        Then each is sent alone, so that only the guilty one fails.
        """
        refused = result.get("exception")
        if refused is None:
            return _reason(result)
        if result["status"] in _NOBODYS_FAULT:
            raise refused
        try:
            self.client.index(
                index=self.index,
                id=result["_id"],
                document=result["data"],
                op_type="index" if self.replace else "create",
            )
        except ApiError as error:
            if error.status_code in _NOBODYS_FAULT:
                raise
            body = error.body if isinstance(error.body, dict) else {"error": str(error)}
            return _reason({**result, **body, "status": error.status_code})
        return None

    def _encoded(self, documents: Iterable[Document | BadLine]) -> Iterator[Window]:
        iterator = iter(documents)
        while window := list(itertools.islice(iterator, WINDOW)):
            yield self._encode_window(window)

    def _encode_window(self, window: Sequence[Document | BadLine]) -> Window:
        failures: list[Failure] = []
        ready: list[tuple[Document, str]] = []
        for item in window:
            if isinstance(item, BadLine):
                failures.append(Failure(f"{item.path}:{item.line}", "", item.reason))
                continue
            try:
                ready.append((item, self._text(item)))
            except UnusableDocument as error:
                failures.append(_failure(item, error))
        if self.encoder is None:
            return [*failures, *((document, self._action(document)) for document, _ in ready)]
        encoded = self._encode_all_but_the_guilty(self.encoder, ready, failures)
        self.report.encoded += encoded.stats
        actions = (
            (document, self._action(document, {self.vector_field: vector}))
            for (document, _), vector in zip(ready, self._written(encoded.vectors), strict=True)
        )
        return [*failures, *actions]

    def _written(self, vectors: Vectors) -> list[Any]:
        """Vectors as a request holds them."""
        if self.base64:
            return [b64encode(vector.tobytes()).decode() for vector in vectors.astype(">f4")]
        return list(vectors.tolist())

    def _encode_all_but_the_guilty(
        self, encoder: Encoder, ready: list[tuple[Document, str]], failures: list[Failure]
    ) -> Encoded:
        """Encodes; a text that cannot be is taken out of ``ready`` and put among the failures."""
        while True:
            try:
                return encoder.encode([text for _, text in ready], "document")
            except EncodeError as error:
                document, _ = ready.pop(error.position)
                failures.append(_failure(document, error))

    def _text(self, document: Document) -> str:
        if self.vector_field in document.fields:
            raise UnusableDocument(
                f"brings a vector of its own in {self.vector_field!r}; leave it out"
            )
        join = " ".join if self.encoder is None else self.encoder.manifest.join
        text, missing = text_of(document, self.inputs, join)
        self.report.missing.update(missing)
        return text

    def _action(self, document: Document, vector: Mapping[str, Any] | None = None) -> Action:
        return {
            "_op_type": "index" if self.replace else "create",
            "_index": self.index,
            "_id": document.id,
            "_source": {**document.fields, **(vector or {})},
        }


def _actions(
    windows: Iterable[Window], refused: list[Failure], in_flight: dict[str, list[str]]
) -> Iterator[Action]:
    """What goes into bulk requests; notes where each comes from, and what never gets that far."""
    for window in windows:
        for item in window:
            if isinstance(item, Failure):
                refused.append(item)
            else:
                document, action = item
                in_flight[document.id].append(document.origin)
                yield action


def _failure(document: Document, error: Exception) -> Failure:
    return Failure(document.origin, document.id, f"document {document.id!r}: {error}")


def _reason(result: dict[str, Any]) -> str:
    if result.get("status") == _CONFLICT:
        return (
            f"id {result['_id']!r} is in the index already (a duplicate in the input, or indexed"
            " before); the first one stays, --replace writes over it"
        )
    error = result.get("error") or "Elasticsearch gave no reason"
    reason = error.get("reason", error) if isinstance(error, dict) else error
    cause = error.get("caused_by", {}).get("reason", "") if isinstance(error, dict) else ""
    shown = result["_id"] if len(result["_id"]) <= _ID_SHOWN else result["_id"][:_ID_SHOWN] + "…"
    return f"document {shown!r}: {reason}" + (f" ({cause})" if cause else "")
