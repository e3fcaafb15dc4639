"""Haystack: components that embed by an encoder, and one that searches an index.

from densehook.integrations.haystack import DensehookRetriever

pipeline.add_component("retriever", DensehookRetriever(document_store, mode="hybrid"))
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..index import Index
from ..index.asked import Asked
from .encoders import encoder_of
from .needing import needing

if TYPE_CHECKING:
    from ..encode import Encoder
    from ..index import Hit

with needing("haystack-ai", "densehook.integrations.haystack"):
    from haystack import Document, component, default_from_dict, default_to_dict

with needing("elasticsearch-haystack", "densehook.integrations.haystack"):
    from haystack_integrations.document_stores.elasticsearch import ElasticsearchDocumentStore
    from haystack_integrations.document_stores.elasticsearch.filters import _normalize_filters


class _Embedder:
    """A component that is written down by its bundle, and opens that once."""

    def __init__(self, bundle: Path | str) -> None:
        """``bundle`` is its name or folder; it is opened by ``warm_up``, or when it is needed."""
        self.bundle = str(bundle)
        self._opened: Encoder | None = None

    @property
    def _encoder(self) -> Encoder:
        if self._opened is None:
            self._opened = encoder_of(self.bundle)
        return self._opened

    def warm_up(self) -> None:
        """Opens the bundle, if it is not open."""
        _ = self._encoder


@component
class DensehookTextEmbedder(_Embedder):
    """The vector of a query, with the query prompt.

    DensehookTextEmbedder("all-minilm-l6-v2").run("how do vaccines work")["embedding"]
    """

    def to_dict(self) -> dict[str, Any]:
        """As a pipeline writes it down."""
        written: dict[str, Any] = default_to_dict(self, bundle=self.bundle)
        return written

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Any:
        """What ``to_dict`` has written."""
        return default_from_dict(cls, data)

    @component.output_types(embedding=list[float], meta=dict[str, Any])
    def run(self, text: str) -> dict[str, Any]:
        """A text -> its vector."""
        vector = self._encoder.encode_queries(text)
        return {"embedding": vector.tolist(), "meta": _meta_of(self._encoder)}


@component
class DensehookDocumentEmbedder(_Embedder):
    """The vectors of documents, with the document prompt.

    DensehookDocumentEmbedder("all-minilm-l6-v2").run(documents)["documents"][0].embedding
    """

    def __init__(
        self, bundle: Path | str, meta_fields_to_embed: Sequence[str] | None = None
    ) -> None:
        """Values of ``meta_fields_to_embed`` go before a content, as the bundle joins texts."""
        _Embedder.__init__(self, bundle)  # super() finds not the class that component makes of it
        self.meta_fields_to_embed = list(meta_fields_to_embed or [])

    def to_dict(self) -> dict[str, Any]:
        """As a pipeline writes it down."""
        written: dict[str, Any] = default_to_dict(
            self, bundle=self.bundle, meta_fields_to_embed=self.meta_fields_to_embed
        )
        return written

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Any:
        """What ``to_dict`` has written."""
        return default_from_dict(cls, data)

    @component.output_types(documents=list[Document], meta=dict[str, Any])
    def run(self, documents: list[Document]) -> dict[str, Any]:
        """Documents -> the same with their vectors; those given are not changed."""
        vectors = self._encoder.encode_documents([self._text_of(each) for each in documents])
        embedded = [
            dataclasses.replace(document, embedding=vector.tolist())
            for document, vector in zip(documents, vectors, strict=True)
        ]
        return {"documents": embedded, "meta": _meta_of(self._encoder)}

    def _text_of(self, document: Document) -> str:
        values = [document.meta.get(name) for name in self.meta_fields_to_embed]
        texts = [str(value) for value in values if value is not None]
        return self._encoder.manifest.join([*texts, document.content or ""])


@component
class DensehookRetriever:
    """The documents of an ``ElasticsearchDocumentStore`` that BM25, dense or hybrid search finds.

    The store's index is one that says whose vectors it has, made by ``Index.create`` or by an index
    template; the query is a text, whose vector the cluster makes, or the bundle given.

        DensehookRetriever(document_store, mode="hybrid").run("how do vaccines work")["documents"]
    """

    def __init__(
        self,
        document_store: ElasticsearchDocumentStore,
        *,
        mode: str = "hybrid",
        top_k: int = 10,
        filters: Mapping[str, Any] | None = None,
        bundle: Path | str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """``options`` are what ``densehook.Asked`` knows beside, as fusion and weights.

        Raises RequestError for what makes no sense.
        """
        self.document_store = document_store
        self.mode = mode
        self.top_k = top_k
        self.filters = dict(filters) if filters else None
        self.bundle = None if bundle is None else str(bundle)
        self.options = dict(options or {})
        self._index: Index | None = None
        self._asked(top_k, None)

    def to_dict(self) -> dict[str, Any]:
        """As a pipeline writes it down."""
        written: dict[str, Any] = default_to_dict(
            self,
            document_store=self.document_store.to_dict(),
            mode=self.mode,
            top_k=self.top_k,
            filters=self.filters,
            bundle=self.bundle,
            options=self.options,
        )
        return written

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Any:
        """What ``to_dict`` has written."""
        parameters = data["init_parameters"]
        store = ElasticsearchDocumentStore.from_dict(parameters["document_store"])
        opened = {**parameters, "document_store": store}
        return default_from_dict(cls, {**data, "init_parameters": opened})

    def warm_up(self) -> None:
        """Reads what the index says of itself, and opens the bundle, once."""
        if self._index is None:
            name = self.document_store.to_dict()["init_parameters"]["index"]
            encoder = None if self.bundle is None else encoder_of(self.bundle)
            self._index = Index.open(self.document_store.client, name, encoder)

    @component.output_types(documents=list[Document])
    def run(
        self, query: str, filters: dict[str, Any] | None = None, top_k: int | None = None
    ) -> dict[str, Any]:
        """A query -> the documents found, best first; ``filters`` take the place of its own."""
        self.warm_up()
        assert self._index is not None
        asked = self._asked(top_k or self.top_k, filters or self.filters)
        return {"documents": [_document_of(hit) for hit in self._index.search(query, **asked)]}

    def _asked(self, top_k: int, filters: Mapping[str, Any] | None) -> Any:
        given = {**self.options, "mode": self.mode, "size": top_k}
        if filters:
            given["filter"] = _normalize_filters(dict(filters))
        Asked.of(given)  # type: ignore[arg-type]  # which checks it
        return given


def _meta_of(encoder: Encoder) -> dict[str, Any]:
    return {"model": encoder.manifest.name, "fingerprint": encoder.fingerprint}


def _document_of(hit: Hit) -> Document:
    """As the store itself reads what it has written: metadata lie flat beside the content."""
    return Document.from_dict({**hit.source, "id": hit.id, "score": hit.score})
