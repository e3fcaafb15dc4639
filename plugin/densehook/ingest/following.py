"""One index that follows another: the same documents, with vectors of its own.

Step by step it comes to hold what the other held at one moment, and a later one: what was written
since is copied, what was deleted since is deleted. So it does not matter how much is written
meanwhile, nor how often; and once nothing is written any more, the last step makes both the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from ..bundle import is_blank
from ..elastic.bulk import CONFLICT, Refusal, Write, require_available, send
from ..elastic.connect import elastic_errors
from ..elastic.indices import count_in, takes_base64
from ..elastic.moments import Hit, Key, Moment, Shard, lacking, whole_source
from ..elastic.patience import Patience
from ..errors import ClusterUnavailable, UnusableDocument
from ..hooks import VectorField, field_text, note_of, prompt_of, with_vector, without_vector
from ..types import Document, EncodeStats
from .feed import WINDOW, WINDOW_IN_CLUSTER
from .outcome import KEPT, Failure
from .pace import Pace
from .source import prefetched
from .updates import parts_of
from .values import values_of
from .write import TIMEOUT_IN_CLUSTER_S

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ..encode import Encoder


@dataclass
class Copied:
    """What was done: documents copied and deleted, and failures, of which KEPT are here."""

    written: int = 0
    deleted: int = 0
    failed: int = 0
    encoded: EncodeStats = field(default_factory=EncodeStats)
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: Copied) -> None:
        """Counts another's besides."""
        self.written += other.written
        self.deleted += other.deleted
        self.failed += other.failed
        self.encoded += other.encoded
        self.failures += other.failures[: KEPT - len(self.failures)]


@dataclass(frozen=True)
class _Copy:
    """A document as it is to be written, and the write."""

    document: Document
    key: Key
    write: Write


@dataclass(frozen=True)
class _Page:
    """Documents that were read together, up to number ``last``: copies of them, and failures."""

    last: int
    copies: Sequence[_Copy]
    failures: Sequence[Failure]
    encoded: EncodeStats


class Copier:
    """Makes copies of documents: without the vectors that were there, with new ones made here.

    Without ``making`` none are made: the cluster does, or nobody. A copy has the version of its
    document, so that none replaces a newer one, and a client's own versions go on.
    """

    def __init__(
        self,
        client: Elasticsearch,
        into: str,
        *,
        old: VectorField | None,
        making: tuple[VectorField, Encoder] | None,
    ) -> None:
        self.making = making
        self._client = client
        self._old = old
        self._base64 = making is not None and takes_base64(client, into)

    def parts(self, hits: Sequence[Hit]) -> Iterable[Sequence[Hit]]:
        """Documents as many at a time as may be copied together."""
        return parts_of(hits, self.making and self.making[0]) if hits else ()

    def page(self, hits: Sequence[Hit]) -> _Page:
        """Stored documents -> their copies."""
        last = hits[-1]["_seq_no"]
        fields = [self._without_old(hit["_source"]) for hit in hits]
        if self.making is None:
            return _Page(last, list(map(self._copy, hits, fields)), (), EncodeStats())
        target, encoder = self.making
        copies: list[_Copy] = []
        failures: list[Failure] = []
        wanting: list[tuple[Hit, Mapping[str, Any], str, str | None]] = []
        for hit, own in zip(hits, fields, strict=True):
            document = Document(hit["_id"], own)
            try:
                text, _ = field_text(document, target, encoder.manifest.join)
                prompt = prompt_of(document, target.text)
            except UnusableDocument as error:
                failures.append(Failure.of(document, error))
                continue
            if is_blank(text):
                copies.append(self._copy(hit, own))
            else:
                wanting.append((hit, own, text, prompt))
        texts = [(text, prompt) for _, _, text, prompt in wanting]
        made = values_of(encoder, target, texts, base64=self._base64)
        for place, (hit, own, text, prompt) in enumerate(wanting):
            if place in made.failures:
                failures.append(Failure.of(Document(hit["_id"], own), made.failures[place]))
                continue
            read = target.chunk, prompt, target.text.modality
            note = note_of(text, target.fingerprint, *read)
            copies.append(self._copy(hit, with_vector(own, target, made.values[place], note)))
        return _Page(last, copies, failures, made.encoded)

    def _copy(self, hit: Hit, fields: Mapping[str, Any]) -> _Copy:
        key = Key.of(hit)
        version = {"version": hit["_version"], "version_type": "external_gte"}
        write = Write.of(self._client, "index", key.id, fields, False, {**key.condition, **version})
        return _Copy(Document(key.id, fields), key, write)

    def unversioned(self, copy: _Copy) -> Write:
        """The write of a copy, whatever version is there."""
        fields, condition = copy.document.fields, copy.key.condition
        return Write.of(self._client, "index", copy.key.id, fields, False, condition)

    def _without_old(self, source: Mapping[str, Any]) -> Mapping[str, Any]:
        return source if self._old is None else without_vector(source, self._old)


