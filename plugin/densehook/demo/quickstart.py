"""The steps of the quickstart: each reuses what an earlier run left behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ..bundle import Bundle, read_bundle
from ..collections import help_topics
from ..collections.packaged import KINDS, Question, judge, passages
from ..elastic.cluster import has_encoder
from ..elastic.indices import count_in, delete_index, index_exists
from ..encode import Encoder
from ..errors import BundleError, DensehookError, EncoderMismatch
from ..index import Index
from ..ingest import FeedReport
from ..types import Document

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

INDEX = "densehook-demo"
ENCODER = "all-minilm-l6-v2"
INPUTS = ("title", "text")


@dataclass(frozen=True)
class Place:
    """A cluster and the encoder, which it may have in service too."""

    client: Elasticsearch
    encoder: Encoder
    in_cluster: bool

    @classmethod
    def of(cls, client: Elasticsearch, encoder: Encoder) -> Self:
        """The cluster encodes if it can."""
        return cls(
            client, encoder, has_encoder(client, encoder.manifest.name, encoder.manifest.space)
        )

    def index(self) -> Index:
        """The demo's index, as users search it."""
        return Index.open(self.client, INDEX, self._encoder_here)

    @property
    def _encoder_here(self) -> Encoder | None:
        return None if self.in_cluster else self.encoder


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
    index = Index.create(
        client, INDEX, encoder, inputs=INPUTS, index_type="flat", in_cluster=in_cluster
    )
    report = index.ingest(documents, on_progress=on_progress)
    if report.failed:
        raise DensehookError(
            f"{report.failed} of {len(documents)} passages could not be indexed, the first:"
            f" {report.failures[0].reason}"
        )
    return report


def _holds(
    client: Elasticsearch, encoder: Encoder, documents: Sequence[Document], in_cluster: bool
) -> bool:
    """Whether the index has just these documents, of this Python, with this encoder's vectors."""
    try:
        index = Index.open(client, INDEX, encoder)
    except EncoderMismatch:
        return False
    if index.provenance.in_cluster != in_cluster:
        return False
    stored = index.mget([document.id for document in documents])
    return count_in(client, INDEX) == len(documents) and all(
        document.id in stored and stored[document.id].fields == document.fields
        for document in documents
    )


def example_questions() -> list[Question]:
    """The first question of each kind: shown with its answers, whatever they are."""
    first: dict[str, Question] = {}
    for question in judge(passages()).questions:
        first.setdefault(question.kind, question)
    return [first[kind] for kind in KINDS if kind in first]
