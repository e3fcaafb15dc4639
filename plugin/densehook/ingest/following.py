"""One index that follows another: the same documents, with vectors of its own.

Step by step it comes to hold what the other held at one moment, and a later one: what was written
since is copied, what was deleted since is deleted. So it does not matter how much is written
meanwhile, nor how often; and once nothing is written any more, the last step makes both the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from ..bundle import is_blank
from ..elastic.bulk import CONFLICT, Refusal, Write, require_available, send
from ..elastic.coverage import manifest_of
from ..elastic.indices import takes_base64
from ..elastic.moments import Hit, Key, Moment, Shard, lacking, whole_source
from ..elastic.paging import MomentLost, count_whole, patiently
from ..elastic.patience import Patience
from ..errors import ClusterUnavailable, UnusableDocument
from ..hooks import VectorField, field_text, note_of, prompt_of, with_vector, without_vector
from ..types import Document, EncodeStats
from .outcome import KEPT, Failure
from .pace import Pace
from .source import portion_of, prefetched
from .updates import parts_of
from .values import values_of
from .write import TIMEOUT_IN_CLUSTER_S, Writer

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

    @property
    def writes(self) -> Sequence[Write]:
        """Those of the copies."""
        return [copy.write for copy in self.copies]


class Copier:
    """Makes copies of documents: without the ``old`` vectors, for the ``new`` field with others.

    Without an ``encoder`` none are made here: the cluster does, or nobody. A copy has the version
    of its document, so that none replaces a newer one, and a client's own versions go on.
    """

    def __init__(
        self,
        client: Elasticsearch,
        into: str,
        *,
        old: Sequence[VectorField],
        new: VectorField | None,
        encoder: Encoder | None,
    ) -> None:
        self.in_cluster = encoder is None
        manifest = None if encoder is None else encoder.manifest
        if encoder is None and new is not None:
            manifest = manifest_of(client, new)
        self.portion = portion_of(new, manifest, in_cluster=self.in_cluster)
        self._making = None if encoder is None or new is None else (new, encoder)
        self._client = client
        self._old = old
        self._new = new
        self._base64 = self._making is not None and takes_base64(client, into)

    def pages(self, hits: Iterable[Hit], documents: int) -> Iterator[_Page]:
        """Copies of stored documents, as many of them at a time as may be copied together."""
        return map(self.page, parts_of(hits, replace(self.portion, documents=documents), self._new))

    def page(self, hits: Sequence[Hit]) -> _Page:
        """Stored documents -> their copies."""
        last = hits[-1]["_seq_no"]
        fields = [self._without_old(hit["_source"]) for hit in hits]
        if self._making is None:
            return _Page(last, list(map(self._copy, hits, fields)), (), EncodeStats())
        target, encoder = self._making
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
        for each in self._old:
            source = without_vector(source, each)
        return source


class Uncopied(Copier):
    """For an index that does not keep its documents whole: each that should be copied is named."""

    def __init__(self, client: Elasticsearch, into: str) -> None:
        super().__init__(client, into, old=(), new=None, encoder=None)

    def page(self, hits: Sequence[Hit]) -> _Page:
        """Stored documents -> failures, without the documents."""
        reason = (
            "the other index lacks it, or has an earlier one, and this one does not keep it whole"
        )
        failures = [
            replace(Failure.of(Document(hit["_id"]), reason), document=None) for hit in hits
        ]
        return _Page(hits[-1]["_seq_no"], (), failures, EncodeStats())


@dataclass(frozen=True)
class _Turn:
    """How something is done: at what pace, with what patience, and until which moment, if any."""

    pace: Pace
    patience: Patience
    until: float | None = None


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
        self._writing = (
            client.options(request_timeout=TIMEOUT_IN_CLUSTER_S) if copier.in_cluster else client
        )
        self._source = source
        self._target = target
        self._copier = copier
        self._size = pace.page(copier.portion.documents)
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
        try:
            if self._held is not None:
                self._held.keep()
        except MomentLost:
            self._lose()

    def step(self, pace: Pace | None = None, until: float | None = None) -> int:
        """Brings it to what the other holds now; gives how many documents that took.

        ``until`` is a moment of the clock at which it is given up. Raises ClusterUnavailable then,
        and where the cluster, or a shard of either index, stays busy or gone.
        """
        before = self.copied.written + self.copied.deleted
        turn = self._turn(pace, until)
        now = Moment(self._client, self._source, turn.patience)
        try:
            self._total = now.count()
            for shard in now.shards.values():
                self._copy(now, shard, turn)
                self._delete_since(shard, turn)
        except BaseException:
            now.close()
            self._left_off = True  # what was copied of this moment may be deleted by the next
            raise
        self.close()
        self._held = now
        if self._left_off:
            if until is not None:
                raise ClusterUnavailable(
                    f"what was deleted from {self._source!r} could not be told in time"
                )
            self.mend()
            self._left_off = False
        # so the last step, while none may write, has less to do
        patiently(
            self._client, turn.patience, lambda each: each.indices.refresh(index=self._target)
        )
        return self.copied.written + self.copied.deleted - before

    def is_same(self) -> bool:
        """Whether it has as many documents as the other had at the last moment, after a step.

        None was deleted from it that the other had, so that it has the very same then. Nothing is
        waited for: raises ClusterUnavailable where a shard of either is not there.
        """
        assert self._held is not None
        return self._held.count() == count_whole(self._client, self._target, patience=Patience(0))

    def mend(self) -> None:
        """Looks at the id of each document in both: copies what is lacking, deletes what is not."""
        assert self._held is not None
        held, turn = self._held, self._turn()
        for shard in held.shards.values():
            for keys in shard.all_keys():
                if missing := lacking(self._client, self._target, keys, turn.patience):
                    hits = shard.named([key.id for key in missing], self._wanted)
                    with closing(self._written(hits, turn)) as written:
                        for _ in written:
                            held.keep()
        own = Moment(self._client, self._target, turn.patience)
        try:
            for keys in chain.from_iterable(shard.all_keys() for shard in own.shards.values()):
                self._delete(lacking(self._client, self._source, keys, turn.patience), turn)
        finally:
            own.close()

    def _turn(self, pace: Pace | None = None, until: float | None = None) -> _Turn:
        """One whose patience is its own, and no longer than the time that is left."""
        seconds = self._patience.seconds
        if until is not None:
            seconds = min(seconds, max(0.0, until - time.monotonic()))
        return _Turn(pace or self._pace, Patience(seconds), until)

    def _lose(self) -> None:
        """Forgets the last moment, which the cluster has: what was deleted since is not told."""
        self.close()
        self._left_off = True

    def _copy(self, now: Moment, shard: Shard, turn: _Turn) -> None:
        after = self.marks.get(shard.number, -1)
        whole = True
        found = shard.written_after(after, self._size, self._wanted)
        with closing(self._written(chain.from_iterable(found), turn)) as written:
            for page, is_whole in written:
                whole = whole and is_whole
                if whole:
                    self.marks[shard.number] = page.last
                    self._on_mark()
                now.keep()
                self.keep()
        if whole:
            self.marks[shard.number] = max(after, shard.upto)

    def _delete_since(self, shard: Shard, turn: _Turn) -> None:
        """Deletes what the shard has not any more that it had at the last moment, if there is."""
        if self._held is None:
            return
        try:
            for keys in self._held.shards[shard.number].deleted_before(shard):
                self._delete(keys, turn)
        except MomentLost:
            self._lose()

    def _written(
        self, hits: Iterable[Hit], turn: _Turn
    ) -> Generator[tuple[_Page, bool], None, None]:
        """Copies documents; gives each page, and whether all of its documents are there then."""
        made = self._copier.pages(hits, self._size)
        in_cluster = self._copier.in_cluster
        writer = Writer(self._client, self._target, turn.patience, ahead=1, in_cluster=in_cluster)
        # closed here, and not when the garbage collector comes by: the encoder's thread must stop
        with (
            closing(prefetched(made, 1)) as coming,
            closing(writer.answers_while_available(self._in_time(coming, turn))) as answered,
        ):
            for page, answers in answered:
                yield page, self._answered(page, answers, turn)

    def _in_time(self, pages: Iterable[_Page], turn: _Turn) -> Iterator[_Page]:
        """The same pages, each when it may be written. Raises ClusterUnavailable after the end."""
        for page in pages:
            if turn.until is not None and time.monotonic() > turn.until:
                raise ClusterUnavailable(
                    f"the last documents of {self._source!r} could not be copied in time"
                )
            turn.pace.wait(len(page.copies))
            yield page

    def _answered(self, page: _Page, answers: Sequence[Refusal | None], turn: _Turn) -> bool:
        """Counts what became of a page; gives whether all of its documents are there."""
        whole = not page.failures
        self.copied.encoded += page.encoded
        known = dict(enumerate(answers))
        # a version that went back: deleted, forgotten and made anew, while the copy was of before
        earlier = [n for n, answer in known.items() if answer and answer.status == CONFLICT]
        again = [self._copier.unversioned(page.copies[n]) for n in earlier]
        known |= dict(zip(earlier, self._answers(again, turn), strict=True))
        for number, answer in known.items():
            document = page.copies[number].document
            if answer is None:
                self.copied.written += 1
                self._failed.discard(document.id)
            else:
                whole = False
                if not answer.over:
                    self._fail(Failure.refused(document, answer))
        for failure in page.failures:
            self._fail(failure)
        self.copied.failed = len(self._failed)
        self._on_progress(min(self.copied.written, self._total), self._total)
        return whole

    def _answers(self, writes: Sequence[Write], turn: _Turn) -> list[Refusal | None]:
        answers = list(send(self._writing, self._target, writes, turn.patience))
        require_available(answers)
        return answers

    def _delete(self, keys: Sequence[Key], turn: _Turn) -> None:
        writes = [
            Write.of(self._client, "delete", key.id, None, False, key.condition) for key in keys
        ]
        for key, answer in zip(keys, self._answers(writes, turn), strict=True):
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
