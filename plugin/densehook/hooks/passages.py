"""How the score of a document is made of those of its chunks; the node reads the same object."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import RequestError

SCORES = ("max", "first", "sum", "mean")
"""What is taken of the scores of a document's chunks (Dai and Callan 2019, and means)."""
CUT = "dense-cut"
"""Dense search by one vector of each text, of its beginning: what there would be without chunks."""
_OF_SEVERAL = ("sum", "mean")
_KEYS = ("score", "best", "sections", "other")


@dataclass(frozen=True)
class PassageScore:
    """What is taken of the scores of a document's chunks.

    Sum and mean are of the ``best`` so many, or of all. Before that each score is multiplied by the
    weight of the chunk's section in ``sections``, or else by ``other``.
    """

    score: str = "max"
    best: int | None = None
    sections: Mapping[str, float] = field(default_factory=dict)
    other: float = 1.0

    def __post_init__(self) -> None:
        if self.score not in SCORES:
            raise _refused("score", self.score, f"it is one of {', '.join(SCORES)}")
        if self.best is not None:
            if type(self.best) is not int or self.best < 1:
                raise _refused("best", self.best, "it is a whole number of at least 1")
            if self.score not in _OF_SEVERAL:
                raise _refused("best", self.best, f"it is for sum and mean, not for {self.score}")
        if not isinstance(self.sections, Mapping):
            raise _refused("sections", self.sections, "write them like {'facts': 2, 'ruling': 1}")
        for weight in (*self.sections.values(), self.other):
            is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
            if not is_number or not 0 <= weight < math.inf:
                raise _refused("a weight", weight, "it is a number of at least 0")

    @property
    def is_of_best_chunk(self) -> bool:
        """Whether it is what kNN over chunks gives by itself."""
        return self == PassageScore()

    @property
    def request(self) -> dict[str, Any]:
        """The object ``passages`` of the query ``dense``."""
        best = {} if self.best is None else {"best": self.best}
        sections = {"sections": dict(self.sections)} if self.sections else {}
        other = {} if self.other == 1 else {"other": self.other}
        return {"score": self.score, **best, **sections, **other}


def passage_score(stated: str | Mapping[str, Any] | None) -> PassageScore:
    """What is stated, as ``mean``, as ``mean-3`` of the best three, or as the request's object.

    A string may hold that object as JSON. Raises RequestError for what is none of these.
    """
    if isinstance(stated, str):
        return _written(stated)
    if not isinstance(stated, Mapping | None):
        raise _refused("passage_score", stated, "write it like 'mean-3' or {'score': 'mean'}")
    for key in stated or {}:
        if key not in _KEYS:
            raise RequestError(f"passage_score has no {key!r}; known: {', '.join(_KEYS)}")
    return PassageScore(**(stated or {}))


def _written(stated: str) -> PassageScore:
    if stated.lstrip().startswith("{"):
        try:
            return passage_score(json.loads(stated))
        except json.JSONDecodeError as error:
            raise _refused("passage_score", stated, f"it is no JSON: {error}") from error
    score, dash, best = stated.partition("-")
    if dash and not best.isdecimal():
        raise _refused("best", best, "it is a whole number of at least 1")
    return PassageScore(score, int(best) if dash else None)


def _refused(name: str, value: object, why: str) -> RequestError:
    return RequestError(f"{name} is {value!r}; {why}")
