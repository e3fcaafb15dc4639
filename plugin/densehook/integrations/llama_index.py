"""LlamaIndex: an encoder as its ``BaseEmbedding``, and the strategy for vectors made by it.

from densehook.integrations.llama_index import DensehookEmbedding

Settings.embed_model = DensehookEmbedding("all-minilm-l6-v2")
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import RequestError
from .encoders import encoder_of
from .needing import needing
from .vectorstore import AsyncDensehookStrategy

if TYPE_CHECKING:
    from .encoders import AnyEncoder

with needing("llama-index-core", "densehook.integrations.llama_index"):
    from elasticsearch.helpers.vectorstore import AsyncDenseVectorStrategy
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.bridge.pydantic import PrivateAttr

_BATCH = 512  # texts sorted by length together; LlamaIndex's own 10 pad more and pack less


class DensehookEmbedding(BaseEmbedding):
    """The vectors of an encoder, with the prompt of queries or of documents.

    DensehookEmbedding("all-minilm-l6-v2").get_query_embedding("how do vaccines work")
    """

    bundle: str
    _encoder: Any = PrivateAttr()

    def __init__(
        self,
        encoder: AnyEncoder | Path | str | None = None,
        *,
        bundle: str | None = None,
        embed_batch_size: int = _BATCH,
        **fields: Any,
    ) -> None:
        """``encoder`` is one that ``densehook.load`` gave, or its bundle's name or folder.

        ``bundle`` names it too: what LlamaIndex has written down of this gives it back.
        """
        named = encoder if encoder is not None else bundle
        if named is None:
            raise RequestError("there is no encoder; give its bundle's name or folder")
        opened = encoder_of(named)
        name = opened.manifest.name
        super().__init__(
            **{
                "model_name": name,
                **fields,
                "bundle": str(named) if isinstance(named, str | Path) else name,
                "embed_batch_size": embed_batch_size,
            }
        )
        self._encoder = opened

    @classmethod
    def class_name(cls) -> str:
        """As LlamaIndex calls it."""
        return "DensehookEmbedding"

    def _get_query_embedding(self, query: str) -> list[float]:
        vector: list[float] = self._encoder.encode_queries(query).tolist()
        return vector

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._encoder.encode_documents(texts).tolist()
        return vectors

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return await asyncio.to_thread(self._get_text_embedding, text)

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)


class EncodedHereStrategy(AsyncDensehookStrategy, AsyncDenseVectorStrategy):
    """``AsyncDensehookStrategy`` where LlamaIndex's embedding makes the vectors, in this process.

    LlamaIndex's store writes the vectors of its nodes for a dense strategy of Elasticsearch's own
    and for no other, and so takes this one for it.

        EncodedHereStrategy("all-minilm-l6-v2", mode="dense")
    """

    def __init__(self, encoder: AnyEncoder | Path | str, **options: Any) -> None:
        """The options are those of ``AsyncDensehookStrategy``; its vectors are made here."""
        AsyncDensehookStrategy.__init__(self, encoder, **{**options, "in_cluster": False})
        self.hybrid = self.asked.mode == "hybrid"
