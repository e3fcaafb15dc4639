"""The second stage of a search: whose scores put its best hits in order, made here or there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..bundle import Cross, is_blank
from ..elastic.cluster import READY, encoders_of
from ..errors import BundleError, ElasticError, NotElasticsearch, RequestError
from ..fusion import Part
from ..hooks import shown_score, unscored
from ..types import DocId
from .asked import Asked
from .hits import Hits

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ..encode import CrossEncoder


@dataclass(frozen=True)
class InCluster:
    """The cluster scores, by an encoder of this name."""

    encoder: str


@dataclass(frozen=True)
class Here:
    """Scored in this process."""

    encoder: CrossEncoder

    def scores(self, hits: Hits, texts: Mapping[DocId, str], asked: Asked) -> dict[DocId, float]:
        """The scores of those hits of which texts are given that are not blank."""
        ids = [hit.id for hit in hits if not is_blank(texts.get(hit.id, ""))]
        given = [texts[id_] for id_ in ids]
        scored = self.encoder.score_best(hits.query, given, asked.rerank_chunks).scores
        return dict(zip(ids, scored.tolist(), strict=True))

    def reranked(self, hits: Hits, scores: Mapping[DocId, float], asked: Asked) -> Hits:
        """The hits of a first stage, best first, in their new order; as many as are asked for.

        A hit without a score stays behind those that have some, as they were.
        """
        own = {n: scores[hit.id] for n, hit in enumerate(hits) if hit.id in scores}
        order = sorted(range(len(hits)), key=lambda n: (n not in own, -own.get(n, 0.0), n))
        bounded = self.encoder.manifest.of(Cross).activation == "sigmoid"
        ordered = []
        for rank, place in enumerate(order, start=1):
            raw = own.get(place)
            shown = unscored(len(hits), place) if raw is None else shown_score(raw, bounded=bounded)
            hit = hits[place]
            parts = with_rerank(hit.parts, asked.mode, rank, raw, shown, (place + 1, hit.score))
            ordered.append(replace(hit, score=shown, parts=parts))
        return replace(hits, hits=ordered[asked.from_ : asked.last])


Stage = InCluster | Here


def with_rerank(
    parts: Mapping[str, Part],
    mode: str,
    rank: int,
    raw: float | None,
    shown: float,
    found: tuple[int, float],
) -> Mapping[str, Part]:
    """What each list gave, and then what the cross-encoder gave: its own score as such."""
    before = dict(parts) or {mode: Part(*found, None, 1.0, found[1])}
    return {**before, "rerank": Part(rank if raw is not None else None, raw, None, 1.0, shown)}


def stage_of(client: Elasticsearch, rerank: Any) -> Stage:
    """Who scores: an encoder that is given; by its name, the cluster's, else the bundle here.

    Raises BundleError where there is none of that name, or it is no cross-encoder.
    """
    if not isinstance(rerank, str):
        return _here(rerank)
    if rerank in _ready(client):
        return InCluster(rerank)
    from ..encode import load

    try:
        return _here(load(rerank))
    except BundleError as error:
        raise BundleError(
            f"rerank by {rerank!r}: the cluster has it not in service, and {error}"
        ) from error


def _here(encoder: Any) -> Here:
    manifest = getattr(encoder, "manifest", None)
    if manifest is None:
        raise RequestError(
            f"rerank is {encoder!r}; give a cross-encoder that densehook.load gave, or its name"
        )
    manifest.of(Cross)
    return Here(encoder)


def _ready(client: Elasticsearch) -> Sequence[str]:
    try:
        return [each.name for each in encoders_of(client) or () if each.state == READY]
    except (NotElasticsearch, ElasticError):  # a proxy hides it, or the privilege is not there
        return []
