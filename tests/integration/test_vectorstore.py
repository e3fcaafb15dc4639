"""The vector stores of elasticsearch-py, dsl searches and index templates, on real nodes."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import numpy as np
import pytest
from benchmarks.integrations.examples import PAGE, examples
from elasticsearch import AsyncElasticsearch, Elasticsearch
from elasticsearch.dsl import Q, Search
from elasticsearch.helpers import bulk
from elasticsearch.helpers.vectorstore import AsyncVectorStore, EmbeddingService, VectorStore

import densehook
from densehook.bundle import Bundle
from densehook.encode import Encoder
from densehook.errors import EncoderMismatch
from densehook.integrations.dsl import Dense, Hybrid
from densehook.integrations.vectorstore import AsyncDensehookStrategy, DensehookStrategy
from densehook.node import NodeState

TEXTS = ["Vaccines train immunity.", "Cats sleep all day.", "Shares fell on Monday."]
METADATA: list[dict[str, Any]] = [{"page": 1}, {"page": 2}, {"page": "3"}]
PAGE_2 = [{"term": {"metadata.page": 2}}]


class Embeddings(EmbeddingService):
    """An encoder as a store of elasticsearch-py takes it."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self.encoder.encode_documents(texts).tolist()

    def embed_query(self, query: str) -> list[float]:
        return self.encoder.encode_queries(query).tolist()


@pytest.mark.parametrize("in_cluster", [True, False])
def test_a_store_writes_and_searches_whoever_makes_the_vectors(
    plugin_client: Elasticsearch,
    plugin_index: str,
    minilm_bundle: Bundle,
    minilm: Encoder,
    in_cluster: bool,
) -> None:
    strategy = DensehookStrategy(minilm_bundle.path, mode="hybrid", in_cluster=in_cluster)
    store = VectorStore(
        plugin_client,
        index=plugin_index,
        retrieval_strategy=strategy,
        embedding_service=None if in_cluster else Embeddings(minilm),
    )
    store.add_texts(TEXTS, metadatas=METADATA, ids=["v", "c", "s"])
    best = store.search(query="how does immunisation work", k=2)
    assert [best[0]["_id"], len(best)] == ["v", 2]
    assert [hit["_id"] for hit in store.search(query="vaccines", filter=PAGE_2)] == ["c"]
    naps = minilm.encode_queries("naps").tolist()
    assert store.search(query_vector=naps, k=1)[0]["_id"] == "c"
    written = plugin_client.get(index=plugin_index, id="c", source_includes="vector_field")
    vector = np.array(written["_source"]["vector_field"])
    np.testing.assert_allclose(vector, minilm.encode_documents(TEXTS[1]), atol=1e-4)

    # what a store has made is an index like any other
    index = densehook.Index.open(plugin_client, plugin_index)
    assert index.provenance.in_cluster == in_cluster
    assert index.stats().with_vector == len(TEXTS)
    opened = index if in_cluster else index.encoded_by(minilm)
    assert opened.search("naps", mode="dense")[0].id == "c"


def test_a_store_that_is_awaited_does_too(
    plugin_node: NodeState, plugin_index: str, minilm_bundle: Bundle
) -> None:
    async def found() -> list[str]:
        async with AsyncElasticsearch(plugin_node.url) as client:
            strategy = AsyncDensehookStrategy(minilm_bundle.path, mode="dense")
            store = AsyncVectorStore(client, index=plugin_index, retrieval_strategy=strategy)
            await store.add_texts(TEXTS, ids=["v", "c", "s"])
            return [hit["_id"] for hit in await store.search(query="naps", k=1)]

    assert asyncio.run(found()) == ["c"]


def test_no_index_is_made_for_an_encoder_that_the_cluster_has_in_another_form(
    plugin_client: Elasticsearch, plugin_index: str, minilm_bundle: Bundle
) -> None:
    strategy = DensehookStrategy(minilm_bundle.path)
    strategy.manifest = dataclasses.replace(strategy.manifest, max_tokens=7)
    store = VectorStore(plugin_client, index=plugin_index, retrieval_strategy=strategy)
    with pytest.raises(EncoderMismatch, match="put the same bundle on every node"):
        store.add_texts(TEXTS)
    assert not plugin_client.indices.exists(index=plugin_index)


def test_dsl_searches_run(
    plugin_client: Elasticsearch, plugin_index: str, minilm_bundle: Bundle
) -> None:
    strategy = DensehookStrategy(minilm_bundle.path)
    store = VectorStore(plugin_client, index=plugin_index, retrieval_strategy=strategy)
    store.add_texts(TEXTS, metadatas=METADATA, ids=["v", "c", "s"])
    search = Search(using=plugin_client, index=plugin_index)
    dense = Dense(field="vector_field", text="naps", k=2)
    assert [hit.meta.id for hit in search.query(dense)[:1]] == ["c"]
    filtered = search.query(dense & Q("match", text_field="shares"))
    assert [hit.meta.id for hit in filtered] == ["s"]
    hybrid = Hybrid(query="naps", filter=~Q("term", metadata__page=2))
    assert "c" not in [hit.meta.id for hit in search.extra(retriever=hybrid)]
    lists = [{"standard": {"query": Q("match", text_field="cats")}}, {"standard": {"query": dense}}]
    both = search.extra(retriever=Hybrid(retrievers=lists))
    assert both[:1].execute()[0].meta.id == "c"


def test_the_template_of_the_page_embeds_what_is_written_unchanged(
    plugin_node: NodeState,
    plugin_client: Elasticsearch,
    minilm_bundle: Bundle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DENSEHOOK_MODELS", str(minilm_bundle.path.parent))
    code = examples(PAGE.read_text())[0].code
    real = f'"{plugin_node.url}"'
    exec(code.replace('"https://search.example:9200", api_key="…"', real), {})
    try:
        actions = [{"_index": "team-any", "_id": text, "content": text} for text in TEXTS]
        bulk(plugin_client, actions, refresh=True)
        index = densehook.Index.open(plugin_client, "team-any")
        assert index.stats().with_vector == len(TEXTS)
        assert index.search("naps", mode="dense")[0].id == TEXTS[1]
    finally:
        plugin_client.indices.delete(index="team-any", ignore_unavailable=True)
        plugin_client.indices.delete_index_template(name="team")
