"""Vectors that were made elsewhere: proven to be the encoder's, noted as such, and written.

Nothing is written before every vector is known to fit, and some of the texts have been encoded here
and come to the same.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from ..bundle import is_blank
from ..collections import BadLine
from ..collections.vectors import MadeBy, VectorFile, VectorRow, shortest, shown_id
from ..elastic.bulk import Write, require_available, send
from ..elastic.connect import elastic_errors
from ..elastic.indices import refresh, takes_base64
from ..errors import CollectionError, EncoderMismatch, RequestError, UnusableDocument
from ..hooks import (
    Provenance,
    Vector,
    VectorField,
    note_of,
    short,
    text_of,
    with_vector,
)
from ..types import Document
from .feed import feed_field
from .outcome import Failure, FeedReport
from .source import WINDOW

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch
    from numpy.typing import NDArray

    from ..encode import Encoder

SAMPLE = 8
"""Texts that are encoded here, to see whose the vectors are."""
LEAST_COSINE = 0.99
"""Of a vector to what the encoder makes of its text; another model or text gives far less."""

_NAMED = 3


@dataclass(frozen=True)
class _Target:
    """Where vectors go, and how they are written there."""

    client: Elasticsearch
    provenance: Provenance
    field: VectorField
    encoder: Encoder
    base64: bool

    @property
    def index(self) -> str:
        return self.provenance.index

    def text_of(self, document: Document) -> tuple[str, Sequence[str]]:
        return text_of(document, self.field.text, self.encoder.manifest.join)

    def with_vector(
        self, fields: Mapping[str, Any], vector: NDArray[np.float32], text: str
    ) -> dict[str, Any]:
        """Fields with the vector as a request holds it, and the note that it is the encoder's."""
        big = vector.astype(">f4").tobytes()
        written = b64encode(big).decode() if self.base64 else shortest(vector)
        note = note_of(text, self.field.fingerprint)
        return with_vector(fields, self.field, written, note)

    def prove(self, sample: Sequence[tuple[str, str, NDArray[np.float32]]]) -> None:
        """Raises EncoderMismatch for a vector that is not what the encoder makes of its text."""
        texts = [text for _, text, _ in sample]
        for (id_, _, vector), ours in zip(
            sample, self.encoder.encode_documents(texts), strict=True
        ):
            lengths = float(np.linalg.norm(vector) * np.linalg.norm(ours))
            cosine = float(np.dot(vector, ours)) / lengths if lengths else 0.0
            if cosine < LEAST_COSINE:
                raise EncoderMismatch(
                    f"the vector of {shown_id(id_)} is not what {self.encoder.manifest.name} makes"
                    f" of {', '.join(self.field.inputs)}: cosine {cosine:.4f}, at least"
                    f" {LEAST_COSINE} is needed; another model made it, or another text"
                )


