"""Weights that are learned for a query: how far to trust words, how far vectors.

A small linear model of what is known before the fusion: of the query's text, and of the two lists,
BM25's and dense search's. The node computes the same, operation by operation: square roots and the
four operations alone, which every machine rounds alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from ..bundle import is_blank
from ..errors import RequestError
from ..types import Ranking
from .normalizers import NORMALIZERS

LEARNED = "learned"
"""What a request says in the place of weights."""

_FIRST = 10
"""Hits of a list that are looked at."""


class Seen(NamedTuple):
    """What is known of a query before its lists are fused."""

    text: str
    words: Ranking
    vectors: Ranking


def word_count(text: str) -> int:
    """The words of a text: what stands between code points that show nothing."""
    return sum(
        not is_blank(character) and (place == 0 or is_blank(text[place - 1]))
        for place, character in enumerate(text)
    )


def _length(seen: Seen) -> float:
    return math.sqrt(word_count(seen.text))


def _rarity(seen: Seen) -> float:
    return _top(seen.words) / max(1, word_count(seen.text))


def _overlap(seen: Seen) -> float:
    first = {hit.id for hit in seen.words[:_FIRST]}
    return sum(hit.id in first for hit in seen.vectors[:_FIRST]) / _FIRST


def _bm25_spread(seen: Seen) -> float:
    return _spread(seen.words)


def _dense_spread(seen: Seen) -> float:
    return _spread(seen.vectors)


def _dense_top(seen: Seen) -> float:
    return _top(seen.vectors)


FEATURES: Mapping[str, Callable[[Seen], float]] = {
    "length": _length,
    "rarity": _rarity,
    "overlap": _overlap,
    "bm25_spread": _bm25_spread,
    "dense_spread": _dense_spread,
    "dense_top": _dense_top,
}
"""What the model looks at.

``length`` is the square root of the number of words. ``rarity`` is BM25's best score over that
number: rare words score high, by their idf, and a query of words that stand in no document together
scores low. ``overlap`` is the share of BM25's first ten hits that dense search has among its ten. A
``spread`` is by how much of the best score the tenth is below it, or the last of fewer.
``dense_top`` is the similarity of the best hit.
"""


def _top(ranking: Ranking) -> float:
    return ranking[0].score if ranking else 0.0


def _spread(ranking: Ranking) -> float:
    top = _top(ranking)
    return (top - ranking[:_FIRST][-1].score) / top if top > 0 else 0.0


class Factor(NamedTuple):
    """How a feature counts: its distance from the mean in deviations, times the coefficient."""

    mean: float
    deviation: float
    coefficient: float


@dataclass(frozen=True)
class LearnedWeights:
    """A model of how much dense search is to count, and the fusion it was learned for.

    ``factors`` are for some of FEATURES, by name.
    """

    fusion: str
    intercept: float
    factors: Mapping[str, Factor]
    rank_constant: int | None = None
    normalizer: str | None = None

    def features(self, seen: Seen) -> dict[str, float]:
        """What it looks at, of one query."""
        return {name: FEATURES[name](seen) for name in self.factors}

    def share(self, features: Mapping[str, float]) -> float:
        """Of all weight that of dense search, between 0 and 1."""
        level = self.intercept
        for name, factor in self.factors.items():
            distance = (features[name] - factor.mean) / factor.deviation
            level += factor.coefficient * distance
        return 0.5 + 0.5 * (level / math.sqrt(1 + level * level))

    def weights(self, seen: Seen) -> tuple[float, float]:
        """The weights of BM25's list and of dense search's."""
        share = self.share(self.features(seen))
        return 1 - share, share

    @property
    def options(self) -> dict[str, Any]:
        """What its fusion takes."""
        if self.fusion == "rrf":
            return {"rank_constant": self.rank_constant}
        return {"normalizer": self.normalizer}

    def as_json(self) -> dict[str, Any]:
        """What the mapping's ``_meta`` keeps."""
        return {
            "fusion": self.fusion,
            **self.options,
            "intercept": self.intercept,
            "features": {name: factor._asdict() for name, factor in self.factors.items()},
        }

    @classmethod
    def parse(cls, stated: Any) -> LearnedWeights:
        """Reads ``as_json``. Raises RequestError that names what is wrong with it."""
        body = _object(stated, "", ("fusion", "rank_constant", "normalizer", *_REQUIRED))
        fusion, constant = body.get("fusion"), body.get("rank_constant")
        if fusion == "rrf":
            _without(body, "normalizer", "rrf")
            if type(constant) is not int or not 1 <= constant < 1 << 31:
                raise RequestError(
                    f"[rank_constant] is {constant!r}; it must be a whole number of at least 1"
                )
        elif fusion == "linear":
            _without(body, "rank_constant", "linear")
            _one_of(body.get("normalizer"), "[normalizer]", NORMALIZERS)
        else:
            _one_of(fusion, "[fusion]", ("rrf", "linear"))
        features = _object(body.get("features"), "[features]", FEATURES)
        return cls(
            cast(str, fusion),
            _number(body, "", "intercept"),
            {
                # in one order: it decides the sum's last bit
                name: _factor(features[name], f"[features.{name}]")
                for name in FEATURES
                if name in features
            },
            constant,
            body.get("normalizer"),
        )


_REQUIRED = ("intercept", "features")


def _factor(stated: Any, place: str) -> Factor:
    body = _object(stated, place, Factor._fields)
    mean, deviation, coefficient = (_number(body, place, name) for name in Factor._fields)
    if deviation <= 0:
        raise RequestError(f"{place} has the deviation {deviation}; it must be above 0")
    return Factor(mean, deviation, coefficient)


def _object(stated: Any, place: str, known: Sequence[str] | Mapping[str, Any]) -> Mapping[str, Any]:
    where = f"{place} " if place else ""
    if not isinstance(stated, Mapping):
        raise RequestError(f"{where}is {stated!r}; it must be an object of {', '.join(known)}")
    for name in stated:
        if name not in known:
            raise RequestError(f"{where}has {name!r}; known are {', '.join(known)}")
    return stated


def _number(body: Mapping[str, Any], place: str, name: str) -> float:
    value = body.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(cast(float, value)):
        where = f" of {place}" if place else ""
        raise RequestError(f"[{name}]{where} is {value!r}; it must be a number")
    return float(cast(float, value))


def _without(body: Mapping[str, Any], name: str, fusion: str) -> None:
    if name in body:
        raise RequestError(f"[{name}] is not of fusion {fusion}; leave it out")


def _one_of(value: Any, place: str, known: Sequence[str] | Mapping[str, Any]) -> None:
    if not isinstance(value, str) or value not in known:
        raise RequestError(f"{place} is {value!r}; it must be one of {', '.join(known)}")
