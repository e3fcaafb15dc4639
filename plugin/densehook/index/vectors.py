"""Vectors in files of Pyserini, Anserini and Faiss, into an index and out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..collections import BadLine, documents_from
from ..collections.vectors import (
    MadeBy,
    VectorBatch,
    open_vectors,
    require_writable,
    stacked,
    stored_floats,
    write_vectors,
)
from ..elastic.indices import count_in
from ..elastic.vectors import NotedVector, noted_vectors
from ..errors import ElasticError, RequestError, UnusableDocument
from ..hooks import join_by_spaces, text_of
from ..ingest import vectors as taking
from ..types import Document

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..ingest import FeedReport
    from .index import Index

_OF_VECTORS = ("vector", "docid", "made_by")
"""Columns of a file of vectors that are no fields of its documents."""


@dataclass
class VectorsReport:
    """What was written: vectors, and how many documents of the index have none.

    ``foreign`` were brought by a client, and nobody knows of which encoder; ``stale`` are of
    another encoder than the field's. Of these no maker is kept, and in Parquet and Faiss, which
    keep one for all, of none.
    """

    vectors: int = 0
    without_vector: int = 0
    foreign: int = 0
    stale: int = 0

    @property
    def of_one_encoder(self) -> bool:
        """Whether all are noted as made by the field's encoder."""
        return not (self.foreign or self.stale)


def import_vectors(
    index: Index,
    source: Path,
    documents: Any,
    *,
    id: str | None,
    rename: Mapping[str, str] | None,
    replace: bool,
    **heard: Callable[[Any], None],
) -> FeedReport:
    """As ``Index.import_vectors``, which see."""
    if index.encoder is None:
        raise RequestError(
            f"whose vectors those in {source} are is proven by the encoder {index.field.encoder!r};"
            " open the index with its bundle"
        )
    vectors = open_vectors(source)
    given: Iterable[Document | BadLine] | None = None
    if documents is not None:
        opened = documents_from(documents, id=id, rename=rename)
        if index.field.inputs:
            opened.require_any(index.field.text.paths)
        is_source = isinstance(documents, str | Path) and Path(documents) == source
        given = opened.changed(_without_vectors) if is_source else opened
    return taking.import_vectors(
        index.client,
        index.provenance,
        index.field,
        vectors,
        index.encoder,
        given,
        replace=replace,
        **heard,
    )


def _without_vectors(document: Document) -> Document:
    """A document whose row holds its vector, which is read from there once more."""
    kept = {name: each for name, each in document.fields.items() if name not in _OF_VECTORS}
    return replace(document, fields=kept)


def export_vectors(
    index: Index, target: Path, on_progress: Callable[[int], None] = lambda done: None
) -> VectorsReport:
    """As ``Index.export_vectors``, which see."""
    require_writable(target)
    if index.field.mapping.get("type") != "dense_vector":
        raise RequestError(
            f"field {index.field.name!r} of index {index.name!r} is no dense_vector; name one that"
            " is (--field)"
        )
    report = VectorsReport()

    def batches() -> Iterator[VectorBatch]:
        for page in noted_vectors(index.client, index.name, index.field):
            yield _batch(index, page, report)
            on_progress(report.vectors)

    write_vectors(target, batches())
    report.without_vector = count_in(index.client, index.name) - report.vectors
    return report


def _batch(index: Index, page: Sequence[NotedVector], report: VectorsReport) -> VectorBatch:
    field = index.field
    made_by = MadeBy(field.encoder, field.fingerprint, tuple(field.inputs))
    makers: list[MadeBy | None] = []
    for each in page:
        stated = None if each.note is None else each.note.get("fingerprint")
        makers.append(made_by if stated == field.fingerprint else None)
        report.vectors += 1
        report.foreign += stated is None
        report.stale += stated not in (None, field.fingerprint)
    vectors = stacked([_floats(index, each) for each in page])
    texts = [_text(index, each) for each in page]
    return VectorBatch([each.id for each in page], texts, vectors, makers)


def _floats(index: Index, stored: NotedVector) -> NDArray[np.float32]:
    floats = stored_floats(stored.vector)
    if floats is None:
        raise ElasticError(
            f"document {stored.id!r} of index {index.name!r} has a vector that its source does not"
            " show; the index's _source leaves it out"
        )
    return floats


def _text(index: Index, stored: NotedVector) -> str:
    join = join_by_spaces if index.encoder is None else index.encoder.manifest.join
    try:
        return text_of(Document(stored.id, stored.fields), index.field.text, join)[0]
    except UnusableDocument:
        return ""
