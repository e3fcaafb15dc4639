"""The index in a program that awaits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack, cast

from ..elastic.connect import require_async, synchronous
from ..elastic.search import msearch_awaited
from ..fusion import FusedHit
from ..hooks import IndexTypes, Kinds, Modality
from ..types import PATIENCE, DocId, Document
from .asked import Asked, Options
from .asking import by_searches
from .hits import Hits
from .index import Index
from .searching import Body, require_one_query
from .stats import IndexStats

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

    from ..chunk import ChunkRule
    from ..collections import BadLine
    from ..elastic.remote import RemoteEncoder
    from ..encode import Encoder
    from ..ingest import Checkpoint, EmbedReport, Failure, FeedReport
    from .vectors import VectorsReport


class AsyncIndex:
    """As ``Index``, for an ``AsyncElasticsearch``; every method but ``repr`` is awaited.

    Searches are sent by the client given. What is no search (create, open, ingest, and the like)
    runs on a thread, through a second client of the same cluster.

        index = await densehook.AsyncIndex.open(es, "passages", encoder)
        hits = await index.search("how do vaccines work")
    """

    def __init__(self, client: AsyncElasticsearch, index: Index) -> None:
        self.client = client
        self.blocking = index
        """The same index for a thread of one's own."""

    def __repr__(self) -> str:
        return repr(self.blocking).replace("<Index", "<AsyncIndex")

    @property
    def name(self) -> str:
        """The index's name."""
        return self.blocking.name

    @classmethod
    async def create(
        cls,
        client: AsyncElasticsearch,
        name: str,
        encoder: Encoder | RemoteEncoder,
        *,
        inputs: Sequence[str],
        field: str | None = None,
        kinds: Kinds | None = None,
        index_type: IndexTypes = None,
        shards: int = 1,
        replicas: int = 0,
        in_cluster: bool | None = None,
        chunk: ChunkRule | None = None,
        template: str | None = None,
        prompt: Mapping[str, Any] | None = None,
        modality: Modality = "text",
    ) -> Self:
        """As ``Index.create``.

        index = await densehook.AsyncIndex.create(es, "passages", encoder, inputs=["text"])
        """
        require_async(client)
        made = await asyncio.to_thread(
            Index.create,
            synchronous(client),
            name,
            encoder,
            inputs=inputs,
            field=field,
            kinds=kinds,
            index_type=index_type,
            shards=shards,
            replicas=replicas,
            in_cluster=in_cluster,
            chunk=chunk,
            template=template,
            prompt=prompt,
            modality=modality,
        )
        return cls(client, made)

    @classmethod
    async def add_field(
        cls,
        client: AsyncElasticsearch,
        name: str,
        encoder: Encoder | RemoteEncoder,
        *,
        inputs: Sequence[str] = (),
        field: str | None = None,
        index_type: str | None = None,
        in_cluster: bool | None = None,
        chunk: ChunkRule | None = None,
        template: str | None = None,
        prompt: Mapping[str, Any] | None = None,
        modality: Modality = "text",
    ) -> Self:
        """As ``Index.add_field``.

        index = await densehook.AsyncIndex.add_field(es, "articles", encoder, inputs=["body"])
        """
        require_async(client)
        added = await asyncio.to_thread(
            Index.add_field,
            synchronous(client),
            name,
            encoder,
            inputs=inputs,
            field=field,
            index_type=index_type,
            in_cluster=in_cluster,
            chunk=chunk,
            template=template,
            prompt=prompt,
            modality=modality,
        )
        return cls(client, added)

    @classmethod
    async def open(
        cls,
        client: AsyncElasticsearch,
        name: str,
        encoder: Encoder | RemoteEncoder | None = None,
        *,
        field: str | None = None,
    ) -> Self:
        """As ``Index.open``.

        index = await densehook.AsyncIndex.open(es, "passages")
        """
        require_async(client)
        opened = await asyncio.to_thread(
            Index.open, synchronous(client), name, encoder, field=field
        )
        return cls(client, opened)

    async def ingest(
        self,
        documents: str | Path | Iterable[Document | Mapping[str, Any] | BadLine],
        *,
        id: str | None = None,
        rename: Mapping[str, str] | None = None,
        make_ids: bool = False,
        replace: bool = False,
        checkpoint: Checkpoint | Path | str | None = None,
        patience: float | str = PATIENCE,
        on_failure: Callable[[Failure], None] = lambda failure: None,
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> FeedReport:
        """As ``Index.ingest``; the callbacks are called on its thread.

        report = await index.ingest("corpus.jsonl")
        """
        return await asyncio.to_thread(
            self.blocking.ingest,
            documents,
            id=id,
            rename=rename,
            make_ids=make_ids,
            replace=replace,
            checkpoint=checkpoint,
            patience=patience,
            on_failure=on_failure,
            on_progress=on_progress,
        )

    async def embed(
        self,
        *,
        texts: bool = False,
        requests_per_second: float | None = None,
        on_failure: Callable[[Failure], None] = lambda failure: None,
        on_progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> EmbedReport:
        """As ``Index.embed``; the callbacks are called on its thread.

        report = await index.embed()
        """
        return await asyncio.to_thread(
            self.blocking.embed,
            texts=texts,
            requests_per_second=requests_per_second,
            on_failure=on_failure,
            on_progress=on_progress,
        )

    async def import_vectors(
        self,
        source: str | Path,
        documents: str | Path | Iterable[Document | Mapping[str, Any] | BadLine] | None = None,
        *,
        id: str | None = None,
        rename: Mapping[str, str] | None = None,
        replace: bool = False,
        on_failure: Callable[[Failure], None] = lambda failure: None,
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> FeedReport:
        """As ``Index.import_vectors``; the callbacks are called on its thread.

        report = await index.import_vectors("embeddings.jsonl", "corpus.jsonl")
        """
        return await asyncio.to_thread(
            self.blocking.import_vectors,
            source,
            documents,
            id=id,
            rename=rename,
            replace=replace,
            on_failure=on_failure,
            on_progress=on_progress,
        )

    async def export_vectors(
        self, target: str | Path, *, on_progress: Callable[[int], None] = lambda done: None
    ) -> VectorsReport:
        """As ``Index.export_vectors``; the callback is called on its thread.

        report = await index.export_vectors("vectors.parquet")
        """
        return await asyncio.to_thread(
            self.blocking.export_vectors, target, on_progress=on_progress
        )

    async def search(
        self,
        text: str | None = None,
        *,
        image: str | bytes | Path | None = None,
        numbers: Sequence[Any] | None = None,
        **options: Unpack[Options],
    ) -> Hits:
        """As ``Index.search``; the query's vector is made on a thread.

        hits = await index.search("how do vaccines work", mode="dense")
        """
        require_one_query(text, image, numbers)
        if text is not None:
            return (await self.msearch([text], **options))[0]
        asking = self.blocking.asking
        if image is not None:
            asked, body, vector = await asyncio.to_thread(asking.image_search, image, options)
            sent = [await self._send([body])]
            answers = await asyncio.to_thread(self.blocking.rescored, [""], asked, sent, [vector])
            return asking.read([""], asked, answers)[0]
        given = cast(Sequence[Any], numbers)
        asked, body, _ = await asyncio.to_thread(asking.numbers_search, given, options)
        return asking.read([""], asked, [await self._send([body])])[0]

    async def msearch(self, texts: Sequence[str], **options: Unpack[Options]) -> list[Hits]:
        """As ``Index.msearch``.

        both = await index.msearch(["how do vaccines work", "what is a virus"])
        """
        asked = Asked.of(options)
        own, asking = self.blocking, self.blocking.asking
        stage = await asyncio.to_thread(own.stage_of, asked)
        vectors = await asyncio.to_thread(asking.vectors_of, texts, asked)
        bodies = asking.searches(texts, asked, vectors, stage)
        sent = by_searches(bodies, await self._send([body for each in bodies for body in each]))
        answers = await asyncio.to_thread(own.rescored, texts, asked, sent, vectors, stage)
        read = asking.read(texts, asked, answers, stage)
        found = await asyncio.to_thread(own.reranked, read, asked, stage)
        return await asyncio.to_thread(own.with_passages, found, asked, vectors)

    async def explain(self, text: str, id: DocId, **options: Unpack[Options]) -> FusedHit | None:
        """As ``Index.explain``.

        why = await index.explain("how do vaccines work", "doc-7")
        """
        asked = Asked.of(options)
        own = self.blocking
        own.provenance.require_one_index()
        (vector,) = await asyncio.to_thread(own.asking.vectors_of, [text], asked)
        searching = own.searching.of(asked.mode)
        bodies = searching.explaining(text, id, asked, vector)
        sent = by_searches(bodies, await self._send([body for each in bodies for body in each]))
        texts, vectors = [text] * len(bodies), [vector] * len(bodies)
        answers = await asyncio.to_thread(own.rescored, texts, asked.whole, sent, vectors)
        return searching.parts_of(text, asked, [each[0] for each in answers], id)

    async def get(self, id: DocId) -> Document | None:
        """As ``Index.get``.

        document = await index.get("doc-7")
        """
        return await asyncio.to_thread(self.blocking.get, id)

    async def mget(self, ids: Sequence[DocId]) -> dict[DocId, Document]:
        """As ``Index.mget``.

        both = await index.mget(["doc-7", "doc-8"])
        """
        return await asyncio.to_thread(self.blocking.mget, ids)

    async def delete(self, ids: DocId | Sequence[DocId]) -> int:
        """As ``Index.delete``.

        await index.delete(["doc-7", "doc-8"])
        """
        return await asyncio.to_thread(self.blocking.delete, ids)

    async def drop(self) -> None:
        """As ``Index.drop``.

        await index.drop()
        """
        await asyncio.to_thread(self.blocking.drop)

    async def stats(self) -> IndexStats:
        """As ``Index.stats``.

        (await index.stats()).documents
        """
        return await asyncio.to_thread(self.blocking.stats)

    async def _send(self, bodies: Sequence[Body]) -> Sequence[Mapping[str, Any]]:
        return await msearch_awaited(self.client, self.name, bodies)
