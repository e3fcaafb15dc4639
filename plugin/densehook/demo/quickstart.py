"""The steps of the quickstart: each reuses what an earlier run left behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..bundle import Bundle, read_bundle
from ..collections import help_topics
from ..collections.packaged import Passage, Question, judge, passages
from ..elastic.indices import count_in, create_index, delete_index, index_exists
from ..elastic.search import MODES, Searcher
from ..encode import Encoder
from ..errors import BundleError, ElasticError, EncoderMismatch
from ..fusion import FusedHit
from ..ingest import FeedReport, feed
from ..types import Document, ScoredDoc

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

INDEX = "densehook-demo"
ENCODER = "all-minilm-l6-v2"
INPUTS = ("title", "text")
EXAMPLES = ("q002", "q082", "q119")
"""Ids of the questions that are shown with their answers."""


def ready_bundle(models: Path, step: Callable[[str], None]) -> Bundle:
    """The demo's encoder: the bundle that is there, or one exported from its recipe."""
    from ..export import export_bundle, read_recipe

    recipe = read_recipe(models / f"{ENCODER}.toml")
    try:
        return read_bundle(models / recipe.name)
    except BundleError:
        return export_bundle(recipe, models / recipe.name, step)


def ready_index(
    client: Elasticsearch,
    encoder: Encoder,
    on_progress: Callable[[int], None],
    *,
    in_cluster: bool,
) -> FeedReport | None:
    """The collection in its index, ingested unless all of it is there already (then None)."""
    documents = list(help_topics().documents())
    if index_exists(client, INDEX):
        if _holds(client, encoder, documents, in_cluster):
            return None
        delete_index(client, INDEX)
    create_index(
        client, INDEX, encoder.manifest, inputs=INPUTS, index_type="flat", in_cluster=in_cluster
    )
    report = feed(
        client,
        INDEX,
        documents,
        None if in_cluster else encoder,
        on_progress=on_progress,
    )
    if report.failed:
        raise ElasticError(f"{report.failed} of {len(documents)} passages could not be indexed")
    return report


def _holds(
    client: Elasticsearch, encoder: Encoder, documents: Sequence[Document], in_cluster: bool
) -> bool:
    """Whether the index has just these documents, of this Python, with this encoder's vectors."""
    try:
        searcher = Searcher(client, INDEX, encoder)
    except EncoderMismatch:
        return False
    if searcher.in_cluster != in_cluster:
        return False
    stored = searcher.sources([document.id for document in documents])
    return count_in(client, INDEX) == len(documents) and all(
        stored.get(document.id) == document.fields for document in documents
    )


def example_questions() -> list[Question]:
    """The questions that are shown with their answers."""
    by_id = {question.id: question for question in judge(passages()).questions}
    return [by_id[name] for name in EXAMPLES if name in by_id]


def answers(searcher: Searcher, text: str, size: int) -> dict[str, list[Passage]]:
    """The best passages by BM25, dense and hybrid search."""
    by_id = {passage.id: passage for passage in passages()}
    found: dict[str, Sequence[ScoredDoc | FusedHit]] = {
        mode: searcher.search({"question": text}, mode, size)["question"] for mode in MODES
    }
    if searcher.in_cluster:
        found["hybrid"] = searcher.hybrid_in_cluster(text, "rrf", size)
    else:
        found["hybrid"] = searcher.hybrid(text, "rrf")[:size]
    return {mode: [by_id[hit.id] for hit in hits] for mode, hits in found.items()}
