"""The strategy for the vector stores of elasticsearch-py, which LangChain and LlamaIndex build on.

from densehook.integrations.vectorstore import DensehookStrategy

strategy = DensehookStrategy("all-minilm-l6-v2", mode="hybrid")
store = VectorStore(client, index="passages", retrieval_strategy=strategy)
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elasticsearch import AsyncElasticsearch, Elasticsearch
from elasticsearch.helpers.vectorstore import AsyncRetrievalStrategy, RetrievalStrategy

from ..bundle import Dense, Manifest, bundle_folder, is_blank, read_bundle
from ..elastic.cluster import require_encoder, require_plugin
from ..elastic.connect import synchronous
from ..errors import EncoderMismatch, RequestError
from ..hooks import (
    Reading,
    bm25_request,
    hybrid_request,
    index_request,
    require_field_names,
    require_index_type,
)
from ..hooks.indexing import LUCENE_ENGLISH_ANALYSIS
from ..hooks.kinds import dense
from ..index.asked import WINDOW, Asked

if TYPE_CHECKING:
    from .encoders import AnyEncoder


Body = dict[str, Any]

_MODES = ("bm25", "dense", "hybrid")


class _Strategy:
    """What both strategies are: requests as plain values, and no client."""

    def __init__(
        self,
        encoder: AnyEncoder | Path | str,
        *,
        mode: str = "hybrid",
        in_cluster: bool = True,
        fusion: str = "rrf",
        weights: Mapping[str, float] | None = None,
        normalizer: str | None = None,
        rank_constant: float | None = None,
        index_type: str | None = None,
    ) -> None:
        """``encoder`` is one that ``densehook.load`` gave, or a bundle, whose model is not loaded.

        ``mode`` is bm25, dense or hybrid; the rest of how to search means what it does in
        ``densehook.Asked``. With ``in_cluster`` the node makes the vectors of whatever is written
        and of queries, and the store needs no embedding; without it the store is given one, that of
        the same encoder. Raises RequestError for what makes no sense.
        """
        self.asked = Asked(
            mode=mode,
            fusion=fusion,
            weights=weights,
            normalizer=normalizer,
            rank_constant=rank_constant,
        )
        if mode not in _MODES:
            raise RequestError(
                f"mode {mode!r} is unknown to a store of vectors; known: {', '.join(_MODES)}"
            )
        self.manifest = _manifest_of(encoder)
        self.dims = self.manifest.of(Dense).dims
        require_index_type(self.manifest, index_type)
        self.in_cluster = in_cluster
        self.index_type = index_type

    def es_query(
        self,
        *,
        query: str | None,
        query_vector: list[float] | None,
        text_field: str,
        vector_field: str,
        k: int,
        num_candidates: int,
        filter: Sequence[Mapping[str, Any]] = (),
    ) -> Body:
        """The search of ``k`` hits for a query, its vector, or both.

        A vector alone is searched by dense, whatever the mode. ``num_candidates`` below what an
        Index asks for is that: the stores' own default of 50 loses hits.
        """
        if query_vector is None and (query is None or is_blank(query)):
            raise RequestError(f"the query {query!r} has no text to search for")
        mode = self.asked.mode if query is not None else "dense"
        candidates = num_candidates if num_candidates > dense.MIN_CANDIDATES else None
        if mode == "bm25":
            body = bm25_request([text_field], str(query), k, filter)
        elif mode == "hybrid":
            body = self._fused(
                text_field, vector_field, str(query), query_vector, k, candidates, filter
            )
        elif query_vector is not None:
            body = dense.request(vector_field, query_vector, k, candidates, filter)
        else:
            self._require_in_cluster()
            name = self.manifest.name
            body = dense.text_request(vector_field, str(query), name, k, candidates, filter)
        # the store says the size itself
        return {name: value for name, value in body.items() if name != "size"}

    def es_mappings_settings(
        self, *, text_field: str, vector_field: str, num_dimensions: int | None
    ) -> tuple[Body, Body]:
        """Mapping and settings of the store's index, with the provenance of its vectors.

        Fields besides are mapped as they come, since the stores filter by ``metadata.x.keyword``.
        """
        if num_dimensions not in (None, self.dims):
            raise EncoderMismatch(
                f"encoder {self.manifest.name!r} gives {self.dims} dims, the store's"
                f" embedding {num_dimensions}; give the store the embedding of that encoder"
            )
        require_field_names([text_field], vector_field)
        body = index_request(
            self.manifest,
            Reading([text_field]),
            index_type=self.index_type,
            field=vector_field,
            analysis=LUCENE_ENGLISH_ANALYSIS if self._needs_plugin() else None,
        )
        mappings = {name: body["mappings"][name] for name in ("_meta", "properties")}
        own = {"index.densehook.embed": True} if self.in_cluster else {}
        kept = {name: body["settings"][name] for name in ("similarity", "analysis")}
        return mappings, {**kept, **own}

    def needs_inference(self) -> bool:
        """Whether the store makes the vectors."""
        return not self.in_cluster

    def _needs_plugin(self) -> bool:
        return self.in_cluster or self.asked.mode == "hybrid"

    def _require_plugin(self, client: Elasticsearch) -> None:
        """Raises NotInService, EncoderMismatch unless the cluster can do its part."""
        if self.in_cluster:
            require_encoder(client, self.manifest)
        elif self._needs_plugin():
            require_plugin(client)

    def _fused(
        self,
        text_field: str,
        vector_field: str,
        query: str,
        vector: Sequence[float] | None,
        k: int,
        candidates: int | None,
        filters: Sequence[Mapping[str, Any]],
    ) -> Body:
        window = max(WINDOW, k)
        if vector is None:
            self._require_in_cluster()
            name = self.manifest.name
            knn = dense.text_retriever(vector_field, query, name, window, candidates)
        else:
            knn = {"knn": dense.request(vector_field, vector, window, candidates)["knn"]}
        return hybrid_request(
            [text_field],
            [knn],
            query,
            fusion=self.asked.fusion,
            size=k,
            window=window,
            rank_constant=self.asked.constant,
            normalizer=self.asked.normalizer,
            weights=self.asked.list_weights,
            filters=filters,
        )

    def _require_in_cluster(self) -> None:
        if not self.in_cluster:
            raise RequestError(
                f"the store has no embedding to make the query's vector by; give it that of"
                f" {self.manifest.name!r}, or leave it to the cluster with in_cluster=True"
            )


class DensehookStrategy(_Strategy, RetrievalStrategy):
    """Dense and hybrid search in a ``VectorStore``, and in LangChain's ``ElasticsearchStore``.

    Its index says whose vectors it has, so that ``densehook.Index.open`` opens it too.

        DensehookStrategy("all-minilm-l6-v2", mode="hybrid", weights={"dense": 2})
    """

    def before_index_creation(
        self, *, client: Elasticsearch, text_field: str, vector_field: str
    ) -> None:
        """Raises NotInService, EncoderMismatch where the cluster lacks the plugin or encoder."""
        self._require_plugin(client)


class AsyncDensehookStrategy(_Strategy, AsyncRetrievalStrategy):
    """As ``DensehookStrategy``, for stores that are awaited, as LlamaIndex's is.

    AsyncDensehookStrategy("all-minilm-l6-v2", mode="dense")
    """

    async def before_index_creation(
        self, *, client: AsyncElasticsearch, text_field: str, vector_field: str
    ) -> None:
        """Raises NotInService, EncoderMismatch where the cluster lacks the plugin or encoder."""
        await asyncio.to_thread(self._require_plugin, synchronous(client))


def _manifest_of(encoder: AnyEncoder | Path | str) -> Manifest:
    if isinstance(encoder, str | Path):
        return read_bundle(bundle_folder(encoder)).manifest
    return encoder.manifest