class Uncopied(Copier):
    """For an index that does not keep its documents whole: each that should be copied is named."""

    def __init__(self, client: Elasticsearch, into: str) -> None:
        super().__init__(client, into, old=None, making=None)

    def page(self, hits: Sequence[Hit]) -> _Page:
        """Stored documents -> failures, without the documents."""
        reason = (
            "the other index lacks it, or has an earlier one, and this one does not keep it whole"
        )
        failures = [
            replace(Failure.of(Document(hit["_id"]), reason), document=None) for hit in hits
        ]
        return _Page(hits[-1]["_seq_no"], (), failures, EncodeStats())


class Following:
    """An index that is brought to what another holds; to be closed.

    ``marks`` say for each shard of the other up to which number it has all documents; they are kept
    up to date, and ``on_mark`` hears when they are. One that was left off goes on by them: they do
    not pass a document that could not be copied, which comes again.
    """

    def __init__(
        self,
        client: Elasticsearch,
        source: str,
        target: str,
        copier: Copier,
        marks: dict[int, int],
        *,
        patience: Patience,
        pace: Pace,
        on_mark: Callable[[], None],
        on_failure: Callable[[Failure], None],
        on_progress: Callable[[int, int], None],
    ) -> None:
        self.copied = Copied()
        self.marks = marks
        self._client = client
        in_cluster = copier.making is None
        self._writer = (
            client.options(request_timeout=TIMEOUT_IN_CLUSTER_S) if in_cluster else client
        )
        self._source = source
        self._target = target
        self._copier = copier
        self._page = pace.page(WINDOW_IN_CLUSTER if in_cluster else WINDOW)
        self._wanted = whole_source(client, source)
        self._patience = patience
        self._pace = pace
        self._on_mark = on_mark
        self._on_failure = on_failure
        self._on_progress = on_progress
        self._left_off = any(mark >= 0 for mark in marks.values())
        self._held: Moment | None = None
        self._total = 0
        self._failed: set[str] = set()

    def close(self) -> None:
        """Lets the cluster forget the last moment."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def keep(self) -> None:
        """Has the cluster keep the last moment, while something else takes long."""
        if self._held is not None:
            self._held.keep()

    def step(self, pace: Pace | None = None, until: float | None = None) -> int:
        """Brings it to what the other holds now; gives how many documents that took.

        ``until`` is a moment of the clock at which it is given up. Raises ClusterUnavailable then,
        and where the cluster stays busy or gone.
        """
        before = self.copied.written + self.copied.deleted
        now = Moment(self._client, self._source)
        try:
            self._total = now.count()
            for place, shard in enumerate(now.shards):
                self._copy(now, shard, pace or self._pace, until)
                if self._held is not None:
                    for keys in self._held.shards[place].deleted_before(shard):
                        self._delete(keys)
        except BaseException:
            now.close()
            self._left_off = True  # what was copied of this moment may be deleted by the next
            raise
        self.close()
        self._held = now
        if self._left_off:
            self._left_off = False
            self.mend()
        with elastic_errors(self._client):  # so the last one, while none may write, has less to do
            self._client.indices.refresh(index=self._target)
        return self.copied.written + self.copied.deleted - before

    def is_same(self) -> bool:
        """Whether it has as many documents as the other had at the last moment, after a step.

        None was deleted from it that the other had, so that it has the very same then.
        """
        assert self._held is not None
        return self._held.count() == count_in(self._client, self._target)

    def mend(self) -> None:
        """Looks at the id of each document in both: copies what is lacking, deletes what is not."""
        assert self._held is not None
        for shard in self._held.shards:
            for keys in shard.all_keys():
                if missing := lacking(self._client, self._target, keys):
                    hits = shard.named([key.id for key in missing], self._wanted)
                    for part in self._copier.parts(hits):
                        self._send(self._copier.page(part), self._pace)
        own = Moment(self._client, self._target)
        try:
            for keys in chain.from_iterable(shard.all_keys() for shard in own.shards):
                self._delete(lacking(self._client, self._source, keys))
        finally:
            own.close()

    def _copy(self, now: Moment, shard: Shard, pace: Pace, until: float | None) -> None:
        after = self.marks.get(shard.number, -1)
        whole = True
        found = shard.written_after(after, self._page, self._wanted)
        parts = chain.from_iterable(map(self._copier.parts, found))
        # closed here, and not when the garbage collector comes by: the encoder's thread must stop
        with closing(prefetched(map(self._copier.page, parts), 1)) as coming:
            for page in coming:
                if until is not None and time.monotonic() > until:
                    raise ClusterUnavailable(
                        f"the last documents of {self._source!r} could not be copied in time"
                    )
                whole = self._send(page, pace) and whole
                if whole:
                    self.marks[shard.number] = page.last
                    self._on_mark()
                now.keep()
                self.keep()
        if whole:
            self.marks[shard.number] = max(after, shard.upto)

    def _send(self, page: _Page, pace: Pace) -> bool:
        """Writes the copies of a page; gives whether it has all of its documents then."""
        pace.wait(len(page.copies))
        whole = not page.failures
        self.copied.encoded += page.encoded
        answers = dict(enumerate(self._answers([copy.write for copy in page.copies])))
        # a version that went back: deleted, forgotten and made anew, while the copy was of before
        earlier = [n for n, answer in answers.items() if answer and answer.status == CONFLICT]
        again = [self._copier.unversioned(page.copies[n]) for n in earlier]
        answers |= dict(zip(earlier, self._answers(again), strict=True))
        for number, answer in answers.items():
            document = page.copies[number].document
            if answer is None:
                self.copied.written += 1
                self._failed.discard(document.id)
            else:
                whole = False
                self._fail(Failure.refused(document, answer))
        for failure in page.failures:
            self._fail(failure)
        self.copied.failed = len(self._failed)
        self._on_progress(min(self.copied.written, self._total), self._total)
        return whole

    def _answers(self, writes: Sequence[Write]) -> list[Refusal | None]:
        answers = list(send(self._writer, self._target, writes, self._patience))
        require_available(answers)
        return answers

    def _delete(self, keys: Sequence[Key]) -> None:
        writes = [
            Write.of(self._client, "delete", key.id, None, False, key.condition) for key in keys
        ]
        for key, answer in zip(keys, self._answers(writes), strict=True):
            if answer is None:
                self.copied.deleted += 1
            else:
                self._fail(Failure.refused(Document(key.id), answer))

    def _fail(self, failure: Failure) -> None:
        if failure.id not in self._failed and len(self.copied.failures) < KEPT:
            self.copied.failures.append(failure)
        if failure.id not in self._failed:
            self._on_failure(failure)
        self._failed.add(failure.id)