def import_vectors(
    client: Elasticsearch,
    provenance: Provenance,
    target: VectorField,
    vectors: VectorFile,
    encoder: Encoder,
    documents: Iterable[Document | BadLine] | None,
    *,
    replace: bool = False,
    on_failure: Callable[[Failure], None] = lambda failure: None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> FeedReport:
    """Gives documents the vectors that a file has for them.

    With ``documents`` those are indexed, each with its vector; without, the index has them already.
    A vector without a document and a document without a vector are failures, like what the index
    refuses. Raises EncoderMismatch, RequestError or CollectionError before anything is written.
    """
    target.require(encoder.manifest, provenance.index)
    target.require_whole(provenance.index, "an import of vectors")
    _require_inputs(target, provenance.index)
    _require_one_prompt(target, provenance.index)
    with elastic_errors(client):
        base64 = takes_base64(client, provenance.index)
    encoder = target.own(encoder)
    into = _Target(client, provenance, target, encoder, base64)
    unit = target.mapping.get("similarity") == "dot_product"
    ids, makers = vectors.checked(encoder.dims, unit=unit)
    for maker in makers:
        _require_maker(maker, vectors, target, provenance.index)
    if documents is None:
        return _to_stored(into, vectors, on_failure, on_progress)
    joined = _Joined(into, vectors, ids, documents)
    return feed_field(
        client,
        provenance,
        target,
        joined.documents(),
        encoder,
        replace=replace,
        on_failure=on_failure,
        on_progress=on_progress,
    )


def _require_maker(maker: MadeBy, vectors: VectorFile, target: VectorField, index: str) -> None:
    """Raises EncoderMismatch where vectors say that another encoder made them."""
    if maker.fingerprint != target.fingerprint:
        raise EncoderMismatch(
            f"{vectors.path} holds vectors of encoder {maker.encoder!r}"
            f" ({short(maker.fingerprint)}), field {target.name!r} of index {index!r} those of"
            f" {target.encoder!r} ({short(target.fingerprint)}); create an index for them"
        )


def _require_inputs(target: VectorField, index: str) -> None:
    """Raises RequestError where nobody knows what the field's vectors are made from."""
    if not target.inputs:
        raise RequestError(
            f"index {index!r} does not say what the vectors of {target.name!r} are made from; name"
            f" the text fields as input of {target.name!r} in its mapping's _meta.densehook"
        )


def _require_one_prompt(target: VectorField, index: str) -> None:
    """Raises RequestError where documents have prompts of their own."""
    if target.text.prompts is not None:
        raise RequestError(
            f"the prompt of a document in {target.name!r} of index {index!r} is chosen by its field"
            f" {target.text.prompts.field!r}, which vectors made elsewhere say nothing of; ingest"
            " the documents"
        )


_NO_TEXT = "has a vector and no text that it could be made of, in"


class _Joined:
    """Documents with the vectors of a file, wherever in it each stands.

    Vectors wait in memory for their document: where both have one order, none does.
    """

    def __init__(
        self,
        target: _Target,
        vectors: VectorFile,
        ids: set[str],
        documents: Iterable[Document | BadLine],
    ) -> None:
        self._target = target
        self._source = vectors.path
        self._rows = vectors.rows()
        self._ids = ids
        self._left = set(ids)
        self._documents = documents
        self._waiting: dict[str, NDArray[np.float32]] = {}
        self._sample: list[tuple[str, str, NDArray[np.float32]]] = []

    def documents(self) -> Iterator[Document | BadLine]:
        """Documents as they are fed; what lacks its other half is a BadLine.

        Raises EncoderMismatch where the sample's vectors are not the encoder's, and
        CollectionError where no document has a vector, before the first.
        """
        made = self._made()
        first: list[Document | BadLine] = []
        for item in made:
            first.append(item)
            if len(self._sample) == SAMPLE:
                break
        if not self._sample and self._left != self._ids:
            raise CollectionError(
                f"no document of {self._source}'s vectors has text in"
                f" {', '.join(self._target.field.inputs)}; is it called otherwise (--rename)?"
            )
        if not self._sample:
            raise CollectionError(
                f"no document has a vector in {self._source}, which has those of"
                f" {', '.join(map(shown_id, islice(sorted(self._ids), _NAMED)))}; are they of one"
                " collection?"
            )
        self._target.prove(self._sample)
        return chain(first, made)

    def _made(self) -> Iterator[Document | BadLine]:
        for item in self._documents:
            yield item if isinstance(item, BadLine) else self._with_vector(item)
        for id_ in sorted(self._left):
            yield BadLine(str(self._source), f"{shown_id(id_)} has a vector, and no document")

    def _with_vector(self, document: Document) -> Document | BadLine:
        if document.id not in self._left:
            had = document.id in self._ids
            said = "is there twice" if had else f"has no vector in {self._source}"
            return BadLine(document.origin, f"document {shown_id(document.id)} {said}")
        try:
            text, _ = self._target.text_of(document)
        except UnusableDocument as error:
            return BadLine(document.origin, f"document {shown_id(document.id)}: {error}")
        self._left.remove(document.id)
        vector = self._vector(document.id)
        if is_blank(text):
            said = f"{_NO_TEXT} {', '.join(self._target.field.inputs)}"
            return BadLine(document.origin, f"document {shown_id(document.id)} {said}")
        if len(self._sample) < SAMPLE:
            self._sample.append((document.id, text, vector))
        return replace(document, fields=self._target.with_vector(document.fields, vector, text))

    def _vector(self, id_: str) -> NDArray[np.float32]:
        while id_ not in self._waiting:
            row = next(self._rows)
            self._waiting[row.id] = row.vector
        return self._waiting.pop(id_)


def _to_stored(
    target: _Target,
    vectors: VectorFile,
    on_failure: Callable[[Failure], None],
    on_progress: Callable[[int], None],
) -> FeedReport:
    """Vectors to documents that the index has."""
    report = FeedReport()
    proven = False
    with elastic_errors(target.client), closing(_windows(vectors)) as windows:
        for rows in windows:
            ready, failures = _planned(target, rows)
            sample = [(each.row.id, each.text, each.row.vector) for each in ready if each.text]
            if sample and not proven:
                target.prove(sample[:SAMPLE])
                proven = True
            answers = list(send(target.client, target.index, [each.write for each in ready]))
            require_available(answers)
            for each, refusal in zip(ready, answers, strict=True):
                if refusal is None:
                    report.count(Vector.KEPT, each.missing)
                else:
                    document = Document(each.row.id, {}, each.row.origin)
                    failures.append(Failure.refused(document, refusal))
            for failed in failures:
                # of these documents the vector alone was here: none is to be fed again as it is
                failure = replace(failed, document=None)
                report.fail(failure)
                on_failure(failure)
            on_progress(report.indexed + report.failed)
    report.unrefreshed = refresh(target.client, target.index)
    return report


@dataclass(frozen=True)
class _Ready:
    row: VectorRow
    text: str
    missing: Sequence[str]
    write: Write


def _windows(vectors: VectorFile) -> Generator[list[VectorRow], None, None]:
    rows = vectors.rows()
    while window := list(islice(rows, WINDOW)):
        yield window


def _planned(target: _Target, rows: Sequence[VectorRow]) -> tuple[list[_Ready], list[Failure]]:
    ids = [row.id for row in rows]
    found = target.client.mget(index=target.index, ids=ids, source=list(target.field.text.read))
    ready: list[_Ready] = []
    failures: list[Failure] = []
    for row, doc in zip(rows, found["docs"], strict=True):
        document = Document(row.id, doc.get("_source") or {}, row.origin)
        if not doc.get("found"):
            said = f"the index {target.index!r} has no such document; give it (--documents)"
            failures.append(Failure.of(document, said))
            continue
        try:
            text, missing = target.text_of(document)
        except UnusableDocument as error:
            failures.append(Failure.of(document, error))
            continue
        if is_blank(text):
            said = f"{_NO_TEXT} {', '.join(target.field.inputs)}"
            failures.append(Failure.of(document, said))
            continue
        change = {"doc": target.with_vector({}, row.vector, text)}
        write = Write.of(target.client, "update", row.id, change, absent=False)
        ready.append(_Ready(row, text, missing, write))
    return ready, failures
