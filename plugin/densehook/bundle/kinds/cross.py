"""Cross: a score for a pair of a query and a text, which the model reads together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from ...errors import BundleError
from ..stated import Stated, is_number, shown

ACTIVATIONS = ("identity", "sigmoid")
TRUNCATIONS = ("longest_first", "document")

SCORE_BOUNDS = {"fp32": 1e-3, "fp16": 0.05, "int8": 1.5, "int4": 3.0}
"""How far from the golden scores those of each precision may be, in logits."""
_STEEPEST = {"identity": 1.0, "sigmoid": 0.25}
"""By how much a score changes at most when the logit does by 1."""


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """How the model reads a pair: these token ids with the query's and the text's between them.

    ``before``, the query, ``between``, the text, ``after``. The tokenizer reads
    ``prompts["query"] + query + query_end`` and ``prompts["document"] + text``, each by itself and
    without special tokens. Tokens from the text's first on are of type ``second_type``, others of
    type 0. What is over ``max_tokens`` is cut at the end: by ``longest_first`` of the longer of the
    two until both are half, as transformers does by default; by ``document`` of the text.
    """

    before: Sequence[int]
    between: Sequence[int]
    after: Sequence[int]
    second_type: int
    query_end: str
    truncation: str

    @property
    def around(self) -> int:
        """How many tokens of a pair are neither the query's nor the text's."""
        return len(self.before) + len(self.between) + len(self.after)

    @classmethod
    def read(cls, stated: Stated) -> Self:
        """Its keys, parsed; raises BundleError for a value out of its range."""
        return cls(
            before=tuple(stated.list_of("before", is_number, "token ids")),
            between=tuple(stated.list_of("between", is_number, "token ids")),
            after=tuple(stated.list_of("after", is_number, "token ids")),
            second_type=stated.number("second_type", 0),
            query_end=stated.text("query_end"),
            truncation=stated.one_of("truncation", TRUNCATIONS),
        )


@dataclass(frozen=True, kw_only=True)
class Cross:
    """A score: float32 [1], the larger the more the text answers the query.

    ``activation`` is what the graph ends with: by ``sigmoid`` scores are from 0 to 1.
    """

    KEYS: ClassVar[tuple[str, ...]] = ("pairing", "activation")
    OUTPUT_KEY: ClassVar[str] = "score"

    pairing: Pairing
    activation: str

    @property
    def summary(self) -> str:
        """As ``Part.summary``."""
        return "scores pairs"

    @property
    def space(self) -> None:
        """As ``Part.space``: scores are compared with none of another encoder."""

    def bound(self, precision: str) -> float:
        """How far from the golden scores those of a precision may be."""
        return SCORE_BOUNDS[precision] * _STEEPEST[self.activation]

    def reads_plainly(self, max_tokens: int) -> bool:
        """As ``Part.reads_plainly``."""
        return False

    @classmethod
    def read(cls, stated: Stated) -> Self:
        """As ``Part.read``."""
        keys = list(Pairing.__dataclass_fields__)
        return cls(
            pairing=Pairing.read(Stated(stated.table("pairing"), "encoder.json: pairing", keys)),
            activation=stated.one_of("activation", ACTIVATIONS),
        )

    def read_output(self, golden: Stated) -> float:
        """As ``Part.read_output``: a number, by ``sigmoid`` from 0 to 1."""
        score = golden.real(self.OUTPUT_KEY)
        if self.activation == "sigmoid" and not 0 <= score <= 1:
            raise BundleError(
                f"{golden.where}: score is {shown(score)}; by sigmoid it must be from 0 to 1"
            )
        return score

    def written_output(self, output: float) -> float:
        """As ``Part.written_output``, with the nine digits that identify a float32."""
        return float(f"{float(output):.9g}")
