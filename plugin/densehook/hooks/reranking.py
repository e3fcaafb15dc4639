"""Reranking: a search whose best hits a cross-encoder puts in order, there or here. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .text_rule import TextRule

RERANKED = 50
"""Hits that are reranked, unless another number is asked for."""

_LEAST_SCORED = 1e-30
_LEAST = 2.0**-126
"""Float32's smallest number of full precision: what a hit without a score of its own stands by."""
_SHOWN = ("_source", "highlight")

_NEW = re.compile(r"reranked rank \[(?P<rank>\d+)\]: (?:score \[(?P<score>[^\]]+)\]|not scored)")
_FOUND = re.compile(r"found at rank \[(?P<rank>\d+)\], score \[(?P<score>[^\]]+)\]")
"""How the plugin explains what it has reranked."""


class Reranked(NamedTuple):
    """Of a hit: the encoder's own score, if any, and where it stood before, by what score."""

    score: float | None
    found_rank: int
    found_score: float


def retriever_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a search body searches, as a retriever."""
    least = {"min_score": body["min_score"]} if "min_score" in body else {}
    if "retriever" in body:
        return dict(body["retriever"])
    if "knn" in body:
        return {"knn": {**body["knn"], **least}}
    return {"standard": {"query": body["query"], **least}}


def rerank_request(
    body: Mapping[str, Any],
    retriever: Mapping[str, Any],
    text: str,
    *,
    encoder: str,
    rule: TextRule,
    window: int,
    chunks: int | None,
) -> dict[str, Any]:
    """A search by retriever ``rerank``, which shows of its hits what a body has it show."""
    asked: dict[str, Any] = {
        "retriever": retriever,
        "encoder": encoder,
        "text": text,
        "field": list(rule.names),
        "rank_window_size": window,
    }
    if rule.template is not None:
        asked["template"] = rule.template.stated
    if chunks is not None:
        asked["chunks"] = chunks
    shown = {name: body[name] for name in _SHOWN if name in body}
    return {"track_total_hits": False, "retriever": {"rerank": asked}, **shown}


def shown_score(score: float, *, bounded: bool) -> float:
    """A cross-encoder's score as Elasticsearch can have it: above 0, in the same order.

    One that is ``bounded`` from 0 to 1 stays as it is; else it is s + 1 from 0 on, exp(s) below.
    """
    if not bounded:
        score = score + 1 if score >= 0 else math.exp(score)
    return max(score, _LEAST_SCORED)


def unscored(window: int, place: int) -> float:
    """What a hit has that was not scored, of so many, at its place from 0 on."""
    return _LEAST * (window - place)


def reranked_of(hit: Mapping[str, Any]) -> Reranked | None:
    """What the plugin tells of a hit that it has reranked; None where it tells nothing."""
    told = list(_described(hit.get("_explanation", {})))
    new = next(filter(None, map(_NEW.match, told)), None)
    found = next(filter(None, map(_FOUND.match, told)), None)
    if new is None or found is None:
        return None
    score = None if new["score"] is None else float(new["score"])
    return Reranked(score, int(found["rank"]), float(found["score"]))


def _described(explanation: Mapping[str, Any]) -> Iterator[str]:
    yield explanation.get("description", "")
    details: Sequence[Mapping[str, Any]] = explanation.get("details", [])
    for each in details:
        yield from _described(each)
