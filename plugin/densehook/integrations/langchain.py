"""LangChain: an encoder as its ``Embeddings``.

from densehook.integrations.langchain import DensehookEmbeddings

store = ElasticsearchStore("passages", client=es, embedding=DensehookEmbeddings(encoder))
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .encoders import encoder_of
from .needing import needing

if TYPE_CHECKING:
    from .encoders import AnyEncoder

with needing("langchain-core", "densehook.integrations.langchain"):
    from langchain_core.embeddings import Embeddings


class DensehookEmbeddings(Embeddings):
    """The vectors of an encoder, with the prompt of queries or of documents.

    DensehookEmbeddings("all-minilm-l6-v2").embed_query("how do vaccines work")
    """

    def __init__(self, encoder: AnyEncoder | Path | str) -> None:
        """``encoder`` is one that ``densehook.load`` gave, or its bundle's name or folder."""
        self.encoder = encoder_of(encoder)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """The vector of each document."""
        vectors: list[list[float]] = self.encoder.encode_documents(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """The vector of a query."""
        vector: list[float] = self.encoder.encode_queries(text).tolist()
        return vector
