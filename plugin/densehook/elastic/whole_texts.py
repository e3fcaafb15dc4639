"""What dense search would find by one vector of each text: of its beginning, where it is long.

Texts are read and encoded for it, and nothing is written: so it is known what chunks bring.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from elasticsearch import Elasticsearch

from ..bundle import is_blank
from ..errors import UnusableDocument
from ..hooks import VectorField, field_text, prompt_of
from ..types import DocId, Document, ScoredDoc
from .indices import count_in
from .paging import pages

if TYPE_CHECKING:
    from ..encode import Encoder

_PAGE = 1000


def cut_rankings(
    client: Elasticsearch,
    index: str,
    field: VectorField,
    encoder: Encoder,
    queries: Any,
    depth: int,
    on_progress: Callable[[float], None],
) -> list[list[ScoredDoc]]:
    """The best ``depth`` documents for each query, rows as the encoder has them, by exact search.

    ``on_progress`` hears which share of the documents is done. Raises ElasticError.
    """
    best: list[list[ScoredDoc]] = [[] for _ in queries]
    total = max(1, count_in(client, index))
    done = 0
    for ids, texts, prompts, read in _texts(client, index, field, encoder):
        done += read
        if texts:
            rows = encoder.encode_each(texts, "document", prompts)
            kept = [place for place in range(len(texts)) if place not in rows.failures]
            scores = encoder.similarity(queries, rows.vectors[kept])
            for query, own in enumerate(scores):
                found = [ScoredDoc(ids[at], float(s)) for at, s in zip(kept, own, strict=True)]
                best[query] = sorted([*best[query], *found], key=_best_first)[:depth]
        on_progress(min(1.0, done / total))
    return best


def _best_first(hit: ScoredDoc) -> tuple[float, DocId]:
    return -hit.score, hit.id


def _texts(
    client: Elasticsearch, index: str, field: VectorField, encoder: Encoder
) -> Iterator[tuple[Sequence[DocId], Sequence[str], Sequence[str | None], int]]:
    """Ids, texts and prompts of documents that have a text, some at a time, and how many were read.

    A prompt is None for the encoder's own.
    """
    for hits in pages(client, index, {"match_all": {}}, field.text.read, _PAGE):
        ids: list[DocId] = []
        texts: list[str] = []
        prompts: list[str | None] = []
        for hit in hits:
            document = Document(hit["_id"], hit["_source"])
            try:
                text = field_text(document, field, encoder.manifest.join)[0]
                prompt = prompt_of(document, field.text)
            except UnusableDocument:
                continue
            if not is_blank(text):
                ids.append(document.id)
                texts.append(text)
                prompts.append(prompt)
        yield ids, texts, prompts, len(hits)
